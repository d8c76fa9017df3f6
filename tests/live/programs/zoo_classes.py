"""Classes and their instances: slots, inheritance, metaclasses, bases of every layout, and what hangs on a class."""
import abc
import dataclasses
import enum
import functools
import sys
import types
import typing
import weakref

from zoo_containers import Plain

KINDS = {}


def kind(make):
    KINDS[make.__name__.strip("_").replace("_", " ")] = make
    return make


@kind
def slots():
    class Slotted:
        __slots__ = ("a", "b", "__private")

        def __init__(self):
            self.a = []
            self.__private = {}

    class Sub(Slotted):
        pass

    class SubSlotted(Slotted):
        __slots__ = ("c", "d")

    class WithDict(Slotted):
        __slots__ = ("e", "__dict__")

    class WithWeak(Slotted):
        __slots__ = ("f", "__weakref__")

    class Both(WithDict):
        __slots__ = ("g",)

    class Nothing:
        __slots__ = ()

    class SubNothing(Nothing):
        __slots__ = ()

    class Documented:
        __slots__ = {"a": "the a", "b": "the b"}

    found = [Slotted(), Sub(), SubSlotted(), WithDict(), WithWeak(), Both(), Documented()]
    for each in found[1:]:
        each.b = [each]
    found[1].x = []
    found[2].c = "c"
    found[3].e = [3]
    found[3].y = {}
    found[4].f = []
    found[5].g = []
    found[5].z = []
    return found + [Nothing(), SubNothing(), weakref.ref(found[4]), weakref.ref(found[1])]


@kind
def multiple_bases():
    class A:
        __slots__ = ("a",)

    class B:
        __slots__ = ()

    class C(A, B):
        __slots__ = ("c",)

    class D(C, Plain):
        pass

    class E(Plain, C):
        __slots__ = ("e",)

    class Error(ValueError, Plain):
        pass

    found = [C(), D(), E(), Error("x", [])]
    for each in found:
        each.a = [each]
    found[1].other = found[2].e = []
    return found


@kind
def metaclasses():
    class Meta(type):
        def __new__(cls, name, bases, names):
            made = super().__new__(cls, name, bases, names)
            made.registry = []
            return made

    class Made(metaclass=Meta):
        pass

    class SlottedMeta(type):
        pass

    Other = SlottedMeta("Other", (), {"x": []})
    Other.attribute = {}
    SubOther = SlottedMeta("SubOther", (Other,), {})

    class Abstract(abc.ABC):
        @abc.abstractmethod
        def act(self):
            pass

    class Concrete(Abstract):
        def act(self):
            return __class__

    Abstract.register(int)
    isinstance("", Abstract)
    issubclass(float, Abstract)
    issubclass(int, Abstract)
    return [Made, Made(), Other(), SubOther(), Abstract, Concrete()]


@kind
def library_classes():
    @dataclasses.dataclass
    class Point:
        x: int
        y: list = dataclasses.field(default_factory=list)

    class Color(enum.Enum):
        RED = 1
        GREEN = "g"

    class Flags(enum.IntFlag):
        A = 1
        B = 2

    class Options(typing.NamedTuple):
        a: int
        b: str = "x"

    class Movie(typing.TypedDict):
        title: str

    class Proto(typing.Protocol):
        def act(self) -> None: ...

    T = typing.TypeVar("T", bound=int)
    U = typing.TypeVar("U", int, str)

    class Box(typing.Generic[T]):
        pass

    box = Box[int]()
    found = [Point(1), Color.RED, Flags.A | Flags.B, Options(1), Movie(title="x"), Proto, T, U, box,
             typing.List[int], typing.Union[int, str], typing.Optional[int], typing.Callable[[int], str],
             typing.ForwardRef("X"), typing.Any, typing.NewType("UserId", int)]
    return found


@kind
def generic_aliases():
    return [list[int], dict[str, list[int]], type[int], tuple[int, ...], types.GenericAlias(list, int)]


@kind
def alias_iterators():
    return [iter(tuple[int, ...])]


@kind
def unions():
    return [int | str, int | None, (int | str) | bytes]


@kind
def parameters():
    return [typing.ParamSpec("P"), typing.ParamSpec("P").args, typing.ParamSpec("P").kwargs]


@kind
def variadic_parameters():
    return [typing.TypeVarTuple("Ts"), typing.Unpack[typing.TypeVarTuple("Ts")]]


@kind
def type_statements():
    names = {}
    exec("type Pair[T] = tuple[T, T]\n"
         "def f[T: int, *Ts, **P](x: T) -> T: return x\n"
         "class C[T]:\n  def m(self, x: T) -> T: return x\n"
         "def g[T: (int, str)](x: T): pass\n"
         "type Lazy = list[Undefined]\n", names)
    names["Pair"].__value__
    pair = names["Pair"][int]
    return [names, pair, names["f"].__type_params__, names["C"][int], names["g"].__type_params__[0].__constraints__]


@kind
def parameter_defaults():
    names = {}
    exec("def f[T = int, **P = [int], *Ts = *tuple[int, str]](x): pass\ntype A[T = list] = T\n", names)
    return [names, typing.NoDefault, names["f"].__type_params__[0].__default__]


@kind
def annotations():
    names = {}
    exec("def f(x: int, *, y: 'str' = []) -> list: pass\n"
         "class C:\n  a: int = 1\n  b: 'list' = None\n  def m(self: 'C'): pass\n"
         "v: int = 5\n", names)
    asked = {}
    exec("def f(x: int): pass\nclass C:\n  a: int\n", asked)
    asked["f"].__annotations__
    asked["C"].__annotations__
    return [names, asked, asked["C"].__dict__.get("__annotations__")]


@kind
def descriptors():
    class Described:
        @property
        def prop(self):
            "docs"

        @prop.setter
        def prop(self, value):
            pass

        @classmethod
        def of_class(cls):
            return __class__

        @staticmethod
        def static():
            pass

        @functools.cached_property
        def cached(self):
            return []

        @functools.singledispatch
        def dispatched(self):
            pass

        partial = functools.partialmethod(max, 1)

        def method(self):
            return super()

    made = Described()
    made.cached
    read_only = property(Described.method)
    noted = classmethod(max)
    if hasattr(noted, "__dict__"):
        try:
            noted.attribute = []
        except AttributeError:
            pass
    return [Described, made, made.method, Described.of_class, made.method(), read_only, noted, staticmethod(max),
            super(Described, made), property(), Described.__dict__["prop"], super(Described), made.partial]


@kind
def builtin_callables():
    return [len, [].append, "x".join, str.join, dict.fromkeys, {}.get, int.__add__, (5).__add__, type.__call__,
            object.__init__, Plain().__init__, list.__len__, [].__len__, int.real, type.__dict__["__module__"],
            types.FunctionType.__code__, functools.partial.__call__, type.__subclasses__, type.__subclasses__,
            dict.__dict__["fromkeys"], staticmethod(len), Plain.__dict__["__dict__"], sys.getsizeof,
            types.FunctionType.__dict__["__closure__"], str.maketrans, object.__reduce__, int.__dict__["from_bytes"]]


@kind
def weak_references():
    class Node:
        pass

    class Ref(weakref.ref):
        __slots__ = ("extra",)

    class DictRef(weakref.ref):
        pass

    node, other = Node(), Node()
    extra = Ref(node, lambda ref: None)
    extra.extra = []
    with_dict = DictRef(node)
    with_dict.attribute = {}
    dead = weakref.ref(Node())
    dying = weakref.ref(Node(), lambda ref: None)
    keys, values, members = weakref.WeakKeyDictionary(), weakref.WeakValueDictionary(), weakref.WeakSet()
    keys[node] = []
    values["a"] = other
    members.add(node)
    final = weakref.finalize(node, print, [])
    method = weakref.WeakMethod(Method().act)
    return [node, other, weakref.ref(node), weakref.ref(node, lambda ref: None), extra, with_dict, dead, dying,
            weakref.proxy(node), weakref.proxy(node, print), weakref.proxy(Plain),
            keys, values, members, final, method, weakref.ref(len), weakref.ref(Plain)]


class Method:
    def act(self):
        pass


@kind
def finalizers():
    class Final:
        def __del__(self):
            pass

        def __eq__(self, other):
            return self is other

        __hash__ = None

        def __init_subclass__(cls):
            cls.subclassed = []

    class Sub(Final):
        pass

    return [Final(), Sub(), Sub.__mro__]


@kind
def namespaces():
    class Sub(types.SimpleNamespace):
        pass

    return [types.SimpleNamespace(), types.SimpleNamespace(a=[], b={}), Sub(x=1)]


@kind
def modules():
    made = types.ModuleType("made", "with docs")
    made.attribute = []

    class Sub(types.ModuleType):
        pass

    sub = Sub("sub")
    sub.x = {}
    empty = types.ModuleType.__new__(types.ModuleType)
    return [made, sub, empty]


@kind
def types_made_dynamically():
    made = type("Made", (Plain,), {"__slots__": (), "x": [], "__doc__": "docs"})
    many = [type("Many%d" % n, (made,), {}) for n in range(30)]
    gone = type("Gone", (made,), {})
    del gone
    busy = type("Busy", (), {"method": lambda self: None, "__len__": lambda self: 5})
    instance = busy()
    for _ in range(50):
        instance.method()
        len(instance)
        instance.attribute = []
    return [made(), many[:5], instance]


@kind
def sentinels():
    make = sentinel  # noqa: F821: from 3.15 on
    return [make("MISSING"), make("other")]
