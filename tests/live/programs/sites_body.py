"""Allocates in many ways, each on a line of its own: what tracemalloc says of these lines is compared."""


class Order:
    def __init__(self, number):
        self.number = number
        self.lines = [number] * (number % 7)


class Slotted:
    __slots__ = ("a", "b")


def texts(count):
    return ["text %d" % number for number in range(count)]


def grown():
    dictionary = {}
    for number in range(5000):
        dictionary[number] = bytes(number % 300)
    return dictionary


def slotted():
    made = []
    for _ in range(2000):
        made.append(Slotted())
    return made


def freed():
    """Blocks that are gone again are not to be told."""
    for _ in range(100):
        bytearray(10000)


def allocate():
    freed()
    kept = [Order(number) for number in range(3000)]
    return {
        "orders": kept,
        "texts": texts(4000),
        "grown": grown(),
        "slotted": slotted(),
        "buffer": bytearray(3000000),
        "matrix": [[0.5 + row] * 40 for row in range(300)],
        "set": {str(number) for number in range(2500)},
    }
