"""The same answer of `leaks` in its other forms: of an index, redacted, as text, by other thresholds."""
import json

SECRET = "item-"


def differences(inquest, core, folder, answer):
    """Of a core of the scenario module_dict, whose values all begin with SECRET or are numbers of users."""
    index = folder / "leaks.index"
    inquest.load(core, index).close()
    yield from _same(inquest, index, answer)
    yield from _redacted(inquest, core, answer)
    yield from _thresholds(inquest, index, answer)
    yield from _written(inquest, index, answer)


def _same(inquest, index, answer):
    again = json.loads(inquest.text("leaks", index, "--format", "json"))
    for key in answer:
        if key != "input" and again.get(key) != answer[key]:
            yield "of the index, %r differs" % key
    found = json.loads(inquest.text("query", index, "SELECT rank, fingerprint FROM suspect ORDER BY rank", "--format", "json"))
    if [row["fingerprint"] for row in found["rows"]] != [row["fingerprint"] for row in answer["rows"]]:
        yield "the table suspect has other rows"


def _redacted(inquest, core, answer):
    text = inquest.text("leaks", core, "--no-cache", "--redact", "--format", "json")
    if SECRET not in json.dumps(answer):
        yield "there is no sample with a value"
    if SECRET in text:
        yield "a value is left in the redacted answer"
    for row, other in zip(answer["rows"], json.loads(text)["rows"]):
        for key in ("title", "fingerprint", "retained", "holder"):
            if row[key] != other[key]:
                yield "redacted, %s is %r, not %r" % (key, other[key], row[key])


def _thresholds(inquest, index, answer):
    def titles(*options):
        return [row["title"] for row in json.loads(inquest.text("leaks", index, "--format", "json", *options))["rows"]]
    first = answer["rows"][0]["title"]
    if first not in titles("--threshold", "1"):
        yield "--threshold 1 leaves %s out" % first
    for options in (("--threshold", "99"), ("--least", "900M")):
        if titles(*options):
            yield "%s %s finds %s" % (*options, titles(*options))
    for options in (("--threshold", "0.5"), ("--threshold", "ten"), ("--least", "1K"), ("--least", "4X")):
        if inquest.run("leaks", index, *options).returncode != 2:
            yield "%s %s is taken" % options


def _written(inquest, index, answer):
    row = answer["rows"][0]
    for form in ("text", "md", "csv"):
        text = inquest.text("leaks", index, "--format", form)
        for words in (row["title"], row["fingerprint"]):
            if words not in text:
                yield "%s: no %r" % (form, words)
    if len(inquest.text("leaks", index, "--format", "csv").splitlines()) != len(answer["rows"]) + 1:
        yield "csv: not a line a suspect"
