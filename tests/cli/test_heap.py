# SPDX-License-Identifier: Apache-2.0
"""heap, show, flamegraph and load --plain from outside, on real cores: numbers that add
up, paths that lead back, pictures that any parser reads, hostile text, damaged indexes.

usage: test_heap.py INQUEST FOLDER_OF_CORES
"""
import contextlib
import csv
import io
import json
import os
import pathlib
import re
import shutil
import sqlite3
import sys
import unittest
import xml.etree.ElementTree as ElementTree

import command_line

CORES = []
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "]]></title><script>alert(1)</script>\"'`|*<b>\x1b[31m\u202ered\r\n=1+1"


class HeapLine(command_line.CommandLine):
    def json(self, *arguments):
        return json.loads(self.answer(*arguments, "--format", "json", "-q"))

    def rows(self, sql, index=None):
        return self.json("query", index or self.index(), sql)["rows"]

    def changed_index(self, script):
        path = self.folder / "changed.index"
        shutil.copyfile(self.index(), path)
        with contextlib.closing(sqlite3.connect(path)) as database:
            for statement, parameters in script:
                database.execute(statement, parameters)
            database.commit()
        return path


class Values(HeapLine):
    """Of the object shown and what it refers to: read from the core that an index is of."""

    def test_of_the_interpreter(self):
        for core in CORES:
            with self.subTest(core=core):
                self.assertEqual(self.json("show", core, "sys.byteorder")["object"]["value"], "'little'")
                self.assertEqual(self.json("show", core, "sys.maxunicode")["object"]["value"], "1114111")
                fields = self.json("show", core, "sys.__dict__")["rows"]
                values = {row["label"]: row["value"] for row in fields if row["label"] != "key"}
                self.assertEqual(values["['maxsize']"], str(2 ** 63 - 1))
                self.assertEqual(values["['platform']"], "'linux'")
                self.assertEqual(values["['dont_write_bytecode']"] in ("True", "False"), True)

    def test_of_an_index(self):
        moved = self.folder / "other place"
        moved.mkdir()
        core = self.folder / "a.core"
        shutil.copyfile(CORES[0], core)
        self.answer("load", str(core), "-o", str(moved / "a.index"), "-q")
        shown = self.json("show", str(moved / "a.index"), "sys.byteorder")
        self.assertEqual(shown["object"]["value"], "'little'")
        warnings = shown["warnings"]
        core.rename(moved / "a.core")
        self.assertEqual(self.json("show", str(moved / "a.index"), "sys.byteorder")["object"]["value"], "'little'")
        with (moved / "a.core").open("ab") as grown:
            grown.write(b"more")
        shown = self.json("show", str(moved / "a.index"), "sys.byteorder")
        self.assertIsNone(shown["object"]["value"])
        self.assertEqual(shown["warnings"][:-1], warnings)
        self.assertRegex(shown["warnings"][-1], "^most values are not known: the core .* changed$")

    def test_none_where_they_are_redacted(self):
        shown = self.json("show", CORES[0], "sys", "--redact")
        self.assertNotIn("little", json.dumps(shown))
        self.assertNotIn("most values", json.dumps(shown["warnings"]))


class Heap(HeapLine):
    def test_numbers_add_up(self):
        for core in CORES:
            with self.subTest(core=core):
                heap = self.json("heap", core)
                objects, rows = heap["objects"], heap["rows"]
                self.assertEqual(heap["schema"], "inquest/heap/1")
                self.assertEqual(heap["input"], core)
                self.assertGreater(objects["count"], 10000)
                self.assertEqual(objects["reachable"] + objects["unreachable"], objects["count"])
                self.assertEqual(objects["reachable_bytes"] + objects["unreachable_bytes"],
                                 objects["bytes"])
                self.assertEqual(sum(row["instances"] for row in rows), objects["count"])
                self.assertEqual(sum(row["shallow"] for row in rows), objects["bytes"])
                self.assertEqual(sum(row["unreachable"] for row in rows), objects["unreachable"])
                self.assertEqual(len(rows), heap["row_count"])
                mapped = sum(row["bytes"] for row in heap["memory"])
                self.assertLess(objects["bytes"], mapped)
                for by in ("module", "size"):
                    other = self.json("heap", core, "--by", by)
                    self.assertEqual(other["objects"], objects)
                    self.assertEqual(sum(row["instances"] for row in other["rows"]), objects["count"])
                    self.assertEqual(sum(row["shallow"] for row in other["rows"]), objects["bytes"])

    def test_sizes_are_within_their_class(self):
        rows = self.json("heap", self.index(), "--by", "size")["rows"]
        for row in rows:
            self.assertLessEqual(row["size_from"] * row["instances"], row["shallow"])
            self.assertGreaterEqual(row["size_to"] * row["instances"], row["shallow"])
            count = self.rows("SELECT count(*) AS n FROM object WHERE size BETWEEN %d AND %d"
                              % (row["size_from"], row["size_to"]))
            self.assertEqual(count, [{"n": row["instances"]}])

    def test_order_and_limit(self):
        for sort in ("retained", "shallow", "instances"):
            rows = self.json("heap", self.index(), "--sort", sort)["rows"]
            self.assertEqual([row[sort] for row in rows],
                             sorted((row[sort] for row in rows), reverse=True))
        self.assertEqual(self.json("heap", self.index())["rows"],
                         self.json("heap", self.index(), "--sort", "retained")["rows"])
        names = [row["type"] for row in self.json("heap", self.index(), "--sort", "name")["rows"]]
        self.assertEqual(names, sorted(names))
        self.assertEqual(len(self.json("heap", self.index(), "--limit", 3)["rows"]), 3)
        total = self.json("heap", self.index())["row_count"]
        text = self.answer("heap", self.index(), "--limit", 3)
        self.assertIn("[%s more; --limit 0 shows all]" % format(total - 3, ","), text)
        self.assertNotRegex(self.answer("heap", self.index(), "--limit", 0), r"(?m)^\[.* more;")

    def test_wrong_words(self):
        self.assertIn("type, module, size", self.refused(2, "heap", command_line.CORE, "--by", "colour"))
        self.assertIn("retained, shallow", self.refused(2, "heap", command_line.CORE, "--sort", "taste"))
        self.assertIn("--sort takes one of size",
                      self.refused(2, "heap", command_line.CORE, "--by", "size", "--sort", "name"))
        self.assertIn("ending must be one of", self.refused(2, "heap", command_line.CORE, "-o", "x.svg"))

    def test_text(self):
        text = self.answer("heap", self.index())
        first = text.splitlines()[0]
        self.assertRegex(first, r"^[\d.,]+ [KM]iB in [\d,]+ objects, .*; largest holder: \S.* "
                                r"keeps [\d.,]+ [KM]iB \([\d.]+ %\)$")
        for heading in ("Types, by retained size", "Memory of the process: ", "Largest holders", "Next"):
            self.assertRegex(text, "(?m)^" + heading)
        holder = re.search(r"largest holder: (.*) keeps", first)[1]
        self.assertEqual(self.json("show", self.index(), holder)["path"], holder)

    def test_memory_is_that_of_the_index(self):
        memory = self.json("heap", self.index())["memory"]
        table = self.rows("SELECT region, bytes, detail FROM memory")
        key = lambda row: (row["region"], row["bytes"], row["detail"] or "")
        self.assertEqual(sorted(map(key, memory)), sorted(map(key, table)))
        shares = [row["share"] for row in memory if row["share"] is not None]
        self.assertAlmostEqual(sum(shares), 1, places=6)

    def test_csv_and_markdown(self):
        table = list(csv.DictReader(io.StringIO(self.answer("heap", self.index(), "--format", "csv"))))
        rows = self.json("heap", self.index())["rows"]
        self.assertEqual([row["type"] for row in table], [row["type"] for row in rows])
        self.assertEqual([int(row["retained"]) for row in table], [row["retained"] for row in rows])
        self.answer("heap", self.index(), "-o", self.output / "x.md")
        self.assertIn("| type |", (self.output / "x.md").read_text())


class Show(HeapLine):
    def some_ids(self):
        ids = [row["object_id"] for row in self.rows("SELECT object_id FROM largest LIMIT 15")]
        count = self.rows("SELECT count(*) AS n FROM object")[0]["n"]
        return ids + list(range(1, count, count // 25))

    def test_is_what_the_tables_say(self):
        for id in self.some_ids():
            with self.subTest(id=id):
                shown = self.json("show", self.index(), "#%d" % id)
                row = self.rows("SELECT o.*, t.name FROM object o JOIN type t ON t.id = o.type_id"
                                " WHERE o.id = %d" % id)[0]
                self.assertEqual(shown["schema"], "inquest/show/1")
                self.assertEqual(int(shown["object"]["address"], 16), row["address"])
                for ours, theirs in (("type", "name"), ("size", "size"), ("retained", "retained"),
                                     ("refcount", "refcount"), ("id", "id"),
                                     ("is_tracked", "is_tracked"), ("is_reachable", "is_reachable")):
                    self.assertEqual(shown["object"][ours], row[theirs])
                self.assertEqual((shown["dominator"] or {"id": None})["id"], row["dominator_id"])
                edges = self.rows("SELECT label, target_id AS id FROM ref WHERE source_id = %d"
                                  " ORDER BY rowid" % id)
                self.assertEqual([(row["label"], row["object_id"]) for row in shown["rows"]],
                                 [(row["label"], row["id"]) for row in edges])
                self.assertEqual(shown["row_count"], len(edges))
                edges = self.rows("SELECT source_id AS id FROM ref WHERE target_id = %d" % id)
                self.assertEqual(sorted(row["object_id"] for row in shown["referrers"]),
                                 sorted(row["id"] for row in edges))
                self.assertEqual(shown["referrer_count"], len(edges))

    def test_paths_lead_back(self):
        followed = 0
        for id in self.some_ids():
            shown = self.json("show", self.index(), "#%d" % id)
            path = shown["path"]
            if not path or "<?>" in path or "\u2026" in path or "<held by C code>" in path:
                continue
            with self.subTest(path=path):
                again = self.run_inquest("show", self.index(), path, "--format", "json", "-q")
                self.assertEqual(again.returncode, 0, again.stderr)
                again = json.loads(again.stdout)
                # where the path is that of several objects, all keys of a dict say, that is said
                several = any("objects have this path" in warning for warning in again["warnings"])
                self.assertTrue(again["object"]["id"] == id or several)
                followed += not several
        self.assertGreater(followed, 5)

    def test_a_path_of_several_objects(self):
        several = self.run_inquest("show", self.index(), "sys.modules.<key>")
        self.assertEqual(several.returncode, 0)
        self.assertRegex(several.stderr.decode(), r": \d+ objects have this path, this is one of them: ask .* by address\n$")
        for path in ("sys.modules", "sys", "sys.__dict__"):
            self.assertNotIn(b"objects have this path", self.run_inquest("show", self.index(), path).stderr)

    def test_the_variables_of_a_module_are_not_the_module(self):
        for row in self.rows("SELECT object_id, label FROM root JOIN object ON id = object_id WHERE kind = 'module'"
                             " AND type_id = (SELECT id FROM type WHERE name = 'dict') LIMIT 3"):
            shown = self.json("show", self.index(), "#%d" % row["object_id"])
            self.assertEqual(shown["path"], row["label"] + ".__dict__")
            self.assertEqual(self.json("show", self.index(), shown["path"]), shown)

    def test_redacted_paths_lead_back(self):
        index = self.folder / "redacted.index"
        self.answer("load", CORES[0], "-o", index, "--redact", "-q")
        tokens = 0
        for row in self.rows("SELECT object_id, path FROM largest WHERE path NOT GLOB '*<*' LIMIT 40", index):
            with self.subTest(path=row["path"]):
                shown = self.json("show", index, row["path"])
                self.assertEqual(shown["object"]["id"], row["object_id"])
                self.assertEqual(self.json("show", index, shown["path"])["object"]["id"], row["object_id"])
                tokens += "[<str" in shown["path"]
        self.assertGreater(tokens, 0)

    def test_a_long_value_is_cut_for_people(self):
        text = self.answer("show", self.index(), "sys.__dict__")
        shown = self.json("show", self.index(), "sys.__dict__")
        self.assertLess(max(map(len, text.splitlines())), 800)
        self.assertGreater(len(shown["object"]["value"]), 800)
        self.assertIn(shown["object"]["value"][-100:], self.answer("show", self.index(), "sys.__dict__", "--limit", 0))

    def test_spellings(self):
        row = self.rows("SELECT id, address FROM object WHERE size > 1000 LIMIT 1")[0]
        by_id = self.json("show", self.index(), "#%d" % row["id"])
        for word in ("0x%x" % row["address"], "0X%X" % row["address"], str(row["address"])):
            self.assertEqual(self.json("show", self.index(), word), by_id)
        sys_modules = self.json("show", self.index(), "sys.modules")
        self.assertEqual(sys_modules["object"]["type"], "dict")

    def test_nothing_there(self):
        row = self.rows("SELECT id, address, size FROM object WHERE size > 100 LIMIT 1")[0]
        count = self.rows("SELECT count(*) AS n FROM object")[0]["n"]
        for word, why in (("0x%x" % (row["address"] + 8), "it is 8 bytes into the object at 0x%x"
                           % row["address"]),
                          ("0x10", "no object starts at 0x10"),
                          ("0xffffffffffffffffffff", "no object starts at 0xffffffffffffffff"),
                          ("#0", "no object #0"), ("#%d" % (count + 1), "the last is #%d" % count),
                          ("nothing.like.it", "no module, type, thread or frame"),
                          ("sys.modules['no such module']", "'sys.modules' holds no '['no such module']'"),
                          ("", "")):
            with self.subTest(word=word):
                error = self.refused(3, "show", self.index(), word, "-q")
                self.assertTrue(error.startswith("inquest: %s: " % self.index()), error)
                self.assertIn(why, error)
        self.refused(2, "show", self.index())

    def test_text(self):
        text = self.answer("show", self.index(), "sys.modules", "--limit", 5)
        self.assertRegex(text.splitlines()[0], r"^dict at 0x[0-9a-f]+ \(#\d+\)$")
        for title in ("size", "retained", "refcount", "state", "path", "dominator"):
            self.assertRegex(text, r"(?m)^  %s +\S" % title)
        self.assertRegex(text, r"(?m)^Refers to: [\d,]+, the largest 5$")
        self.assertRegex(text, r"(?m)^Referred to by: ")
        self.assertIn("### ", self.answer("show", self.index(), "sys.modules", "--format", "md"))
        table = list(csv.reader(io.StringIO(self.answer("show", self.index(), "sys.modules", "--format",
                                                        "csv"))))
        self.assertEqual(table[0][:3], ["label", "type", "address"])


class Stacks(HeapLine):
    """Their rows are older than the heap, and name its objects all the same."""

    def test_rows_have_the_ids_of_their_objects(self):
        for core in CORES:
            index = self.folder / "stacks.index"
            self.answer("load", core, "-o", index, "-q")
            for table in ("local", "context_variable", "task", "exception"):
                with self.subTest(core=core, table=table):
                    wrong = self.rows("SELECT count(*) AS n FROM \"%s\" r LEFT JOIN object o ON o.address = r.address"
                                      " WHERE r.object_id IS NOT o.id" % table, index)
                    self.assertEqual(wrong[0]["n"], 0)
            self.assertGreater(self.rows("SELECT count(object_id) AS n FROM local", index)[0]["n"], 5)
            frames = self.rows("SELECT DISTINCT t.name FROM frame f JOIN object o ON o.id = f.object_id"
                               " JOIN type t ON t.id = o.type_id", index)
            self.assertLessEqual({row["name"] for row in frames}, {"frame"})


class Flamegraph(HeapLine):
    def svg(self, index, *arguments):
        path = self.output / "x.svg"
        self.answer("flamegraph", index, "-o", path, "-q", *arguments)
        return path.read_bytes()

    def test_every_byte_is_in_one_node(self):
        for core in CORES:
            with self.subTest(core=core):
                rows = self.json("flamegraph", core)["rows"]
                objects = self.json("heap", core)["objects"]
                self.assertEqual((rows[0]["value"], rows[0]["count"]), (objects["bytes"], objects["count"]))
                below = [0] * len(rows)
                for row in rows[1:]:
                    self.assertLess(row["parent"], row["id"])
                    below[row["parent"]] += row["value"]
                for row in rows:
                    self.assertEqual(row["value"], row["self"] + below[row["id"]])

    def test_objects_are_those_of_the_index(self):
        rows = [row for row in self.json("flamegraph", self.index())["rows"] if row["address"]]
        self.assertGreater(len(rows), 20)
        for row in rows[:20]:
            shown = self.json("show", self.index(), row["address"])["object"]
            self.assertEqual((shown["type"], shown["retained"]), (row["type"], row["value"]))

    def test_picture(self):
        data = self.svg(self.index())
        root = ElementTree.fromstring(data)
        self.assertEqual(root.tag, SVG + "svg")
        self.assertIn("retained memory", root.find(SVG + "title").text)
        self.assertTrue(root.find(SVG + "desc").text)
        frames = [group for group in root.iter(SVG + "g") if group.get("class") == "f"]
        self.assertGreater(len(frames), 20)
        width = float(root.get("width"))
        for frame in frames:
            self.assertTrue(frame.find(SVG + "title").text)
            rect = frame.find(SVG + "rect")
            self.assertGreaterEqual(float(rect.get("x")), 0)
            self.assertLessEqual(float(rect.get("x")) + float(rect.get("width")), width)
        for word in (b"href", b"src=", b"url(", b"@import", b"@font-face"):
            self.assertNotIn(word, data)

    def test_same_bytes(self):
        data = self.svg(self.index())
        self.assertEqual(self.svg(self.index()), data)
        other = self.folder / "other.index"
        self.answer("load", command_line.CORE, "-o", other, "-q")
        self.assertEqual(self.svg(other), data)
        self.assertEqual(self.svg(command_line.CORE), data)
        self.assertNotEqual(self.svg(self.index(), "--icicle"), data)

    def test_forms(self):
        self.assertRegex(self.answer("flamegraph", self.index()), r"^100.0 %  +[\d.]+ MiB  all objects\n")
        self.assertIn("its ending", self.refused(2, "flamegraph", self.index(), "-o", "x.png"))
        self.assertIn("ending must be one of", self.refused(2, "flamegraph", self.index(), "-o", "x.html"))
        self.refused(4, "flamegraph", self.index(), "-q", "-o", self.folder / "no" / "such.svg")


class Plain(HeapLine):
    def test_ordinary_tables_with_the_same_answers(self):
        plain = self.folder / "plain.index"
        self.answer("load", command_line.CORE, "--plain", "-o", plain, "-q")
        with contextlib.closing(sqlite3.connect(plain)) as database:
            objects, size = database.execute("SELECT count(*), sum(size) FROM object").fetchone()
            references, = database.execute("SELECT count(*) FROM ref").fetchone()
            kinds = dict(database.execute("SELECT name, sql FROM sqlite_master"
                                          " WHERE name IN ('object', 'ref')"))
        self.assertTrue(all("VIRTUAL" not in sql.upper() for sql in kinds.values()), kinds)
        heap = self.json("heap", self.index())
        self.assertEqual((objects, size), (heap["objects"]["count"], heap["objects"]["bytes"]))
        self.assertEqual(self.rows("SELECT count(*) AS n FROM ref"), [{"n": references}])
        for command in (("heap",), ("show", "sys.modules"), ("flamegraph",)):
            ours, theirs = (self.json(command[0], path, *command[1:]) for path in (self.index(), plain))
            ours["input"] = theirs["input"] = None
            self.assertEqual(ours, theirs)
        self.assertIn("no option --plain", self.refused(2, "heap", plain, "--plain"))
        copy = self.folder / "copy.index"
        self.assertIn("--plain works on the dump", self.refused(2, "load", self.index(), "--plain", "-o", copy))
        self.assertFalse(copy.exists())
        self.answer("load", plain, "--plain", "-o", copy, "-q")


class Hostile(HeapLine):
    def index_of_hostile_text(self):
        return self.changed_index([
            ("UPDATE type SET name = ?, module = ?", (HOSTILE, HOSTILE)),
            ("UPDATE root SET label = ?", (HOSTILE,)),
            ("UPDATE largest SET path = ?, value = ?", (HOSTILE, HOSTILE)),
            ("UPDATE memory SET region = ?, detail = ?", (HOSTILE, HOSTILE)),
            ("UPDATE meta SET value = ? WHERE key IN ('command', 'python_version')", (HOSTILE,)),
        ])

    def test_is_shown_not_obeyed(self):
        index = self.index_of_hostile_text()
        largest = "#%d" % self.rows("SELECT object_id AS id FROM largest LIMIT 1")[0]["id"]
        for command in (("heap", index), ("heap", index, "--by", "module"), ("show", index, largest),
                        ("flamegraph", index)):
            for form in ("text", "md", "csv", "json"):
                if command[0] == "flamegraph" and form in ("md", "csv"):
                    continue
                with self.subTest(command=command[0], form=form):
                    text = self.answer(*command, "--format", form, "-q")
                    self.assertNotRegex(text, "[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]")
                    self.assertRegex(text, r"\\x1b|\\u001b")
                    if form == "json":
                        json.loads(text)
                    elif form == "csv":
                        self.assertTrue(list(csv.reader(io.StringIO(text))))

    def test_picture(self):
        self.answer("flamegraph", self.index_of_hostile_text(), "-o", self.output / "x.svg", "-q")
        data = (self.output / "x.svg").read_bytes()
        root = ElementTree.fromstring(data)
        tags = {element.tag.removeprefix(SVG) for element in root.iter()}
        self.assertEqual(tags, {"svg", "title", "desc", "style", "rect", "text", "g", "script"})
        self.assertEqual(len(list(root.iter(SVG + "script"))), 1)
        self.assertNotIn(b"\x1b", data)
        self.assertNotIn("\u202e".encode(), data)


class Damaged(HeapLine):
    def test_no_heap(self):
        index = self.changed_index([("DROP TABLE object_chunk", ())])
        for command in (("heap", index), ("show", index, "#1"), ("flamegraph", index)):
            self.assertIn("has no heap", self.refused(3, *command))

    def test_no_python(self):
        core = self.small_core()
        for command in (("heap", core), ("show", core, "#1"), ("leaks", core), ("flamegraph", core),
                        ("diff", self.index(), core), ("diff", core, self.index()),
                        ("trend", self.index(), self.index(), core, "--times", "1,2,3")):
            for cache in ((), ("--no-cache",)):
                with self.subTest(command=command[0], cache=cache):
                    error = self.refused(3, *command, "-q", *cache)
                    self.assertTrue(error.startswith("inquest: %s: has no heap" % core), error)
        for command in ("threads", "tasks"):
            error = self.refused(3, command, core, "-q", "--fail-if", "exceptions > 0")
            self.assertIn("no Python could be read", error)
        self.assertEqual(self.run_inquest("threads", core, "--fail-if", "warnings > 0").returncode, 1)

    def test_numbers_that_lie(self):
        index = self.changed_index([
            ("UPDATE type SET instances = ?1, shallow = ?1, retained = -?1, unreachable = ?1",
             (2**63 - 1,)),
            ("UPDATE memory SET bytes = ?", (2**63 - 1,)),
            ("UPDATE largest SET retained = -5, object_id = object_id + 100000000, type_id = NULL", ()),
            ("UPDATE root SET object_id = -object_id, kind = NULL, label = NULL", ()),
        ])
        for command in (("heap", index), ("heap", index, "--by", "module"), ("show", index, "#1"),
                        ("show", index, "sys"), ("flamegraph", index)):
            run = self.run_inquest(*command)
            self.assertIn(run.returncode, (0, 3), run.stderr)

    def test_flipped_bytes(self):
        whole = self.index().read_bytes()
        damaged = self.folder / "damaged.index"
        random = 7
        for round_number in range(12):
            content = bytearray(whole)
            for _ in range(30):
                random = (random * 1103515245 + 12345) % 2**31
                content[100 + random % (len(content) - 100)] ^= 1 << (random >> 8) % 8
            damaged.write_bytes(content)
            for command in (("heap",), ("show", "sys.modules"), ("show", "0x7f0000000000"),
                            ("flamegraph",)):
                run = self.run_inquest(command[0], damaged, *command[1:])
                self.assertIn(run.returncode, (0, 3), run.stderr)
                if run.returncode:
                    self.assertTrue(run.stderr.startswith(b"inquest: %s: " % os.fsencode(damaged)), run.stderr)


def main():
    command_line.INQUEST = os.path.abspath(sys.argv[1])
    CORES.extend(map(str, sorted(pathlib.Path(sys.argv[2]).resolve().glob("*.core.lz4"))))
    command_line.CORE = next(core for core in CORES if "3.11.core" in core)
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    if len(sys.argv) > 3:
        suite = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[3:], sys.modules["__main__"])
    result = unittest.TextTestRunner(resultclass=command_line.Result, verbosity=1).run(suite)
    failed = len(result.failures) + len(result.errors)
    print("%d passed, %d failed" % (result.testsRun - failed - len(result.skipped), failed))
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
