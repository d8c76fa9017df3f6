#!/usr/bin/env python3
"""With --redact no value is in any output or index; names, lengths and equality stay. On each Python here.

    tests/live/redact.py --inquest build/inquest [--python python3.12 …]
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

import checks
import deaths
import pythons
import tool
from checks import Result
from peers_scene import Scene, local_values
from redact_secrets import Secrets

WAYS = ("abort", "fatal")
FORMATS = {"threads": ("text", "json", "csv", "md"), "postmortem": ("text", "json", "md"),
           **dict.fromkeys(("info", "heap", "leaks", "cycles", "waste", "tasks"), ("text", "json", "csv", "md"))}
REPORTS = {"threads": ("html", "txt", "json", "md", "csv"), "postmortem": ("html", "txt", "json", "md"),
           "report": ("html",)}
PICTURES = {"flamegraph": "svg", "cycles": "svg"}  # --limit is not theirs
NAMES = ("everything", "closure", "peers_raise", "last_words", "peers_secrets.py", "Account", "Failure", "Point", "Level",
         "Slotted", "mapping", "nested", "first_same", "module_global", "option", "owner", "balance", "hidden")
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
TOKEN = re.compile(r"<str 20 #(\d+)>")
SEEN_AT_LEAST = 0.8  # of all secrets, without --redact: else this test would prove nothing


class Trial:
    """One core, a cache of its own, and every question that can be asked."""

    def __init__(self, scene, way):
        self.scene, self.secrets, self.way = scene, Secrets(scene.python.version + way, scene.folder), way
        self.cache = scene.new_folder()
        self.core = scene.die("peers_secrets.py", self.secrets.argument, way=way,
                              variables=self.secrets.variables()).core

    def run(self, *arguments):
        run = subprocess.run([self.scene.inquest.path, *map(str, arguments)], capture_output=True,
                             stdin=subprocess.DEVNULL, env={**os.environ, "XDG_CACHE_HOME": str(self.cache)})
        return run

    def outputs(self, dump, *options):
        """(what was asked, everything that it said) for each command, format and report."""
        for command, formats in FORMATS.items():
            for form in formats:
                yield self.output(command, dump, "--format", form, "--limit", "0", "-v", *options)
        for command, endings in REPORTS.items():
            for ending in endings:
                report = self.scene.new_folder() / ("report." + ending)
                asked, said = self.output(command, dump, "-o", report, "--limit", "0", *options)
                yield asked, said + report.read_bytes()
        for command, ending in PICTURES.items():
            report = self.scene.new_folder() / ("picture." + ending)
            asked, said = self.output(command, dump, "-o", report, *options)
            yield asked, said + report.read_bytes()
        listed = self.output("query", dump, TABLES, "-q", "--format", "json", "--limit", "0", *options)[1]
        for row in json.loads(listed)["rows"]:
            columns = "DISTINCT label" if row["name"] == "ref" else "*"
            yield self.output("query", dump, 'SELECT %s FROM "%s"' % (columns, row["name"]), "--format", "csv",
                              "--limit", "0", *options)

    def output(self, *arguments):
        run = self.run(*arguments)
        if run.returncode:
            raise tool.Refused("%s: exit status %d: %s" % (arguments, run.returncode, run.stderr.decode()[-500:]))
        return " ".join(str(word) for word in arguments if str(word)[0] != "/"), run.stdout + run.stderr

    def load(self, *options):
        index = self.scene.new_folder() / "index"
        self.output("load", self.core, "-o", index, *options)
        return index

    def leaks(self, outputs):
        for asked, said in outputs:
            found = self.secrets.found(said)
            if found:
                yield "%s gives away %d secrets: %s" % (asked, len(found), ", ".join(sorted(found)[:4]))

    def result(self, name, counted, differences):
        return self.scene.result("%s %s" % (self.way, name), counted, differences)

    def results(self):
        plain, redacted = self.load(), self.load("--redact")
        seen = self.secrets.found(b"".join(said for _, said in self.outputs(plain)))
        count = len(set(self.secrets.forms.values()))
        told = [] if len(seen) >= SEEN_AT_LEAST * count else ["only these are shown without --redact: %d" % len(seen)]
        told += ["the environment is shown"] if self.secrets.environment in seen else []
        told += ["the index holds the environment"] if self.secrets.environment.encode() in plain.read_bytes() else []
        yield self.result("without --redact", "%d of %d secrets" % (len(seen), count), told)
        outputs = list(self.outputs(self.core, "--redact"))
        yield self.result("outputs", "%d outputs" % len(outputs), self.leaks(outputs))
        yield self.result("index", "%d bytes" % redacted.stat().st_size,
                          self.leaks([("the index's bytes", redacted.read_bytes())]))
        outputs = list(self.outputs(redacted))
        yield self.result("redacted index without --redact", "%d outputs" % len(outputs), self.leaks(outputs))
        yield self.result("names stay", "%d names" % len(NAMES), self.names(outputs))
        yield self.result("equal values get equal tokens, lengths stay", "tokens", self.tokens(redacted))
        yield self.result("cache", "both orders", self.cached())
        run = self.run("threads", plain, "--redact")
        yield self.result("index of values refused", "exit status %d" % run.returncode,
                          [] if run.returncode == 2 and not run.stdout else ["stdout %r" % run.stdout[:200]])

    def names(self, outputs):
        everything = b"".join(said for _, said in outputs).decode()
        for name in NAMES:
            if name not in everything:
                yield "%s is gone" % name

    def tokens(self, redacted):
        rows = json.loads(self.output("threads", redacted, "-q", "--format", "json", "--limit", "0")[1])["rows"]
        row = next(row for row in rows if any(frame["function"].endswith("everything") for frame in row["frames"]))
        values = local_values(row, "everything")
        first, second = (TOKEN.fullmatch(values.get(name, "")) for name in ("first_same", "second_same"))
        if not first or not second or first.group() != second.group():
            yield "first_same is %s, second_same %s" % (values.get("first_same"), values.get("second_same"))
        texts = [values.get(name, "") for name in ("text", "argument", "first_same", "captured")]
        if len({text for text in texts if TOKEN.fullmatch(text)}) != len(texts):
            yield "different values have one token, or none: %s" % texts
        if not re.fullmatch(r"<bytes 20 #\d+>", values.get("raw", "")):
            yield "raw is %s" % values.get("raw")
        connection = sqlite3.connect("file:%s?mode=ro" % redacted, uri=True)
        if not connection.execute("SELECT count(*) FROM exception").fetchone()[0]:
            yield "no exception is there"
        connection.close()

    def cached(self):
        for order in (("--redact", None), (None, "--redact")):
            shutil.rmtree(self.cache)
            self.cache.mkdir()
            for option in order:
                options = [option] if option else []
                said = self.output("threads", self.core, "--format", "json", "--limit", "0", *options)[1]
                leaks = bool(self.secrets.found(said))
                if leaks == bool(option):
                    yield "%s after %s: values are %sshown" % (option, order[0], "" if leaks else "not ")
        files = [path for path in self.cache.rglob("*") if path.is_file()]
        leaking = [path for path in files if self.secrets.found(path.read_bytes())]
        if len(leaking) != 1 or len(files) < 2:
            yield "of %d files in the cache %d hold values, not one" % (len(files), len(leaking))


def run(inquest, python, way, by_kernel):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="inquest-redact-"))
    try:
        return list(Trial(Scene(inquest, python, folder, way if by_kernel else "gcore"), way).results())
    except (deaths.Failed, tool.Refused) as error:
        return [Result("%s %s" % (python.label, way), "no answer", [str(error)])]
    finally:
        shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inquest", required=True, metavar="PATH")
    parser.add_argument("--python", action="append", default=[], metavar="PATH")
    options = parser.parse_args()
    began = time.monotonic()
    found, absent = pythons.find(options.python)
    results = [Result("CPython %s" % series, "", skipped="no such Python here") for series in absent]
    inquest = tool.Inquest(pathlib.Path(options.inquest).resolve())
    by_kernel = not deaths.kernel_writes_cores()
    for python in found:
        for way in WAYS if by_kernel else ("gcore",):
            for result in run(inquest, python, way, by_kernel):
                results.append(result)
                print(*result.lines(6), sep="\n", flush=True)
    return checks.close(results, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
