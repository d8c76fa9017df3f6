"""Every way to get a stack: each situation parks in a thread of its own; the main one dies within asyncio."""
import asyncio
import contextlib
import ctypes
import functools
import gc
import re
import sys
import threading

import witness
from witness import park

VERSION = sys.version_info


def generator(first):
    got = yield first
    park()
    yield got


def in_a_generator():
    running = generator(1)
    suspended = generator(2)
    next(suspended)
    next(running)
    running.send("x")


def delegating(n):
    if n:
        yield from delegating(n - 1)
    else:
        park()
    yield n


def in_yield_from():
    return list(delegating(5))


def in_a_comprehension():
    outer = "kept"
    return [park() for row in range(2) for column in (row, outer)]


def in_other_comprehensions():
    limit = 3
    return {key: {park() or limit for value in "ab"} for key in "xy"}


def in_a_generator_expression():
    return sum(park() for _ in range(3))


def in_a_class_body():
    free = 12

    class Outer:
        attribute = [1, 2]

        class Inner:
            inner_attribute = free
            park()


def logged(prefix):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs)
        return wrapper
    return decorate


@logged("a")
@logged(prefix="b")
def in_decorated(one, two=2, *rest, three, four=4, **others):
    park()


def calls_decorated():
    in_decorated(1, 2, 3, 4, three=3, five=5)


def in_a_decorator():
    def decorator(function):
        park()

    @decorator
    def decorated():
        pass


def in_executed_code():
    names = {"park": park}
    exec(compile("def made(x):\n    y = x * 2\n\n\n    park()\n\nmade(21)\n", "<made up>", "exec"), names)


def in_evaluated_code():
    local = 5
    eval("[local, park()]", globals(), {"local": local})


def in_far_lines():
    names = {"park": park}
    source = "def far():\n" + "\n" * 400 + "    a = (1,\n" + "\n" * 300 + "      park())\n" + "far()\n"
    exec(compile(source, "/srv/far away.py", "exec"), names)


def in_backward_lines():
    first = 1
    return max(
        first,
        (lambda value: park(
        ))(first),
        key=len,
    )


def in_a_long_line():
    return {"a_rather_long_key_number_one": 1, "another_rather_long_key_number_two": 2, "and_a_third_one_for_good_measure": [park(), "é", "値段"]}


def in_sorted():
    def key(item):
        park()

    return sorted([3, 1, 2], key=key)


def in_map():
    return list(map(lambda number: park(), [1, 2]))


def in_reduce():
    return functools.reduce(lambda left, right: park(), [1, 2, 3], 10)


def in_a_regex():
    return re.sub("b", lambda match: park(), "abc")


def in_a_ctypes_callback():
    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
    def callback(number):
        park()
        return 0

    callback(7)


class Special:
    def __init__(self, name):
        self.name = name

    def __eq__(self, other):
        park()

    def __getattr__(self, name):
        if name == "missing":
            park()
        raise AttributeError(name)

    def __getitem__(self, index):
        return park()

    @property
    def price(self):
        return park()

    @classmethod
    def build(cls, *, size=1):
        return park()

    @staticmethod
    def helper(size):
        return park()

    def __call__(self, *args):
        return park()

    def __str__(self):
        return park() or ""


def in_eq():
    return Special("a") in [1, 2]


def in_getattr():
    return Special("b").missing


def in_getitem():
    return Special("c")[1:2]


def in_property():
    return Special("d").price


def in_classmethod():
    return Special.build(size=4)


def in_staticmethod():
    return Special("e").helper(size=5)


def in_call():
    return Special("f")(*range(3))


def in_format():
    item = Special("g")
    return f"item: {item!s:>10}"


class Finalized:
    def __init__(self, label):
        self.label = label

    def __del__(self):
        label = self.label
        park()


def in_del():
    doomed = Finalized("refcount")
    del doomed


def in_del_of_collected():
    doomed = Finalized("collector")
    doomed.self = doomed
    del doomed
    gc.collect()


class Meta(type):
    def __new__(mcls, name, bases, namespace, **kwargs):
        park()


def in_a_metaclass():
    class Made(metaclass=Meta, option=1):
        attribute = 1


class Manager:
    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        park()


def in_exit():
    with Manager() as manager, contextlib.suppress(KeyError):
        value = 1


def in_a_context_manager():
    @contextlib.contextmanager
    def managed(name):
        try:
            yield name
        finally:
            park()

    with managed("n") as name:
        pass


def in_a_closure():
    count = 10
    later = None

    def outer(argument):
        unset = None

        def inner():
            nonlocal count
            count += argument
            park()
            return unset

        del unset
        return inner()

    return outer(5)


class Base:
    def method(self, x):
        return park()


class Derived(Base):
    def method(self, x):
        here = __class__
        return super().method(x + 1)


def in_super():
    return Derived().method(1)


def in_recursion(depth=60):
    return in_recursion(depth - 1) if depth else park()


def in_a_lambda():
    return (lambda *args, key=1, **kwargs: (lambda: park())())(1, 2, other=3)


def in_loops():
    for index, (letter, number) in enumerate(zip("abc", [1, 2, 3])):
        while index == 1:
            try:
                continue_here = letter * number
                park()
            finally:
                pass


def in_a_tree_of_generators():
    def numbers():
        yield 1
        yield from (park() for _ in [0])

    return dict((n, n) for n in numbers())


async def in_a_stepped_coroutine():
    async def inner(depth):
        if depth:
            return await inner(depth - 1)
        park()

    await inner(3)


def stepped_coroutine():
    in_a_stepped_coroutine().send(None)


def async_generator():
    async def items():
        yield 1
        park()
        yield 2

    async def consume():
        seen = [item async for item in items()]
        return seen

    consume().send(None)


NEWER = []
if VERSION >= (3, 10):
    NEWER.append('''
def in_a_match():
    point = {"x": 1, "rest": [2, 3, 4]}
    match point:
        case {"x": x, "rest": [first, *rest]} if x:
            park()
''')
if VERSION >= (3, 12):
    NEWER.append('''
def in_a_generic():
    def generic[T](value: T, other: list[T]) -> T:
        park()
    return generic(1, [2])
''')
if VERSION >= (3, 14):
    NEWER.append('''
def in_annotate():
    def annotated(x: park()):
        pass
    return annotated.__annotations__
''')
    NEWER.append('''
def in_a_template():
    name = "n"
    return t"{name} {park()}"
''')


def newer_situations():
    before = set(globals())
    for source in NEWER:
        exec(compile(source, "<newer syntax>", "exec"), globals())
    return [globals()[name] for name in list(globals()) if name not in before and name.startswith("in_")]


async def handle(request, *, retries=3):
    suspended = asyncio.ensure_future(other_task("waiting"))
    await asyncio.sleep(0)
    return await deeper(request)


async def other_task(name):
    await asyncio.get_running_loop().create_future()


async def deeper(request):
    async with AsyncManager("m") as manager:
        items = [item async for item in numbers(3)]
        return await asyncio.gather(final(request, items))


async def numbers(limit):
    for number in range(limit):
        yield number


async def final(request, items):
    try:
        raise LookupError(request)
    except LookupError as error:
        kept = error
        witness.handling()
        witness.die()


class AsyncManager:
    def __init__(self, name):
        self.name = name

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc_info):
        pass


def main():
    situations = [value for name, value in list(globals().items()) if name.startswith("in_")
                  and callable(value) and not name.endswith(("decorated", "coroutine"))]
    situations += [calls_decorated, stepped_coroutine, async_generator] + newer_situations()
    for situation in situations:
        witness.start(situation, name=situation.__name__)
    asyncio.run(handle({"id": 42, "path": "/cart"}))


if __name__ == "__main__":
    threading.stack_size(1 << 19)
    main()
