"""asyncio tasks that wait in every way there is, on two loops, and a truth about them told by asyncio itself.

    tasks.py [c|python]: which implementation of asyncio.Task
"""
import contextlib
import contextvars
import gc
import inspect
import json
import os
import sys
import threading
import time
import types

if sys.argv[1:] == ["python"]:
    sys.modules["_asyncio"] = None  # and so asyncio takes its own

import asyncio  # noqa: E402

VERSION = sys.version_info[:2]
request = contextvars.ContextVar("request_id")
user = contextvars.ContextVar("user")
edges = []  # (waiter, awaited, via), told by those who wait
words = {}  # name -> what its waits_for must hold
deadlocked = set()
timed = set()


class OwnTask(asyncio.Task):
    """Of a class of the program's own."""


def factory(loop, coro, **options):
    own = getattr(coro, "cr_code", None) is own_class.__code__
    return (OwnTask if own else asyncio.Task)(coro, loop=loop, **options)


tasks = {}


def spawn(coro, name, awaits=(), says=None):
    task = asyncio.ensure_future(coro)
    task.set_name(name)
    tasks[name] = task
    for awaited, via in awaits:
        edges.append((name, awaited, via))
    if says is not None:
        words[name] = says
    return task


async def sleeper(seconds):
    await asyncio.sleep(seconds)


async def own_class():
    await asyncio.sleep(71)


async def deep(depth):
    if depth:
        return await deep(depth - 1)
    await asyncio.sleep(72)


class Awaitable:
    def __await__(self):
        return (yield from self.inner().__await__())

    async def inner(self):
        await asyncio.sleep(73)


@types.coroutine
def old_style():
    yield from asyncio.sleep(74).__await__()


async def numbers():
    yield 1
    await asyncio.sleep(75)
    yield 2


async def iterates():
    async for number in numbers():
        str(number)


async def sends():
    generator = numbers()
    await generator.__anext__()
    await generator.asend(None)


async def awaits_any_object():
    await Awaitable()


async def awaits_generator():
    await old_style()


async def awaits(task):
    await task


async def shields(task):
    await asyncio.shield(task)


async def gathers(*awaited):
    await asyncio.gather(*awaited)


async def gathers_twice(first, *awaited):
    await asyncio.gather(first, asyncio.gather(*awaited))


async def waits_all(*awaited):
    await asyncio.wait(awaited)


async def waits_first(*awaited):
    await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)


async def as_they_come(*awaited):
    for coro in asyncio.as_completed(awaited):
        await coro


async def with_limit(task):
    await asyncio.wait_for(task, 900)


async def holds(lock):
    async with lock:
        await asyncio.sleep(76)


async def wants(lock):
    async with lock:
        raise SystemError("not reached")


async def acquires(lock):
    await lock.acquire()


async def takes_both(first, second, turn):
    async with first:
        turn()
        await asyncio.sleep(0)
        async with second:
            raise SystemError("not reached")


async def twice(lock):
    async with lock:
        async with lock:
            raise SystemError("not reached")


async def waits_event(event):
    await event.wait()


async def waits_condition(condition):
    async with condition:
        await condition.wait()


async def gets(queue):
    await queue.get()


async def puts(queue):
    await queue.put(2)


async def joins(queue):
    await queue.join()


async def on_future(future):
    await future


async def in_thread(gate):
    await asyncio.get_running_loop().run_in_executor(None, gate.wait)


async def reads(reader):
    await reader.readline()


class Worker:
    def __init__(self, jobs):
        self.jobs = jobs

    async def run(self):
        while True:
            await self.jobs.get()


async def stubborn():
    try:
        await asyncio.sleep(77)
    except asyncio.CancelledError:
        await asyncio.sleep(78)


async def cancelled_soon():
    await asyncio.sleep(79)


async def ends():
    return 1


async def fails():
    raise ValueError("as planned")


async def never_starts():
    await asyncio.sleep(80)


async def with_context(number):
    request.set("request-%d" % number)
    user.set({"id": number, "name": "user %d" % number})
    await asyncio.sleep(81)


if VERSION >= (3, 11):
    async def group():
        async with asyncio.TaskGroup() as tasks_of:
            for number in range(3):
                task = tasks_of.create_task(sleeper(60 + number), name="child %d" % number)
                tasks["child %d" % number] = task

    async def in_timeout(lock):
        async with asyncio.timeout(900):
            async with lock:
                raise SystemError("not reached")

    async def passes(barrier):
        await barrier.wait()


def other_loop(ready):
    async def main():
        asyncio.current_task().set_name("other main")
        tasks["other main"] = asyncio.current_task()
        words["other main"] = "asyncio.sleep("
        inner = spawn(deep(3), "other deep", says="asyncio.sleep(72)")
        edges.append(("other gather", "other deep", "gather"))
        spawn(gathers(inner), "other gather", says="asyncio.gather()")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        ready.set()
        await asyncio.sleep(600)

    asyncio.run(main())


def idle_loop():
    """A loop that has tasks but does not run."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(sleeper(1))
    task.set_name("of a loop that never ran")
    tasks["of a loop that never ran"] = task
    return loop


async def scene():
    spawn(sleeper(70), "sleeper", says="asyncio.sleep(70)")
    spawn(own_class(), "own class", says="asyncio.sleep(71)")
    spawn(deep(40), "deep", says="asyncio.sleep(72)")
    spawn(awaits_any_object(), "awaits any object", says="asyncio.sleep(73)")
    spawn(awaits_generator(), "awaits generator", says="asyncio.sleep(74)")
    spawn(iterates(), "iterates", says="asyncio.sleep(75)")
    spawn(sends(), "sends", says="asyncio.sleep(75)")
    target = spawn(sleeper(90), "target")
    second = spawn(sleeper(91), "second")
    spawn(awaits(target), "awaits", [("target", "await")], "task 'target'")
    spawn(shields(target), "shields", [("target", "shield")], "asyncio.shield(): task 'target'")
    spawn(gathers(target, second), "gathers", [("target", "gather"), ("second", "gather")], "asyncio.gather(): tasks")
    third = spawn(sleeper(92), "third")
    spawn(gathers_twice(target, second, third), "gathers twice",
          [("target", "gather"), ("second", "gather"), ("third", "gather")], "asyncio.gather()")
    spawn(waits_all(target, second), "waits all", [("target", "wait"), ("second", "wait")], "asyncio.wait()")
    spawn(waits_first(target, second), "waits first", [("target", "wait"), ("second", "wait")], "asyncio.wait()")
    spawn(as_they_come(target, second), "as they come", [("target", "as_completed"), ("second", "as_completed")],
          "asyncio.as_completed(): tasks")
    spawn(with_limit(target), "with limit", [("target", "wait_for" if VERSION < (3, 12) else "await")], "'target'")
    timed.add("with limit")
    # locks
    lock = asyncio.Lock()
    spawn(holds(lock), "writer", says="asyncio.sleep(76)")
    await asyncio.sleep(0)
    spawn(wants(lock), "reader", [("writer", "Lock")], "asyncio.Lock lock held by task 'writer'")
    spawn(acquires(lock), "acquires", [("writer", "Lock")], "asyncio.Lock lock held by task 'writer'")
    semaphore = asyncio.Semaphore(2)
    for number in range(2):
        spawn(holds(semaphore), "seat %d" % number)
    await asyncio.sleep(0)
    spawn(wants(semaphore), "no seat", [("seat 0", "Semaphore"), ("seat 1", "Semaphore")],
          "asyncio.Semaphore lock held by tasks")
    # deadlocks
    first, last = asyncio.Lock(), asyncio.Lock()
    gate = asyncio.Event()
    spawn(takes_both(first, last, gate.set), "left", [("right", "Lock")], "held by task 'right'")
    spawn(takes_both(last, first, gate.set), "right", [("left", "Lock")], "held by task 'left'")
    deadlocked.update(("left", "right"))
    spawn(awaits(tasks["left"]), "behind the deadlock", [("left", "await")], "task 'left'")
    spawn(twice(asyncio.Lock()), "twice", [("twice", "Lock")], "held by task 'twice'")
    deadlocked.add("twice")
    chicken = spawn(on_chicken(), "chicken", [("egg", "await")], "task 'egg'")
    spawn(awaits(chicken), "egg", [("chicken", "await")], "task 'chicken'")
    deadlocked.update(("chicken", "egg"))
    # things to wait for
    spawn(waits_event(asyncio.Event()), "event", says="asyncio.Event.wait() event")
    spawn(waits_condition(asyncio.Condition()), "condition", says="asyncio.Condition.wait() condition")
    jobs, full = asyncio.Queue(), asyncio.Queue(1)
    full.put_nowait(1)
    spawn(gets(jobs), "gets", says="asyncio.Queue.get() queue, 0 items in it")
    spawn(puts(full), "puts", says="asyncio.Queue.put() queue, 1 item in it")
    spawn(joins(full), "joins", says="asyncio.Queue.join() queue")
    spawn(Worker(jobs).run(), "worker", says="asyncio.Queue.get() self.jobs, 0 items in it")
    spawn(asyncio.wait_for(gets(jobs), 900), "timed get",
          says="asyncio.Queue.get()" if VERSION >= (3, 12) else "asyncio.wait_for()")
    spawn(on_future(asyncio.get_running_loop().create_future()), "future", says="a future in on_future()")
    spawn(in_thread(threading.Event()), "in thread", says="a call in another thread")
    spawn(reads(asyncio.StreamReader()), "reads", says="asyncio.StreamReader.readline() reader")
    # ends
    spawn(ends(), "ended")
    spawn(fails(), "failed")
    spawn(cancelled_soon(), "cancelled")
    stuck = spawn(stubborn(), "stubborn", says="asyncio.sleep(78)")
    for number in range(2):
        spawn(with_context(number), "context %d" % number)
    if VERSION >= (3, 11):
        spawn(group(), "group", [("child %d" % number, "TaskGroup") for number in range(3)],
              "asyncio.TaskGroup tasks_of: tasks")
        spawn(in_timeout(first), "in timeout", [("left", "Lock")], "held by task 'left'")
        spawn(passes(asyncio.Barrier(2)), "barrier", says="asyncio.Barrier.wait() barrier")
    for _ in range(5):
        await asyncio.sleep(0)
    tasks["cancelled"].cancel()
    stuck.cancel()
    for _ in range(5):
        await asyncio.sleep(0)


def name_hidden():
    """Up to 3.11 wait_for makes a task of the coroutine."""
    for task in asyncio.all_tasks():
        if task.get_coro().__qualname__ == "gets" and task not in tasks.values():
            tasks[task.get_name()] = task
            edges.append(("timed get", task.get_name(), "wait_for"))


async def on_chicken():
    while "egg" not in tasks:
        await asyncio.sleep(0)
    await tasks["egg"]


def awaited(thing):
    for name in ("cr_await", "gi_yieldfrom", "ag_await"):
        if hasattr(thing, name):
            return getattr(thing, name)
    return None


def reachable(thing):
    """Through C's wrappers, which show nothing: the collector sees what they hold."""
    while thing is not None and not any(hasattr(thing, name) for name in ("cr_frame", "gi_frame", "ag_frame")):
        if asyncio.isfuture(thing) or type(thing).__name__ == "FutureIter":
            return None
        inner = [one for one in gc.get_referents(thing) if awaited_kind(one)]
        thing = inner[0] if inner else None
    return thing


def awaited_kind(thing):
    return inspect.iscoroutine(thing) or inspect.isgenerator(thing) or inspect.isasyncgen(thing) or \
        type(thing).__name__ in ("async_generator_asend", "coroutine_wrapper")


def chain(coro):
    """Frames from the coroutine inwards."""
    frames = []
    coro = reachable(coro)
    while coro is not None:
        for name in ("cr_frame", "gi_frame", "ag_frame"):
            frame = getattr(coro, name, None)
            if frame is not None:
                qualname = getattr(frame.f_code, "co_qualname", frame.f_code.co_name)
                frames.append([qualname, frame.f_code.co_filename, frame.f_lineno])
        coro = reachable(awaited(coro))
    return frames


def state(task):
    if task.cancelled():
        return "cancelled"
    if task.done():
        return "done"
    if task is tasks.get("reporter"):
        return "running"
    waiter = task._fut_waiter
    if getattr(task, "cancelling", int)() or getattr(task, "_must_cancel", False) or \
            (waiter is not None and waiter.cancelled()):
        return "being cancelled"
    return "waiting" if waiter is not None else "pending"


def testify(idents, loops):
    everything = {}
    for loop in loops:
        everything.update((id(task), task) for task in asyncio.all_tasks(loop))
    listed = dict(everything)
    for task in tasks.values():
        everything[id(task)] = task
    told = []
    for task in everything.values():
        told.append({
            "address": "0x%x" % id(task), "name": task.get_name(), "state": state(task),
            "coroutine": task.get_coro().__qualname__, "frames": chain(task.get_coro()),
            "ident": idents.get(id(task._loop)), "listed": id(task) in listed,
            "context": {var.name: repr(value) for var, value in context_of(task).items()}})
    return told


def context_of(task):
    if hasattr(task, "get_context"):
        return task.get_context()
    for one in gc.get_referents(task) + gc.get_referents(getattr(task, "__dict__", {})):
        if isinstance(one, contextvars.Context):
            return one
    raise SystemError("a task without a context")


async def main(idle):
    tasks["reporter"] = asyncio.current_task()
    asyncio.current_task().set_name("reporter")
    request.set("main request")
    ready = threading.Event()
    threading.Thread(target=other_loop, args=(ready,), daemon=True).start()
    ready.wait()
    time.sleep(0.3)
    await scene()
    name_hidden()
    loops = [asyncio.get_running_loop(), tasks["other deep"]._loop, idle]
    idents = {id(loop): getattr(loop, "_thread_id") for loop in loops}
    truth = {"tasks": testify(idents, loops), "edges": edges, "words": words, "deadlocked": sorted(deadlocked),
             "thread_context": {var.name: repr(value) for var, value in contextvars.copy_context().items()},
             "ident": threading.get_ident(), "running": [os.path.abspath(__file__), inspect.currentframe().f_lineno]}
    with open(os.environ["WITNESS_FILE"], "w") as file:
        json.dump(truth, file)
    os.abort()


if __name__ == "__main__":
    with contextlib.suppress(AttributeError):
        sys.set_int_max_str_digits(0)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_task_factory(factory)
    loop.run_until_complete(main(idle_loop()))
