"""The other answers about the same core: the index, `info`, `postmortem`, and the report files."""
import os
import stat

SIGNALS = {"abort": ("SIGABRT", 6), "segv": ("SIGSEGV", 11), "fatal": ("SIGABRT", 6)}


def index_differences(connection, index, truth, answer):
    """The index holds what `threads` showed, and the process's facts."""
    if stat.S_IMODE(os.stat(index).st_mode) != 0o600:
        yield "the index's mode is %o, not 600" % stat.S_IMODE(os.stat(index).st_mode)
    if connection.execute("PRAGMA application_id").fetchone()[0] != 0x494E5153:
        yield "application_id is %#x" % connection.execute("PRAGMA application_id").fetchone()[0]
    if connection.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
        yield "integrity_check is not ok"
    yield from _meta_differences(dict(connection.execute("SELECT key, value FROM meta").fetchall()), truth)
    frames = [(row["os_tid"], f["depth"], f["function"], f["file"], f["line"], f["column"])
              for row in answer["rows"] for f in row["frames"] if f["kind"] == "python"]
    values = [(row["os_tid"], f["depth"], v["name"], v["kind"], v["type"], v["value"])
              for row in answer["rows"] for f in row["frames"] for v in f.get("locals") or []]
    exceptions = [(row["os_tid"], e["position"], e["relation"], e["type"], e["message"])
                  for row in answer["rows"] for e in row.get("exceptions") or []]
    entries = [(row["os_tid"], e["position"], t["depth"], t["function"], t["file"], t["line"])
               for row in answer["rows"] for e in row.get("exceptions") or [] for t in e["traceback"]]
    for name, expected, query in (
            ("thread", [(r["os_tid"], r["name"], r["is_main"], r["is_crashed"], r["holds_gil"])
                        for r in answer["rows"]],
             "SELECT os_tid, name, is_main, is_crashed, holds_gil FROM thread"),
            ("frame", frames, "SELECT t.os_tid, f.depth, f.function, f.file, f.line, f.column FROM frame f "
                              "JOIN thread t ON t.id = f.thread_id WHERE f.kind = 'python'"),
            ("local", values, "SELECT t.os_tid, f.depth, l.name, l.kind, l.type, l.value FROM local l "
                              "JOIN frame f ON f.id = l.frame_id JOIN thread t ON t.id = f.thread_id"),
            ("exception", exceptions, "SELECT t.os_tid, e.position, e.relation, e.type, e.message FROM exception e "
                                      "JOIN thread t ON t.id = e.thread_id"),
            ("traceback", entries, "SELECT t.os_tid, e.position, b.depth, b.function, b.file, b.line FROM traceback b "
                                   "JOIN exception e ON e.id = b.exception_id JOIN thread t ON t.id = e.thread_id")):
        yield from _table_differences(name, expected, [tuple(row) for row in connection.execute(query)])


def _table_differences(name, expected, actual):
    missing, extra = set(expected) - set(actual), set(actual) - set(expected)
    if missing or extra or len(expected) != len(actual):
        yield "table %s: %d rows, `threads` showed %d; only in threads: %s; only in the table: %s" % (
            name, len(actual), len(expected), sorted(missing, key=repr)[:2], sorted(extra, key=repr)[:2])


def _meta_differences(meta, truth):
    if str(meta.get("pid")) != str(truth["pid"]):
        yield "meta.pid is %r, not %s" % (meta.get("pid"), truth["pid"])
    if not str(meta.get("python_version")).startswith(truth["version"].rstrip("+")):
        yield "meta.python_version is %r, not %s" % (meta.get("python_version"), truth["version"])
    if meta.get("kind") != "core":
        yield "meta.kind is %r, not 'core'" % meta.get("kind")
    if truth["way"] in SIGNALS:
        name, number = SIGNALS[truth["way"]]
        if name not in str(meta.get("signal")) and str(meta.get("signal")) != str(number):
            yield "meta.signal is %r, not %s (%d)" % (meta.get("signal"), name, number)


def summary_differences(inquest, core, truth):
    """What `info` and `postmortem` must at least say, in text and as JSON."""
    for command in ("info", "postmortem"):
        inquest.json(command, core)
        text = inquest.text(command, core, "--no-cache", "--color", "never")
        wanted = [truth["version"]]
        if truth["way"] in SIGNALS:
            wanted.append(SIGNALS[truth["way"]][0])
        if command == "postmortem":
            wanted.append(truth["fault_address"])
            # what Py_FatalError was given lies somewhere on the C stack: told where one text alone fits
            if "Fatal Python error" in text:
                wanted.append(truth["message"])
        for word in filter(None, wanted):
            if word not in text:
                yield "%s does not say %r" % (command, word)
