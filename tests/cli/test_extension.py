# SPDX-License-Identifier: Apache-2.0
"""`object` and `ref` in SQLite programs that are not inquest: the sqlite3 shell and
Python's sqlite3, with the loadable extension and without it.

usage: test_extension.py EXTENSION WRITE_HEAP_INDEX INQUEST
"""
import csv
import io
import json
import os
import pathlib
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import unittest

EXTENSION = WRITER = INQUEST = ""
TIMEOUT = 120
SHELL = shutil.which("sqlite3")

QUERIES = (
    "SELECT * FROM object ORDER BY id LIMIT 30",
    "SELECT count(*), sum(size % 1000), min(address), max(address) FROM object",
    "SELECT * FROM object WHERE id = 77",
    "SELECT * FROM object WHERE address = (SELECT address FROM object WHERE id = 77)",
    "SELECT type_id, count(*) FROM object GROUP BY type_id ORDER BY type_id",
    "SELECT rowid, * FROM ref WHERE source_id = 4 ORDER BY rowid LIMIT 500",
    "SELECT rowid, * FROM ref WHERE target_id = 6 ORDER BY rowid",
    "SELECT source_id, label FROM ref WHERE target_id IN (1, 8, 700) ORDER BY rowid",
    "SELECT target_id, count(*) FROM ref GROUP BY target_id ORDER BY 2 DESC, 1 LIMIT 20",
    "SELECT o.id, r.label, t.id FROM object o JOIN ref r ON r.source_id = o.id"
    " JOIN object t ON t.id = r.target_id WHERE o.type_id = 2 ORDER BY r.rowid",
)

# Run by a Python that can load extensions: prints each query's rows.
IN_PYTHON = """
import json, sqlite3, sys
index, extension, *queries = sys.argv[1:]
db = sqlite3.connect("file:%s?mode=ro" % index, uri=True)
db.enable_load_extension(True)
db.load_extension(extension)
db.enable_load_extension(False)
print(json.dumps([db.execute(query).fetchall() for query in queries]))
"""


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, **options)


def pythons():
    """Pythons to try, this one first."""
    found = [sys.executable, shutil.which("python3"), "/usr/bin/python3"]
    return list(dict.fromkeys(python for python in found if python and os.path.exists(python)))


def can_load(python):
    return run(python, "-c", "import sqlite3, sys;"
               "sys.exit(not hasattr(sqlite3.Connection, 'enable_load_extension'))").returncode == 0


class Extension(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.index = cls.write("packed.inquest")
        cls.plain = cls.write("plain.inquest", "plain")
        db = sqlite3.connect(cls.plain)
        cls.wanted = [[list(row) for row in db.execute(query)] for query in QUERIES]
        db.close()

    @classmethod
    def write(cls, name, *options, objects="700"):
        path = os.path.join(cls.folder.name, name)
        result = run(WRITER, path, "7", objects, *options)
        if result.returncode:
            raise AssertionError(result.stderr)
        return path

    def shell(self, index, *arguments, load=None, **options):
        """The stock shell; load="" loads nothing."""
        if not SHELL:
            self.skipTest("there is no sqlite3 shell")
        load = EXTENSION if load is None else load
        loading = ["-cmd", f".load {load}"] if load else []
        return run(SHELL, "-batch", "-readonly", *loading, index, *arguments, **options)

    def rows(self, index, query):
        result = self.shell(index, ".mode csv", ".nullvalue NULL", query)
        self.assertEqual((result.returncode, result.stderr), (0, ""), query)
        return list(csv.reader(io.StringIO(result.stdout)))

    def as_text(self, rows):
        return [["NULL" if value is None else str(value) for value in row] for row in rows]

    def test_shell(self):
        for query, wanted in zip(QUERIES, self.wanted):
            self.assertTrue(wanted, query)
            self.assertEqual(self.rows(self.index, query), self.as_text(wanted), query)

    def test_shell_finds_the_file_ending(self):
        folder, name = os.path.split(EXTENSION)
        result = self.shell(self.index, "SELECT count(*) FROM object",
                            load="./" + name.removesuffix(".so"), cwd=folder)
        self.assertEqual((result.stdout, result.stderr), ("700\n", ""))

    def test_shell_and_plain_index(self):
        query = "SELECT count(*) FROM object UNION ALL SELECT count(*) FROM ref"
        self.assertEqual(self.rows(self.plain, query), self.rows(self.index, query))

    def test_shell_without_extension(self):
        tables = self.shell(self.index, ".tables", load="")
        self.assertEqual((tables.returncode, tables.stderr), (0, ""))
        for name in ("object", "ref", "meta", "thread"):
            self.assertIn(name, tables.stdout.split())
        schema = self.shell(self.index, ".schema", load="")
        self.assertEqual((schema.returncode, schema.stderr), (0, ""))
        self.assertIn("CREATE VIRTUAL TABLE object", schema.stdout)
        for table in ("meta", "thread", "frame", "object_chunk"):
            other = self.shell(self.index, f"SELECT count(*) FROM {table}", load="")
            self.assertEqual((other.returncode, other.stderr), (0, ""), table)
        for table in ("object", "ref"):
            result = self.shell(self.index, f"SELECT count(*) FROM {table}", load="")
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(f"no such module: inquest_{table}", result.stderr)

    def test_attached_index_is_its_own(self):
        other = self.write("other.inquest", objects="333")
        result = self.shell(self.index, f"ATTACH '{other}' AS other",
                            "SELECT (SELECT count(*) FROM main.object),"
                            " (SELECT count(*) FROM other.object)")
        self.assertEqual((result.stdout, result.stderr), ("700|333\n", ""))

    def test_views_may_use_it(self):
        index = os.path.join(self.folder.name, "view.inquest")
        shutil.copy(self.index, index)
        db = sqlite3.connect(index)
        db.execute("CREATE VIEW big AS SELECT id FROM object WHERE size > 1000")
        db.close()
        wanted = self.rows(index, "SELECT id FROM object WHERE size > 1000")
        result = self.shell(index, "PRAGMA trusted_schema = OFF", "SELECT id FROM big")
        self.assertEqual(result.stderr, "")
        self.assertEqual([[line] for line in result.stdout.split()], wanted)

    def test_it_only_reads(self):
        before = pathlib.Path(self.index).read_bytes()
        if not SHELL:
            self.skipTest("there is no sqlite3 shell")
        for statement in ("INSERT INTO object (id) VALUES (1)", "DELETE FROM ref",
                          "UPDATE object SET size = 0"):
            result = run(SHELL, "-batch", "-cmd", f".load {EXTENSION}", self.index, statement)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn("may not be modified", result.stderr)
        self.assertEqual(pathlib.Path(self.index).read_bytes(), before)

    def test_damage_is_said(self):
        index = os.path.join(self.folder.name, "damaged.inquest")
        shutil.copy(self.index, index)
        db = sqlite3.connect(index)
        db.execute("UPDATE object_chunk SET data = zeroblob(200) WHERE id = 257")
        db.commit()
        db.close()
        result = self.shell(index, "SELECT sum(size) FROM object")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("object_chunk: row 257: ", result.stderr)
        good = self.shell(index, "SELECT count(*) FROM object WHERE id < 200")
        self.assertEqual((good.stdout, good.stderr), ("199\n", ""))

    def test_python(self):
        able = [python for python in pythons() if can_load(python)]
        if not able:
            self.skipTest("none of these can load SQLite extensions: " + ", ".join(pythons()))
        for python in able:
            result = run(python, "-c", IN_PYTHON, self.index, EXTENSION.removesuffix(".so"),
                         *QUERIES)
            self.assertEqual((result.returncode, result.stderr), (0, ""), python)
            self.assertEqual(result.stdout.count("\n"), 1)
            self.assertEqual(json.loads(result.stdout), self.wanted, python)

    def test_inquest_query(self):
        for query, wanted in zip(QUERIES, self.wanted):
            result = run(INQUEST, "query", self.index, query, "--format", "csv", "--limit", "0")
            self.assertEqual((result.returncode, result.stderr), (0, ""), query)
            rows = list(csv.reader(io.StringIO(result.stdout)))[1:]
            self.assertEqual(rows, [["" if value is None else str(value) for value in row]
                                    for row in wanted], query)

    def test_secrets_stay_private(self):
        self.assertEqual(stat.S_IMODE(os.stat(self.index).st_mode), 0o600)


if __name__ == "__main__":
    EXTENSION, WRITER, INQUEST = (os.path.abspath(path) for path in sys.argv[1:4])
    del sys.argv[1:4]
    unittest.main()
