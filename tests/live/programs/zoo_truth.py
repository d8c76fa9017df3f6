"""Writes what every object of this process refers to and how big it is, without disturbing any of them.

A forked child does it: asking for a frame or a __dict__ makes one, and the process that is about to die must stay
as it was. The fork is libc's own, so that no Python code runs between the two. The truth is text, gzip'ed; a line
an object:

    ADDRESS SIZE TRACKED TYPE REFERENT...      all numbers in hex; TYPE is the address of its type

after lines that begin with "#":

    # version VERSION
    # absent KIND: WHY               what the zoo lacks
    # tracked TYPE COUNT NAME        how many of a type gc.get_objects() has
    # freed KIND: ADDRESS...         where objects were that were let go; others may be there by now

Objects that only the child has are in no line: what it knows are the objects at its very beginning, and what they
refer to.
"""
import ctypes
import gc
import gzip
import os
import sys

_libc = ctypes.PyDLL(None)  # PyDLL keeps the GIL across the call
_fork, _waitpid, _abort = _libc.fork, _libc.waitpid, os.abort


def die(path, missing, freed):
    """Records and dies, both from here: what the child sees of this call is still there at death. `freed` gives
    the addresses of what was let go, by kind.
    """
    _closure(gc.get_objects(), None)  # the first sys.getsizeof of a type makes it ready: not in the child, then
    _waitpid(-1, None, os.WNOHANG)  # as does the first call of a function: what it makes is there at the fork
    gc.collect()
    let_go = freed()
    head = ["# zoo 1", "# version " + sys.version.split()[0]]
    head += ["# absent %s: %s" % item for item in sorted(missing.items())]
    if _fork() == 0:
        _testify(path, head, let_go)
    _waitpid(-1, None, 0)  # the number of the child is kept nowhere: it would be an object that the child lacks
    _abort()


def _testify(path, head, let_go):
    status = 1
    try:
        tracked = gc.get_objects()
        known = _closure(tracked[:], [])
        head = head + _tracked(tracked)
        head += ["# freed %s: %s" % (name, " ".join(map("{:x}".format, found))) for name, found in let_go.items()]
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


def _tracked(objects):
    counts, names = {}, {}
    for each in objects:
        key = id(type(each))
        counts[key] = counts.get(key, 0) + 1
        names[key] = type.__dict__["__qualname__"].__get__(type(each)).replace(" ", "_")
    return ["# tracked %x %d %s" % (key, counts[key], names[key]) for key in counts]


def _closure(pending, lines):
    """A line for each object there is, unless `lines` is None: text that is let go is much memory. Whatever this
    makes is reachable from locals alone, hence not found; no function is called, because the code of one that is
    called often grows.
    """
    get_referents, is_tracked, getsizeof = gc.get_referents, gc.is_tracked, sys.getsizeof
    own = {id(pending)}
    seen = set(map(id, pending))
    kept = []  # so that no address is used twice
    while pending:
        value = pending.pop()
        try:  # before anyone else knows what it holds: BytesIO counts a buffer that is its own alone
            size = getsizeof(value)
        except Exception:  # a __sizeof__ of its own, or none
            size = 0
        referents = get_referents(value)
        if lines is not None:
            lines.append("%x %x %d %x %s" % (id(value), size, is_tracked(value), id(type(value)),
                                             " ".join([hex(id(each))[2:] for each in referents])))
        for each in referents:
            if id(each) not in seen and id(each) not in own:
                seen.add(id(each))
                pending.append(each)
        kept.append(value)
    return lines
