"""Testifies to what a process was doing, from inside, an instant before it dies.

`die(way)` writes the truth as JSON to $WITNESS_FILE and then kills the process from the very line that the
truth names. The observing is done in a forked child: looking at an object changes it (reading __dict__ makes one,
reading a frame makes one), and the dying process must stay as it was. The fork is libc's own, so the child keeps
every thread state, hence every thread's frames, and it holds the GIL with nobody to take it away.

Runs on CPython 3.8 to 3.15.
"""
import ctypes
import os
import sys
import threading
import time

import witness_values

WAYS = ("abort", "segv", "fatal", "gcore")
FATAL_MESSAGE = b"the shop is on fire"
FAULT_ADDRESS = 0x10

_libc = ctypes.PyDLL(None)  # PyDLL keeps the GIL across the call
_memset = _libc.memset
_fatal_error = ctypes.pythonapi.Py_FatalError
_abort = os.abort
_sleep = time.sleep
_gate = threading.Lock()
_gate.acquire()
_handled = {}  # ident -> exception, for 3.8, which has no sys._current_exceptions


def park():
    """Block this thread for ever; the situation is whatever is above on the stack."""
    _gate.acquire()


def handling():
    """To be called in an except block that is going to be looked at."""
    _handled[threading.get_ident()] = sys.exc_info()[1]


def die(way=None):
    """Each call that kills takes the record as its argument: same line, and the caller is not touched between."""
    way = way or os.environ.get("WITNESS_WAY", "abort")
    if way == "abort":
        _abort(*record(way, ()))
    elif way == "segv":
        _memset(record(way, FAULT_ADDRESS), 0, 1)
    elif way == "fatal":
        _fatal_error(record(way, FATAL_MESSAGE))
    else:
        _sleep(record(way, 600))


def start(target, *args, **kwargs):
    thread = threading.Thread(target=target, args=args, daemon=True, **kwargs)
    thread.start()
    return thread


def start_all(*targets):
    return [start(target, name=target.__name__.replace("_", " ")) for target in targets]


def record(way, answer):
    settle()
    tasks = sorted(int(name) for name in os.listdir("/proc/self/task"))
    pid = os.getpid()
    ident = threading.get_ident()
    child = _libc.fork()
    if child == 0:
        _testify(pid, ident, way, tasks)
    _libc.waitpid(child, None, 0)
    return answer


def settle(tries=250):
    """Wait until every other thread sleeps and stays asleep (one that waits for the GIL wakes every 5 ms)."""
    still, before = 0, None
    for _ in range(tries):
        now = _switches()
        still = still + 1 if now == before and now is not None else 0
        if still == 3:
            return
        before = now
        time.sleep(0.015)


def _switches():
    counts = []
    own = str(threading.get_native_id())
    for task in sorted(os.listdir("/proc/self/task")):
        if task == own:
            continue
        with open("/proc/self/task/%s/status" % task, "rb") as status:
            fields = dict(line.split(b":", 1) for line in status if b":" in line)
        if fields[b"State"].strip()[:1] != b"S":
            return None
        counts.append((task, fields[b"voluntary_ctxt_switches"], fields[b"nonvoluntary_ctxt_switches"]))
    return counts


def _testify(pid, ident, way, tasks):
    """The child: write the truth under a temporary name, rename it, and leave without any clean-up."""
    path = os.environ["WITNESS_FILE"]
    status = 1
    try:
        import json
        import signal

        signal.alarm(100)
        sys.setrecursionlimit(1000000)  # the subject may stand at the edge of its own limit
        truth = _truth(pid, ident, way, tasks)
        with open(path + ".part", "w") as out:
            json.dump(truth, out, separators=(",", ":"))
        os.rename(path + ".part", path)
        status = 0
    except BaseException:
        import traceback

        with open(path + ".error", "w") as out:
            traceback.print_exc(file=out)
    os._exit(status)


def _truth(pid, ident, way, tasks):
    frames = sys._current_frames()
    exceptions = _current_exceptions(ident)
    known = {t.ident: t for t in threading.enumerate()}
    main = threading.main_thread().ident
    threads = []
    for thread_ident, frame in frames.items():
        thread = known.get(thread_ident)
        dying = thread_ident == ident
        threads.append({
            "ident": hex(thread_ident & (1 << 64) - 1),
            "name": thread.name if thread else None,
            "native_id": thread.native_id if thread else None,
            "is_main": thread_ident == main,
            "is_dying": dying,
            "holds_gil": dying and way != "gcore",
            "frames": list(walk_stack(frame, dying)),
            "exceptions": list(walk_exceptions(exceptions.get(thread_ident))),
        })
    return {"witness": 1, "way": way, "pid": pid, "tasks": tasks, "version": sys.version.split()[0],
            "message": FATAL_MESSAGE.decode() if way == "fatal" else None,
            "fault_address": hex(FAULT_ADDRESS) if way == "segv" else None,
            "argv": list(getattr(sys, "orig_argv", [])), "threads": threads}


def _current_exceptions(ident):
    found = dict(_handled)
    if hasattr(sys, "_current_exceptions"):
        found = {key: value[1] if isinstance(value, tuple) else value
                 for key, value in sys._current_exceptions().items()}
    found[ident] = sys.exc_info()[1]
    return found


def walk_stack(frame, dying):
    """Innermost first. The dying thread's witness frames above die() are not there at death."""
    while dying and frame.f_code is not die.__code__:
        frame = frame.f_back
    while frame is not None:
        column = column_at(frame.f_code, frame.f_lasti)
        if frame.f_code is die.__code__ and column is not None:
            column = first_column(frame.f_code, frame.f_lineno)  # the call around record(), not record() itself
        yield {"function": name_of(frame.f_code), "file": frame.f_code.co_filename, "line": frame.f_lineno,
               "column": column, "locals": list(walk_locals(frame)), "exact": bool(frame.f_code.co_flags & 1)}
        frame = frame.f_back


def name_of(code):
    return getattr(code, "co_qualname", code.co_name)


def column_at(code, lasti):
    if lasti < 0 or not hasattr(code, "co_positions"):
        return None
    for index, position in enumerate(code.co_positions()):
        if index == lasti // 2:
            return position[2]
    return None


def first_column(code, line):
    return min(p[2] for p in code.co_positions() if p[0] == line and p[2] is not None)


def walk_locals(frame):
    """Names in a module's frame are its globals, and no locals. A captured argument may be called either."""
    code = frame.f_code
    if frame.f_locals is frame.f_globals:
        return
    count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)
    arguments = code.co_varnames[:count]
    for name, value in dict(frame.f_locals).items():
        kinds = [kind for kind, names in (("argument", arguments), ("cell", code.co_cellvars),
                                          ("free", code.co_freevars)) if name in names]
        yield {"name": name, "kinds": kinds or ["local"], "type": witness_values.type_name(type(value)),
               "values": witness_values.accepted(value), "address": hex(id(value))}


def walk_exceptions(exc):
    """In the order in which a traceback names them, from the last one raised; groups' members after the group."""
    pending, seen = [(exc, None)], set()
    while pending:
        exc, relation = pending.pop()
        if exc is None or id(exc) in seen:
            continue
        seen.add(id(exc))
        yield {"relation": relation, "type": witness_values.type_name(type(exc)), "message": str(exc),
               "notes": list(getattr(exc, "__notes__", [])),
               "traceback": list(walk_traceback(exc.__traceback__))[::-1]}
        for member in reversed(getattr(exc, "exceptions", ())):
            pending.append((member, "group"))
        if exc.__cause__ is not None:
            pending.append((exc.__cause__, "cause"))
        elif not exc.__suppress_context__:
            pending.append((exc.__context__, "context"))


def walk_traceback(entry):
    while entry is not None:
        code = entry.tb_frame.f_code
        yield {"function": name_of(code), "file": code.co_filename, "line": entry.tb_lineno,
               "column": column_at(code, entry.tb_lasti)}
        entry = entry.tb_next
