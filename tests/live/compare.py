"""Compares the witness's truth with the rows of `inquest threads`.

Every function yields differences as text; the counts of what was compared gather in a Tally.
"""
import collections

from match import is_cut, matches

OPTIONAL_LOCALS = {".0"}  # the iterator that a comprehension gets


class Tally(collections.Counter):
    pass


def groups(truth, answer):
    """(name of the group, what was counted, differences) for each group of checks."""
    tally = Tally()
    pairs, differences = pair_threads(truth, answer)
    for thread, row in pairs:
        differences += ["%s: %s" % (_who(thread), text) for text in compare_thread(thread, row, truth, tally)]
    yield "threads", "%d threads" % len(pairs), differences
    for name, function in (("frames", compare_frames), ("locals", compare_all_locals),
                           ("exceptions", compare_exceptions)):
        differences = []
        for thread, row in pairs:
            differences += ["%s: %s" % (_who(thread), text) for text in function(thread, row, tally)]
        counted = "%d %s" % (tally[name], name)
        if name == "locals":
            counted += ", %d of them cut" % tally["cut"]
        yield name, counted, differences


def _who(thread):
    return "thread %s" % (thread["name"] or thread["ident"])


def pair_threads(truth, answer):
    rows = {row["os_tid"]: row for row in answer["rows"]}
    by_ident = {row.get("ident"): row for row in answer["rows"] if row.get("ident")}
    differences, pairs = [], []
    if sorted(rows) != truth["tasks"]:
        differences.append("native ids: %s, not %s" % (sorted(rows), truth["tasks"]))
    for thread in truth["threads"]:
        row = rows.get(thread["native_id"]) if thread["native_id"] else by_ident.get(thread["ident"])
        if row is None:
            differences.append("%s (%s) is missing" % (_who(thread), thread["native_id"]))
        else:
            pairs.append((thread, row))
    known = {id(row) for _, row in pairs}
    for row in answer["rows"]:
        if id(row) not in known and any(frame["kind"] == "python" for frame in row["frames"]):
            differences.append("thread %s has Python frames, and should have none" % row["os_tid"])
    return pairs, differences


def compare_thread(thread, row, truth, tally):
    crashed = thread["is_dying"] and truth["way"] != "gcore"
    expected = {"ident": thread["ident"], "is_main": thread["is_main"], "is_crashed": crashed,
                "holds_gil": thread["holds_gil"]}
    if thread["name"] is not None:
        expected["name"] = thread["name"]
    for key, value in expected.items():
        if row.get(key) != value:
            yield "%s is %r, not %r" % (key, row.get(key), value)


def python_frames(row):
    frames = [frame for frame in row["frames"] if frame["kind"] == "python"]
    return sorted(frames, key=lambda frame: frame["depth"])


def compare_frames(thread, row, tally):
    expected, actual = thread["frames"], python_frames(row)
    tally["frames"] += len(expected)
    if len(expected) != len(actual):
        yield "%d frames, not %d: %s, not %s" % (len(actual), len(expected), _names(actual), _names(expected))
    for depth, (frame, shown) in enumerate(zip(expected, actual)):
        yield from _compare_keys("frame %d %s" % (depth, frame["function"]), frame, shown,
                                 ("function", "file", "line", "column"))


def _names(frames):
    names = [frame["function"] for frame in frames]
    return "[%s]" % ", ".join(map(str, names if len(names) < 20 else names[:10] + ["..."] + names[-5:]))


def _compare_keys(where, expected, actual, keys):
    for key in keys:
        if actual.get(key) != expected[key]:
            yield "%s: %s is %r, not %r" % (where, key, actual.get(key), expected[key])


def compare_all_locals(thread, row, tally):
    for depth, (frame, shown) in enumerate(zip(thread["frames"], python_frames(row))):
        if frame["function"] == shown["function"]:  # else it is not the same frame, and said already
            for text in compare_locals(frame, shown, tally):
                yield "frame %d %s: %s" % (depth, frame["function"], text)


def compare_locals(frame, shown, tally):
    """In a class body or executed code the names live in a dict: they may be left out, not be wrong."""
    expected = {variable["name"]: variable for variable in frame["locals"]}
    actual = {}
    for variable in shown.get("locals") or []:
        if variable["name"] in actual:
            yield "%s is there twice" % variable["name"]
        actual[variable["name"]] = variable
    for name in expected:
        if name not in actual and frame["exact"] and name not in OPTIONAL_LOCALS:
            yield "%s is missing" % name
    for name, variable in actual.items():
        if name in expected:
            tally["locals"] += 1
            yield from compare_local(expected[name], variable, frame["exact"], tally)
        elif frame["exact"]:
            yield "%s = %s is not a local that is bound" % (name, variable.get("value"))


def compare_local(expected, actual, exact, tally):
    name = expected["name"]
    if exact and actual.get("kind") not in expected["kinds"]:
        yield "%s: kind is %r, not %s" % (name, actual.get("kind"), " or ".join(expected["kinds"]))
    yield from _compare_keys(name, expected, actual, ("type",))
    if actual.get("address") not in (None, expected["address"]):
        yield "%s: address is %s, not %s" % (name, actual["address"], expected["address"])
    value = actual.get("value")
    fitting = [truth for truth in expected["values"] if isinstance(value, str) and matches(truth, value)]
    if not fitting:
        yield "%s: value is %s\n           not %s" % (name, _short(value), _short(expected["values"][0]))
    elif is_cut(fitting[0], value):
        tally["cut"] += 1


def _short(value, limit=400):
    text = str(value).replace("\0", "⟨any⟩")
    return text if len(text) <= limit else "%s [… %d more characters]" % (text[:limit], len(text) - limit)


def compare_exceptions(thread, row, tally):
    expected = thread["exceptions"]
    actual = sorted(row.get("exceptions") or [], key=lambda item: item["position"])
    tally["exceptions"] += len(expected)
    if any(item["relation"] == "group" for item in expected):  # the order of a tree is not promised
        expected, actual = (sorted(items, key=lambda i: (i["relation"] or "", i["type"], i["message"]))
                            for items in (expected, actual))
    if len(expected) != len(actual):
        yield "%d exceptions, not %d: %s, not %s" % (len(actual), len(expected), _types(actual), _types(expected))
    for item, shown in zip(expected, actual):
        where = "%s (%s)" % (item["type"], _short(item["message"], 40))
        yield from _compare_keys(where, item, shown, ("relation", "type"))
        if not matches(item["message"], str(shown.get("message"))):
            yield "%s: message is %r, not %r" % (where, shown.get("message"), item["message"])
        if list(shown.get("notes") or []) != item["notes"]:
            yield "%s: notes are %r, not %r" % (where, shown.get("notes"), item["notes"])
        yield from _compare_traceback(where, item["traceback"], shown.get("traceback") or [])


def _types(items):
    return "[%s]" % ", ".join("%s:%s" % (item["relation"] or "is", item["type"]) for item in items)


def _compare_traceback(where, expected, actual):
    actual = sorted(actual, key=lambda entry: entry["depth"])
    if len(expected) != len(actual):
        yield "%s: traceback of %d entries, not %d: %s, not %s" % (
            where, len(actual), len(expected), _names(actual), _names(expected))
    for depth, (entry, shown) in enumerate(zip(expected, actual)):
        yield from _compare_keys("%s: traceback entry %d %s" % (where, depth, entry["function"]), entry, shown,
                                 ("function", "file", "line", "column"))
