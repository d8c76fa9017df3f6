"""The stock, behind a lock."""
import collections
import threading

from .models import OutOfStock


class Store:
    def __init__(self, catalogue):
        self.catalogue = catalogue
        self.stock = collections.Counter(hat=5)
        self.lock = threading.Lock()
        self.history = collections.deque(maxlen=4)
        self.seen = set()

    def take(self, product, count):
        with self.lock:
            self.history.append((product.code, count))
            self.seen.add(product.code)
            left = self.stock[product.code] - count
            if left < 0:
                raise OutOfStock(product, count)
            self.stock[product.code] = left
        return left

    def reserve(self, lines):
        return [self.take(line.product, line.count) for line in lines]
