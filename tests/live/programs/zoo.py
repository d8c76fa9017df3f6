"""One or more of every kind of object whose references and size inquest promises to know, then death by abort.

What each object refers to and how big it is, as CPython itself says, is written to $WITNESS_FILE before
(see zoo_truth.py). Runs on CPython 3.8 to 3.15; what a version does not have is left out and named in the truth.
With ZOO_IS_SMALL set, the largest are smaller and modules that bring large libraries are left out, for a core that can
be kept.
"""
import gc
import os
import sys

if "ZOO_IS_SMALL" in os.environ:  # asyncio does without ssl, hashlib without _hashlib
    sys.modules.update(dict.fromkeys(("ssl", "_hashlib", "_dbm", "_gdbm", "readline")))

import zoo_classes
import zoo_containers
import zoo_freed
import zoo_interpreter
import zoo_library
import zoo_truth

ANIMALS = {}
MISSING = {}


def fill():
    for house in (zoo_containers, zoo_classes, zoo_interpreter, zoo_library):
        for name, make in house.KINDS.items():
            try:
                ANIMALS[name] = make()
            except (ImportError, AttributeError, NameError, TypeError, SyntaxError, ValueError, OSError) as error:
                MISSING[name] = "%s: %s" % (type(error).__name__, error)
                error.__traceback__ = None


def main():
    gc.disable()
    fill()
    gc.collect()
    if "-v" in sys.argv:
        for name, why in MISSING.items():
            print("absent:", name, why)
    zoo_truth.die(os.environ["WITNESS_FILE"], MISSING, zoo_freed.addresses)


if __name__ == "__main__":
    main()
