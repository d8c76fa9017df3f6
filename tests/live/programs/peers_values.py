"""Values, names and chains that other tools get wrong, in frames with names outside Latin-1."""
import collections
import ctypes
import functools
import threading
import time

import peers_death

gate = threading.Lock()


def 数える(残り, δείκτης="όνομα"):
    имя, ключ_2 = "локальная", [1, 2]
    return величины(残り + 1)


def величины(число):
    big, negative, huge, edge, carry = 2**90, -2**90, 7**300, 2**63, 2**30
    third, tenth, large, tiny, exact = 1 / 3, 0.1, 1e22, 5e-324, 2.5
    whole, infinite, minus_zero = 1e16, float("-inf"), -0.0
    some, frozen, nothing = {"один"}, frozenset([(1, 2)]), set()
    queue, bounded = collections.deque([1, "two", None]), collections.deque([3], maxlen=4)
    held, counter = "in a cell", [41]

    def inner():
        counter.append(held)
        return through_sort(число)

    return inner()


def through_sort(argument):
    return sorted([argument], key=through_map)


def through_map(argument):
    return list(map(through_reduce, [argument]))


def through_reduce(argument):
    return functools.reduce(through_callback, [argument, argument])


def through_callback(left, right):
    return ctypes.CFUNCTYPE(ctypes.c_int)(lambda: through_generator(left))()


def through_generator(argument):
    return sum(generated(argument))


def generated(argument):
    yield through_init(argument)


def through_init(argument):
    return Initialised(argument)


class Initialised:
    def __init__(self, argument):
        self.attribute = argument
        exec(compile("import peers_death; peers_death.die()", "<executed>", "exec"), {"__name__": "executed"})


def sleeper():
    time.sleep(600)


def waiter():
    gate.acquire()


def main():
    gate.acquire()
    for target, name in ((sleeper, "спящий"), (waiter, "waiter 測")):
        threading.Thread(target=target, name=name, daemon=True).start()
    time.sleep(0.3)
    数える(0)


if __name__ == "__main__":
    main()
