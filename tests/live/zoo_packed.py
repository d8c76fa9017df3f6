"""The truth of a zoo in a form small enough to be kept beside its core: every object, its size, all that it refers to.

An xz file. Numbers are LEB128: seven bits a byte, the lowest first, the top bit set on all but the last; `signed` ones
are 2n, or -2n - 1 where n is below zero. Objects are numbered from 0, by the address of their type, then by their own.

    line of JSON    {"schema": "inquest/zoo-heap/1", "version": …, "absent": [kinds],
                     "types": [[address, how many instances, how many of them gc.get_objects() has, name], …],
                     "freed": {kind: [addresses]}, "columns": [bytes of each of those below]}
    addresses       of each object, in eighths, less that of the object before it of its type
    sizes           signed: sys.getsizeof, less that of the object before it of its type; 0 for none
    tracked         runs: how many are not tracked, how many are, how many are not, …
    counts          signed: how many references the collector visits, less those of the object before it of its type
    references      signed: the numbers of the targets of each object, ascending, each less the number at the same
                    place (the eighth and all after it count as one place) last met in this type

What a type or place has met before its first object is 0.
"""
import json
import lzma

SCHEMA = "inquest/zoo-heap/1"
PLACES = 8


class Writer:
    def __init__(self):
        self.bytes = bytearray()

    def put(self, number):
        while number > 127:
            self.bytes.append(number & 127 | 128)
            number >>= 7
        self.bytes.append(number)

    def put_signed(self, number):
        self.put(2 * number if number >= 0 else -2 * number - 1)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def get(self):
        number = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            number |= (byte & 127) << shift
            if byte < 128:
                return number
            shift += 7

    def get_signed(self):
        number = self.get()
        return -((number + 1) >> 1) if number & 1 else number >> 1


def pack(truth):
    """Bytes of a zoo_check.Truth, all of whose targets are objects of its own."""
    types, order = {}, sorted(truth.objects, key=lambda address: (truth.objects[address][2], address))
    for address in order:
        types.setdefault(truth.objects[address][2], []).append(address)
    numbers = {address: number for number, address in enumerate(order)}
    columns = [Writer() for _ in range(5)]
    runs = [0]
    for members in types.values():
        _pack_type(truth, members, numbers, columns, runs)
    for run in runs:
        columns[2].put(run)
    head = {"schema": SCHEMA, "version": truth.version, "absent": truth.absent,
            "types": [[address, len(members), truth.tracked.get(address, (0, ""))[0],
                       truth.tracked.get(address, (0, ""))[1]] for address, members in types.items()],
            "freed": truth.freed, "columns": [len(column.bytes) for column in columns]}
    text = json.dumps(head, separators=(",", ":")).encode() + b"\n"
    return lzma.compress(text + b"".join(bytes(column.bytes) for column in columns), preset=9 | lzma.PRESET_EXTREME)


def _pack_type(truth, members, numbers, columns, runs):
    addresses, sizes, _, counts, references = columns
    last_address = last_size = last_count = 0
    places = [0] * PLACES
    for address in members:
        size, is_tracked, _, referents = truth.objects[address]
        addresses.put((address - last_address) // 8)
        sizes.put_signed(size - last_size)
        counts.put_signed(len(referents) - last_count)
        last_address, last_size, last_count = address, size, len(referents)
        if is_tracked != (len(runs) % 2 == 0):
            runs.append(0)
        runs[-1] += 1
        for place, number in enumerate(sorted(numbers[each] for each in referents)):
            references.put_signed(number - places[min(place, PLACES - 1)])
            places[min(place, PLACES - 1)] = number


def unpack(data, truth):
    """Fills an empty zoo_check.Truth."""
    plain = lzma.decompress(data)
    end = plain.index(b"\n") + 1
    head = json.loads(plain[:end])
    if head["schema"] != SCHEMA:
        raise ValueError("schema is %r" % head["schema"])
    columns = []
    for size in head["columns"]:
        columns.append(Reader(plain[end:end + size]))
        end += size
    truth.version, truth.absent, truth.freed = head["version"], head["absent"], head["freed"]
    truth.tracked = {address: (tracked, name) for address, _, tracked, name in head["types"] if tracked}
    _fill(truth, head["types"], columns)


def _fill(truth, types, columns):
    rows, targets = [], []
    run, is_tracked = columns[2].get(), False
    for type_address, instances, _, _ in types:
        address = size = count = 0
        places = [0] * PLACES
        for _ in range(instances):
            while not run:
                run, is_tracked = columns[2].get(), not is_tracked
            run -= 1
            address += 8 * columns[0].get()
            size += columns[1].get_signed()
            count += columns[3].get_signed()
            found = []
            for place in range(count):
                at = min(place, PLACES - 1)
                places[at] += columns[4].get_signed()
                found.append(places[at])
            rows.append((address, size, is_tracked, type_address))
            targets.append(found)
    for (address, size, is_tracked, type_address), found in zip(rows, targets):
        truth.objects[address] = size, is_tracked, type_address, [rows[number][0] for number in found]
