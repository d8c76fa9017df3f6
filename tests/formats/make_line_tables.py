#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints line tables and what CPython itself reads from them, as test data for
test_line_table.c. Run by each Python of 3.8 to 3.15, outputs concatenated:

    for python in python3.8 ... python3.15; do $python make_line_tables.py; done

A block is `code MINOR FIRST_LINE HEX`, then `OFFSET LINE END_LINE COLUMN
END_COLUMN` for each instruction, -1 for what the version does not tell.
"""
import dis
import sys

SOURCE = '''
def far(x,
        y = [i * 2 for i in range(3)],


        *rest):
    """doc"""
    if x: return (x +
        y[0] +
            far(x,
                y))
    try:
        with open("a long name that goes far to the right of the column limit of one byte, "
                  "well past two hundred and fifty five columns, so that the entry needs its long "
                  "form to say where it ends, which is a rare thing") as f: yield f.read(); aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa(x)
    except (ValueError,
            KeyError) as error:
        raise TypeError(
            "no") from error
    finally:
        x = 1
        for j in range(10):
            print(j,
                  x); y.append(lambda z: z
                     + j)
''' + "\n" * 300 + '''
class Later:
    a = 1
    async def m(self):
        async with self as s:
            await s
        return {k: v for k, v in
                s.items()
                if v}
'''


def rows(code):
    length = len(code.co_code)
    if sys.version_info >= (3, 11):
        for i, (line, end, column, end_column) in enumerate(code.co_positions()):
            yield 2 * i, line, end, column, end_column
    elif sys.version_info >= (3, 10):
        for start, end, line in code.co_lines():
            for offset in range(start, end, 2):
                yield offset, line, None, None, None
    else:
        starts = dict(dis.findlinestarts(code))
        line = code.co_firstlineno
        for offset in range(0, length, 2):
            line = starts.get(offset, line)
            yield offset, line, None, None, None


def show(code):
    table = code.co_lnotab if sys.version_info < (3, 10) else code.co_linetable
    print("code", sys.version_info[1], code.co_firstlineno, table.hex())
    for row in rows(code):
        print(*(-1 if value is None else value for value in row))
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            show(constant)


show(compile(SOURCE, "sample.py", "exec"))
