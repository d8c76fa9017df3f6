"""The classes whose instances values.py shows; they have a module name of their own."""
import collections
import dataclasses
import enum
import sys
import typing


class Text(str):
    pass


class Number(int):
    pass


class ListOf(list):
    pass


class DictOf(dict):
    pass


class Color(enum.Enum):
    RED = 1
    GREEN = "green"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 10


class Kind(str, enum.Enum):
    A = "a"


class Planet(enum.Enum):
    EARTH = (5.97, [6.37])


class Permission(enum.Flag):
    READ = 1
    WRITE = 2


class Mode(enum.IntFlag):
    X = 1
    Y = 4


Point = collections.namedtuple("Point", "x y")


class Named(Point):
    __slots__ = ()


class Typed(typing.NamedTuple):
    size: float
    unit: str = "cm"


@dataclasses.dataclass
class Item:
    name: str
    price: float = 0.0
    tags: list = dataclasses.field(default_factory=list)
    secret: str = dataclasses.field(default="hidden", repr=False)
    limit: typing.ClassVar[int] = 5
    given: dataclasses.InitVar[int] = 0


@dataclasses.dataclass(frozen=True)
class FrozenItem:
    size: tuple


@dataclasses.dataclass
class Discounted(Item):
    percent: int = 0


@dataclasses.dataclass(repr=False)
class Silent:
    value: int


@dataclasses.dataclass
class Tree:
    children: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class CustomRepr:
    value: int

    def __repr__(self):
        return "custom"


if sys.version_info >= (3, 10):
    @dataclasses.dataclass(slots=True)
    class SlottedItem:
        name: str
        price: float

    SLOTTED = SlottedItem("scarf", 3.25)
else:
    SLOTTED = None


class ShopError(Exception):
    def __init__(self, message, code):
        super().__init__(message)
        self.code = code


class Plain:
    class Inner:
        pass

    def __init__(self, a, b):
        self.a = a
        self.b = b

    def method(self):
        pass

    @classmethod
    def make(cls):
        pass

    @staticmethod
    def helper():
        pass

    @property
    def prop(self):
        return 1


shared = Plain("shared", "object")


class Empty:
    pass


def take_dict(instance):
    return instance.__dict__


class Many:
    def __init__(self, count):
        for number in range(count):
            setattr(self, "attribute_%02d" % number, number)


class Slots:
    __slots__ = ("zeta", "alpha")

    def __init__(self, zeta, alpha):
        self.zeta = zeta
        self.alpha = alpha


class SlotsDerived(Slots):
    __slots__ = "beta",

    def __init__(self, zeta, alpha, beta):
        super().__init__(zeta, alpha)
        self.beta = beta


class SlotsAndDict(Slots):
    pass


class DictAndSlots(Empty):
    __slots__ = ("slot",)

    def __init__(self, slot):
        self.slot = slot
        self.attribute = "in the dict"


class Private:
    def __init__(self, value):
        self.__value = value
        self._protected = value


class OwnStr:
    def __init__(self, value):
        self.value = value

    def __str__(self):
        return "str"

    def __repr__(self):
        return "repr"


class Meta(type):
    pass


class WithMeta(metaclass=Meta):
    pass


T = typing.TypeVar("T")


class Box(typing.Generic[T]):
    def __init__(self, content):
        self.content = content


class Grandchild(Plain):
    def __init__(self, a, b, c):
        super().__init__(a, b)
        self.c = c


class RaisesInRepr:
    def __init__(self):
        self.value = 1

    def __repr__(self):
        raise RuntimeError("no repr")


class Liar:
    @property
    def __class__(self):
        return int


def nested_function():
    def inner():
        pass
    return inner


def local_class():
    class Local:
        def __init__(self):
            self.value = 1
    return Local()
