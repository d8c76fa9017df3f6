"""What the shop sells, and to whom."""
import collections
import enum
import sys


class Priority(enum.IntEnum):
    LOW = 1
    HIGH = 10


class State(enum.Enum):
    OPEN = "open"
    PAID = "paid"


Money = collections.namedtuple("Money", "amount currency")


class Product:
    def __init__(self, code, title, price, tags):
        self.code = code
        self.title = title
        self.price = price
        self.tags = tags

    def in_currency(self, rate=1.0, currency="EUR"):
        return Money(self.price * rate, currency)


class Line:
    __slots__ = ("product", "count")

    def __init__(self, product, count):
        self.product = product
        self.count = count


class Cart:
    def __init__(self):
        self.lines = []
        self.state = State.OPEN

    def add(self, product, count=1):
        self.lines.append(Line(product, count))

    def priced(self, rate):
        for line in self.lines:
            yield line, line.product.in_currency(rate).amount * line.count


class Session:
    def __init__(self, user, token, cart):
        self.user = user
        self.token = token
        self.cart = cart
        self.me = self


class OutOfStock(LookupError):
    def __init__(self, product, wanted):
        super().__init__("%s: %d wanted, none left" % (product.code, wanted))
        self.product = product


class PaymentError(Exception):
    pass


def with_note(error, note):
    if sys.version_info >= (3, 11):
        error.add_note(note)
    return error
