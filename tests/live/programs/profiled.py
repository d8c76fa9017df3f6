# SPDX-License-Identifier: Apache-2.0
"""What the committed recordings are of: no imports, so that they show nothing of the machine."""


class Order:
    def __init__(self, number):
        self.number = number
        self.lines = ["line %d of %d" % (i, number) for i in range(number % 4)]

    def total(self):
        return sum(len(line) for line in self.lines)

    def __repr__(self):
        return "Order(%d)" % self.number


def factorial(n):
    return 1 if n < 2 else n * factorial(n - 1)


def even(n):
    return True if n == 0 else odd(n - 1)


def odd(n):
    return False if n == 0 else even(n - 1)


def walk(depth, keep):
    if depth == 0:
        keep.append(bytearray(1000))
        keep.append({"key": [0] * 10})
        return keep
    keep.append("x" * (depth * 100) + str(len(keep)))
    return walk(depth - 1, keep)


def grüße(keep):
    return [keep.append(name.upper()) for name in ("größe", "naïve", "日本", "🐍")]


def numbers(stop):
    for i in range(stop):
        yield i * i


def raising():
    try:
        {}["nothing"]
    except KeyError:
        return len("caught")


def load(number):
    orders = [Order(i) for i in range(number)]
    orders.sort(key=lambda order: -order.total())
    return orders


def work():
    keep = []
    for depth in (1, 3, 9):
        walk(depth, keep)
    grüße(keep)
    keep.append(load(5))
    factorial(20)
    even(9)
    keep.append(list(numbers(10)))
    raising()
    list(map(factorial, range(5)))
    return keep


def busy(rounds):
    return sum(factorial(60) % 7 + sum(numbers(40)) for _ in range(rounds))


if __name__ == "__main__":
    import sys
    work()
    if len(sys.argv) > 1:
        busy(int(sys.argv[1]))
