"""Containers and plain values of the builtin types, in all the forms that they take inside."""
import array
import collections
import itertools
import os
import sys
import types

KINDS = {}
MANY = 300 if "ZOO_IS_SMALL" in os.environ else 70000


def kind(make):
    KINDS[make.__name__.strip("_").replace("_", " ")] = make
    return make


class Plain:
    pass


class Attributes:
    def __init__(self, first, second):
        self.first = first
        self.second = second


# ---- dict

@kind
def dicts():
    deleted = {n: str(n) for n in range(100)}
    for n in range(0, 100, 3):
        del deleted[n]
    emptied = {"a": 1, "b": 2}
    emptied.clear()
    popped = {"a": [], "b": []}
    popped.popitem()
    return [{}, {"a": []}, {1: "one"}, {"text": 1, 2: "mixed"}, {(1, 2): {3}}, dict.fromkeys(range(300)),
            dict.fromkeys(range(MANY)), dict.fromkeys("abcdef", []), {"key %d" % n: n for n in range(1000)},
            deleted, emptied, popped, {None: None, True: False, 1.5: 2j}, dict(zip("abcdefgh", range(8)))]


@kind
def instance_dicts():
    plain, asked, grown, cleared, shared = Plain(), Plain(), Plain(), Plain(), Attributes([], {})
    plain.a = []
    asked.a, asked.b = {}, ()
    asked.__dict__
    for n in range(60):
        setattr(grown, "name%d" % n, [n])
    cleared.a = 1
    del cleared.a
    removed = Attributes(1, [2])
    del removed.first
    replaced = Attributes(1, 2)
    replaced.__dict__ = {"other": []}
    by_number = Attributes([], [])
    by_number.__dict__[1] = "not a name"
    materialised = [Attributes([n], {n: n}) for n in range(5)]
    for each in materialised:
        vars(each)["third"] = n = []
    freed = Attributes([], [])
    del freed.__dict__
    return [Plain(), plain, asked, grown, cleared, removed, replaced, by_number, materialised, freed,
            vars(shared), [Attributes([n], str(n)) for n in range(10)], [vars(Attributes(n, [])) for n in range(5)]]


@kind
def many_attributes():
    class Wide:
        def __init__(self, count):
            for n in range(count):
                setattr(self, "attribute%d" % n, [n])

    return [Wide(n) for n in (1, 5, 6, 7, 29, 30, 31, 40, 300)]


@kind
def ordered_dicts():
    moved = collections.OrderedDict((str(n), [n]) for n in range(20))
    moved.move_to_end("3")
    del moved["7"]
    named = collections.OrderedDict(a=1)
    named.attribute = []

    class Sub(collections.OrderedDict):
        pass

    sub = Sub(a=[])
    sub.b = {}
    return [collections.OrderedDict(), moved, named, sub, iter(moved), iter(moved.items()), iter(moved.values()),
            reversed(moved), moved.keys(), moved.values(), moved.items()]


@kind
def default_dicts():
    class Sub(collections.defaultdict):
        pass

    sub = Sub(list, a=[])
    sub.attribute = ()
    return [collections.defaultdict(), collections.defaultdict(list), collections.defaultdict(lambda: [], a=[1]),
            sub]


@kind
def dict_subclasses():
    class Sub(dict):
        pass

    class Slotted(dict):
        __slots__ = ("a", "b")

    sub, slotted = Sub(a=[]), Slotted(c={})
    sub.attribute = [1]
    slotted.a = [2]
    counter = collections.Counter("abracadabra")
    chain = collections.ChainMap({}, {"a": 1})
    return [Sub(), sub, slotted, counter, chain, collections.UserDict(a=1), collections.UserList([1]),
            collections.UserString("x")]


@kind
def dict_views():
    d = {"a": [], "b": {}}
    found = [d.keys(), d.values(), d.items(), iter(d), iter(d.values()), iter(d.items()), reversed(d),
             reversed(d.values()), reversed(d.items()), types.MappingProxyType(d), iter({})]
    used = iter(d.items())
    next(used)
    done = iter({"x": 1})
    list(done)
    return found + [used, done]


@kind
def frozen_dicts():
    make = frozendict  # noqa: F821: from 3.15 on

    class Sub(make):
        pass

    return [make(), make(a=[]), make({1: {}, "a": "b"}), Sub(a=[])]


# ---- sequences

@kind
def lists():
    grown = []
    for n in range(100):
        grown.append([n])
    shrunk = list(range(1000, 2000))
    del shrunk[10:]

    class Sub(list):
        pass

    class Slotted(list):
        __slots__ = ("a",)

    sub, slotted = Sub([1, []]), Slotted([{}])
    sub.attribute = {}
    slotted.a = []
    itself = []
    itself.append(itself)
    emptied = [1, 2]
    emptied.clear()
    return [[], [None, None], [[]], grown, shrunk, sub, slotted, itself, emptied, list("abc"), [0] * 1000,
            sorted("hello"), [n for n in range(20)], iter(grown), reversed(grown), iter([])]


def _slotted_tuples():
    class Slotted(tuple):
        __slots__ = ("a", "b")  # from 3.15 on

    class More(Slotted):
        __slots__ = ("c", "__dict__")

    empty, slotted, more = Slotted(), Slotted((1, [])), More((1, 2, 3))
    empty.a, slotted.b, more.a, more.c, more.d = [1], [2], [3], [4], [5]
    return [empty, slotted, more]


@kind
def tuples():
    class Sub(tuple):
        pass

    class Empty(tuple):
        __slots__ = ()

    sub = Sub(([], 1))
    sub.attribute = [1]
    if sys.version_info >= (3, 15):
        sub.others = _slotted_tuples()
    Point = collections.namedtuple("Point", "x y")
    done = iter((1,))
    list(done)
    return [(), (1,), ([],), tuple(range(100)), ((), ((),)), sub, Sub(), Empty(([],)), Point([], {}), iter((1, [])),
            done, reversed((1, []))]


@kind
def sets():
    removed = set(range(1000, 2000))
    for n in range(1000, 1900):
        removed.discard(n)

    class Sub(set):
        pass

    class Slotted(frozenset):
        __slots__ = ("a",)

    sub, slotted = Sub("ab"), Slotted([(1, "x")])
    sub.attribute = []
    slotted.a = []
    cleared = set(range(100))
    cleared.clear()
    return [set(), {1}, {"a", (1, 2), None, frozenset()}, set(range(1000, 1500)), removed, sub, slotted, cleared,
            frozenset(), frozenset("abcdefgh"), iter({1, 2}), iter(frozenset("x")), {n for n in range(5)},
            set(range(MANY))]


@kind
def deques():
    long = collections.deque(range(1000, 1500))
    for _ in range(100):
        long.popleft()
    rotated = collections.deque(map(str, range(70)), maxlen=66)
    rotated.rotate(5)

    class Sub(collections.deque):
        pass

    sub = Sub([[]])
    sub.attribute = {}
    return [collections.deque(), collections.deque([[]]), long, rotated, sub, iter(long), reversed(long),
            collections.deque([], 5)]


@kind
def arrays():
    class Sub(array.array):
        pass

    sub = Sub("i", [1])
    sub.attribute = []
    grown = array.array("d")
    for n in range(50):
        grown.append(n)
    return [array.array("b"), array.array("d", range(100)), array.array("q", [1, 2, 3]), grown, sub,
            iter(array.array("i", [1])), array.array("u", "text") if sys.version_info < (3, 16) else None]


@kind
def ranges_and_slices():
    return [range(0), range(5), range(1, 1 << 70, 3), iter(range(5)), iter(range(1 << 70)), reversed(range(5)),
            slice(None), slice([], {}, ()), slice(1, 2), iter(range(1000000, 1000001))]


# ---- bytes, str, numbers

@kind
def byte_strings():
    class Sub(bytes):
        pass

    class SubArray(bytearray):
        pass

    sub, sub_array = Sub(b"abc"), SubArray(b"abc")
    sub.attribute = []
    sub_array.attribute = []
    grown = bytearray()
    for n in range(100):
        grown.append(n)
    shifted = bytearray(b"x" * 1000)
    del shifted[:100]
    return [b"", b"a", b"abc" * 100, sub, bytearray(), bytearray(b"x"), grown, shifted, sub_array, iter(b"ab"),
            iter(bytearray(b"ab"))]


@kind
def memory_views():
    data = bytearray(b"abcdefgh" * 4)
    view = memoryview(data)
    released = memoryview(b"x")
    released.release()
    return [view, view[2:], view.cast("I"), view.cast("B", (4, 8)), memoryview(b"abc"), released,
            memoryview(array.array("d", [1.5]))[::2], view[::3], iter(view) if hasattr(type(iter(view)), "__next__")
            else None]


@kind
def strings():
    class Sub(str):
        pass

    class Slotted(str):
        __slots__ = ("a",)

    sub, slotted, wide = Sub("text"), Slotted("text"), Sub("日本語")
    sub.attribute = []
    slotted.a = []
    encoded = "".join(["é", "tat ", str(len(sys.path))])
    hash(encoded)
    native = "".join(["日本", "語"])
    for text in (encoded, native):
        try:
            int(text)
        except ValueError:
            pass
        open_cached_utf8(text)
    return ["", "a", "é", "日", "\U0001f600", "abc" * 50, "é" * 100, "日本語" * 100, "\U0001f600" * 30, sub,
            slotted, wide, Sub("far " * 50000), encoded, native, sys.intern("interned %d" % 5), "\udc80", iter("ab"), iter("日本"),
            "".join(["con", "cat"])]


def open_cached_utf8(text):
    """Makes CPython keep the UTF-8 form beside the text."""
    import ctypes

    api = ctypes.pythonapi.PyUnicode_AsUTF8
    api.restype, api.argtypes = ctypes.c_char_p, [ctypes.py_object]
    api(text)


@kind
def legacy_strings():
    """A str that was made from wchar_t and is not ready, up to 3.11."""
    import ctypes
    import warnings

    warnings.simplefilter("ignore")
    api = ctypes.pythonapi.PyUnicode_FromUnicode
    api.restype, api.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_ssize_t]
    return [api(None, 5)]


@kind
def wide_strings():
    """A str with its wchar_t form kept beside it, up to 3.11."""
    import ctypes

    api = ctypes.pythonapi.PyUnicode_AsUnicode
    api.restype, api.argtypes = ctypes.c_void_p, [ctypes.py_object]
    found = ["".join(["asc", "ii %d" % 7]), "".join(["é", "t"]), "".join(["日", "本"]), "".join(["\U0001f600", "x"])]
    for text in found:
        api(text)
    return found


@kind
def numbers():
    class Int(int):
        pass

    class Float(float):
        pass

    class Complex(complex):
        pass

    found = [Int(5), Int(-(1 << 100)), Float(1.5), Complex(1j), Int(0)]
    for each in found:
        each.attribute = []
    return found + [0, 1, -1, 1 << 29, 1 << 30, -(1 << 31), 1 << 60, 1 << 1000, -(1 << 5000), 1.5, float("nan"), 2j,
                    True, False, None, Ellipsis, NotImplemented, 257, 10 ** 19]


# ---- iterators

@kind
def iterators():
    def numbers():
        return iter([1, 2, 3])

    class Getitem:
        def __getitem__(self, index):
            return index

    started = itertools.groupby([1, 1, 2])
    next(started)
    key, group = next(started)
    teed = itertools.tee(numbers(), 3)
    next(teed[0])
    counted = itertools.count(1 << 70, 3)
    cycled = itertools.cycle("abc")
    next(cycled)
    stepped = enumerate("ab", 1 << 70)
    next(stepped)
    combined = [itertools.product([1, []], "ab", repeat=2), itertools.permutations([[], 1, 2], 2),
                itertools.combinations([[], 1, 2], 2), itertools.combinations_with_replacement([1, []], 2)]
    for each in combined[:]:
        next(each)
    combined += [itertools.product([1, []], "ab"), itertools.permutations([[], 1, 2])]
    longest = itertools.zip_longest([1], [2, 3], fillvalue=[])
    next(longest)
    accumulated = itertools.accumulate([1, 2], initial=[]) if sys.version_info >= (3, 8) else None
    zipped = zip([1, 2], "ab")
    next(zipped)
    return [iter(Getitem()), iter(numbers, 7), map(str, numbers()), map(max, numbers(), numbers()),
            filter(None, numbers()), zipped, enumerate("ab", 5), enumerate([]), stepped, reversed(Getitemlen()),
            started, group, teed, counted, itertools.count(1.5), itertools.count(), cycled, itertools.repeat([], 3),
            itertools.repeat("x"), itertools.chain([1], numbers()), itertools.chain.from_iterable([[1], [2]]),
            itertools.compress("ab", [1, 0]), itertools.dropwhile(bool, numbers()), accumulated,
            itertools.takewhile(bool, numbers()), itertools.islice(numbers(), 2), itertools.starmap(pow, [(1, 2)]),
            itertools.filterfalse(None, numbers()), longest, combined, itertools.accumulate([[], []], max)]


class Getitemlen:
    def __getitem__(self, index):
        return index

    def __len__(self):
        return 5


@kind
def newer_iterators():
    started = itertools.pairwise([1, 2, 3])
    next(started)
    return [started, itertools.batched("abcd", 2) if hasattr(itertools, "batched") else None,
            zip("ab", "cd", strict=True)]
