"""Objects that C code forgot to release, and others that it did not: what is told of each is known here."""
import ctypes
import json
import os

hold = ctypes.pythonapi.Py_IncRef
hold.argtypes = [ctypes.py_object]
hold.restype = None


class Plain:
    pass


class Slotted:
    __slots__ = ("value",)


def slotted(number):
    made = Slotted()
    made.value = [number]
    return made


MAKERS = {
    "instance": lambda number: Plain(), "slotted": slotted, "list": lambda number: [1000 + number],
    "dict": lambda number: {"k%d" % number: 1}, "str": lambda number: "text %d" % number,
    "bytes": lambda number: b"text %d" % number, "tuple": lambda number: (1000 + number, []),
    "bytearray": lambda number: bytearray(b"text %d" % number), "function": lambda number: lambda: number,
    "int": lambda number: 2 ** 70 + number,
}
EACH = 12
kept = []
truth = {"lost": [], "held": [], "free": []}
for make in MAKERS.values():
    for number in range(EACH):
        made = make(number)
        if number % 3 < 2:
            hold(made)
        if number % 3:
            kept.append(made)
        truth[("lost", "held", "free")[number % 3]].append(id(made))
        del made
with open(os.environ["WITNESS_FILE"], "w") as file:
    json.dump(truth, file)
os.abort()
