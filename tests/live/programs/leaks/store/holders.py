"""Where the scenarios keep what they leak."""
import functools
import queue
import threading

from store import models

SESSIONS = {}
EVENTS = []
SEEN = set()
LOOPS = []
LAST_ERRORS = []
WAITING = []
VARIABLES = []
BY_ID = {}
BY_NAME = {}
HEAD = None
BUFFER = bytearray()
LOCAL = threading.local()
JOBS = queue.Queue()
STATE = models.State()


def plain_render(number):
    return "<html>%s</html>" % ("page %d " % number * 20)


def plain_page(number):
    return models.Slotted(number)


render = functools.lru_cache(maxsize=None)(plain_render)
page = functools.lru_cache(maxsize=5000)(plain_page)


def make_memory(count):
    seen = [models.Session(i) for i in range(count)]

    def remember(number):
        seen.append(number)
        return len(seen)
    return remember


def flush(kept):
    kept.clear()


def fail(count):
    rows = [models.Session(i) for i in range(count)]
    raise ValueError("%d rows" % len(rows))


class Pause:
    def __await__(self):
        yield


async def worker(count):
    rows = [models.Session(i) for i in range(count)]
    await Pause()
    return rows
