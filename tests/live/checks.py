"""All checks of one core against its truth, and how their results are printed."""
import compare
import other_answers
import tool


class Result:
    """One line of the output, its differences below it."""

    def __init__(self, name, counted, differences=(), skipped=None):
        self.name, self.counted, self.skipped = name, counted, skipped
        self.differences = list(differences)

    def lines(self, limit):
        if self.skipped:
            return ["skip %s: %s" % (self.name, self.skipped)]
        shown = ["     %s" % text for text in self.differences[:limit]]
        if len(self.differences) > limit:
            shown.append("     … and %d more differences" % (len(self.differences) - limit))
        return ["%s %s: %s" % ("FAIL" if self.differences else "ok  ", self.name, self.counted), *shown]


def of_core(inquest, name, core, truth, folder, is_summarised):
    try:
        answer = inquest.threads(core)
    except tool.Refused as error:
        yield Result(name, "no answer", [str(error)])
        return
    for group, counted, differences in compare.groups(truth, answer):
        yield Result("%s %s" % (name, group), counted, differences)
    if is_summarised:
        yield Result("%s index" % name, "the same rows", list(_index(inquest, core, truth, answer, folder)))
        yield Result("%s summary" % name, "info, postmortem", list(_summary(inquest, core, truth)))


def _index(inquest, core, truth, answer, folder):
    index = folder / "dump.inquest"
    try:
        connection = inquest.load(core, index)
    except tool.Refused as error:
        yield str(error)
        return
    try:
        yield from other_answers.index_differences(connection, index, truth, answer)
    finally:
        connection.close()


def _summary(inquest, core, truth):
    try:
        yield from other_answers.summary_differences(inquest, core, truth)
    except tool.Refused as error:
        yield str(error)


def close(results, seconds):
    """The closing line and the exit status."""
    skipped = sum(bool(result.skipped) for result in results)
    failed = sum(bool(result.differences) for result in results)
    print("%.0f s" % seconds)
    print("%d passed, %d failed, %d skipped" % (len(results) - failed - skipped, failed, skipped))
    return 1 if failed else 0
