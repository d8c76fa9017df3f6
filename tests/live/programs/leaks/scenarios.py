"""Each function leaks in one way and returns what holds it: {"objects": [...], ...} as the truth wants it."""
import asyncio
import atexit
import collections
import contextvars
import ctypes
import functools
import gc
import logging
import logging.handlers
import queue
import signal
import sys
import threading

from store import holders, models

MANY = 4000


def module_dict():
    holders.SESSIONS.update(("u%d" % i, models.Session(i)) for i in range(MANY))
    return {"object": holders.SESSIONS, "path": "store.holders.SESSIONS", "holder": "module-level dict",
            "says": ["a dict with 4,000 entries", "4,000 `store.models.Session`", "`.basket`"]}


def module_list():
    holders.EVENTS.extend({"at": i, "text": "event %d of the shop; " % i * 6} for i in range(MANY * 3))
    return {"object": holders.EVENTS, "path": "store.holders.EVENTS", "holder": "module-level list",
            "says": ["a list with 12,000 items", "12,000 `dict`", "`['text']`"]}


def module_set():
    holders.SEEN.update("request-%d-%d" % (i, i * i) for i in range(MANY * 8))
    return {"object": holders.SEEN, "path": "store.holders.SEEN", "holder": "module-level set",
            "says": ["a set with 32,000 items", "32,000 `str`"]}


def class_attribute():
    models.Order.instances.extend(models.Order(i) for i in range(MANY))
    return {"object": models.Order.instances, "path": "store.models.Order.instances", "holder": "class attribute",
            "says": ["a class attribute", "4,000 `store.models.Order`", "`.lines`"]}


def lru_unbounded():
    for number in range(MANY * 2):
        holders.render(number)
    return {"object": holders.render, "path": "store.holders.render", "holder": "lru_cache",
            "says": ["an lru_cache (maxsize None, 8,000 entries, 0 hits, 8,000 misses)"]}


def lru_bounded():
    for number in range(MANY * 2):
        holders.page(number % 6000)
    return {"object": holders.page, "path": "store.holders.page", "holder": "lru_cache",
            "says": ["an lru_cache (maxsize 5,000, 5,000 entries, 0 hits, 8,000 misses)"]}


def closure():
    holders.remember = holders.make_memory(MANY)
    kept = holders.remember.__closure__[0].cell_contents
    return {"object": kept, "path": "store.holders.remember", "holder": "closure cell",
            "says": ["a variable that a closure keeps"]}


def thread_local():
    holders.LOCAL.requests = [models.Session(i) for i in range(MANY)]
    return {"object": holders.LOCAL.requests, "path": "requests", "holder": "thread local",
            "says": ["kept in a thread local", "4,000 `store.models.Session`"]}


def frame_variable():
    caller = sys._getframe(1)
    assert caller.f_code.co_name == "main"
    return {"variable": "rows", "path": ".main.rows", "holder": "variable of a running frame",
            "says": ["a variable of a running frame", "4,000 `store.models.Session`"]}


def logging_handler():
    handler = logging.handlers.MemoryHandler(10 ** 9, flushLevel=10 ** 9)
    log = logging.getLogger("store.audit")
    log.propagate = False
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    for number in range(MANY * 2):
        log.info("order %d of %s", number, "customer-%d" % number)
    return {"object": handler, "path": "handlers", "holder": "logging handler",
            "says": ["`logging.handlers.MemoryHandler`", "kept by a logging handler", "8,000 `logging.LogRecord`"]}


def at_exit():
    kept = [models.Session(i) for i in range(MANY)]
    atexit.register(holders.flush, kept)
    return {"object": kept, "holder": "atexit callback", "says": ["kept for an atexit callback"]}


def signal_handler():
    kept = [models.Session(i) for i in range(MANY)]
    signal.signal(signal.SIGUSR1, lambda number, frame, kept=kept: len(kept))
    return {"object": kept, "holder": "signal handler, of signal 10", "says": ["signal handler, of signal 10"]}


def event_loop_ready():
    loop = asyncio.new_event_loop()
    holders.LOOPS.append(loop)
    for number in range(MANY):
        loop.call_soon(holders.flush, [models.Slotted(number)])
    return {"object": loop._ready, "path": "_ready", "holder": "event loop queue",
            "says": ["kept by an event loop", "`asyncio.events.Handle`"]}


def event_loop_scheduled():
    loop = asyncio.new_event_loop()
    holders.LOOPS.append(loop)
    for number in range(MANY):
        loop.call_later(3600 + number, holders.flush, [models.Slotted(number)])
    return {"object": loop._scheduled, "path": "_scheduled", "holder": "event loop queue",
            "says": ["kept by an event loop", "`asyncio.events.TimerHandle`"]}


def traceback_frames():
    try:
        holders.fail(MANY)
    except ValueError as error:
        holders.LAST_ERRORS.append(error)
    rows = holders.LAST_ERRORS[0].__traceback__.tb_next.tb_frame.f_locals["rows"]
    return {"object": rows, "path": "store.holders.LAST_ERRORS[0].__traceback__",
            "holder": "traceback of an exception, ValueError",
            "says": ["in a frame that is kept by the traceback of an exception, ValueError"]}


def gc_garbage():
    gc.set_debug(gc.DEBUG_SAVEALL)
    for number in range(MANY * 5):
        node = models.Node(number, None)
        node.after = node
    del node
    gc.collect()
    gc.set_debug(0)
    return {"object": gc.garbage, "path": "gc.garbage", "holder": "gc.garbage",
            "says": ["what the collector could not free"]}


def queue_items():
    for number in range(MANY):
        holders.JOBS.put(models.Session(number))
    return {"object": holders.JOBS, "path": "store.holders.JOBS", "holder": "module-level object",
            "says": ["`queue.Queue`", "4,000 items"]}


def instance_attribute():
    holders.STATE.pending.extend(models.Session(i) for i in range(MANY))
    return {"object": holders.STATE.pending, "path": "store.holders.STATE.pending",
            "holder": "attribute of store.models.State", "says": ["a list with 4,000 items"]}


def chain():
    for number in range(MANY * 6):
        holders.HEAD = models.Node(number, holders.HEAD)
    return {"object": holders.HEAD, "path": "store.holders.HEAD", "holder": "module-level object",
            "says": ["a chain or tree of 24,000 `store.models.Node`"]}


def blob():
    holders.BUFFER.extend(bytes(3000000))
    return {"object": holders.BUFFER, "path": "store.holders.BUFFER", "holder": "module-level bytearray",
            "says": ["a bytearray of 2.9 MiB"]}


def coroutine():
    waiting = holders.worker(MANY)
    waiting.send(None)
    holders.WAITING.append(waiting)
    return {"object": waiting.cr_frame.f_locals["rows"], "path": "store.holders.WAITING[0]",
            "holder": "variable of a suspended coroutine", "says": ["a variable of a suspended coroutine"]}


def context_variable():
    var = contextvars.ContextVar("var")
    holders.VARIABLES.append(var)
    kept = [models.Session(i) for i in range(MANY)]
    var.set(kept)
    return {"object": kept, "holder": "context variable", "says": ["kept in a context variable"]}


def shared_by_two():
    for number in range(MANY):
        session = models.Session(number)
        holders.BY_ID[number] = session
        holders.BY_NAME[session.user] = session
    return {"group": "store.models.Session", "members": list(holders.BY_ID.values()),
            "says": ["4,000 `store.models.Session`", "together keep", "`store.holders.BY_ID` refers to 4,000 of them",
                     "`store.holders.BY_NAME` to 4,000"]}


def many_holders():
    for number in range(40):
        setattr(holders, "TENANT_%d" % number, models.Tenant(number, 100))
    return {"group": "store.models.Tenant", "members": [getattr(holders, "TENANT_%d" % i) for i in range(40)],
            "says": ["40 `store.models.Tenant`", "is `.sessions`"]}


def extension():
    kept = [models.Slotted(i) for i in range(MANY * 3)]
    for one in kept:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(one))
    return {"extension": "store.models.Slotted", "members": kept, "says": ["held by C code alone"]}


def garbage():
    gc.disable()
    for number in range(MANY * 5):
        node = models.Node(number, None)
        node.after = [node]
    return {"garbage": "store.models.Node", "count": MANY * 5 - 1,
            "says": ["`store.models.Node`", "not yet collected"]}


def interned():
    for number in range(MANY * 10):
        sys.intern("a label that is never used again, number %d" % number)
    return {"interned": MANY * 10, "says": ["interned and immortal"]}


def two_leaks():
    module_dict()
    models.Order.instances.extend(models.Order(i) for i in range(MANY))
    return {"object": holders.SESSIONS, "path": "store.holders.SESSIONS", "holder": "module-level dict",
            "also": "store.models.Order.instances", "says": []}


def healthy():
    return {"healthy": True}


def named(name):
    return globals()[name]


def keep_alive():
    """Names that only one Python or another needs; imported here as programs do."""
    return collections, functools, queue, threading
