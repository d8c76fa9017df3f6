"""Reads and changes the bytes of a core: where an address lies in the file, where a structure has its fields."""
import pathlib
import re
import struct

LAYOUTS = pathlib.Path(__file__).resolve().parents[2] / "formats/cpython/layouts"
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
PT_LOAD = 1
PF_W = 2


class Core:
    """A private copy of a core's bytes."""

    def __init__(self, plain):
        self.bytes = bytearray(plain)
        offset, = struct.unpack_from("<Q", plain, 32)
        count, = struct.unpack_from("<H", plain, 56)
        headers = [PROGRAM_HEADER.unpack_from(plain, offset + number * PROGRAM_HEADER.size) for number in range(count)]
        self.segments = [(address, stored, at) for kind, _, at, address, _, stored, _, _ in headers if kind == PT_LOAD]
        self.writable = sum(size for kind, flags, _, _, _, _, size, _ in headers if kind == PT_LOAD and flags & PF_W)

    def offset(self, address):
        for start, stored, at in self.segments:
            if start <= address and address + 8 <= start + stored:
                return at + address - start
        raise KeyError("%#x is not stored in the core" % address)

    def word(self, address):
        return struct.unpack_from("<Q", self.bytes, self.offset(address))[0]

    def set_word(self, address, word):
        struct.pack_into("<Q", self.bytes, self.offset(address), word)


def fields(series):
    """{name of a field: its offset} of one CPython series, from the table that inquest is built from."""
    text = (LAYOUTS / ("cpython_%s.inc" % series.replace(".", "_"))).read_text()
    return {name: int(offset) for name, offset in re.findall(r"\[PY_(\w+)\] = (\d+) \+ 1", text)}
