# SPDX-License-Identifier: Apache-2.0
"""The command line from outside: exit statuses, what goes to which stream, files
that appear whole or not at all, the cache, and queries that only read.

usage: test_cli.py INQUEST FOLDER_OF_CORES
"""
import contextlib
import csv
import gzip
import io
import json
import os
import pathlib
import pty
import re
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
import unittest

INQUEST = ""
CORE = ""  # one real core, wrapped in lz4
TIMEOUT = 60
def rows_of_ordinary_tables(database):
    """{name: rows}: without `object` and `ref`, which need the extension."""
    names = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'")
    return {name: database.execute('SELECT * FROM "%s"' % name).fetchall() for (name,) in names.fetchall()}


COMMANDS = ("postmortem", "threads", "tasks", "heap", "leaks", "cycles", "waste", "show", "hotspots",
            "flamegraph", "diff", "trend", "report", "info", "load", "query", "export", "help")
PROMISED = {
    "meta": "key value",
    "warning": "area message",
    "thread": "id os_tid name is_main is_crashed holds_gil state",
    "frame": "id thread_id depth kind function file line column object_id",
    "local": "frame_id name kind type value object_id",
    "exception": "id thread_id position relation type message object_id",
    "traceback": "exception_id depth function file line",
    "memory": "region bytes detail",
}


class CommandLine(unittest.TestCase):
    """A folder, a cache and an environment of its own for each test."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="inquest-test-cli-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.output = self.folder / "output"
        self.output.mkdir()
        self.cache = self.folder / "cache" / "inquest"
        self.environment = {key: value for key, value in os.environ.items()
                            if key not in ("NO_COLOR", "COLUMNS", "HOME")}
        self.environment.update(XDG_CACHE_HOME=str(self.folder / "cache"), TERM="xterm", LC_ALL="C.UTF-8")

    def run_inquest(self, *arguments, **options):
        options.setdefault("stdin", subprocess.DEVNULL) if "input" not in options else None
        options.setdefault("stdout", subprocess.PIPE)
        return subprocess.run([INQUEST, *map(str, arguments)], stderr=subprocess.PIPE, timeout=TIMEOUT,
                              env=self.environment, cwd=self.folder, **options)

    def answer(self, *arguments, **options):
        """Standard output of a run that must succeed."""
        run = self.run_inquest(*arguments, **options)
        self.assertEqual(run.returncode, 0, run.stderr.decode())
        return (run.stdout or b"").decode("utf-8")

    def refused(self, status, *arguments, **options):
        """Standard error of a run that must fail: one line, and nothing on stdout."""
        run = self.run_inquest(*arguments, **options)
        error = run.stderr.decode("utf-8")
        self.assertEqual(run.returncode, status, error)
        self.assertTrue(error.startswith("inquest: "), error)
        self.assertEqual(error.count("\n"), 1, error)
        self.assertFalse(run.stdout)
        return error

    def index(self):
        path = self.folder / "made.index"
        if not path.exists():
            self.answer("load", CORE, "-o", path, "-q")
        return path

    def assert_nothing_left(self):
        self.assertEqual(os.listdir(self.output), [])

    def core_copy(self):
        copy = self.folder / "copy.core"
        shutil.copyfile(CORE, copy)
        return copy


class Help(CommandLine):
    def test_program(self):
        text = self.answer("--help")
        for command in COMMANDS:
            self.assertRegex(text, r"(?m)^  %s\b" % command)
        self.assertEqual(text, self.answer("help"))
        self.assertEqual(text, self.answer("-h"))
        for status in "0234":
            self.assertRegex(text, r"(?m)^  %s " % status)

    def test_each_command(self):
        for command in COMMANDS:
            text = self.answer(command, "--help")
            self.assertEqual(text, self.answer("help", command))
            self.assertTrue(text.startswith("usage: inquest %s " % command), text)

    def test_version(self):
        self.assertRegex(self.answer("--version"), r"^inquest \d+\.\d+\.\d+\n$")
        self.assertEqual(self.answer("-V"), self.answer("info", "--version"))

    def test_not_written(self):
        with open("/dev/full", "wb") as full:
            self.refused(4, "--help", stdout=full)
            self.refused(4, "--version", stdout=full)


class Completion(CommandLine):
    def setUp(self):
        super().setUp()
        if not shutil.which("bash"):
            self.skipTest("no bash")
        self.script = self.folder / "completion"
        self.script.write_text(self.answer("help", "completion"))

    def complete(self, *words):
        program = ("source %s; COMP_WORDS=(\"$@\"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _inquest; "
                   "printf '%%s\\n' \"${COMPREPLY[@]}\"" % self.script)
        run = subprocess.run(["bash", "-c", program, "bash", *words], capture_output=True, text=True,
                             cwd=self.folder, timeout=TIMEOUT, check=True)
        return run.stdout.split()

    def test_syntax(self):
        run = subprocess.run(["bash", "-n", self.script], capture_output=True, text=True, timeout=TIMEOUT)
        self.assertEqual((run.returncode, run.stderr), (0, ""))

    def test_commands(self):
        self.assertEqual(self.complete("inquest", ""), list(COMMANDS))
        self.assertEqual(self.complete("inquest", "th"), ["threads"])
        self.assertEqual(self.complete("inquest", "help", "q"), ["query"])

    def test_options_and_values(self):
        self.assertEqual(self.complete("inquest", "info", "--fo"), ["--format"])
        self.assertEqual(self.complete("inquest", "load", "--fo"), [])
        self.assertEqual(self.complete("inquest", "info", "--format", "js"), ["json"])
        self.assertEqual(self.complete("inquest", "info", "--format", "=", "c"), ["csv"])
        self.assertEqual(self.complete("inquest", "info", "--color", "="), ["auto", "always", "never"])
        self.assertEqual(self.complete("inquest", "info", "compl"), ["completion"])


class ManPage(CommandLine):
    def test_lint(self):
        if not shutil.which("groff"):
            self.skipTest("no groff")
        run = subprocess.run(["groff", "-man", "-ww", "-Tutf8"], input=self.answer("help", "man").encode(),
                             capture_output=True, timeout=TIMEOUT)
        self.assertEqual((run.returncode, run.stderr), (0, b""))
        text = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", run.stdout.decode())
        for command in COMMANDS:
            self.assertIn("   %s " % command, text)
        for section in ("NAME", "SYNOPSIS", "OPTIONS", "EXIT STATUS", "ENVIRONMENT"):
            self.assertRegex(text, r"(?m)^%s$" % section)


class WrongUsage(CommandLine):
    def test_wrong_lines(self):
        for arguments, why in (
                ((), "no command given"),
                (("thraeds", CORE), "did you mean threads?"),
                (("frobnicate",), "unknown command"),
                (("info",), "needs INPUT"),
                (("info", CORE, "b"), "'b'"),
                (("info", CORE, "--fromat=json"), "did you mean --format?"),
                (("load", CORE), "-o FILE"),
                (("load", CORE, "--files", "-o", "x"), "no option --files"),
                (("query", CORE), "needs INPUT SQL"),
                (("info", CORE, "--format", "yaml"), "text, json, csv, md"),
                (("info", CORE, "--limit", "many"), "whole number"),
                (("info", CORE, "-o", "x.pdf"), "its ending must be one of"),
                (("info", CORE, "-o", "x.svg"), "no svg form"),
                (("info", "-", "-o", "x.md", "--format", "json"), "a pipe is read once"),
                (("info", CORE, "-o", "x.html", "--format", "json"), "no html form"),
                (("help", "nothing"), "no command 'nothing'")):
            with self.subTest(arguments=arguments):
                self.assertIn(why, self.refused(2, *arguments))
        self.assertEqual(sorted(os.listdir(self.folder)), ["output"])

    def test_input_is_not_overwritten(self):
        copy = self.core_copy()
        before = copy.read_bytes()
        self.assertIn("overwrite", self.refused(2, "load", copy, "-o", copy))
        os.link(copy, self.folder / "link.json")
        self.assertIn("overwrite", self.refused(2, "info", copy, "-o", self.folder / "link.json"))
        self.assertEqual(copy.read_bytes(), before)


class UnreadableInput(CommandLine):
    def test_inputs(self):
        empty, words, head = (self.folder / name for name in ("empty", "words", "head"))
        empty.write_bytes(b"")
        words.write_text("these are words\n" * 100)
        head.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(20))
        for path in (self.folder / "missing", empty, words, head, self.folder, "/dev/null"):
            for command in ("info", "threads", "postmortem"):
                with self.subTest(path=str(path), command=command):
                    self.assertIn(str(path), self.refused(3, command, path))
            self.refused(3, "load", path, "-o", self.output / "x.index")
            self.refused(3, "query", path, "SELECT 1", "-o", self.output / "x.json")
        self.assert_nothing_left()

    def test_names_are_shown_not_obeyed(self):
        error = self.refused(3, "info", self.folder / "a\x1b[31m\nb")
        self.assertNotIn("\x1b", error)
        self.assertIn("\\x1b", error)

    def test_damaged_indexes(self):
        whole = self.index().read_bytes()
        damaged = self.folder / "damaged.index"
        random = 1
        for round_number in range(40):
            content = bytearray(whole)
            if round_number % 4 == 0:
                del content[len(content) * round_number // 40:]
            for _ in range(6):
                random = (random * 1103515245 + 12345) % 2**31
                if content:
                    content[random % len(content)] ^= random >> 16 & 0xFF
            damaged.write_bytes(content)
            for command in (("threads",), ("info",), ("query", "SELECT * FROM frame")):
                run = self.run_inquest(command[0], damaged, *command[1:])
                self.assertIn(run.returncode, (0, 2, 3), run.stderr)
                if run.returncode:
                    self.assertTrue(run.stderr.startswith(b"inquest: "))

    def test_other_databases(self):
        path = self.folder / "other.db"
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.executescript("CREATE TABLE meta (key, value)")
        self.assertIn("not one that inquest load wrote", self.refused(3, "info", path))
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.executescript("PRAGMA application_id = 0x494e5153; PRAGMA user_version = 99")
        self.assertIn("99", self.refused(3, "info", path))


class Streams(CommandLine):
    def test_answer_alone_on_stdout(self):
        cut = self.folder / "cut.core"
        cut.write_bytes(pathlib.Path(CORE).read_bytes()[:-40000])
        run = self.run_inquest("info", cut, "--format", "json")
        self.assertEqual(run.returncode, 0, run.stderr)
        answer = json.loads(run.stdout)
        self.assertEqual(answer["schema"], "inquest/info/1")
        self.assertEqual(answer["input"], str(cut))
        self.assertTrue(answer["warnings"])
        lines = run.stderr.decode().splitlines()
        self.assertTrue(lines)
        self.assertLessEqual(len(lines), 11)
        for line in lines:
            self.assertTrue(line.startswith("inquest: %s: " % cut), line)
        self.assertNotIn(b"\r", run.stderr)
        quiet = self.run_inquest("info", cut, "--format", "json", "-q")
        self.assertEqual((quiet.stdout, quiet.stderr), (run.stdout, b""))

    def test_full_disk(self):
        for command in (("info",), ("threads",), ("postmortem",), ("query", "SELECT 1")):
            with open("/dev/full", "wb") as full:
                error = self.refused(4, command[0], CORE, *command[1:], "-q", stdout=full)
                self.assertIn("No space left", error)

    def test_closed_pipe_is_quiet(self):
        reading, writing = os.pipe()
        os.close(reading)
        run = self.run_inquest("info", CORE, "-q", stdout=writing)
        os.close(writing)
        self.assertEqual((run.returncode, run.stderr), (4, b""))

    def test_endless_answer_ends_with_its_reader(self):
        sql = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
        process = subprocess.Popen([INQUEST, "query", self.index(), sql, "--format", "csv", "-q"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment)
        self.assertEqual(process.stdout.readline(), b"x\r\n")
        process.stdout.close()
        self.assertEqual(process.wait(TIMEOUT), 4)
        self.assertEqual(process.stderr.read(), b"")
        process.stderr.close()

    def test_closed_streams(self):
        run = self.run_inquest("info", CORE, preexec_fn=lambda: os.close(1))
        self.assertEqual(run.returncode, 4)
        before = pathlib.Path(CORE).read_bytes()
        self.run_inquest("info", CORE, preexec_fn=lambda: os.closerange(0, 3))
        self.assertEqual(pathlib.Path(CORE).read_bytes(), before)

    def on_terminal(self, *arguments, stdin=subprocess.DEVNULL, feed=None, **environment):
        """Runs with standard output and error on a terminal; what it shows."""
        leader, follower = pty.openpty()
        process = subprocess.Popen([INQUEST, *map(str, arguments)], stdout=follower, stderr=follower,
                                   stdin=stdin, env={**self.environment, **environment}, cwd=self.folder)
        os.close(follower)
        if feed:
            feed(process.stdin)
        shown = b""
        with contextlib.suppress(OSError):
            while block := os.read(leader, 65536):
                shown += block
        os.close(leader)
        self.assertEqual(process.wait(TIMEOUT), 0, shown)
        return shown

    def test_colours(self):
        self.assertIn(b"\x1b[", self.on_terminal("info", CORE))
        self.assertNotIn(b"\x1b[", self.on_terminal("info", CORE, NO_COLOR="1"))
        self.assertIn(b"\x1b[", self.on_terminal("info", CORE, NO_COLOR=""))
        self.assertNotIn(b"\x1b[", self.on_terminal("info", CORE, "--color", "never"))
        self.assertNotIn(b"\x1b[", self.on_terminal("info", CORE, TERM="dumb"))
        self.assertIn(b"\x1b[", self.on_terminal("info", CORE, "--color=always", NO_COLOR="1"))
        self.assertNotIn("\x1b[", self.answer("info", CORE))
        self.assertIn("\x1b[", self.answer("info", CORE, "--color", "always"))
        self.answer("info", CORE, "--color", "always", "-o", "x.txt")
        self.assertNotIn("\x1b", (self.folder / "x.txt").read_text())

    @staticmethod
    def feed_slowly(pipe):
        content = pathlib.Path(CORE).read_bytes()
        for part in range(10):
            pipe.write(content[len(content) * part // 10:len(content) * (part + 1) // 10])
            pipe.flush()
            time.sleep(0.1)
        pipe.close()

    def test_progress(self):
        shown = self.on_terminal("info", "-", stdin=subprocess.PIPE, feed=self.feed_slowly)
        self.assertRegex(shown, rb"\r[^\r]*/s[^\r]*\x1b\[K")
        self.assertIn(b"\r\x1b[K", shown)
        for option in ("--no-progress", "-q"):
            shown = self.on_terminal("info", "-", option, stdin=subprocess.PIPE, feed=self.feed_slowly)
            self.assertNotIn(b"/s", shown)
            self.assertNotIn(b"\x1b[K", shown)


class OutputFile(CommandLine):
    def test_private_and_whole(self):
        old = os.umask(0)
        try:
            for name in ("a.txt", "a.json", "a.csv", "a.md"):
                path = self.output / name
                path.write_text("what was there before")
                path.chmod(0o644)
                self.assertEqual(self.answer("info", CORE, "-o", path), "")
                self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
                self.assertNotIn("what was there", path.read_text())
        finally:
            os.umask(old)
        json.loads((self.output / "a.json").read_text())
        self.assertEqual(len(os.listdir(self.output)), 4)

    def test_format_where_the_ending_says_nothing(self):
        self.answer("info", CORE, "-o", self.output / "report", "--format", "json")
        json.loads((self.output / "report").read_text())

    def test_format_and_ending_are_two_answers(self):
        for command, ending in (("info", "md"), ("threads", "html"), ("postmortem", "html")):
            path, alone = self.output / ("both." + ending), self.output / ("alone." + ending)
            printed = self.answer(command, CORE, "--format", "json", "-o", path)
            self.assertEqual(json.loads(printed)["schema"], "inquest/%s/1" % command)
            self.answer(command, CORE, "-o", alone)
            self.assertEqual(path.read_bytes(), alone.read_bytes())

    def test_report_beside_summary(self):
        text = self.answer("postmortem", CORE, "-o", self.output / "r.html")
        self.assertTrue(text)
        self.assertIn("<html", (self.output / "r.html").read_text().lower())

    def test_not_writable(self):
        blocker = self.folder / "file"
        blocker.write_text("")
        for path in ("/dev/full", self.folder / "no" / "such.json", blocker / "x.json", self.output):
            with self.subTest(path=str(path)):
                self.assertIn(str(path), self.refused(4, "info", CORE, "-q", "-o", path, "--format", "json"))
                self.refused(4, "load", CORE, "-q", "-o", path)
        self.assert_nothing_left()

    def test_folder_without_permission(self):
        if os.geteuid() == 0:
            self.skipTest("root may write anywhere")
        self.output.chmod(0o500)
        self.assertIn("Permission denied", self.refused(4, "info", CORE, "-o", self.output / "x.json"))
        self.refused(4, "load", CORE, "-o", self.output / "x.index")
        self.output.chmod(0o700)
        self.assert_nothing_left()

    def test_size_limit_stands_for_a_full_disk(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))
        index = self.index()
        sql = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 99999) SELECT x FROM n"
        self.refused(4, "query", index, sql, "-q", "-o", self.output / "x.csv", preexec_fn=limit)
        self.refused(4, "load", index, "-q", "-o", self.output / "x.index", preexec_fn=limit)
        self.assert_nothing_left()

    def interrupt(self, signal_number):
        """Sends a signal to a run that waits for its input; the finished run."""
        process = subprocess.Popen(
            [INQUEST, "load", "-", "-o", self.output / "x.index"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment,
            preexec_fn=lambda: signal.signal(signal_number, signal.SIG_DFL))
        process.stdin.write(pathlib.Path(CORE).read_bytes()[:100000])
        process.stdin.flush()
        end = time.monotonic() + TIMEOUT
        while not os.listdir(self.output) and time.monotonic() < end:
            time.sleep(0.01)
        names = os.listdir(self.output)
        self.assertEqual(len(names), 1, names)
        self.assertRegex(names[0], r"^\.x\.index\.tmp-%d-" % process.pid)
        self.assertEqual(stat.S_IMODE((self.output / names[0]).stat().st_mode), 0o600)
        process.send_signal(signal_number)
        _, error = process.communicate(timeout=TIMEOUT)
        return process.returncode, error.decode()

    def test_signals_leave_nothing(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self.assertEqual(self.interrupt(number), (-number, ""))
            self.assert_nothing_left()

    def test_shrunken_input(self):
        status, error = self.interrupt(signal.SIGBUS)
        self.assertEqual(status, 3)
        self.assertRegex(error, r"^inquest: -: it shrank.*\n$")
        self.assert_nothing_left()


class Cache(CommandLine):
    def entries(self):
        return sorted(self.cache.iterdir()) if self.cache.exists() else []

    def test_hit_and_miss(self):
        core = self.core_copy()
        first = self.answer("threads", core)
        (entry,) = self.entries()
        before = entry.stat()
        self.assertEqual(stat.S_IMODE(before.st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(self.cache.stat().st_mode), 0o700)
        self.assertEqual(self.answer("threads", core), first)
        self.assertEqual(entry.stat().st_ino, before.st_ino)
        with open(core, "r+b") as file:
            file.truncate(os.path.getsize(core) - 30000)
        self.assertNotEqual(self.answer("info", core, "-q"), "")
        self.assertEqual(len(self.entries()), 2)

    def test_hit_is_really_read(self):
        core = self.core_copy()
        self.answer("info", core)
        (entry,) = self.entries()
        with contextlib.closing(sqlite3.connect(entry)) as database, database:
            database.execute("INSERT INTO meta VALUES ('mark', 'seen')")
        self.assertEqual(json.loads(self.answer("info", core, "--format", "json"))["mark"], "seen")
        self.assertNotIn("mark", json.loads(self.answer("info", core, "--format", "json", "--no-cache")))

    def test_no_cache_leaves_nothing(self):
        self.answer("threads", CORE, "--no-cache")
        self.assertEqual(os.listdir(self.folder), ["output"])

    def test_damaged_entry_is_replaced(self):
        answer = self.answer("info", CORE)
        (entry,) = self.entries()
        for content in (b"", b"SQLite format 3\0 and then nonsense", entry.read_bytes()[:5000]):
            entry.write_bytes(content)
            self.assertEqual(self.answer("info", CORE), answer)
            with contextlib.closing(sqlite3.connect(entry)) as database:
                self.assertEqual(database.execute("PRAGMA integrity_check").fetchone(), ("ok",))
        self.assertEqual(self.entries(), [entry])

    def test_options_that_change_the_content(self):
        self.answer("info", CORE)
        self.answer("info", CORE, "--redact")
        self.assertEqual(len(self.entries()), 2)
        self.answer("info", CORE, "--sysroot", self.folder)
        self.assertEqual(len(self.entries()), 3)
        self.answer("threads", CORE)
        self.assertEqual(len(self.entries()), 3)

    def test_unusable_cache_is_no_error(self):
        self.environment["XDG_CACHE_HOME"] = "/dev/null"
        run = self.run_inquest("info", CORE, "--format", "json")
        self.assertEqual(run.returncode, 0)
        self.assertIn(b"cache is not usable", run.stderr)
        self.assertTrue([text for text in json.loads(run.stdout)["warnings"] if text.startswith("cache: ")])

    def test_full_disk_under_the_cache(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
        run = self.run_inquest("info", self.small_core(), preexec_fn=limit)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn(b"cache is not usable", run.stderr)
        self.assertEqual(self.entries(), [])

    def small_core(self):
        """A plain ELF core with one note and no memory: nothing needs unwrapping."""
        note = b"CORE\0\0\0\0" + bytes(336)
        header = (b"\x7fELF\x02\x01\x01" + bytes(9) + (4).to_bytes(2, "little") + (62).to_bytes(2, "little") +
                  (1).to_bytes(4, "little") + bytes(8) + (64).to_bytes(8, "little") + bytes(12) +
                  (64).to_bytes(2, "little") + (56).to_bytes(2, "little") + (1).to_bytes(2, "little") +
                  bytes(6))
        notes = (5).to_bytes(4, "little") + (336).to_bytes(4, "little") + (1).to_bytes(4, "little") + note
        program = ((4).to_bytes(4, "little") + bytes(4) + (120).to_bytes(8, "little") + bytes(16) +
                   len(notes).to_bytes(8, "little") + bytes(8) + (4).to_bytes(8, "little"))
        path = self.folder / "small.core"
        path.write_bytes(header + program + notes)
        return path


class Index(CommandLine):
    def test_load_is_silent_and_promised(self):
        path = self.output / "x.index"
        run = self.run_inquest("load", CORE, "-o", path)
        self.assertEqual((run.returncode, run.stdout), (0, b""))
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(os.listdir(self.output), ["x.index"])
        self.assertFalse(self.cache.exists())
        self.assertIn("written", self.run_inquest("load", CORE, "-v", "-o", path).stderr.decode())
        with contextlib.closing(sqlite3.connect(path)) as database:
            self.assertEqual(database.execute("PRAGMA application_id").fetchone()[0], 0x494e5153)
            for table, columns in PROMISED.items():
                have = [row[1] for row in database.execute("PRAGMA table_info(%s)" % table)]
                self.assertEqual([column for column in columns.split() if column not in have], [], table)
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchone(), ("ok",))

    def test_same_bytes_for_same_input(self):
        for name in ("a", "b"):
            self.answer("load", CORE, "-o", self.output / name)
        self.assertEqual((self.output / "a").read_bytes(), (self.output / "b").read_bytes())

    def test_every_command_takes_an_index(self):
        index = self.index()
        self.answer("heap", CORE)  # now the cache has the stacks and the heap, as `load` has
        for command in ("threads", "info", "postmortem", "heap"):
            from_dump = json.loads(self.answer(command, CORE, "--format", "json"))
            from_index = json.loads(self.answer(command, index, "--format", "json"))
            self.assertEqual({**from_dump, "input": ""}, {**from_index, "input": ""})
        self.assertEqual(len(list(self.cache.iterdir())), 1)

    def test_wrapped_and_piped_index(self):
        index, packed = self.index(), self.folder / "packed"
        packed.write_bytes(gzip.compress(index.read_bytes()))
        sql = "SELECT count(*) AS n FROM frame"
        expected = self.answer("query", index, sql)
        self.assertEqual(self.answer("query", packed, sql), expected)
        self.assertEqual(self.answer("query", "-", sql, input=index.read_bytes()), expected)
        self.assertEqual(self.answer("query", "-", sql, input=packed.read_bytes()), expected)

    def test_load_copies_an_index(self):
        copy = self.output / "copy.index"
        self.answer("load", self.index(), "-o", copy)
        with contextlib.closing(sqlite3.connect(copy)) as a, contextlib.closing(sqlite3.connect(self.index())) as b:
            self.assertEqual(rows_of_ordinary_tables(a), rows_of_ordinary_tables(b))
        self.assertEqual(stat.S_IMODE(copy.stat().st_mode), 0o600)

    def test_redaction_is_not_pretended(self):
        self.assertIn("--redact", self.refused(2, "threads", self.index(), "--redact"))
        self.refused(2, "load", self.index(), "--redact", "-o", self.output / "x.index")
        self.assert_nothing_left()
        redacted = self.output / "r.index"
        self.answer("load", CORE, "--redact", "-o", redacted)
        self.answer("threads", redacted, "--redact")

    def test_strange_names(self):
        for name in (":memory:", "file:x?mode=rw#y", "a%41b", "-dash", "größe \n"):
            self.answer("load", self.index(), "-o", "./" + name)
            self.assertTrue((self.folder / name).exists())
            self.answer("info", "./" + name)


class Query(CommandLine):
    def query(self, sql, *options):
        return self.answer("query", self.index(), sql, "-q", *options)

    def test_formats(self):
        sql = "SELECT 1 AS i, 0.1 + 0.2 AS r, 'a,\"b' AS t, NULL AS n, x'00ff' AS b, 1 AS i"
        (row,) = json.loads(self.query(sql, "--format", "json"))["rows"]
        self.assertEqual(row, {"i": 1, "r": 0.1 + 0.2, "t": 'a,"b', "n": None, "b": "00FF", "i_2": 1})
        lines = list(csv.reader(io.StringIO(self.query(sql, "--format", "csv"), newline="")))
        self.assertEqual(lines, [["i", "r", "t", "n", "b", "i"],
                                 ["1", "0.30000000000000004", 'a,"b', "", "00FF", "1"]])
        self.assertIn("| i |", re.sub(" +", " ", self.query(sql, "--format", "md")))
        heading, values = self.query("SELECT 'long text' AS name, 7 AS number").splitlines()
        self.assertEqual(heading.index("number") + len("number"), values.index("7") + 1)

    def test_limit(self):
        sql = "VALUES ('one'), ('two'), ('three')"
        for form in ("json", "csv", "text", "md"):
            two, every = (self.query(sql, "--limit", limit, "--format", form) for limit in ("2", "0"))
            self.assertIn("two", two)
            self.assertNotIn("three", two)
            self.assertIn("three", every)

    def test_reads_alone(self):
        index = self.index()
        before, stamp = index.read_bytes(), index.stat().st_mtime_ns
        for sql in ("DELETE FROM meta", "DROP TABLE meta", "UPDATE meta SET value = ''", "VACUUM",
                    "INSERT INTO meta VALUES ('a', 'b')", "PRAGMA user_version = 7", "PRAGMA journal_mode = WAL",
                    "ATTACH '%s' AS x" % (self.output / "x"), "VACUUM INTO '%s'" % (self.output / "x"),
                    "CREATE TEMP TABLE t (a)", "SELECT load_extension('x')", "SELECT 1; SELECT 2",
                    "SELECT 1; DELETE FROM meta", "BEGIN", "", "SELEC 1", "SELECT nothing FROM meta"):
            with self.subTest(sql=sql):
                self.assertIn("SQL: ", self.refused(2, "query", index, sql))
        self.assertEqual((index.read_bytes(), index.stat().st_mtime_ns), (before, stamp))
        self.assert_nothing_left()

    def test_text_is_shown_not_obeyed(self):
        for form in ("text", "csv", "json", "md"):
            text = self.query("SELECT char(27) || '[31m' || char(8238) AS x, CAST(x'ff00' AS TEXT) AS y",
                              "--format", form)
            self.assertNotIn("\x1b", text)
            self.assertNotIn("\0", text)

    def test_takes_a_dump(self):
        text = self.answer("query", CORE, "SELECT value FROM meta WHERE key = 'kind'", "--format", "csv", "-q")
        self.assertEqual(text, "value\r\ncore\r\n")


class Result(unittest.TextTestResult):
    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        print("skipped: %s: %s" % (test.id().removeprefix("__main__."), reason))


def main():
    global INQUEST, CORE
    INQUEST = os.path.abspath(sys.argv[1])
    cores = sorted(pathlib.Path(sys.argv[2]).resolve().glob("*3.11*.core.lz4"))
    if not cores:
        sys.exit("no core of CPython 3.11 in %s" % sys.argv[2])
    CORE = str(cores[0])
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    if len(sys.argv) > 3:
        suite = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[3:], sys.modules["__main__"])
    result = unittest.TextTestRunner(resultclass=Result, verbosity=1).run(suite)
    failed = len(result.failures) + len(result.errors)
    print("%d passed, %d failed" % (result.testsRun - failed - len(result.skipped), failed))
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
