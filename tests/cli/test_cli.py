# SPDX-License-Identifier: Apache-2.0
"""The command line from outside: exit statuses, what goes to which stream, and files that appear whole or not at all.

usage: test_cli.py INQUEST FOLDER_OF_CORES
"""
import contextlib
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
import time

import command_line

COMMANDS = ("postmortem", "threads", "tasks", "heap", "leaks", "cycles", "waste", "show", "hotspots",
            "flamegraph", "diff", "trend", "report", "info", "load", "query", "export", "help")


class Help(command_line.CommandLine):
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


class Completion(command_line.CommandLine):
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
                             cwd=self.folder, timeout=command_line.TIMEOUT, check=True)
        return run.stdout.split()

    def test_syntax(self):
        run = subprocess.run(["bash", "-n", self.script], capture_output=True, text=True, timeout=command_line.TIMEOUT)
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


class ManPage(command_line.CommandLine):
    def test_lint(self):
        if not shutil.which("groff"):
            self.skipTest("no groff")
        run = subprocess.run(["groff", "-man", "-ww", "-Tutf8"], input=self.answer("help", "man").encode(),
                             capture_output=True, timeout=command_line.TIMEOUT)
        self.assertEqual((run.returncode, run.stderr), (0, b""))
        text = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", run.stdout.decode())
        for command in COMMANDS:
            self.assertIn("   %s " % command, text)
        for section in ("NAME", "SYNOPSIS", "OPTIONS", "EXIT STATUS", "ENVIRONMENT"):
            self.assertRegex(text, r"(?m)^%s$" % section)


class WrongUsage(command_line.CommandLine):
    def test_wrong_lines(self):
        for arguments, why in (
                ((), "no command given"),
                (("thraeds", command_line.CORE), "did you mean threads?"),
                (("frobnicate",), "unknown command"),
                (("info",), "needs INPUT"),
                (("info", command_line.CORE, "b"), "'b'"),
                (("info", command_line.CORE, "--fromat=json"), "did you mean --format?"),
                (("load", command_line.CORE), "-o FILE"),
                (("load", command_line.CORE, "--files", "-o", "x"), "no option --files"),
                (("query", command_line.CORE), "needs INPUT SQL"),
                (("load", command_line.CORE, "-o", "-"), "an index can't be written to standard output"),
                (("info", command_line.CORE, "-o", "-"), "without -o"),
                (("info", command_line.CORE, "-o", "-", "--format", "json"), "without -o"),
                (("export", command_line.CORE, "--to", "collapsed", "-o", "-"), "without -o"),
                (("report", command_line.CORE), "needs -o FILE, whose ending is one of .html"),
                (("load", command_line.CORE, "--format", "yaml", "-o", "x"), "no option --format"),
                (("info", command_line.CORE, "--limit", "many"), "whole number"),
                (("info", command_line.CORE, "-o", "x.pdf"), "its ending must be one of"),
                (("info", command_line.CORE, "-o", "x.svg"), "its ending must be one of .json .csv .md .txt"),
                (("info", "-", "-o", "x.md", "--format", "json"), "a pipe is read once"),
                (("info", command_line.CORE, "-o", "x.html", "--format", "json"),
                 "its ending must be one of"),
                (("help", "nothing"), "no command 'nothing'")):
            with self.subTest(arguments=arguments):
                self.assertIn(why, self.refused(2, *arguments))
        self.assertEqual(sorted(os.listdir(self.folder)), ["output"])

    def test_formats_are_those_of_the_command(self):
        for command in COMMANDS:
            known = re.search(r"(?m)^  --format FORMAT +format of\s+standard\s+output: ((?:\w+, *\s*)*\w+)",
                              self.answer(command, "--help"))
            operands = ["x"] * {"query": 2, "show": 2, "diff": 2, "trend": 3}.get(command, 1)
            for word in ("xml", "junit", "pstats"):
                if known and word in known[1]:
                    continue
                with self.subTest(command=command, word=word):
                    error = self.refused(2, command, *operands, "--format", word)
                    if known:
                        names = ", ".join(re.findall(r"\w+", known[1]))
                        self.assertIn("%s --format takes one of %s, not '%s'" % (command, names, word), error)
        self.assertIn("text, json, csv, md, not 'junit'", self.refused(2, "query", "x", "y", "--format", "junit"))

    def test_input_is_not_overwritten(self):
        copy = self.core_copy()
        before = copy.read_bytes()
        self.assertIn("overwrite", self.refused(2, "load", copy, "-o", copy))
        os.link(copy, self.folder / "link.json")
        self.assertIn("overwrite", self.refused(2, "info", copy, "-o", self.folder / "link.json"))
        self.assertEqual(copy.read_bytes(), before)


class UnreadableInput(command_line.CommandLine):
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


class Streams(command_line.CommandLine):
    def test_answer_alone_on_stdout(self):
        cut = self.folder / "cut.core"
        cut.write_bytes(pathlib.Path(command_line.CORE).read_bytes()[:-40000])
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
                error = self.refused(4, command[0], command_line.CORE, *command[1:], "-q", stdout=full)
                self.assertIn("No space left", error)

    def test_closed_pipe_is_quiet(self):
        reading, writing = os.pipe()
        os.close(reading)
        run = self.run_inquest("info", command_line.CORE, "-q", stdout=writing)
        os.close(writing)
        self.assertEqual((run.returncode, run.stderr), (4, b""))

    def test_endless_answer_ends_with_its_reader(self):
        sql = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
        process = subprocess.Popen([command_line.INQUEST, "query", self.index(), sql, "--format", "csv", "-q"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment)
        self.assertEqual(process.stdout.readline(), b"x\r\n")
        process.stdout.close()
        self.assertEqual(process.wait(command_line.TIMEOUT), 4)
        self.assertEqual(process.stderr.read(), b"")
        process.stderr.close()

    def test_closed_streams(self):
        run = self.run_inquest("info", command_line.CORE, preexec_fn=lambda: os.close(1))
        self.assertEqual(run.returncode, 4)
        before = pathlib.Path(command_line.CORE).read_bytes()
        self.run_inquest("info", command_line.CORE, preexec_fn=lambda: os.closerange(0, 3))
        self.assertEqual(pathlib.Path(command_line.CORE).read_bytes(), before)

    def on_terminal(self, *arguments, stdin=subprocess.DEVNULL, feed=None, **environment):
        """Runs with standard output and error on a terminal; what it shows."""
        leader, follower = pty.openpty()
        process = subprocess.Popen([command_line.INQUEST, *map(str, arguments)], stdout=follower, stderr=follower,
                                   stdin=stdin, env={**self.environment, **environment}, cwd=self.folder)
        os.close(follower)
        if feed:
            feed(process.stdin)
        shown = b""
        with contextlib.suppress(OSError):
            while block := os.read(leader, 65536):
                shown += block
        os.close(leader)
        self.assertEqual(process.wait(command_line.TIMEOUT), 0, shown)
        return shown

    def test_colours(self):
        self.assertIn(b"\x1b[", self.on_terminal("info", command_line.CORE))
        self.assertNotIn(b"\x1b[", self.on_terminal("info", command_line.CORE, NO_COLOR="1"))
        self.assertIn(b"\x1b[", self.on_terminal("info", command_line.CORE, NO_COLOR=""))
        self.assertNotIn(b"\x1b[", self.on_terminal("info", command_line.CORE, "--color", "never"))
        self.assertNotIn(b"\x1b[", self.on_terminal("info", command_line.CORE, TERM="dumb"))
        self.assertIn(b"\x1b[", self.on_terminal("info", command_line.CORE, "--color=always", NO_COLOR="1"))
        self.assertNotIn("\x1b[", self.answer("info", command_line.CORE))
        self.assertIn("\x1b[", self.answer("info", command_line.CORE, "--color", "always"))
        self.answer("info", command_line.CORE, "--color", "always", "-o", "x.txt")
        self.assertNotIn("\x1b", (self.folder / "x.txt").read_text())

    @staticmethod
    def feed_slowly(pipe):
        content = pathlib.Path(command_line.CORE).read_bytes()
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


class OutputFile(command_line.CommandLine):
    def test_private_and_whole(self):
        old = os.umask(0)
        try:
            for name in ("a.txt", "a.json", "a.csv", "a.md"):
                path = self.output / name
                path.write_text("what was there before")
                path.chmod(0o644)
                self.assertEqual(self.answer("info", command_line.CORE, "-o", path), "")
                self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
                self.assertNotIn("what was there", path.read_text())
        finally:
            os.umask(old)
        json.loads((self.output / "a.json").read_text())
        self.assertEqual(len(os.listdir(self.output)), 4)

    def test_format_where_the_ending_says_nothing(self):
        self.answer("info", command_line.CORE, "-o", self.output / "report", "--format", "json")
        json.loads((self.output / "report").read_text())

    def test_format_and_ending_are_two_answers(self):
        for command, ending in (("info", "md"), ("threads", "html"), ("postmortem", "html")):
            path, alone = self.output / ("both." + ending), self.output / ("alone." + ending)
            printed = self.answer(command, command_line.CORE, "--format", "json", "-o", path)
            self.assertEqual(json.loads(printed)["schema"], "inquest/%s/1" % command)
            self.answer(command, command_line.CORE, "-o", alone)
            self.assertEqual(path.read_bytes(), alone.read_bytes())

    def test_report_beside_summary(self):
        text = self.answer("postmortem", command_line.CORE, "-o", self.output / "r.html")
        self.assertTrue(text)
        self.assertIn("<html", (self.output / "r.html").read_text().lower())

    def test_not_writable(self):
        blocker = self.folder / "file"
        blocker.write_text("")
        for path in ("/dev/full", self.folder / "no" / "such.json", blocker / "x.json", self.output):
            with self.subTest(path=str(path)):
                self.assertIn(str(path), self.refused(4, "info", command_line.CORE, "-q", "-o", path, "--format", "json"))
                self.refused(4, "load", command_line.CORE, "-q", "-o", path)
        self.assert_nothing_left()

    def test_folder_without_permission(self):
        if os.geteuid() == 0:
            self.skipTest("root may write anywhere")
        self.output.chmod(0o500)
        self.assertIn("Permission denied", self.refused(4, "info", command_line.CORE, "-o", self.output / "x.json"))
        self.refused(4, "load", command_line.CORE, "-o", self.output / "x.index")
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
            [command_line.INQUEST, "load", "-", "-o", self.output / "x.index"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment,
            preexec_fn=lambda: signal.signal(signal_number, signal.SIG_DFL))
        process.stdin.write(pathlib.Path(command_line.CORE).read_bytes()[:100000])
        process.stdin.flush()
        end = time.monotonic() + command_line.TIMEOUT
        while not os.listdir(self.output) and time.monotonic() < end:
            time.sleep(0.01)
        names = os.listdir(self.output)
        self.assertEqual(len(names), 1, names)
        self.assertRegex(names[0], r"^\.x\.index\.tmp-%d-" % process.pid)
        self.assertEqual(stat.S_IMODE((self.output / names[0]).stat().st_mode), 0o600)
        process.send_signal(signal_number)
        _, error = process.communicate(timeout=command_line.TIMEOUT)
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


if __name__ == "__main__":
    command_line.main(sys.modules["__main__"], sys.argv)
