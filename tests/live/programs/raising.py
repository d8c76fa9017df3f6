"""Exceptions being handled: each situation parks in a thread of its own within its except block."""
import asyncio
import json
import os
import socket
import sys
import threading
import unicodedata

import witness


def parked():
    witness.handling()
    witness.park()


def fail(error):
    raise error


def deeper(error, depth=3):
    if depth:
        deeper(error, depth - 1)
    fail(error)


class ShopError(Exception):
    class Nested(Exception):
        pass

    def __init__(self, message, *, code):
        super().__init__(message)
        self.code = code


def plain():
    try:
        deeper(ValueError("plain message"))
    except ValueError:
        parked()


def no_arguments():
    try:
        raise KeyError
    except KeyError:
        parked()


def key_error():
    try:
        {}["it's missing"]
    except KeyError:
        parked()


def key_error_tuple():
    try:
        {}[1, "two"]
    except KeyError:
        parked()


def os_error():
    try:
        open("/nowhere/at all")
    except OSError:
        parked()


def os_error_two_files():
    try:
        os.rename("/nowhere/a", "/nowhere/b")
    except OSError:
        parked()


def os_error_number():
    try:
        raise OSError(13, "Permission denied")
    except OSError:
        parked()


def os_error_text():
    try:
        raise OSError("only text")
    except OSError:
        parked()


def connection_error():
    try:
        raise ConnectionResetError(104, "Connection reset by peer")
    except OSError:
        parked()


def syntax_error():
    try:
        compile("a = (1,\nb = = 2\n", "shop.cfg", "exec")
    except SyntaxError:
        parked()


def unicode_decode_error():
    try:
        b"caf\xe9 au lait".decode("utf-8")
    except UnicodeDecodeError:
        parked()


def unicode_decode_error_range():
    try:
        b"\xff\xfe\xff".decode("shift_jis_2004")
    except UnicodeDecodeError:
        parked()


def unicode_encode_error():
    try:
        "naïve 値".encode("ascii")
    except UnicodeEncodeError:
        parked()


def attribute_error():
    try:
        None.attribute
    except AttributeError:
        parked()


def name_error():
    try:
        undefined_name
    except NameError:
        parked()


def import_error():
    try:
        from json import nothing
    except ImportError:
        parked()


def module_not_found():
    try:
        import no_such_module_here
    except ModuleNotFoundError:
        parked()


def json_error():
    try:
        json.loads("[1, }")
    except ValueError:
        parked()


def stop_iteration():
    try:
        next(iter([]))
    except StopIteration:
        parked()


def system_exit():
    try:
        sys.exit(3)
    except SystemExit:
        parked()


def zero_division():
    try:
        1 / 0
    except ZeroDivisionError:
        parked()


def several_arguments():
    try:
        raise ValueError("one", 2, None)
    except ValueError:
        parked()


def odd_argument():
    try:
        raise RuntimeError(["list", {"k": 1}])
    except RuntimeError:
        parked()


def number_argument():
    try:
        raise RuntimeError(42)
    except RuntimeError:
        parked()


def unicode_message():
    try:
        raise ValueError("сообщение 値 🧨\nsecond line")
    except ValueError:
        parked()


def long_message():
    try:
        raise ValueError("long " * 40)
    except ValueError:
        parked()


def own_class():
    try:
        raise ShopError("out of stock", code=4)
    except ShopError:
        parked()


def nested_class():
    try:
        raise ShopError.Nested("nested")
    except ShopError.Nested:
        parked()


def with_cause():
    try:
        try:
            fail(KeyError("inner"))
        except KeyError as error:
            raise RuntimeError("outer") from error
    except RuntimeError:
        parked()


def with_context():
    try:
        try:
            fail(KeyError("inner"))
        except KeyError:
            fail(RuntimeError("while handling"))
    except RuntimeError:
        parked()


def suppressed():
    try:
        try:
            fail(KeyError("inner"))
        except KeyError:
            raise RuntimeError("suppresses") from None
    except RuntimeError:
        parked()


def long_chain():
    try:
        try:
            try:
                try:
                    fail(ValueError("first"))
                except ValueError as error:
                    raise TypeError("second") from error
            except TypeError:
                fail(LookupError("third"))
        except LookupError as error:
            raise ShopError("fourth", code=1) from error
    except ShopError:
        parked()


def cause_class():
    try:
        raise RuntimeError("from a class") from KeyError
    except RuntimeError:
        parked()


def cyclic_chain():
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    try:
        raise first
    except ValueError:
        parked()


def nested_handling():
    try:
        fail(ValueError("outer, still handled"))
    except ValueError:
        try:
            fail(KeyError("inner, handled now"))
        except KeyError:
            parked()


def handled_below():
    def helper(argument):
        witness.park()

    try:
        fail(ValueError("handled by the caller"))
    except ValueError:
        witness.handling()
        helper(1)


def in_finally():
    try:
        fail(ValueError("passing through finally"))
    finally:
        parked()


def in_exit():
    class Manager:
        def __enter__(self):
            pass

        def __exit__(self, *exc_info):
            parked()

    with Manager():
        fail(ValueError("passing through with"))


def over_and_done():
    try:
        fail(ValueError("over"))
    except ValueError:
        pass
    witness.park()


def in_a_generator():
    def generator():
        try:
            fail(ValueError("in the generator"))
        except ValueError:
            yield 1
            parked()

    items = generator()
    try:
        fail(KeyError("around it"))
    except KeyError:
        next(items)
        next(items)


def around_a_generator():
    def generator():
        try:
            fail(ValueError("kept in the generator"))
        except ValueError:
            yield 1

    items = generator()
    next(items)
    witness.park()


def reraised():
    def attempt():
        try:
            deeper(ValueError("raised again"), 1)
        except ValueError:
            raise

    try:
        attempt()
    except ValueError:
        parked()


def raised_twice():
    error = ValueError("same object")
    try:
        fail(error)
    except ValueError:
        pass
    try:
        raise error
    except ValueError:
        parked()


def recursion_error():
    def endless(n):
        return endless(n + 1)

    try:
        endless(0)
    except RecursionError:
        parked()


def in_executed_code():
    names = {}
    exec(compile("\n\ndef bad():\n    x = (1 +\n      [])\n", "<made>", "exec"), names)
    try:
        names["bad"]()
    except TypeError:
        parked()


NEWER = '''
def with_notes():
    error = ValueError("noted")
    error.add_note("first note")
    error.add_note("вторая\\nдве строки")
    try:
        fail(error)
    except ValueError:
        parked()


def group():
    members = []
    for number in range(2):
        try:
            fail(ValueError("member %d" % number))
        except ValueError as error:
            members.append(error)
    inner = ExceptionGroup("inner", [TypeError("nested")])
    try:
        raise ExceptionGroup("several things", members + [inner])
    except ExceptionGroup:
        parked()


def star():
    try:
        try:
            raise ExceptionGroup("split", [ValueError("v"), TypeError("t")])
        except* ValueError as found:
            parked()
    except ExceptionGroup:
        pass


def group_with_cause():
    try:
        try:
            fail(OSError(5, "disk"))
        except OSError as error:
            raise ExceptionGroup("caused", [ValueError("v")]) from error
    except ExceptionGroup:
        parked()
'''


def main():
    if sys.version_info >= (3, 11):
        exec(compile(NEWER, "<newer syntax>", "exec"), globals())
    skipped = ("main", "parked", "fail", "deeper", "dies")
    for name, situation in list(globals().items()):
        if callable(situation) and name not in skipped and getattr(situation, "__module__", None) == "__main__" \
                and not isinstance(situation, type):
            witness.start(situation, name=name)
    dies()


def dies():
    try:
        try:
            deeper(ShopError("the last one", code=9))
        except ShopError as error:
            raise SystemError("shop is down") from error
    except SystemError as caught:
        witness.handling()
        witness.die()


if __name__ == "__main__":
    threading.stack_size(1 << 22)
    main()
