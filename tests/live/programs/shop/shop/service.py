"""Checkout, where it ends badly."""
import functools

import witness
from .models import PaymentError, Priority, with_note


def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper


class Checkout:
    def __init__(self, store, session):
        self.store = store
        self.session = session

    @logged
    def run(self, *arguments, priority=Priority.LOW):
        rate = 1.1
        prices = {line.product.code: price for line, price in self.session.cart.priced(rate)}
        total = functools.reduce(lambda left, right: left + right, prices.values(), 0.0)
        return self.pay(total, rate)

    def pay(self, total, rate):
        attempts = 0
        try:
            try:
                self.store.reserve(self.session.cart.lines)
            except LookupError as error:
                raise PaymentError("order of %r refused" % self.session.user) from error
        except PaymentError as error:
            with_note(error, "total was %.2f\nrate was %s" % (total, rate))
            try:
                self.refund(None)
            except TypeError:
                return self.give_up(max([3, 1, 2], key=functools.partial(self.weigh, total)))

    def refund(self, amount):
        return -amount

    def weigh(self, total, item):
        if item == 2:
            self.explain(item, kinds=self.kinds(), recursive=self.loop())
        return item

    def give_up(self, item):
        raise SystemExit(item)

    @staticmethod
    def kinds():
        return {
            "text": "it's \"quoted\" \t\x00 \u202e é 値 🧨 \ud800", "bytes": b"\x00raw\xff'", "array": bytearray(b"ab"),
            "numbers": (0, -1, 2 ** 90, -(2 ** 30), 0.1, 1e16, 5e-324, float("-inf"), -0.0, 1 - 2j),
            "singletons": [None, True, False, ..., NotImplemented], "one": (1,), "empty": ([], (), {}, set()),
            "sets": (frozenset({"x"}), {3, 1, 2}), "range": range(2, 9, 3), "slice": slice(None, 5), "priority": Priority.HIGH,
        }

    @staticmethod
    def loop():
        items = [1]
        items.append(items)
        return items

    def explain(self, item, **options):
        text = options["kinds"].pop("text")
        raw, array = options["kinds"].pop("bytes"), options["kinds"].pop("array")
        numbers = options["kinds"].pop("numbers")
        large = 10 ** 40
        module, function, builtin, method = functools, logged, len, self.run
        error = ValueError("kept", 2)
        gone = 1
        del gone

        def last_words():
            return witness.die() or text

        return last_words()
