# SPDX-License-Identifier: Apache-2.0
"""The cache, indexes that are kept, and queries that only read, from outside.

usage: test_cli_index.py INQUEST FOLDER_OF_CORES
"""
import contextlib
import csv
import gzip
import io
import json
import os
import re
import resource
import sqlite3
import stat
import sys

import command_line

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


def rows_of_ordinary_tables(database):
    """{name: rows}: without `object` and `ref`, which need the extension."""
    names = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'")
    return {name: database.execute('SELECT * FROM "%s"' % name).fetchall() for (name,) in names.fetchall()}


class Cache(command_line.CommandLine):
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
        self.answer("threads", command_line.CORE, "--no-cache")
        self.assertEqual(os.listdir(self.folder), ["output"])

    def test_damaged_entry_is_replaced(self):
        answer = self.answer("info", command_line.CORE)
        (entry,) = self.entries()
        for content in (b"", b"SQLite format 3\0 and then nonsense", entry.read_bytes()[:5000]):
            entry.write_bytes(content)
            self.assertEqual(self.answer("info", command_line.CORE), answer)
            with contextlib.closing(sqlite3.connect(entry)) as database:
                self.assertEqual(database.execute("PRAGMA integrity_check").fetchone(), ("ok",))
        self.assertEqual(self.entries(), [entry])

    def test_options_that_change_the_content(self):
        self.answer("info", command_line.CORE)
        self.answer("info", command_line.CORE, "--redact")
        self.assertEqual(len(self.entries()), 2)
        self.answer("info", command_line.CORE, "--sysroot", self.folder)
        self.assertEqual(len(self.entries()), 3)
        self.answer("threads", command_line.CORE)
        self.assertEqual(len(self.entries()), 3)

    def test_unusable_cache_is_no_error(self):
        self.environment["XDG_CACHE_HOME"] = "/dev/null"
        run = self.run_inquest("info", command_line.CORE, "--format", "json")
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


class Index(command_line.CommandLine):
    def test_load_is_silent_and_promised(self):
        path = self.output / "x.index"
        run = self.run_inquest("load", command_line.CORE, "-o", path)
        self.assertEqual((run.returncode, run.stdout), (0, b""))
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(os.listdir(self.output), ["x.index"])
        self.assertFalse(self.cache.exists())
        self.assertIn("written", self.run_inquest("load", command_line.CORE, "-v", "-o", path).stderr.decode())
        with contextlib.closing(sqlite3.connect(path)) as database:
            self.assertEqual(database.execute("PRAGMA application_id").fetchone()[0], 0x494e5153)
            for table, columns in PROMISED.items():
                have = [row[1] for row in database.execute("PRAGMA table_info(%s)" % table)]
                self.assertEqual([column for column in columns.split() if column not in have], [], table)
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchone(), ("ok",))

    def test_same_bytes_for_same_input(self):
        for name in ("a", "b"):
            self.answer("load", command_line.CORE, "-o", self.output / name)
        self.assertEqual((self.output / "a").read_bytes(), (self.output / "b").read_bytes())

    def test_every_command_takes_an_index(self):
        index = self.index()
        self.answer("heap", command_line.CORE)  # now the cache has the stacks and the heap, as `load` has
        for command in ("threads", "info", "postmortem", "heap"):
            from_dump = json.loads(self.answer(command, command_line.CORE, "--format", "json"))
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
        self.answer("load", command_line.CORE, "--redact", "-o", redacted)
        self.answer("threads", redacted, "--redact")

    def test_strange_names(self):
        for name in (":memory:", "file:x?mode=rw#y", "a%41b", "-dash", "größe \n"):
            self.answer("load", self.index(), "-o", "./" + name)
            self.assertTrue((self.folder / name).exists())
            self.answer("info", "./" + name)


class Query(command_line.CommandLine):
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
                    "INSERT INTO meta VALUES ('a', 'b')", "PRAGMA user_version = 7", "PRAGMA user_version(7)",
                    "PRAGMA journal_mode = WAL",
                    "ATTACH '%s' AS x" % (self.output / "x"), "VACUUM INTO '%s'" % (self.output / "x"),
                    "CREATE TEMP TABLE t (a)", "SELECT load_extension('x')", "SELECT 1; SELECT 2",
                    "SELECT 1; DELETE FROM meta", "BEGIN", "", "SELEC 1", "SELECT nothing FROM meta"):
            with self.subTest(sql=sql):
                self.assertIn("SQL: ", self.refused(2, "query", index, sql))
        self.assertEqual((index.read_bytes(), index.stat().st_mtime_ns), (before, stamp))
        self.assert_nothing_left()
        self.assertEqual(self.query("PRAGMA application_id", "--format", "csv").split(), ["application_id", "1229869395"])
        self.assertIn("user_version", self.query("PRAGMA user_version"))

    def test_text_is_shown_not_obeyed(self):
        for form in ("text", "csv", "json", "md"):
            text = self.query("SELECT char(27) || '[31m' || char(8238) AS x, CAST(x'ff00' AS TEXT) AS y",
                              "--format", form)
            self.assertNotIn("\x1b", text)
            self.assertNotIn("\0", text)

    def test_takes_a_dump(self):
        text = self.answer("query", command_line.CORE, "SELECT value FROM meta WHERE key = 'kind'", "--format", "csv", "-q")
        self.assertEqual(text, "value\r\ncore\r\n")


if __name__ == "__main__":
    command_line.main(sys.modules["__main__"], sys.argv)
