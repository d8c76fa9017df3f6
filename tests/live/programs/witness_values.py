"""What inquest promises to print for a value: repr() for builtin values, a form of its own for other objects.

GAP stands for text that is not promised (the state of a lock, the repr of a C type). A value may have more than
one accepted form, but only at the top: inside a container an open choice becomes a GAP.
"""
import collections
import enum
import functools
import types

GAP = "\0"
MAX_ITEMS = 3000
MAX_DEPTH = 40
ATOMS = (int, float, complex, str, bytes, bytearray, bool, type(None), type(Ellipsis), type(NotImplemented), range)
SLICE_FIELDS = ("start", "stop", "step")
C_ENTRIES = {types.MethodDescriptorType, types.WrapperDescriptorType, types.GetSetDescriptorType}


def type_name(cls):
    module = cls.__dict__.get("__module__") if isinstance(cls.__dict__.get("__module__"), str) else cls.__module__
    return cls.__qualname__ if module in ("builtins", None) else module + "." + cls.__qualname__


def accepted(value):
    """The list of forms, any of which is right."""
    cls = type(value)
    plain = show(value, {}, 0)
    forms = [] if plain == GAP else [plain]
    if _is_open(value, cls):
        own = _own_repr(value)
        forms += [own] if own else []
        forms.append("<%s at %#x%s>" % (type_name(cls), id(value), GAP))
    if _has_both(cls):
        forms.append(_object(value, {}, 0, dict_first=True))
    return forms


def show(value, active, depth):
    cls = type(value)
    if cls in ATOMS:
        return repr(value)
    if depth > MAX_DEPTH:
        return GAP
    handler = HANDLERS.get(cls) or _handler_by_kind(value, cls)
    if handler is _named:
        return handler(value, active, depth)
    if id(value) in active:
        return RECURSION.get(cls) or _recursion(value, handler)
    active[id(value)] = True
    try:
        return handler(value, active, depth + 1)
    finally:
        del active[id(value)]


def _recursion(value, handler):
    return "..." if handler is _dataclass else GAP if handler is not _object else \
        "<%s at %#x%s>" % (type_name(type(value)), id(value), GAP)


RECURSION = {list: "[...]", dict: "{...}", tuple: "(...)", collections.deque: "[...]"}


def _is_plain_library_value(cls):
    return (cls.__module__, cls.__qualname__) in (("fractions", "Fraction"), ("uuid", "UUID"))


def _handler_by_kind(value, cls):
    if isinstance(value, enum.Enum) or _is_plain_library_value(cls):
        return _named
    if isinstance(value, BaseException):
        return _exception if cls.__repr__ is BaseException.__repr__ else _gap
    if _dataclass_repr(cls):
        return _dataclass
    if isinstance(value, tuple) and hasattr(cls, "_fields") and hasattr(cls, "_make"):
        return _namedtuple
    if isinstance(value, type):
        return _named if cls.__repr__ is type.__repr__ else _gap
    if isinstance(value, types.ModuleType):
        return _named if cls is types.ModuleType else _gap
    if _python_made(cls):
        return _object
    return _gap if _made_by_statement(cls) else _opaque


def _dataclass_repr(cls):
    return (hasattr(cls, "__dataclass_fields__") and cls.__dataclass_params__.repr
            and hasattr(cls.__repr__, "__wrapped__"))


def _python_made(cls):
    """Every class of the line, object apart, was made by a class statement."""
    return all(_made_by_statement(base) for base in cls.__mro__[:-1])


def _made_by_statement(cls):
    """C's classes are known by the descriptors of their methods; a class statement leaves functions."""
    if not cls.__flags__ & 1 << 9:
        return False
    kinds = {type(entry) for name, entry in cls.__dict__.items() if name not in ("__dict__", "__weakref__")}
    return types.FunctionType in kinds or not kinds & C_ENTRIES


def _is_open(value, cls):
    """Kinds whose text is not settled: the driver takes repr() as well as the object form."""
    handler = HANDLERS.get(cls) or _handler_by_kind(value, cls)
    return cls not in ATOMS and handler in (_gap, _opaque)


def _own_repr(value):
    try:
        return repr(value)
    except Exception:
        return None


def _has_both(cls):
    return _python_made(cls) and cls.__dictoffset__ != 0 and bool(_slots(cls))


# The forms

def _items(values, active, depth):
    shown = []
    for value in values:
        if len(shown) == MAX_ITEMS:
            shown.append(GAP)
            break
        shown.append(show(value, active, depth))
    return ", ".join(shown)


def _list(value, active, depth):
    return "[" + _items(value, active, depth) + "]"


def _tuple(value, active, depth):
    return "(" + _items(value, active, depth) + (",)" if len(value) == 1 else ")")


def _dict(value, active, depth):
    pairs = []
    for key in value:
        if len(pairs) == MAX_ITEMS:
            pairs.append(GAP)
            break
        pairs.append(show(key, active, depth) + ": " + show(value[key], active, depth))
    return "{" + ", ".join(pairs) + "}"


def _set(value, active, depth):
    return "{" + _items(value, active, depth) + "}" if value else "set()"


def _frozenset(value, active, depth):
    return "frozenset({" + _items(value, active, depth) + "})" if value else "frozenset()"


def _deque(value, active, depth):
    tail = "" if value.maxlen is None else ", maxlen=%d" % value.maxlen
    return "deque([" + _items(value, active, depth) + "]" + tail + ")"


def _slice(value, active, depth):
    return "slice(" + ", ".join(show(getattr(value, f), active, depth) for f in SLICE_FIELDS) + ")"


def _method(value, active, depth):
    function = value.__func__
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", "?")
    return "<bound method %s of %s>" % (name, show(value.__self__, active, depth))


def _exception(value, active, depth):
    return type(value).__name__ + ("(" + show(value.args[0], active, depth) + ")" if len(value.args) == 1
                                   else _tuple(value.args, active, depth))


def _dataclass(value, active, depth):
    cls = type(value)
    shown = ["%s=%s" % (name, show(getattr(value, name), active, depth))
             for name, field in cls.__dataclass_fields__.items()
             if field.repr and field._field_type.name == "_FIELD"]
    return cls.__qualname__ + "(" + ", ".join(shown) + ")"


def _namedtuple(value, active, depth):
    return type(value).__name__ + "(" + ", ".join(
        "%s=%s" % (name, show(item, active, depth)) for name, item in zip(value._fields, value)) + ")"


def _slots(cls):
    """(name, descriptor) in the order of definition, base first; private names as the class mangles them."""
    found = {}
    for base in reversed(cls.__mro__):
        slots = base.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name.startswith("__") and not name.endswith("__"):
                name = "_%s%s" % (base.__name__.lstrip("_"), name)
            descriptor = base.__dict__.get(name)
            if isinstance(descriptor, types.MemberDescriptorType):
                found.setdefault(name, descriptor)
    return found.items()


def _object(value, active, depth, dict_first=False):
    slots = []
    for name, descriptor in _slots(type(value)):
        try:
            slots.append((name, descriptor.__get__(value)))
        except AttributeError:
            pass  # not set
    try:
        rest = list(object.__getattribute__(value, "__dict__").items())
    except AttributeError:
        rest = []
    pairs = rest + slots if dict_first else slots + rest
    shown = ["%s=%s" % (name, show(item, active, depth)) for name, item in pairs]
    return "<%s at %#x%s>" % (type_name(type(value)), id(value), " " + ", ".join(shown) if shown else "")


def _partial(value, active, depth):
    parts = [value.func] + list(value.args)
    shown = [show(part, active, depth) for part in parts]
    shown += ["%s=%s" % (name, show(item, active, depth)) for name, item in value.keywords.items()]
    return "functools.partial(%s)" % ", ".join(shown)


def _named(value, active, depth):
    return repr(value)


def _gap(value, active, depth):
    return GAP


def _opaque(value, active, depth):
    """An object of C's: the address is promised, and no more."""
    return "<%sat %#x%s>" % (GAP, id(value), GAP) if depth <= 1 else GAP


HANDLERS = {
    list: _list, tuple: _tuple, dict: _dict, set: _set, frozenset: _frozenset, collections.deque: _deque,
    slice: _slice, types.MethodType: _method, types.FunctionType: _named, types.BuiltinFunctionType: _named,
    type: _named, types.ModuleType: _named, functools.partial: _partial,
    collections.OrderedDict: _gap, collections.defaultdict: _gap, collections.Counter: _gap,
}
