"""Asks inquest, and reads its answers."""
import json
import sqlite3
import subprocess

TIMEOUT = 120


class Refused(Exception):
    """inquest failed, or gave what is no answer."""


class Inquest:
    def __init__(self, path):
        self.path = str(path)

    def run(self, *arguments):
        try:
            return subprocess.run([self.path, *map(str, arguments)], capture_output=True, timeout=TIMEOUT,
                                  stdin=subprocess.DEVNULL)
        except OSError as error:
            raise Refused("%s: %s" % (self.path, error.strerror)) from None
        except subprocess.TimeoutExpired:
            raise Refused("inquest %s: no answer in %d s" % (arguments[0], TIMEOUT)) from None

    def text(self, *arguments):
        run = self.run(*arguments)
        if run.returncode:
            raise Refused("inquest %s: exit status %d: %s" % (
                arguments[0], run.returncode, run.stderr.decode(errors="replace").strip()[-800:]))
        return run.stdout.decode("utf-8")

    def json(self, command, dump, *options):
        text = self.text(command, dump, "--no-cache", "--format", "json", *options)
        try:
            answer = json.loads(text)
        except ValueError as error:
            raise Refused("inquest %s: not JSON: %s: %s" % (command, error, text[:200])) from None
        if answer.get("schema") != "inquest/%s/1" % command:
            raise Refused("inquest %s: schema is %r" % (command, answer.get("schema")))
        return answer

    def threads(self, dump, *options):
        return self.json("threads", dump, "--limit", "0", *options)

    def load(self, dump, index):
        self.text("load", dump, "-o", index)
        return sqlite3.connect("file:%s?mode=ro" % index, uri=True)
