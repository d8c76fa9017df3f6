"""Locals of all kinds, each family in a frame of its own, one inside the other on one stack."""
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import json
import math
import pathlib
import sys
import threading
import types
import typing
import uuid
import weakref

import witness
import value_classes as vc


def strings(then):
    empty = ""
    ascii_ = "plain"
    single = "it's"
    double = 'say "hi"'
    both = "it's \"both\""
    escapes = "tab\tnl\ncr\rback\\slash\0nul\x01\x1b[31m\x7f\x80\x9f\xa0\xad"
    latin = "déjà vu ÿ"
    cyrillic = "Привет, мир"
    chinese = "你好，世界"
    hebrew = "שלום \u202eright to left\u202c \u200f"
    emoji = "👩‍👩‍👧 family 🏳️‍🌈"
    astral_unprintable = "\U000e0001\U0010ffff"
    surrogate = "lone \ud800 and \udc80"
    zero_width = "a\u200bb\u2028c\ufeffd\u3000e"
    combining = "e\u0301 \u0300"
    unassigned = "\u0378 \uffff \ue000"
    ellipsis_inside = "one… two…"
    markup = "<script>alert(1)</script> & ]]> --"
    percent = "%s %n {0}"
    long_ascii = "0123456789" * 300
    long_wide = "длинный " * 300
    subclassed = vc.Text("sub")
    interned = sys.intern("interned_name")
    one_character = "é"
    not_ascii_key = {"ключ": "значение", "鍵": "値"}
    then.pop()(then)


def numbers(then):
    zero = 0
    one = 1
    minus_one = -1
    cached = 256
    uncached = 257
    digit_edge = 2 ** 30
    below_digit_edge = 2 ** 30 - 1
    minus_digit_edge = -(2 ** 30)
    two_digits = 2 ** 60 - 1
    three_digits = 2 ** 60
    word = 2 ** 63
    minus_word = -(2 ** 63)
    unsigned = 2 ** 64 - 1
    big = 2 ** 90
    minus_big = -(2 ** 90)
    large = 10 ** 400
    minus_large = -(10 ** 100)
    zeros_inside = 10 ** 60 + 7
    true, false = True, False
    tenth = 0.1
    sum_of_tenths = 0.1 + 0.2
    integral = 3.0
    e16, below_e16 = 1e16, 9999999999999998.0
    small, smaller = 1e-4, 1e-5
    infinite, minus_infinite = math.inf, -math.inf
    nan = math.nan
    minus_zero = -0.0
    denormal = 5e-324
    least_normal = 2.2250738585072014e-308
    greatest = sys.float_info.max
    e22, e23 = 1e22, 1e23
    fraction = 123456789.123
    third = 1 / 3
    hundred_digits = 1.7976931348623157e+100
    complex_ = 1 + 2j
    complex_imaginary = 3j
    complex_minus_zero = complex(-0.0, -0.0)
    complex_odd = complex(math.nan, -math.inf)
    complex_fraction = complex(0.1, 1e16)
    subclassed = vc.Number(7)
    nothing, dots, not_implemented = None, ..., NotImplemented
    then.pop()(then)


def buffers(then):
    empty = b""
    plain = b"plain"
    every = bytes(range(256))
    single, double, both = b"it's", b'"', b"'\""
    long = b"\x00\xffab" * 400
    array = bytearray(b"it's \x80\n")
    empty_array = bytearray()
    shrunk = bytearray(b"abcdefgh")
    del shrunk[:3]
    view = memoryview(b"view")
    then.pop()(then)


def containers(then):
    empty = ((), [], {}, set(), frozenset(), collections.deque())
    one_tuple = (1,)
    nested = {"a": [1, (2, {"b": {3}}), [[]]], ("k", 1): None, 2.5: b"x", frozenset([1]): {}}
    recursive = [1]
    recursive.append(recursive)
    recursive_dict = {"self": None}
    recursive_dict["self"] = recursive_dict
    recursive_tuple = ([],)
    recursive_tuple[0].append(recursive_tuple)
    recursive_deque = collections.deque([1])
    recursive_deque.append(recursive_deque)
    shared = [[1]] * 3
    small_set = {3, 1, 2}
    text_set = {"pear", "apple", "fig", "plum"}
    with_deleted = set(range(40))
    with_deleted -= set(range(5, 40))
    frozen = frozenset({"x", 1, None})
    deque_bounded = collections.deque(range(5), maxlen=3)
    deque_rotated = collections.deque(range(200))
    deque_rotated.rotate(77)
    deque_grown_left = collections.deque()
    deque_grown_left.extendleft(range(70))
    ordered_keys = {key: i for i, key in enumerate("zyxwv")}
    del ordered_keys["x"]
    ordered_keys["x"] = "again"
    integer_keys = {i: i * i for i in range(12)}
    large_list = list(range(5000))
    large_dict = {"key %d" % i: i for i in range(1000)}
    over_256 = dict.fromkeys(range(300), 0)
    range_ = range(10)
    range_stepped = range(2, 100, 7)
    range_big = range(2 ** 70)
    slice_ = slice(1, None, 2)
    slice_nested = slice("a", (1,), [2])
    deep = [[[[[[[[[["bottom"]]]]]]]]]]
    then.pop()(then)


def library_containers(then):
    default = collections.defaultdict(list, a=[1])
    ordered = collections.OrderedDict([("b", 1), ("a", 2)])
    ordered.move_to_end("b")
    counter = collections.Counter("abracadabra")
    list_ = vc.ListOf([1, 2])
    dict_ = vc.DictOf(a=1)
    chain = collections.ChainMap({"a": 1}, {"b": 2})
    proxy = types.MappingProxyType({"a": 1})
    keys, values, items = {"a": 1}.keys(), {"a": 1}.values(), {"a": 1}.items()
    iterator = iter([1, 2])
    weak = weakref.ref(vc.shared)
    weak_set = weakref.WeakSet([vc.shared])
    moment = datetime.datetime(2024, 2, 29, 12, 30, 1, 5, tzinfo=datetime.timezone.utc)
    date, time_ = datetime.date(1999, 12, 31), datetime.time(23, 59)
    delta = datetime.timedelta(days=-1, seconds=5)
    zone = datetime.timezone(datetime.timedelta(hours=2), "X")
    price = decimal.Decimal("12.340")
    odd_price = decimal.Decimal("-Infinity")
    huge_price = decimal.Decimal("1E+1000")
    ratio = fractions.Fraction(1, 3)
    path = pathlib.PurePosixPath("/srv/shop")
    unique = uuid.UUID(int=5)
    namespace = types.SimpleNamespace(a=1)
    partial = functools.partial(int, base=2)
    then.pop()(then)


def library_forms(then):
    color, flag, no_flag, both = vc.Color.RED, vc.Permission.WRITE, vc.Permission(0), vc.Permission(3)
    level, text_member, tuple_member = vc.Level.HIGH, vc.Kind.A, vc.Planet.EARTH
    int_flag = vc.Mode.X | vc.Mode.Y
    point = vc.Point(1, "two")
    named = vc.Named("n", 3)
    typed = vc.Typed(1.5)
    dataclass_ = vc.Item("hat", 9.5, tags=["a"])
    frozen = vc.FrozenItem((1, 2))
    slotted_dataclass = vc.SLOTTED
    derived_dataclass = vc.Discounted("coat", 20.0, percent=5)
    silent = vc.Silent(1)
    recursive = vc.Tree()
    recursive.children.append(recursive)
    custom_repr = vc.CustomRepr(1)
    error = ValueError("wrong")
    error_none = ValueError()
    error_many = OSError(2, "No such file or directory", "/tmp/x")
    error_own = vc.ShopError("no stock", code=4)
    error_key = KeyError("missing")
    error_tuple = KeyError((1, 2))
    members = [color, level, point, error]
    then.pop()(then)


def code_objects(then, *arguments, **options):
    function = strings
    method = vc.shared.method
    class_method = vc.Plain.make
    static = vc.Plain.helper
    lambda_ = lambda: 0
    nested = vc.nested_function()
    builtin, builtin_method, unbound = len, [].append, str.upper
    slot_wrapper, method_wrapper = int.__add__, (1).__add__
    class_ = vc.Plain
    inner_class = vc.Plain.Inner
    builtin_class, c_class = int, collections.deque
    meta_class, enum_class = vc.WithMeta, vc.Color
    module, module_frozen, module_builtin = json, sys.modules["importlib._bootstrap"], sys
    package_module = sys.modules["collections.abc"]
    property_ = vc.Plain.__dict__["prop"]
    generator = (i for i in range(3))
    code = strings.__code__
    frame_cell = lambda: generator
    alias = typing.List[int]
    object_ = object()
    lock, rlock, event = threading.Lock(), threading.RLock(), threading.Event()
    then.pop()(then)


def instances(then):
    plain = vc.Plain(1, "b")
    shared = vc.Plain(2, None)
    other_order = vc.Plain.__new__(vc.Plain)
    other_order.b = "first"
    other_order.a = "second"
    empty = vc.Empty()
    materialised = vc.Plain(3, [])
    kept_dict = vc.take_dict(materialised)
    deleted = vc.Plain(4, "gone")
    del deleted.b
    deleted_again = vc.Plain(4, "gone")
    del deleted_again.a
    deleted_again.a = "back"
    replaced = vc.Plain(5, 6)
    replaced.__dict__ = {"new": 1, "dict": 2}
    many = vc.Many(45)
    thirty = vc.Many(30)
    thirty_one = vc.Many(31)
    odd_names = vc.Empty()
    setattr(odd_names, "with space", 1)
    setattr(odd_names, "имя", "значение")
    slots = vc.Slots(1, "two")
    slots_unset = vc.Slots.__new__(vc.Slots)
    slots_derived = vc.SlotsDerived(1, "two", 3.0)
    slots_and_dict = vc.SlotsAndDict(1, "two")
    slots_and_dict.extra = "x"
    slots_and_dict_empty = vc.SlotsAndDict(1, "two")
    dict_and_slots = vc.DictAndSlots("s")
    private = vc.Private("hidden")
    own_str = vc.OwnStr("x")
    recursive = vc.Empty()
    recursive.me = recursive
    linked = vc.Plain(vc.Plain(vc.Plain("deep", 3), 2), 1)
    listed = [vc.Plain(1, 2), vc.Slots(3, 4)]
    keyed = {"object": vc.Plain(0, 0)}
    int_with_dict, text_with_dict = vc.Number(3), vc.Text("t")
    int_with_dict.note = "n"
    generic = vc.Box[int](5) if sys.version_info >= (3, 9) else None
    inherited = vc.Grandchild(1, "b", "c")
    raises_in_repr = vc.RaisesInRepr()
    lies_about_class = vc.Liar()
    local_class = vc.local_class()
    then.pop()(then)


def variables(then, positional, /, argument, *rest, keyword, **options):
    bound = 1
    deleted = 2
    del deleted
    if not bound:
        never_bound = 3
    captured = ["cell"]
    unbound_captured = 1
    del unbound_captured
    _private = "private"
    переменная = "имя"
    変数 = "値"
    ñandú, ß, ﬁ = 1, 2, 3

    def функция(аргумент):
        nonlocal captured
        captured, argument, аргумент
        try:
            unbound_captured
        except NameError:
            pass
        then.pop()(then)

    функция("аргумент")


def temporary(then):
    for index, item in enumerate(["a", "b"]):
        with threading.Lock() as locked:
            squares = [index * item_ for item_ in range(3)]
            result = (index, item, then.pop()(then))


def last(then):
    witness.die()


def main():
    then = [last, temporary, lambda then: variables(then, 1, 2, 3, 4, keyword=5, other=6), instances,
            lambda then: code_objects(then, 1, key=2), library_forms, library_containers, containers, buffers,
            numbers]
    strings(then)


if __name__ == "__main__":
    main()
