"""Writes what every object of this process refers to and how big it is, without disturbing any of them.

A forked child does it: asking for a frame or a __dict__ makes one, and the process that is about to die must stay
as it was. The fork is libc's own, so that no Python code runs between the two. The truth is text, gzip'ed; a line
an object:

    ADDRESS SIZE TRACKED TYPE REFERENT...      all numbers in hex; TYPE is the address of its type

after lines that begin with "#": the version, what the zoo lacks, and the modules (as "# state ADDRESS NAME") that
keep references where nobody finds them. Objects that only the child has are in no
line: what it knows are the objects at its very beginning, and what they refer to.
"""
import ctypes
import gc
import gzip
import os
import sys

_libc = ctypes.PyDLL(None)  # PyDLL keeps the GIL across the call
FAR_STATES = ("atexit", "_curses_panel", "_decimal", "_hmac", "_zoneinfo")  # behind their state, or static
_fork, _waitpid, _abort = _libc.fork, _libc.waitpid, os.abort


def die(path, missing):
    """Records and dies, both from here: what the child sees of this call is still there at death."""
    _closure(gc.get_objects())  # the first sys.getsizeof of a type makes it ready: not in the child, then
    _waitpid(-1, None, os.WNOHANG)  # as does the first call of a function: what it makes is there at the fork
    gc.collect()
    head = ["# zoo 1", "# version " + sys.version.split()[0]]
    head += ["# absent %s: %s" % item for item in sorted(missing.items())]
    head += ["# state %x %s" % (id(sys.modules[name]), name) for name in FAR_STATES if name in sys.modules]
    child = _fork()
    if child == 0:
        _testify(path, head)
    _waitpid(child, None, 0)
    _abort()


def _testify(path, head):
    status = 1
    try:
        known = _closure(gc.get_objects())
        with gzip.open(path + ".part", "wt", compresslevel=1) as out:
            for line in head:
                out.write(line + "\n")
            for line in known:
                out.write(line + "\n")
        os.rename(path + ".part", path)
        status = 0
    except BaseException:
        import traceback

        with open(path + ".error", "w") as out:
            traceback.print_exc(file=out)
    os._exit(status)


def _closure(pending):
    """A line for each object there is. Whatever this makes is reachable from locals alone, hence not found; no
    function is called, because the code of one that is called often grows.
    """
    get_referents, is_tracked, getsizeof = gc.get_referents, gc.is_tracked, sys.getsizeof
    own = {id(pending)}
    seen = set(map(id, pending))
    lines = []
    kept = []  # so that no address is used twice
    while pending:
        value = pending.pop()
        try:  # before anyone else knows what it holds: BytesIO counts a buffer that is its own alone
            size = getsizeof(value)
        except Exception:  # a __sizeof__ of its own, or none
            size = 0
        referents = get_referents(value)
        lines.append("%x %x %d %x %s" % (id(value), size, is_tracked(value), id(type(value)),
                                         " ".join([hex(id(each))[2:] for each in referents])))
        for each in referents:
            if id(each) not in seen and id(each) not in own:
                seen.add(id(each))
                pending.append(each)
        kept.append(value)
    return lines
