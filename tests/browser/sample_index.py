#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes an index by hand, for tests of what is shown: no dump is needed, and any
value can stand anywhere. Usage: sample_index.py KIND OUTPUT

KIND  shop     a service that crashed: threads, an exception chain, a group, memory
      hostile  the same, with text that tries to break out in every column
      deep     100,000 frames of mutual recursion with 300,000 locals
      wide     1,000 threads
      huge     more text than any report may hold
      bare     a core without Python
"""
import os
import pathlib
import sqlite3
import sys

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "analyzer" / "index" / "schema.sql"
APPLICATION_ID, SCHEMA_VERSION = 0x494E5153, 4

HOSTILE = (
    "</script></style></title><img src=x onerror=\"document.title='owned'\">"
    "<svg/onload=alert(1)>'\"&amp;`|*_[x](javascript:alert(1))"
    "\u202eright-to-left\u2066\u200b \x1b[31mred\x1b]0;title\x07 \x00nul\r\n\tnew line "
    "\x9b31m \ufffe ]]> --> =1+1 \u0421\u043b\u043e\u0432\u043e \u6f22\u5b57 \U0001f40d"
)


class Index:
    def __init__(self, path):
        if os.path.exists(path):
            os.remove(path)
        self.db = sqlite3.connect(path)
        self.db.execute("PRAGMA synchronous = OFF")
        self.db.executescript(SCHEMA.read_text())
        self.db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self.db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        self.frames = self.exceptions = 0

    def row(self, table, **values):
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" * len(values))
        self.db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values.values()))

    def meta(self, **values):
        for key, value in values.items():
            self.row("meta", key=key, value=str(value))

    def thread(self, id, name, frames=(), **values):
        """frames: innermost first, each (function, file, line, {name: value or (type, value)})"""
        row = dict(os_tid=4241 + id, is_main=0, is_crashed=0, holds_gil=0, state="running",
                   ident=0x7F3A00000000 + id * 0x1000, is_python=1, collecting=0)
        row.update(values)
        self.row("thread", id=id, name=name, **row)
        for depth, (function, file, line, locals_, *rest) in enumerate(frames):
            self.frames += 1
            self.row("frame", id=self.frames, thread_id=id, depth=depth, kind="python",
                     function=function, file=file, line=line, column=8, end_line=line,
                     end_column=31, address=0x7F3A10000000 + self.frames * 0x80,
                     owner=rest[0] if rest else None)
            for number, (local, value) in enumerate(locals_.items()):
                kind = "argument" if number < 2 else "local"
                type_, text = value if isinstance(value, tuple) else ("str", value)
                self.row("local", frame_id=self.frames, name=local, kind=kind, type=type_,
                         value=text, address=0x7F3A20000000 + number * 0x30)

    def exception(self, thread_id, position, type_, message, entries=(), parent=None,
                  relation=None, state=None, notes=None, suppressed=0):
        """entries: innermost first, each (function, file, line)"""
        self.exceptions += 1
        self.row("exception", id=self.exceptions, thread_id=thread_id, position=position,
                 relation=relation, type=type_, message=message, parent_id=parent, state=state,
                 notes=notes, address=0x7F3A30000000 + self.exceptions * 0x60,
                 is_suppressed=suppressed)
        for depth, (function, file, line) in enumerate(entries):
            self.row("traceback", exception_id=self.exceptions, depth=depth, function=function,
                     file=file, line=line, column=4)
        return self.exceptions

    def close(self):
        self.db.commit()
        self.db.close()


def shop_meta(index, **more):
    index.meta(**dict(dict(
        kind="core", format="ELF core", source="core.4242.zst", source_bytes=25432112,
        source_mtime=1714521600, python_version="3.11.7",
        python_build="main, Dec  8 2023, 18:56:57", python_how="the symbol _PyRuntime",
        arch="x86-64", pid=4242, ppid=1, uid=1000, signal="SIGSEGV", signal_number=11,
        signal_code=1, signal_text="SIGSEGV: read of address 0x10, not mapped",
        fault_address="0x10", command="python3 shop/worker.py --queue orders --workers 12",
        executable="/usr/bin/python3.11", thread_count=31, made_by="kernel", redacted=0,
        fingerprint="0123456789abcdef", schema=2, tool="inquest 0.1.0"), **more))


def shop_memory(index):
    for region, size, detail in [
            ("malloc heap", 612_368_384, "[heap] and 14 arenas"),
            ("anonymous mappings", 402_653_184, "pymalloc arenas of 1 MiB, and others"),
            ("thread stacks", 264_241_152, "31 threads"),
            ("files, not in the core", 48_234_496, "read from the files where they are at hand"),
            ("files, written to", 9_437_184, "private pages of libraries"),
            ("shared memory", 4_194_304, "/dev/shm/orders"),
            ("vdso and vvar", 24_576, None)]:
        index.row("memory", region=region, bytes=size, detail=detail)


def shop_files(index):
    for number, (path, source) in enumerate([
            ("/usr/bin/python3.11", "proven"),
            ("/usr/lib/x86_64-linux-gnu/libc.so.6", "proven"),
            ("/usr/lib/x86_64-linux-gnu/libssl.so.3", "other build"),
            ("/srv/shop/venv/lib/python3.11/site-packages/fastsum/_native.cpython-311.so",
             "absent"),
            ("/usr/lib/locale/C.utf8/LC_CTYPE", "unproven")]):
        start = 0x7F3B00000000 + number * 0x400000
        index.row("mapped_file", path=path, start=start, end=start + 0x1C8000, source=source,
                  build_id=f"{number:02x}" + "9f2ac41be77d03" * 2 if number < 4 else None)


LIB = "/usr/lib/python3.11"
MAIN_STACK = [
    ("Checksum.update", "/srv/shop/native.py", 33,
     {"self": ("shop.native.Checksum", "<shop.native.Checksum at 0x7f3a1c2e4d90 algorithm='crc32c',"
               " state=None, total=18446744073709551616, closed=False>"),
      "buffer": ("bytes", "b'\\x89PNG\\r\\n\\x1a\\n\\x00\\x00\\x00\\rIHDR' … 262,144 bytes"),
      "offset": ("int", "0"), "chunk": ("memoryview", "<memoryview at 0x7f3a1c300440>")}),
    ("OrderWorker.verify.<locals>.step", "/srv/shop/worker.py", 171,
     {"order": ("shop.models.Order", "<shop.models.Order at 0x7f3a1c0a1110 id=93122, "
                "customer='Jos\u00e9 \u00c1lvarez', items=[<Item 'SKU-1'>, <Item 'SKU-7'>], "
                "total=Decimal('129.90'), paid=True>"),
      "retries": ("int", "3"),
      "deadline": ("float", "1714521598.2130001")}, "generator"),
    ("OrderWorker.run", "/srv/shop/worker.py", 148,
     {"self": ("shop.worker.OrderWorker", "<shop.worker.OrderWorker at 0x7f3a1c2e4a10 "
               "queue='orders', limit=12>"),
      "batch": ("list", "[<Order 93120>, <Order 93121>, <Order 93122>, … 497 more]"),
      "started": ("datetime.datetime", "datetime.datetime(2024, 4, 30, 23, 59, 1)"),
      "stats": ("dict", "{'done': 93119, 'failed': 2, 'skipped': 0, 'by_country': {'ES': 40112, "
                "'DE': 31007, 'FR': 22000}}")}),
    ("main", "/srv/shop/worker.py", 214,
     {"argv": ("list", "['shop/worker.py', '--queue', 'orders', '--workers', '12']"),
      "settings": ("shop.config.Settings", "<shop.config.Settings at 0x7f3a1d000510 "
                   "dsn='postgresql://shop@db/orders', debug=False>")}),
    ("<module>", "/srv/shop/worker.py", 230,
     {"__name__": "'__main__'", "os": ("module", "<module 'os' from '/usr/lib/python3.11/os.py'>"),
      "main": ("function", "<function main at 0x7f3a1d1110>"),
      "LIMIT": ("int", "12")}),
]
POOL_STACK = [
    ("_worker", LIB + "/concurrent/futures/thread.py", 81,
     {"executor_reference": ("weakref", "<weakref at 0x7f3a1c000080>"), "work_queue":
      ("_queue.SimpleQueue", "<_queue.SimpleQueue at 0x7f3a1c000100>")}),
    ("Thread.run", LIB + "/threading.py", 982, {"self": ("threading.Thread", "<Thread(…)>")}),
    ("Thread._bootstrap_inner", LIB + "/threading.py", 1045,
     {"self": ("threading.Thread", "<Thread(…)>")}),
    ("Thread._bootstrap", LIB + "/threading.py", 1002,
     {"self": ("threading.Thread", "<Thread(…)>")}),
]


def recursion():
    walk = [("Tree.walk", "/srv/shop/catalog.py", 61, {"node": ("dict", "{'name': 'leaf'}"),
                                                      "depth": ("int", "3333")})]
    for number in range(3333, 0, -1):
        walk += [("Tree.walk", "/srv/shop/catalog.py", 64,
                  {"node": ("dict", "{'children': […]}"), "depth": ("int", str(number))}),
                 ("Tree.visit", "/srv/shop/catalog.py", 71, {"self": ("Tree", "<Tree>")}),
                 ("<genexpr>", "/srv/shop/catalog.py", 72, {}, "generator")]
    return walk + [("reindex", "/srv/shop/catalog.py", 12, {"path": "'/var/lib/shop/catalog'"})]


def shop_threads(index):
    index.thread(1, "MainThread", MAIN_STACK, is_main=1, is_crashed=1, holds_gil=1,
                 state="crashed")
    index.thread(2, "catalog", recursion(), state="waiting for the GIL")
    index.thread(3, "metrics", [
        ("Timer.run", LIB + "/threading.py", 1378, {"self": ("threading.Timer", "<Timer(metrics)>")}),
        ("Thread._bootstrap", LIB + "/threading.py", 1002, {})],
        state="waiting on a lock",
        waits_for="lock self.finished._cond (<_thread.lock at 0x7f3a1c0ddd40>)")
    for id in range(4, 16):
        index.thread(id, f"ThreadPoolExecutor-0_{id - 4}", POOL_STACK, state="waiting on a lock",
                     waits_for="lock (<_thread.lock at 0x7f3a1c00%04x>)" % (id * 64))
    index.thread(16, "http", [
        ("SocketIO.readinto", LIB + "/socket.py", 706, {"b": ("bytearray", "bytearray(b'')")}),
        ("Client.fetch", "/srv/shop/http.py", 90, {"url": "'https://stock.example/api'"})],
        state="in read", stack_note="the memory of 2 outer frames is not in the core")
    for id in range(17, 21):
        index.thread(id, None, is_python=0, state="in poll")


def shop_exceptions(index):
    first = index.exception(
        1, 0, "shop.errors.OrderError", "order 93122 can't be verified",
        [("OrderWorker.verify", "/srv/shop/worker.py", 160),
         ("OrderWorker.run", "/srv/shop/worker.py", 148)],
        state="handled", notes="worker 1 of 12\x1eretry 3 of 3")
    cause = index.exception(
        1, 1, "ExceptionGroup", "3 mirrors failed (3 sub-exceptions)",
        [("fetch_all", "/srv/shop/http.py", 44)], parent=first, relation="cause")
    index.exception(1, 2, "ConnectionRefusedError", "[Errno 111] Connection refused",
                    [("connect", "/srv/shop/http.py", 21)], parent=cause, relation="group")
    index.exception(1, 3, "TimeoutError", "", [("read", "/srv/shop/http.py", 25)],
                    parent=cause, relation="group")
    value_error = index.exception(
        1, 4, "ValueError", "not a mirror: ''", [("pick", "/srv/shop/http.py", 9)],
        parent=cause, relation="group")
    index.exception(1, 5, "KeyError", "'mirror'", [("pick", "/srv/shop/http.py", 7)],
                    parent=value_error, relation="context")
    index.exception(2, 0, "RecursionError", "maximum recursion depth exceeded",
                    [("Tree.walk", "/srv/shop/catalog.py", 64)] * 996
                    + [("reindex", "/srv/shop/catalog.py", 12)], state="in flight")


def make_shop(index):
    shop_meta(index)
    shop_memory(index)
    shop_files(index)
    shop_threads(index)
    shop_exceptions(index)
    index.row("warning", area="file", message="/srv/shop/venv/lib/python3.11/site-packages/"
              "fastsum/_native.cpython-311.so is not on this machine: its read-only data can't be "
              "read; give --sysroot")
    index.row("warning", area="segment", message="2 of 214 segments are cut short: 1.2 MiB at the "
              "end of the core are missing")


def make_hostile(index):
    shop_meta(index, **{key: HOSTILE for key in (
        "command", "executable", "signal_text", "python_build", "source", "abort_message",
        "abort_source", "python_how", "arch")}, pid=HOSTILE, signal="SIGABRT")
    index.row("memory", region=HOSTILE, bytes=4096, detail=HOSTILE)
    index.row("memory", region="rest", bytes=1 << 62, detail=None)
    index.row("memory", region="more than there is", bytes=1 << 62, detail=None)
    index.row("memory", region="less than nothing", bytes=-5, detail=None)
    index.row("mapped_file", path=HOSTILE, start=1 << 62, end=-1, build_id=HOSTILE, source=HOSTILE)
    index.row("warning", area=HOSTILE, message=HOSTILE)
    frames = [(HOSTILE, HOSTILE, 1, {HOSTILE: (HOSTILE, HOSTILE), "plain": "'x'"}, HOSTILE)]
    index.thread(1, HOSTILE, frames, is_crashed=1, holds_gil=1, state=HOSTILE, waits_for=HOSTILE,
                 stack_note=HOSTILE)
    index.thread(2, "```\n# heading", frames, state=HOSTILE)
    index.thread(3, HOSTILE, frames, state=HOSTILE, is_python=0)
    parent = index.exception(1, 0, HOSTILE, HOSTILE, [(HOSTILE, HOSTILE, 3)], state=HOSTILE,
                             notes=HOSTILE)
    index.exception(1, 1, HOSTILE, HOSTILE, [(HOSTILE, HOSTILE, -3)], parent=parent,
                    relation="cause")
    index.exception(1, 2, HOSTILE, HOSTILE, [(None, None, None)], parent=parent, relation="group")
    index.exception(1, 3, HOSTILE, None, [], parent=99, relation="context")


def make_deep(index):
    shop_meta(index)
    frames = [("walk" if number % 2 else "visit", "/srv/shop/tree.py", 10 + number % 97 % 13,
               {"node": ("dict", "{'name': 'node %d', 'children': [1, 2, 3]}" % number),
                "depth": ("int", str(100_000 - number)), "seen": ("set", "{1, 2, 3, 'four'}")})
              for number in range(100_000)]
    index.thread(1, "MainThread", frames, is_main=1, is_crashed=1, holds_gil=1, state="crashed")


def make_wide(index):
    shop_meta(index, thread_count=1000)
    for id in range(1, 1001):
        stack = POOL_STACK if id % 3 else [
            (f"handle_{id}", "/srv/shop/http.py", id, {"id": ("int", str(id))}), *POOL_STACK[1:]]
        index.thread(id, "MainThread" if id == 1 else f"worker-{id}", stack, is_main=id == 1,
                     is_crashed=id == 1, state="crashed" if id == 1 else "waiting on a lock")


def make_huge(index):
    shop_meta(index, command="python3 " + "x" * 200_000)
    for id in range(1, 81):
        frames = [(f"function_{number % 211}_{id}", f"/srv/{'deep/' * 40}file_{number % 103}.py",
                   number + 1, {f"local_{n}": ("str", "'" + "<&>" * 150 + "'") for n in range(8)})
                  for number in range(400 if id == 1 else 40)]
        index.thread(id, f"thread {id}", frames, is_crashed=id == 1, state="running")
    for number in range(3000):
        index.row("mapped_file", path=f"/srv/{'lib/' * 60}{number}.so", start=number * 4096,
                  end=number * 4096 + 4096, build_id="ab" * 20, source="absent")
        index.row("warning", area="segment", message=f"segment {number} " + "is missing " * 40)
        index.row("memory", region=f"region {number}", bytes=4096 * (number + 1), detail="d" * 300)


def make_bare(index):
    index.meta(kind="core", format="ELF core", source="core", pid=77, signal="SIGKILL",
               signal_number=9, executable="/usr/sbin/nginx", made_by="kernel", thread_count=2)
    index.thread(1, None, is_python=0, is_main=1, is_crashed=1, state="crashed")
    index.thread(2, None, is_python=0, state="in epoll_wait")
    index.row("warning", area="python", message="no Python was found: 3.8 to 3.15 are known")


def main():
    kind, path = sys.argv[1:]
    index = Index(path)
    {"shop": make_shop, "hostile": make_hostile, "deep": make_deep, "wide": make_wide,
     "huge": make_huge, "bare": make_bare}[kind](index)
    index.close()


if __name__ == "__main__":
    main()
