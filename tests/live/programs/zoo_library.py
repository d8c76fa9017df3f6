"""Objects of the standard library's modules that are written in C."""
import collections
import ctypes
import datetime
import decimal
import functools
import io
import operator
import os
import pickle
import re
import struct
import sys
import tempfile
import time

KINDS = {}


def kind(make):
    KINDS[make.__name__.strip("_").replace("_", " ")] = make
    return make


@kind
def partials():
    class Sub(functools.partial):
        pass

    plain, sub = functools.partial(max, [], key=len), Sub(min, 1)
    plain.attribute = []
    sub.attribute = {}
    nested = functools.partial(plain, 5, default={})
    placed = functools.partial(max, functools.Placeholder, []) if hasattr(functools, "Placeholder") else None
    return [plain, sub, nested, functools.partial(print), placed]


@kind
def caches():
    @functools.lru_cache(maxsize=3)
    def bounded(*args, **kwargs):
        return [args]

    @functools.lru_cache(maxsize=None, typed=True)
    def unbounded(x):
        return [x]

    @functools.lru_cache(maxsize=0)
    def nothing(x):
        return x

    for n in range(10):
        bounded(n, key=n)
        bounded(n)
        unbounded(n)
        nothing(n)
    bounded.attribute = []

    class Holder:
        @functools.lru_cache
        def method(self):
            return []

    holder = Holder()
    holder.method()
    empty = functools.lru_cache(max)
    return [bounded, unbounded, nothing, holder, empty, functools.lru_cache()(len), bounded.cache_info(),
            holder.method]


@kind
def keys_to_compare():
    make = functools.cmp_to_key(lambda a, b: 0)
    return [make, make([])]


@kind
def operators():
    return [operator.itemgetter(1), operator.itemgetter(1, []), operator.itemgetter([]), operator.attrgetter("a"),
            operator.attrgetter("a.b", "c"), operator.methodcaller("f"), operator.methodcaller("f", [], key={})]


@kind
def named_tuple_fields():
    Point = collections.namedtuple("Point", "x y", defaults=[[]])
    return [Point(1), Point.x, Point]


@kind
def struct_sequences():
    return [time.localtime(), time.gmtime(0), os.stat("/"), os.times(), os.uname(), os.terminal_size((1, 2)),
            os.statvfs("/"), time.struct_time(range(9)), os.stat_result(range(10))]


@kind
def dates():
    class Zone(datetime.tzinfo):
        def utcoffset(self, when):
            return datetime.timedelta(0)

    class Sub(datetime.datetime):
        pass

    class SubDelta(datetime.timedelta):
        pass

    zone, fixed = Zone(), datetime.timezone(datetime.timedelta(hours=1))
    sub = Sub(2020, 1, 1, tzinfo=zone)
    sub.attribute = []
    zone.attribute = []
    return [datetime.date(2020, 1, 2), datetime.datetime(2020, 1, 2), datetime.datetime(2020, 1, 2, tzinfo=zone),
            datetime.datetime.now(fixed), datetime.time(1), datetime.time(1, tzinfo=fixed), datetime.timedelta(5, 6),
            fixed, datetime.timezone(datetime.timedelta(hours=2), "name"), datetime.timezone.utc, sub, SubDelta(1),
            datetime.date(2020, 1, 2).isocalendar(), datetime.datetime(2020, 1, 2, tzinfo=fixed).timetz(),
            datetime.datetime(2020, 1, 1).timetuple()]


@kind
def zones():
    import zoneinfo

    class Sub(zoneinfo.ZoneInfo):
        pass

    return [zoneinfo.ZoneInfo("UTC"), zoneinfo.ZoneInfo("Europe/Berlin"), zoneinfo.ZoneInfo.no_cache("Asia/Tokyo"),
            Sub("Europe/Paris")]


@kind
def decimals():
    class Sub(decimal.Decimal):
        pass

    sub = Sub("1.5")
    sub.attribute = []
    context = decimal.Context(prec=50)
    with decimal.localcontext() as inner:
        decimal.Decimal(1) / 3
    return [decimal.Decimal(0), decimal.Decimal("-1.5"), decimal.Decimal("NaN"), decimal.Decimal(10) ** 100, sub,
            decimal.Decimal("1." + "3" * 200), context, inner, decimal.getcontext(), context.flags, context.traps,
            decimal.Decimal("Infinity"), decimal.Decimal("1").as_tuple(), decimal.localcontext()]


@kind
def fractions_and_ids():
    import fractions
    import random
    import uuid

    return [fractions.Fraction(1, 3), uuid.UUID(int=5), random.Random(5), random.SystemRandom()]


@kind
def regular_expressions():
    pattern = re.compile(r"(?P<word>\w+)\s(\d+)?")
    match = pattern.match("abc 12")
    raw = re.compile(b"a|b(c)")
    scanner = pattern.scanner("abc 12")
    scanner.match()
    lexer = re.Scanner([(r"\d+", lambda scanner, token: token)])
    found = pattern.finditer("ab 1 cd 2")
    next(found)
    re.sub(r"(a)", r"x\1y", "banana")
    return [pattern, match, pattern.match("abc "), raw, raw.search(bytearray(b"xbc")), scanner, lexer, found,
            pattern.search("x 5"), re.compile("(?i)x{3,5}[a-z]"), match.groups(), match.re]


@kind
def structs():
    class Sub(struct.Struct):
        pass

    return [struct.Struct("<iqd10s"), struct.Struct("4B"), struct.Struct("<i").iter_unpack(b"\0" * 8), Sub("i"),
            struct.Struct("=bhiq?3x2f")]


@kind
def files():
    folder = tempfile.mkdtemp(prefix="files-", dir=os.getcwd())  # goes with the folder that the zoo is run in
    path = os.path.join(folder, "file")
    raw = open(path, "wb", buffering=0)
    raw.attribute = []
    written = open(path, "w")
    written.write("x" * 10)
    written.attribute = {}
    read = open(path, encoding="utf-8", newline="")
    binary, both = open(path, "rb"), open(path, "r+b")
    pair = io.BufferedRWPair(io.FileIO(path), io.FileIO(path, "wb"))
    closed = open(path)
    closed.close()
    detached = open(path)
    inner = detached.detach()
    lines = open(os.__file__)
    next(lines)
    line_by_line = iter(read)
    appended = open(path, "a+", encoding="latin-1", errors="replace")
    telling = open(os.__file__, encoding="utf-8")
    telling.readline()
    telling.tell()
    return [raw, written, read, binary, both, pair, closed, detached, inner, lines, line_by_line, appended, telling,
            sys.stdin, sys.stdout, sys.stderr, open(path, "w", buffering=1), io.FileIO(path), os.scandir(folder),
            list(os.scandir(folder)), io.open_code(os.__file__)]


@kind
def memory_files():
    class Sub(io.BytesIO):
        pass

    class SubText(io.StringIO):
        pass

    class Raw(io.RawIOBase):
        def readinto(self, buffer):
            return 0

        def readable(self):
            return True

    data, text, sub, sub_text = io.BytesIO(b"abc" * 10), io.StringIO("text"), Sub(b"x"), SubText("y")
    text.write("more" * 100)
    data.attribute = text.attribute = sub.attribute = sub_text.attribute = []
    written = io.BytesIO()
    written.write(b"x" * 100)
    shared = io.BytesIO(b"y" * 50)
    shared.getvalue()
    raw = Raw()
    raw.attribute = []
    read = io.StringIO("line\r\nother\n", newline=None)
    read.readline()
    unread = io.StringIO()
    closed = io.BytesIO(b"z")
    closed.close()
    exported = io.BytesIO(b"exported" * 20)
    return [data, text, sub, sub_text, written, shared, raw, io.BufferedReader(raw), io.BytesIO(), unread, read,
            io.IncrementalNewlineDecoder(None, True), closed, exported, exported.getbuffer(),
            io.TextIOWrapper(io.BytesIO(b"x\ny\n"), encoding="utf-8", newline="\n"), io.TextIOWrapper(io.BytesIO())]


@kind
def sockets():
    import select
    import selectors
    import socket

    first, second = socket.socketpair()
    epoll = select.epoll()
    poll = select.poll()
    poll.register(first)
    return [first, second, first.makefile("rb"), epoll, poll, selectors.DefaultSelector(), socket.SocketType()]


@kind
def compressors():
    import bz2
    import lzma
    import zlib

    compress, decompress = zlib.compressobj(), zlib.decompressobj()
    data = compress.compress(b"abc" * 100) + compress.flush()
    decompress.decompress(data + b"tail")
    return [compress, decompress, zlib.compressobj(zdict=b"abc"), zlib.decompressobj(zdict=b"abc"),
            bz2.BZ2Compressor(), bz2.BZ2Decompressor(), lzma.LZMACompressor(), lzma.LZMADecompressor()]


@kind
def newer_compressors():
    from compression import zstd

    return [zstd.ZstdCompressor(), zstd.ZstdDecompressor(), zstd.ZstdDict(b"abcdefgh" * 4, is_raw=True)]


@kind
def hashes():
    import hashlib
    import hmac

    found = [hashlib.new(name) for name in ("md5", "sha1", "sha256", "sha3_256", "blake2b", "blake2s", "shake_128")]
    return found + [hmac.new(b"key", b"x", "sha256")]


@kind
def hashes_of_our_own():
    found = []
    for module, names in (("_md5", ["md5"]), ("_sha1", ["sha1"]), ("_sha2", ["sha256", "sha512"]),
                          ("_sha256", ["sha256"]), ("_sha512", ["sha512"]), ("_sha3", ["sha3_256", "shake_128"]),
                          ("_blake2", ["blake2b", "blake2s"])):
        try:
            found += [getattr(__import__(module), name)(b"x") for name in names]
        except (ImportError, AttributeError):
            pass
    return found


@kind
def databases():
    import sqlite3

    class Connection(sqlite3.Connection):
        pass

    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.execute("create table t (a integer primary key, b text, c blob)")
    connection.executemany("insert into t values (?, ?, ?)", [(n, str(n), b"x") for n in range(10)])
    connection.create_function("twice", 1, lambda x: x * 2)
    connection.set_trace_callback(lambda text: None)
    connection.set_authorizer(lambda *args: 0)
    connection.set_progress_handler(lambda: 0, 1000)
    connection.create_collation("backwards", lambda a, b: 0)
    cursor = connection.execute("select * from t")
    row = cursor.fetchone()
    second = connection.cursor()
    second.execute("select twice(a) from t where a > ?", (3,))
    made = sqlite3.connect(":memory:", factory=Connection)
    made.attribute = []
    sqlite3.register_adapter(complex, str)
    return [connection, cursor, row, second, made, sqlite3.connect(":memory:").cursor()]


@kind
def database_blobs():
    import sqlite3

    connection = sqlite3.connect(":memory:")
    connection.execute("create table t (c blob)")
    connection.execute("insert into t values (zeroblob(10))")
    return [connection.blobopen("t", "c", 1), connection]


@kind
def foreign():
    class Point(ctypes.Structure):
        _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_double)]

    class Line(ctypes.Structure):
        _fields_ = [("start", Point), ("end", ctypes.POINTER(Point)), ("name", ctypes.c_char_p),
                    ("anything", ctypes.py_object), ("bits", ctypes.c_int, 3)]

    class Either(ctypes.Union):
        _fields_ = [("a", ctypes.c_int), ("b", ctypes.c_char * 20)]

    class Linked(ctypes.Structure):
        pass

    Linked._fields_ = [("next", ctypes.POINTER(Linked))]
    callback_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.POINTER(Point))
    callback = callback_type(lambda a, b: 0)
    point = Point(1, 2.5)
    line = Line(point, ctypes.pointer(point), b"name", [])
    line.attribute = []
    library = ctypes.CDLL(None)
    function = library.getpid
    function.restype, function.argtypes = ctypes.c_int, []
    strlen = library.strlen
    strlen.argtypes = [ctypes.c_char_p]
    strlen.errcheck = lambda result, function, arguments: result
    array = (ctypes.c_int * 5)(1, 2, 3)
    pointers = (ctypes.POINTER(Point) * 2)(ctypes.pointer(point))
    buffer = ctypes.create_string_buffer(100)
    number = ctypes.c_int(5)
    return [point, line, Either(), Linked(), Point, Line, callback_type, callback, library, function, strlen, array,
            pointers, buffer, number, ctypes.pointer(number), ctypes.byref(number), ctypes.cast(array, ctypes.c_void_p),
            ctypes.py_object([]), ctypes.c_char_p(b"held"), ctypes.c_wchar_p("held"), ctypes.POINTER(Point), Line.name,
            line.start, line.end, ctypes.pythonapi, ctypes.c_void_p(5), (ctypes.c_char * 3).from_buffer(bytearray(8)),
            ctypes.POINTER(ctypes.c_int)(), Line.bits, Point.from_buffer_copy(b"\0" * 16)]


@kind
def picklers():
    out = io.BytesIO()
    pickler = pickle.Pickler(out)
    pickler.dump([{"a": [1, "text"]}, (1, 2), Exception()])
    unpickler = pickle.Unpickler(io.BytesIO(out.getvalue()))
    unpickler.load()
    by_lines = pickle.Unpickler(io.BytesIO(pickle.dumps([1, "text", 2.5], 0) * 2))
    by_lines.load()
    pickler.dispatch_table = {}
    with_hooks, load_with_hooks = pickle.Pickler(io.BytesIO()), pickle.Unpickler(io.BytesIO(b"N."))
    with_hooks.persistent_id = lambda value: None
    load_with_hooks.persistent_load = lambda name: name
    fresh = pickle.Pickler(io.BytesIO(), 5, buffer_callback=lambda b: None) if sys.version_info >= (3, 8) else None
    buffers = [pickle.PickleBuffer(bytearray(b"x"))] if hasattr(pickle, "PickleBuffer") else []
    return [pickler, unpickler, by_lines, with_hooks, load_with_hooks, fresh, buffers, pickler.memo, unpickler.memo]


@kind
def pickler_subclasses():
    class Own(pickle.Pickler):
        def persistent_id(self, value):
            return None

    class Load(pickle.Unpickler):
        def persistent_load(self, name):
            return name

    return [Own(io.BytesIO()), Load(io.BytesIO(b"N."))]


@kind
def trees():
    import xml.etree.ElementTree as tree

    root = tree.fromstring("<a x='1'>text<b/><c>inner</c>tail<d/><e/><f/><g/></a>")
    parser = tree.XMLParser()
    parser.feed("<a><b>")
    builder = tree.TreeBuilder()
    builder.start("a", {})
    events = tree.XMLPullParser(["start", "end"])
    events.feed("<a><b/>")
    plain = tree.Element("x")
    extra = tree.Element("y", {"k": []})
    return [root, parser, builder, events, plain, extra, root.iter(), root.iter("b"), root.itertext(),
            tree.ElementTree(root), root.find("c")]


@kind
def xml_parsers():
    import pyexpat

    parser = pyexpat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: None
    parser.CharacterDataHandler = print
    parser.buffer_text = True
    parser.Parse("<a>")
    return [parser, pyexpat.ParserCreate(namespace_separator=" "), parser.ExternalEntityParserCreate("")]


@kind
def formats():
    import codecs
    import csv
    import json

    written = csv.writer(io.StringIO())
    written.writerow([1, 2])
    read = csv.reader(["a,b", "c,d"])
    next(read)
    decoder, encoder = json.JSONDecoder(object_hook=lambda x: x), json.JSONEncoder(default=str, sort_keys=True)
    decoder.decode("[1]")
    from json import encoder as json_encoder, scanner

    c_encoder = json_encoder.c_make_encoder({}, str, json.encoder.encode_basestring, None, ":", ",", False, False, True)
    return [written, read, read.dialect, csv.get_dialect("excel"), decoder, encoder, c_encoder, decoder.scan_once,
            codecs.getincrementaldecoder("utf-8")(), codecs.getincrementalencoder("shift_jis")(),
            codecs.getincrementaldecoder("gb2312")(), codecs.getwriter("euc_jp")(io.BytesIO()),
            codecs.getreader("big5")(io.BytesIO(b"x")), codecs.lookup("utf-16"), codecs.lookup("gbk").encode,
            scanner.c_make_scanner(decoder)]


@kind
def security():
    import ssl

    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2"])
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.sni_callback = lambda *args: None
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    outgoing.write(b"x")
    wrapped = context.wrap_bio(incoming, outgoing, server_hostname="example.org")
    return [context, served, incoming, outgoing, wrapped, wrapped._sslobj]


@kind
def maps():
    import mmap

    return [mmap.mmap(-1, 4096), memoryview(mmap.mmap(-1, 100))]


@kind
def processes():
    import _multiprocessing

    name = "/inquest-zoo-%d" % os.getpid()
    return [_multiprocessing.SemLock(1, 1, 1, name, True)]


@kind
def syntax():
    import ast
    import symtable

    tree = ast.parse("def f(a: int = 1) -> list:\n  return [x for x in a if x]\nclass C(object): y = {**{}}\n")
    table = symtable.symtable("def f(a): return lambda: a", "s", "exec")
    node = ast.Name("x", ast.Load())
    node.attribute = []
    return [tree, table, table.get_children(), node, ast.Constant([])]


@kind
def databases_of_characters():
    import unicodedata

    return [unicodedata.ucd_3_2_0]


@kind
def graphemes():
    import unicodedata

    return [unicodedata.iter_graphemes("abc")]


@kind
def tokens():
    import tokenize
    import _tokenize

    found = list(tokenize.generate_tokens(io.StringIO("a = [1]\n").readline))
    return [found, _tokenize.TokenizerIter(io.StringIO("a = 1\n").readline, extra_tokens=True)
            if sys.version_info >= (3, 13) else None]


@kind
def capsules():
    api = ctypes.pythonapi.PyCapsule_New
    api.restype, api.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    return [api(8, b"zoo", None), datetime.datetime_CAPI]


@kind
def instance_methods():
    api = ctypes.pythonapi.PyInstanceMethod_New
    api.restype, api.argtypes = ctypes.py_object, [ctypes.py_object]
    return [api(len), api(lambda self: None)]


@kind
def logging_objects():
    import logging

    logger = logging.getLogger("zoo.animals")
    handler = logging.StreamHandler(io.StringIO())
    logger.addHandler(handler)
    logger.warning("fed %s", [])
    return [logger, handler, logging.LogRecord("x", 10, "p", 1, "m", ([],), None)]


@kind
def screens():
    """Types of modules that need a terminal or a system service are here as types alone."""
    found = []
    for name in ("_curses", "_curses_panel", "termios", "resource", "grp", "pwd", "readline", "syslog",
                 "_posixsubprocess", "_posixshmem", "_uuid", "_dbm", "_gdbm", "spwd", "nis", "audioop", "ossaudiodev",
                 "_crypt", "parser"):
        try:
            found.append(__import__(name))
        except ImportError:
            pass
    for module, attribute in (("grp", "getgrall"), ("pwd", "getpwall")):
        found.append(getattr(__import__(module), attribute)()[:3])
    found.append(__import__("resource").getrusage(0))
    return found


@kind
def subprocesses():
    import concurrent.futures
    import subprocess

    pool = concurrent.futures.ThreadPoolExecutor(1)
    future = pool.submit(int)
    future.result()
    done = subprocess.run(["true"], capture_output=True)
    return [pool, future, done, subprocess.Popen(["true"]).wait()]
