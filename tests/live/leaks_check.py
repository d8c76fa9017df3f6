"""Compares an answer of `leaks` with what the service knew of its own leak."""


def is_size(difference):
    return " retains " in difference


def differences(truth, answer):
    rows = answer["rows"]
    if truth.get("healthy"):
        for row in rows:
            yield "a false alarm: %s" % row["why"]
        if not answer.get("types"):
            yield "no suspects, and not a word of what the heap is made of"
    elif "address" in truth:
        yield from _single(truth, rows)
    elif "group" in truth:
        yield from _many(truth, rows, "group", truth["group"])
    elif "extension" in truth:
        yield from _many(truth, rows, "extension", truth["extension"])
    elif "garbage" in truth:
        yield from _garbage(truth, rows)
    elif "interned" in truth:
        yield from _interned(truth, rows)
    if "also" in truth and truth["also"] not in [row["title"] for row in rows]:
        yield "%s is missing among %s" % (truth["also"], [row["title"] for row in rows])


def _words(truth, row):
    for words in truth["says"]:
        if words not in row["why"]:
            yield "not said: %r in %r" % (words, row["why"])
    holder = truth.get("holder")
    if holder and row["holder"] != holder:
        yield "the holder is %r, not %r" % (row["holder"], holder)
    path = truth.get("path")
    if path and path not in (row["path"] or ""):
        yield "the path is %r, without %r" % (row["path"], path)


def _single(truth, rows):
    address = "0x%x" % truth["address"]
    for row in rows:
        if row["kind"] != "single" or address not in (row["address"], row["accumulation_address"]):
            continue
        retained = row["retained"] if row["address"] == address else row["accumulation_retained"]
        if retained != truth["retained"]:
            yield "%s retains %s, not %s" % (row["title"], retained, truth["retained"])
        yield from _words(truth, row)
        return
    yield "the object at %s is no suspect; these are: %s" % (address, [row["why"] for row in rows])


def _many(truth, rows, kind, name):
    for row in rows:
        if row["kind"] == kind and row["type"] == name:
            for key, value in (("retained", truth["retained"]), ("instances", truth["count"]),
                               ("shallow", truth["shallow"])):
                # what a stale word of the interpreter's memory seems to hold is not C code's
                least = value * 0.99 if kind == "extension" else value
                if not least <= row[key] <= value:
                    yield "%s is %s, not %s" % (key, row[key], value)
            yield from _words(truth, row)
            return
    yield "no %s of %s; the suspects are: %s" % (kind, name, [row["why"] for row in rows])


def _garbage(truth, rows):
    for row in rows:
        if row["kind"] == "garbage" and row["type"] == truth["garbage"]:
            # a stale word of C memory may hold a few: it can't be told from one that counts
            if not truth["count"] * 0.999 <= row["instances"] <= truth["count"] + 1:
                yield "%d instances, not %d" % (row["instances"], truth["count"])
            yield from _words(truth, row)
            return
    yield "no garbage; the suspects are: %s" % [row["why"] for row in rows]


def _interned(truth, rows):
    kept = truth["version"] in ([3, 12],)  # in later ones they are mortal, in earlier ones too
    for row in rows:
        if row["kind"] == "interned":
            if not kept:
                yield "interned strings are mortal here: %s" % row["why"]
            elif row["instances"] < truth["interned"]:
                yield "%d strings, not %d" % (row["instances"], truth["interned"])
            else:
                yield from _words(truth, row)
            return
    if kept:
        yield "no interned strings; the suspects are: %s" % [row["why"] for row in rows]
