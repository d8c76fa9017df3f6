"""Has a secret of each kind in each place that could be shown. Run with the secrets as JSON in $SECRETS.

Each is taken once, in the order of the program.
"""
import collections
import ctypes
import dataclasses
import datetime
import decimal
import enum
import fractions
import json
import os
import sys
import threading
import types
import uuid

import peers_death

TEXTS = iter(json.loads(os.environ.pop("SECRETS")))
NUMBERS = iter(json.loads(os.environ.pop("SECRET_NUMBERS")))
del os.environ["SECRET_ENVIRONMENT"]  # it stays in what the kernel gave, above the stack
TWICE = next(TEXTS)
module_global = next(TEXTS)
module_number = next(NUMBERS)


@dataclasses.dataclass
class Account:
    owner: str
    balance: int
    keys: dict


class Level(enum.Enum):
    HIGH = next(TEXTS)
    LOW = next(NUMBERS)


class Rights(enum.IntFlag):
    WRITE = 1 << 73


class Slotted:
    __slots__ = ("hidden", "count")

    def __init__(self):
        self.hidden, self.count = next(TEXTS), next(NUMBERS)


class Text(str):
    pass


class Number(int):
    pass


class Mapping(dict):
    pass


class Failure(Exception):
    def __init__(self, text, number):
        super().__init__(text, number)
        self.extra = next(TEXTS)


Point = collections.namedtuple("Point", "x y")


def everything(argument, *rest, option=None, **others):
    text, raw, array = next(TEXTS), next(TEXTS).encode(), bytearray(next(TEXTS).encode())
    wide = next(TEXTS) + "値🧨"
    number, negative, large = next(NUMBERS), -next(NUMBERS), next(NUMBERS) ** 5
    real, tiny, imaginary = next(NUMBERS) / 1e4, 1 / next(NUMBERS), complex(next(NUMBERS), next(NUMBERS))
    exact, ratio = decimal.Decimal("%d.25" % next(NUMBERS)), fractions.Fraction(next(NUMBERS), 7)
    moment = datetime.datetime.fromtimestamp(next(NUMBERS) % 10**9, datetime.timezone.utc)
    day, span = moment.date(), datetime.timedelta(microseconds=next(NUMBERS))
    zone = datetime.timezone(datetime.timedelta(hours=3), next(TEXTS))
    unique = uuid.UUID(int=next(NUMBERS) ** 3)
    mapping = {next(TEXTS): next(TEXTS), next(NUMBERS): [next(TEXTS), (next(NUMBERS), {next(TEXTS)})]}
    nested = [[[[{next(TEXTS): {"inner": next(NUMBERS)}}]]]]
    queue, frozen = collections.deque([next(TEXTS)]), frozenset([next(NUMBERS)])
    ordered = collections.OrderedDict([(next(TEXTS), next(NUMBERS))])
    default = collections.defaultdict(list, {next(TEXTS): [next(NUMBERS)]})
    counter = collections.Counter([next(TEXTS), next(TEXTS)])
    chain = types.SimpleNamespace(field=next(TEXTS), number=next(NUMBERS))
    proxy = types.MappingProxyType({next(TEXTS): next(NUMBERS)})
    account = Account(next(TEXTS), next(NUMBERS), {next(TEXTS): next(NUMBERS)})
    point, level, low, rights = Point(next(TEXTS), next(NUMBERS)), Level.HIGH, Level.LOW, Rights.WRITE
    slotted, own_text, own_number, own_dict = (Slotted(), Text(next(TEXTS)), Number(next(NUMBERS)),
                                               Mapping({next(TEXTS): next(NUMBERS)}))
    error, missing = ValueError(next(TEXTS), next(NUMBERS)), KeyError(next(TEXTS))
    system, decoding = OSError(2, next(TEXTS), next(TEXTS)), UnicodeDecodeError("utf-8", next(TEXTS).encode(), 1, 2, "bad")
    slice_, range_ = slice(next(NUMBERS), next(NUMBERS)), range(next(NUMBERS))
    view, first_same, second_same = memoryview(next(TEXTS).encode()), TWICE, "".join(list(TWICE))
    values, keys = mapping.values(), mapping.keys()
    captured, setattr_target = next(TEXTS), types.ModuleType("peers_module")
    setattr_target.secret = next(TEXTS)
    boxed = [captured]

    def closure(default_value=next(TEXTS)):
        return captured, boxed, peers_raise(text)

    closure()


def peers_raise(text):
    try:
        try:
            {}[next(TEXTS)]
        except KeyError as inner:
            raise Failure(next(TEXTS), next(NUMBERS)) from inner
    except Failure as outer:
        if hasattr(outer, "add_note"):
            outer.add_note(next(TEXTS))
        try:
            int(next(TEXTS))
        except ValueError:
            last_words()


class Body:
    inside = next(TEXTS)


def last_words():
    if os.environ["WITNESS_WAY"] == "fatal":
        peers_death.testify()
        ctypes.pythonapi.Py_FatalError(FATAL)
    exec("secret_global = %r; peers_death.die()" % next(TEXTS), {"peers_death": peers_death})


FATAL = next(TEXTS).encode()

if __name__ == "__main__":
    parked = threading.Event()
    begun = threading.Event()
    threading.Thread(target=lambda secret: (begun.set(), parked.wait()), args=(next(TEXTS),), name=next(TEXTS),
                     daemon=True).start()
    begun.wait()
    threading.current_thread().name = next(TEXTS)
    everything(next(TEXTS), next(TEXTS), option=next(NUMBERS), **{"keyword": next(TEXTS)})
