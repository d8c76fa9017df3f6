"""Whether a value that inquest printed is one that was promised.

The truth may hold GAP where nothing is promised; inquest may cut a long value and mark the place with an ellipsis.
Both stand for any text. Everything else must be equal, character by character.
"""
import re

GAP = "\0"
CUT = "…"
NEVER_CUT = 100  # a value this short, and not nested deeper than NEVER_CUT_DEPTH, is shown whole
NEVER_CUT_DEPTH = 3


# how much was cut is said behind the ellipsis
COUNTED_CUTS = [(re.compile(r"(['\"])… [\d,]+ (?:characters|bytes)"), r"…\1"), (re.compile(r"… [\d,]+ more"), "…")]


def matches(truth, actual):
    if truth == actual:
        return True
    for pattern, plain in COUNTED_CUTS:
        actual = pattern.sub(plain, actual)
    if GAP not in truth and CUT not in actual:
        return False
    return _aligned(truth, actual) and not (is_cut(truth, actual) and must_be_whole(truth))


def is_cut(truth, actual):
    return actual.count(CUT) > truth.count(CUT)


def must_be_whole(truth):
    return len(truth) <= NEVER_CUT and _depth(truth) <= NEVER_CUT_DEPTH and GAP not in truth


def _depth(text):
    deepest = depth = 0
    for character in text:
        depth += (character in "([{<") - (character in ")]}>")
        deepest = max(deepest, depth)
    return deepest


def _aligned(truth, actual):
    """Positions of the truth that are reached after each character of the answer, as bits of one integer."""
    places = {}
    gaps = 0
    for index, character in enumerate(truth):
        if character == GAP:
            gaps |= 1 << index
        else:
            places[character] = places.get(character, 0) | 1 << index
    everywhere = (1 << len(truth) + 1) - 1

    def across_gaps(reached):
        while True:
            more = reached | (reached & gaps) << 1
            if more == reached:
                return reached
            reached = more

    reached = across_gaps(1)
    for character in actual:
        moved = (reached & places.get(character, 0)) << 1 | reached & gaps
        if character == CUT and reached:
            moved |= everywhere & ~((reached & -reached) - 1)
        if not moved:
            return False
        reached = across_gaps(moved)
    return bool(reached >> len(truth) & 1)
