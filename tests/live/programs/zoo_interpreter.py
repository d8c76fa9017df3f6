"""What the interpreter itself makes: functions, code, frames, generators, exceptions, contexts, threads."""
import asyncio
import builtins
import contextvars
import inspect
import os
import queue
import sys
import threading
import types

KINDS = {}


def kind(make):
    KINDS[make.__name__.strip("_").replace("_", " ")] = make
    return make


def run(coroutine):
    """To the end or to the first suspension, without a loop."""
    try:
        coroutine.send(None)
    except StopIteration:
        pass
    return coroutine


@kind
def functions():
    outer = []

    def closed(a, b=[], *args, c={}, d, **kwargs):
        "documented"
        return outer, closed

    closed.attribute = []
    moved = types.FunctionType(closed.__code__, {"__name__": "elsewhere"}, "moved", ([],), closed.__closure__)
    bare = types.FunctionType(compile("1", "f", "eval"), {})
    empty = types.CellType()
    return [closed, lambda: None, lambda x=[]: x, closed.__closure__, moved, bare, empty, types.CellType([]),
            types.MethodType(closed, []), types.MethodType(len, []), functions.__code__, cleared_defaults()]


def cleared_defaults():
    def f(a=1, *, b=[]):
        pass

    f.__defaults__ = None
    f.__kwdefaults__ = None
    f.__doc__ = []
    return f


@kind
def code_objects():
    source = ("import os\n"
              "class C:\n  x = [i for i in range(5)]\n  def f(self, a, *b, c=1, **d):\n"
              "    def g(): return a, c, self, __class__\n"
              "    try:\n      return {k: v for k, v in d.items()}\n"
              "    except ValueError as e:\n      raise e from None\n"
              "def hot(n):\n  t = 0\n  for i in range(n):\n    t += i * 2\n  return t\n"
              "async def co(x):\n  async with x as y:\n    await y\n"
              "big = (1, 2, (3, 'four', b'five', frozenset({6}), ..., None, 1j))\n")
    made = compile(source, "made.py", "exec")
    names = {}
    exec(made, names)
    for _ in range(20):
        names["hot"](100)
    asked = compile("def f(a, b=1):\n  c = a\n  return lambda: (c, b)\n", "asked.py", "exec")
    inner = next(each for each in asked.co_consts if isinstance(each, types.CodeType))
    for name in ("co_code", "co_varnames", "co_cellvars", "co_freevars", "co_lnotab", "co_linetable"):
        getattr(inner, name, None)
    replaced = inner.replace(co_name="replaced")
    lines = getattr(made, "co_lines", tuple)()
    positions = getattr(made, "co_positions", tuple)()
    traced = compile("x = 1\ny = 2\n", "traced.py", "exec")
    sys.settrace(lambda *args: None)
    exec(traced, {})
    sys.settrace(None)
    return [made, names, asked, replaced, lines, positions, compile("a+b", "s", "eval"), traced, iter(positions),
            compile("1", "x" * 300, "single")]


@kind
def generators():
    def count(start, label="x"):
        value = [start]
        cell = {}
        while True:
            got = yield value
            value = [got, lambda: cell]

    def delegating():
        inner = count(5)
        yield from inner

    def handling():
        try:
            raise ValueError([1])
        except ValueError as error:
            yield error
            yield [error]

    def with_stack():
        yield ([1], {2: (yield [3])}, [x for x in [(yield 5)]] if False else None)

    def with_cleanup():
        with memoryview(b"x") as view:
            for each in [[1], [2]]:
                for other in (1, 2):
                    yield view, each, other

    fresh, started, advanced = count(1), count(2), count(3)
    next(started)
    next(advanced)
    advanced.send([])
    delegated, handled, stacked, cleaned = delegating(), handling(), with_stack(), with_cleanup()
    for each in (delegated, handled, stacked, cleaned):
        next(each)
    done, closed, failed = (x for x in []), count(4), (1 / 0 for _ in [1])
    list(done)
    next(closed)
    closed.close()
    try:
        next(failed)
    except ZeroDivisionError:
        pass
    framed = count(6)
    next(framed)
    expression = (y for y in [[1], [2]])
    next(expression)
    renamed = count(7)
    renamed.__name__ = renamed.__qualname__ = "renamed %d" % 1
    return [fresh, started, advanced, delegated, handled, stacked, cleaned, done, closed, failed, framed,
            framed.gi_frame, framed.gi_frame.f_locals, expression, renamed, (z for z in "ab")]


class Ready:
    def __await__(self):
        yield [self]


class Aiter:
    def __aiter__(self):
        return self

    def __anext__(self):
        return Ready()


@types.coroutine
def pause(value):
    yield value


@kind
def coroutines():
    async def waiting(value):
        await pause([value])
        return value

    async def outer():
        held = {}
        await waiting(held)

    async def on_object():
        await Ready()

    sys.set_coroutine_origin_tracking_depth(3)
    traced = waiting(1)
    sys.set_coroutine_origin_tracking_depth(0)
    fresh, first, second, third, done = waiting(2), run(waiting([3])), run(outer()), run(on_object()), waiting(5)
    wrapper = first.__await__()
    run(done)
    run(done)
    return [fresh, first, second, third, done, traced, wrapper, fresh.__await__(), second.cr_await, first.cr_frame]


@kind
def asynchronous_generators():
    async def numbers(start):
        held = [start]
        while True:
            got = yield held
            held = [got]
            await pause(held)

    async def consume(generator):
        async for each in generator:
            await pause([each])

    async def comprehend():
        return [each async for each in numbers(5) if await pause(each)]

    fresh, started, suspended = numbers(1), numbers(2), numbers(3)
    run(started.asend(None))
    sending = suspended.asend(None)
    run(sending)
    resumed = suspended.asend([])
    run(resumed)
    throwing = numbers(4).athrow(ValueError([]))
    return [fresh, started, suspended, sending, resumed, started.asend({}), throwing, numbers(6).aclose(),
            run(consume(numbers(7))), run(comprehend()), numbers(8).__anext__(), run(consume(Aiter()))]


@kind
def anext_awaitables():
    async def numbers():
        yield []

    return [anext(numbers(), []), builtins.aiter(numbers())]  # noqa: F821: from 3.10 on


@kind
def hooked_asynchronous_generators():
    async def numbers():
        yield []

    before = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(firstiter=lambda generator: None, finalizer=lambda generator: None)
    hooked = numbers()
    run(hooked.asend(None))
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(*before)
    return [hooked, hooks]


def raised(make):
    try:
        deeper(make, [])
    except BaseException as error:
        return error


def deeper(make, value):
    local = [value]
    raise make() from (KeyError(local) if value is None else None)


@kind
def exceptions():
    def chained():
        try:
            try:
                raise KeyError("a")
            except KeyError as inner:
                raise ValueError("b", []) from inner
        except ValueError:
            try:
                raise TypeError({})
            except TypeError as error:
                return error

    class Own(Exception):
        def __init__(self, *args, **kwargs):
            super().__init__(*args)
            self.attribute = [kwargs]

    class Slotted(Exception):
        __slots__ = ("a",)

    slotted = Slotted()
    slotted.a = []
    noted = ValueError("noted")
    if hasattr(noted, "add_note"):
        noted.add_note("a note")
    makers = [Exception, lambda: Exception([], {}), lambda: StopIteration([]), lambda: SystemExit([]),
              lambda: OSError(2, "No such file", "a", None, "b"), lambda: FileNotFoundError("x"),
              lambda: BlockingIOError(11, "blocked", 5), lambda: ImportError("m", name="n", path="p"),
              lambda: ModuleNotFoundError("m", name="n"), lambda: SyntaxError("bad", ("f.py", 1, 2, "text")),
              lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
              lambda: UnicodeEncodeError("ascii", "é", 0, 1, "bad"), lambda: UnicodeTranslateError("é", 0, 1, "bad"),
              lambda: KeyboardInterrupt(), lambda: MemoryError(), lambda: RecursionError("x"), lambda: Own(1, a=[]),
              lambda: OverflowError("y"), lambda: StopAsyncIteration([]), lambda: GeneratorExit(),
              lambda: IndentationError("bad", ("f.py", 1, 2, "text")), lambda: UnicodeError("x"), lambda: Slotted()]
    caught = [raised(make) for make in makers] + [chained(), noted, slotted]
    for text in ("undefined_name", "[].no_such", "1 / 0", "{}['x']", "[][1]", "int('x')", "open('/no/such')",
                 "from os import no_such", "import no_such_module_here", "b'\\xff'.decode()", "(", "no.such.name",
                 "sys.no_such", "len(1)"):
        try:
            eval(text) if "import" not in text else exec(text)
        except Exception as error:
            caught.append(error)
    return caught + [each.__traceback__ for each in caught]


@kind
def exception_groups():
    make = ExceptionGroup  # noqa: F821: from 3.11 on
    group = make("several", [ValueError(1), TypeError([])])
    caught = raised(lambda: group)
    split = group.split(ValueError)
    return [group, caught, split, BaseExceptionGroup("base", [KeyboardInterrupt()])]  # noqa: F821


@kind
def frames():
    def inner(argument, held=[]):
        captured = {}

        def get():
            return captured

        local = [argument]
        frame = sys._getframe()
        return frame, get, local

    def locals_asked():
        a, b = [1], {2: 3}
        frame = sys._getframe()
        frame.f_locals
        return frame

    def traced():
        frame = sys._getframe()
        frame.f_trace = lambda *args: None
        frame.f_trace_opcodes = False
        return frame

    def in_class():
        class Body:
            x = [1]
            frame = sys._getframe()

        return Body.frame

    def changed():
        value = [1]
        frame = sys._getframe()
        frame.f_locals["extra"] = []
        return frame

    names = {}
    exec("import sys\nframe = sys._getframe()\n", names)
    held = raised(lambda: ValueError([])).__traceback__.tb_next.tb_frame
    cleared = raised(lambda: ValueError([])).__traceback__.tb_next.tb_frame
    cleared.clear()
    proxied = locals_asked()
    return [inner([1]), locals_asked(), traced(), in_class(), names["frame"], held, cleared, changed(), proxied,
            proxied.f_locals]


@kind
def suspended_frames():
    """Frames of generators in the middle of things, seen from outside."""
    def numbers(a):
        b = [a]
        for each in [1, 2]:
            yield (b, each)

    suspended = [numbers(n) for n in range(3)]
    next(suspended[1])
    next(suspended[2])
    found = [each.gi_frame for each in suspended]
    list(suspended[2])
    return [suspended, found, inspect.getgeneratorlocals(suspended[1])]


@kind
def contexts():
    variables = [contextvars.ContextVar("var %d" % n, default=[n]) for n in range(40)]
    bare = contextvars.ContextVar("bare")
    context = contextvars.copy_context()
    many = contextvars.copy_context()

    def set_one():
        token = variables[0].set([])
        variables[0].get()
        return token

    def set_many():
        return [each.set({}) for each in variables]

    token = context.run(set_one)
    tokens = many.run(set_many)

    def undo():
        variables[0].reset(tokens[0])

    many.run(undo)
    return [variables, bare, context, many, token, tokens, contextvars.Token.MISSING, iter(many), many.items(),
            many.keys(), many.values(), iter(many.values()), iter(many.items()), contextvars.Context(), many.copy()]


@kind
def colliding_contexts():
    """Enough variables that the tree of a context has nodes of every kind."""
    variables = [contextvars.ContextVar("v%d" % n) for n in range(200 if "ZOO_IS_SMALL" in os.environ else 2000)]
    context = contextvars.Context()

    def fill():
        for each in variables:
            each.set([each.name])

    context.run(fill)
    return [context, variables[:3], context.copy()]


@kind
def locks():
    held, reentrant, condition = threading.Lock(), threading.RLock(), threading.Condition()
    held.acquire()
    reentrant.acquire()
    reentrant.acquire()
    event, semaphore, barrier = threading.Event(), threading.Semaphore(2), threading.Barrier(1)
    simple = queue.SimpleQueue()
    for n in range(20):
        simple.put([n])
    simple.get()
    return [threading.Lock(), held, threading.RLock(), reentrant, condition, event, semaphore, barrier, simple,
            queue.Queue(), queue.PriorityQueue(), queue.SimpleQueue(), threading._RLock()]


@kind
def thread_locals():
    class Local(threading.local):
        def __init__(self, value):
            self.value = value

    plain, sub = threading.local(), Local([])
    plain.attribute = []
    ready, gate = threading.Semaphore(0), threading.Lock()
    gate.acquire()

    def work():
        plain.other = {}
        sub.mine = []
        ready.release()
        gate.acquire()

    thread = threading.Thread(target=work, name="zoo worker", daemon=True)
    thread.start()
    ready.acquire()
    unstarted = threading.Thread(target=print, args=([],))
    timer = threading.Timer(1000, print)
    done = threading.Thread(target=int)
    done.start()
    done.join()
    return [plain, sub, thread, gate, unstarted, timer, done, threading.local()]


@kind
def asyncio_objects():
    async def sleeping(value):
        await asyncio.sleep(1000, value)

    async def waiting(future):
        return await future

    async def failing():
        raise ValueError([])

    async def finishing():
        return []

    async def gathering(*tasks):
        return await asyncio.gather(*tasks)

    async def holding(lock):
        async with lock:
            await asyncio.sleep(1000)

    loop = asyncio.new_event_loop()
    found = []

    async def main():
        future, plain, cancelled, failed = (loop.create_future() for _ in range(4))
        future.add_done_callback(print)
        plain.add_done_callback(print)
        plain.add_done_callback(len)
        cancelled.cancel("why") if sys.version_info >= (3, 9) else cancelled.cancel()
        failed.set_exception(ValueError([]))
        done = loop.create_future()
        done.set_result([1])
        lock, event = asyncio.Lock(), asyncio.Event()
        tasks = [loop.create_task(each) for each in (sleeping([]), waiting(future), failing(), finishing(),
                                                     holding(lock), holding(lock), waiting(done),
                                                     waiting(asyncio.ensure_future(event.wait())))]
        tasks.append(loop.create_task(gathering(tasks[0], tasks[1])))
        found.extend([future, plain, cancelled, failed, done, lock, event, asyncio.Queue(), asyncio.Semaphore(), tasks,
                      loop.call_later(1000, print, [])])
        tasks.append(loop.create_task(sleeping({})))
        for _ in range(5):
            await asyncio.sleep(0)
        tasks[-1].cancel()
        fresh = loop.create_task(sleeping("fresh"))
        iterators = [iter(future), iter(plain), future.__await__()]
        next(iterators[0])
        found.extend([fresh, iterators])
        for each in (tasks[2], failed):
            each.exception()

    loop.run_until_complete(main())
    return [loop, found]


@kind
def tracing():
    import cProfile
    import _lsprof

    profile = cProfile.Profile()
    profile.enable()
    sorted([3, 1])
    profile.disable()
    return [profile, _lsprof.Profiler(), profile.getstats()]


@kind
def monitoring():
    tool = sys.monitoring
    tool.use_tool_id(2, "zoo")

    def watched(x):
        for each in range(3):
            x += each
        return x

    tool.register_callback(2, tool.events.LINE, lambda code, line: None)
    tool.set_local_events(2, watched.__code__, tool.events.LINE | tool.events.PY_RETURN | tool.events.INSTRUCTION)
    watched(1)
    tool.set_local_events(2, watched.__code__, 0)
    watched(1)
    return [watched, watched.__code__]


@kind
def templates():
    names = {}
    exec("x = [1]\nmade = t'a {x!r:>10} b {x}'\n", names)
    return [names, iter(names["made"]), names["made"].interpolations]


@kind
def lazy_imports():
    names = {"__name__": "zoo_lazy"}
    exec("lazy import zoo_lazy_absent_module\nlazy from collections import no_such_name\n", names)
    return [names]


@kind
def interpreter_odds():
    import _imp
    import atexit
    import signal
    import warnings

    atexit.register(print, [])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("something")
    return [caught, _imp.extension_suffixes(), sys.flags, sys.version_info, sys.implementation, sys.float_info,
            sys.hash_info, sys.thread_info, signal.getsignal(signal.SIGINT), sys.get_asyncgen_hooks(), sys.int_info]
