#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the same recordings as inquest, with Python's own json and XML and another way
of taking lines apart, and compares every stack, weight, count, track and local.

    pyspy_truth.py SAMPLES_DUMP FOLDER [REAL_SAMPLES]

FOLDER is testdata/profiles/pyspy; REAL_SAMPLES a folder of recordings from elsewhere,
which may be absent: then that is said.
"""
import collections
import json
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

SPY = re.compile(r"(?s)(.*?) \((.*)\)")
LINE = re.compile(r"(?s)(.*):(-?[0-9]{1,10})")
MARK = re.compile(r'(?s)process (-?\d+):".*"|thread \((0[xX][0-9a-fA-F]+|-?\d+)\)(: .*)?')
COLONS_MARK = re.compile(r"tid:(\d+)|P(\d+)|T\d*:?(\d+)")
TIME = {"seconds": 1, "milliseconds": 1e-3, "microseconds": 1e-6, "nanoseconds": 1e-9}


def read_bytes(file):
    """Text in which each character is a byte, as samples_dump writes it."""
    return file.read_bytes().decode("latin-1")


def as_bytes(text):
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def number(text):
    return int(text, 16) if text.lower().startswith("0x") else int(text)


def balanced(text):
    return text.count("(") == text.count(")")


def spy_label(label):
    """All the places where the file may begin: the last that leaves pairs on both sides, else the first."""
    if not label.endswith(")"):
        return (label, "", 0)
    places = [m.start() for m in re.finditer(r"(?<=.) \(", label[:-1])]
    if not places:
        return (label, "", 0)
    good = [p for p in places if balanced(label[:p]) and balanced(label[p:])]
    place = good[-1] if good else places[0]
    name, file = label[:place], label[place + 2:-1]
    match = LINE.fullmatch(file)
    if match and int(match[2]) < 2**31:
        return (name, match[1], max(int(match[2]), 0))
    return (name, file, 0)


def colon_label(label):
    parts = label.rsplit(":", 2)
    if len(parts) == 3 and parts[0] and re.fullmatch(r"-?\d+", parts[2]):
        return (parts[1], parts[0], max(int(parts[2]), 0))
    return (label, "", 0)


class Truth:
    """samples: {(track name, stack): [weight, count]}; tracks: {name: (pid, tid)}"""

    def __init__(self, unit):
        self.unit, self.samples, self.tracks, self.locals = unit, {}, collections.OrderedDict(), []
        self.approximate = False

    def add(self, track, stack, weight, count=1):
        row = self.samples.setdefault((track, tuple(stack)), [0, 0])
        row[0] += weight
        row[1] += count


def take_marks(labels, pattern=MARK):
    """(track name, pid, tid, the rest)"""
    pid = tid = -1
    taken = 0
    for text in labels:
        match = pattern.fullmatch(text)
        if not match:
            break
        taken += 1
        if pattern is MARK:
            pid, tid = (int(match[1]), tid) if match[1] else (pid, number(match[2]))
        else:
            pid = int(match[2]) if match[2] else pid
            tid = int(match[1] or match[3]) if match[1] or match[3] else tid
    return ";".join(labels[:taken]), pid, tid, labels[taken:]


def split_stack(stack):
    """At semicolons, but not within process PID:"…", which ends where a label follows."""
    labels = []
    while True:
        match = re.match(r'process \d+:".*?"(?=;(?:process \d|thread \(|[^;]+ \([^;]*\)(?:;|$))|$)', stack)
        if not match:
            return labels + [x for x in stack.split(";") if x]
        labels.append(match[0])
        stack = stack[match.end() + 1:]
        if not stack:
            return labels


def folded(text, kind):
    austin = kind == "austin"
    memory, full = "# mode: memory" in text, "# mode: full" in text
    truth = Truth("bytes" if memory else "microseconds" if austin else "samples")
    split = {"py-spy raw": spy_label, "folded stacks": lambda label: (label, "", 0)}.get(kind, colon_label)
    for line in text.split("\n"):
        line = line.rstrip("\r")
        if not line or line.startswith("# "):
            continue
        stack, weight = line.rsplit(" ", 1)
        weight = float(weight.split(",")[0] if full else weight)
        labels = split_stack(stack) if kind == "py-spy raw" else [x for x in stack.split(";") if x]
        name, pid, tid, rest = (take_marks(labels, MARK if kind == "py-spy raw" else COLONS_MARK)
                                if kind != "folded stacks" else ("", -1, -1, labels))
        truth.tracks[name] = (pid, tid)
        truth.add(name, map(split, rest), weight, 1 if austin else int(weight))
    return truth


def named_profile(name):
    match = re.fullmatch(r'(?:Process (\d+) )?Thread (0x[0-9A-F]+|\d+) .*', name)
    return (int(match[1]) if match[1] else -1, number(match[2])) if match else (-1, -1)


def speedscope(whole):
    units = [p["unit"] for p in whole["profiles"]]
    spy = whole.get("exporter", "").startswith("py-spy")
    truth = Truth(units[0] if units[0] != "none" else "samples" if spy else "none")
    frames = [(as_bytes(f["name"]), as_bytes(f.get("file") or ""), f.get("line") or 0)
              for f in whole["shared"]["frames"]]
    for profile in whole["profiles"]:
        scale = TIME.get(profile["unit"], 1) / TIME.get(units[0], 1)
        rows = []
        if profile["type"] == "sampled":
            rows = list(zip(profile["samples"], profile["weights"]))
        else:
            open_, before = [], None
            for event in profile["events"] + [{"type": "end", "at": profile["endValue"]}]:
                if open_ and event["at"] > before:
                    rows.append((list(open_), event["at"] - before))
                before = event["at"]
                if event["type"] == "O":
                    open_.append(event["frame"])
                elif event["type"] == "C":
                    assert open_.pop() == event["frame"]
        name, (pid, tid) = as_bytes(profile["name"]), named_profile(profile["name"])
        for row, weight in rows:
            stack = [frames[i] for i in row]
            marks, mark_pid, mark_tid, _ = take_marks([f[0] for f in stack])
            stack = stack[len([f for f in stack if MARK.fullmatch(f[0])]):]
            track = name if not marks else marks if mark_tid != -1 else f"{marks};{name}"
            truth.tracks[track] = (mark_pid if mark_pid != -1 else pid, mark_tid if mark_tid != -1 else tid)
            truth.add(track, stack, weight * scale)
    return truth


def chrometrace(events):
    """Each instant's stack from all events before it, by thread alone."""
    truth = Truth("microseconds")
    threads, since, owner = collections.defaultdict(list), {}, {}
    for event in events:
        tid, stack = event["tid"], threads[event["tid"]]
        if stack and event["ts"] > since[tid]:
            marks, pid, mark_tid, _ = take_marks([f[0] for f in stack])
            rest = stack[len([f for f in stack if MARK.fullmatch(f[0])]):]
            truth.tracks[marks] = (pid if pid != -1 else owner[tid], mark_tid if mark_tid != -1 else tid)
            truth.add(marks, rest, event["ts"] - since[tid])
        since[tid] = event["ts"]
        frame = (as_bytes(event["name"]), as_bytes(event["args"]["filename"]), event["args"]["line"] or 0)
        if event["ph"] == "B":
            if not stack:
                owner[tid] = event["pid"]
            stack.append(frame)
        else:
            assert stack.pop() == frame
    assert not any(threads.values())
    return truth


def flame_rects(root):
    """(first, width, y, samples, label) of each group, and whether they are samples."""
    rects, exact = [], True
    for group in root.iter("{http://www.w3.org/2000/svg}g"):
        title, rect = (group.find("{http://www.w3.org/2000/svg}" + x) for x in ("title", "rect"))
        if title is None:
            continue
        label, count = re.fullmatch(r"(?s)(.*) \(([\d,]+) samples, [\d.]+%\)", title.text).groups()
        samples = int(count.replace(",", ""))
        width = rect.get("{http://github.com/jonhoo/inferno}w")
        exact = exact and width is not None
        x = int(rect.get("{http://github.com/jonhoo/inferno}x")) if width else float(rect.get("x"))
        rects.append((x, int(width) if width else float(rect.get("width")), float(rect.get("y")), samples, label))
    return rects, exact


def flamegraph(text):
    truth = Truth("samples")
    rects, exact = flame_rects(ElementTree.fromstring(text))
    truth.approximate = not exact
    all_ = next(r for r in rects if r[4] == "all" and r[3] == max(r[3] for r in rects))
    rows = sorted({r[2] for r in rects}, key=lambda y: abs(y - all_[2]))
    paths = {all_: ()}
    inside = collections.defaultdict(int)
    for before, row in zip(rows, rows[1:]):
        parents = [r for r in rects if r[2] == before]
        for rect in (r for r in rects if r[2] == row):
            middle = rect[0] + rect[1] / 2
            parent = min(parents, key=lambda p: abs(middle - p[0] - p[1] / 2) - p[1] / 2)
            paths[rect] = paths[parent] + (rect[4],)
            inside[parent] += rect[3]
    for rect, path in paths.items():
        own = rect[3] - inside[rect]
        if own > 0:
            name, pid, tid, rest = take_marks(split_stack(";".join(path)))
            truth.tracks[name] = (pid, tid)
            truth.add(as_bytes(name), [spy_label(as_bytes(x)) for x in rest], own, own)
    return truth


def dump_json(threads):
    truth = Truth("threads")
    for index, thread in enumerate(threads):
        name = f"thread ({thread['os_thread_id']})"
        name += f": {thread['thread_name']}" if thread["thread_name"] is not None else ""
        process = thread["process_info"]
        while process:
            name = f'process {process["pid"]}:"{process["command_line"]}";{name}'
            process = process["parent"]
        truth.tracks[name] = (thread["pid"], thread["os_thread_id"], not thread["active"], thread["active"],
                              thread["owns_gil"])
        truth.add(name, [(f["name"], f["filename"], f["line"]) for f in reversed(thread["frames"])], 1)
        for depth, frame in enumerate(thread["frames"]):
            truth.locals += [[index, depth, x["name"], x["repr"] or "?", int(x["arg"])]
                             for x in frame["locals"] or []]
    return truth


def dump_text(text):
    truth = Truth("threads")
    heads = dict(re.findall(r"^Process (\d+): (.*)$", text, re.M))
    index = -1
    for process in re.split(r"^(?=Process \d+: )", text, flags=re.M)[1:]:
        pid = re.match(r"Process (\d+)", process)[1]
        for thread in re.split(r"^(?=Thread )", process, flags=re.M)[1:]:
            index += 1
            tid, state, name = re.match(r'Thread (\w+)(?: \((.*?)\))?(?:: "(.*)")?$', thread, re.M).groups()
            label = f"thread ({tid})" + (f": {name}" if name is not None else "")
            if len(heads) > 1:
                label = f'process {pid}:"{heads[pid]}";{label}'
            truth.tracks[label] = (int(pid), number(tid), state == "idle", (state or "")[:6] == "active",
                                   (state or "")[-3:] == "gil")
            stack = re.findall(r"^    (\S.*)$", thread, re.M)
            truth.add(label, [spy_label(x) for x in reversed(stack)], 1)
            depth, argument = -1, False
            for line in thread.splitlines():
                depth += bool(re.match(r"    \S", line))
                argument = "Arguments" in line if re.match(r"        (Arguments|Locals):", line) else argument
                match = re.match(r"            (\w+): (.*)$", line)
                if match:
                    truth.locals.append([index, depth, match[1], match[2], int(argument)])
    return truth


def read_truth(file, got):
    text = read_bytes(file)
    if got["format"] in ("py-spy raw", "folded stacks", "austin", "profiling.sampling collapsed"):
        return folded(text, got["format"])
    if got["format"] == "flame graph SVG":
        return flamegraph(file.read_text(encoding="utf-8"))
    if got["format"] == "py-spy dump":
        return dump_json(json.loads(text)) if text.startswith("[") else dump_text(text)
    whole = json.loads(file.read_bytes())
    return speedscope(whole) if got["format"] == "speedscope" else chrometrace(whole)


def compare(file, got):
    """What differs, in words."""
    truth, wrong = read_truth(file, got), []
    tracks = [t["name"] for t in got["tracks"]]
    found = {}
    for row in got["samples"]:
        key = tracks[row["track"]], tuple(map(tuple, row["stack"]))
        if key in found and got["format"] not in ("py-spy dump", "speedscope", "chrometrace"):
            wrong.append(f"twice: {key}")
        weight, count = found.get(key, (0, 0))
        found[key] = (weight + row["weight"], count + row["count"])
    for key in sorted(set(found) | set(truth.samples), key=str):
        a, b = found.get(key), truth.samples.get(key)
        if not a or not b or abs(a[0] - b[0]) > 1e-9 * abs(b[0]) or (a[1] != b[1] and got["format"] != "chrometrace"
                                                                      and "evented" not in file.name):
            wrong.append(f"{key}: {a}, should be {b}")
    for name, ids in truth.tracks.items():
        got_ids = [(t["pid"], t["tid"], t["idle"], t["active"], t["gil"]) for t in got["tracks"] if t["name"] == name]
        if got["format"] != "chrometrace" and not any(t[:len(ids)] == ids for t in got_ids):
            wrong.append(f"track {name!r}: {got_ids}, should be {ids}")
    if set(tracks) != set(truth.tracks) and truth.tracks:
        wrong.append(f"tracks {sorted(tracks)}, should be {sorted(truth.tracks)}")
    for what, a, b in (("unit", got["unit"], truth.unit), ("locals", got["locals"], truth.locals),
                       ("approximate", bool(got["approximate"]), truth.approximate)):
        if a != b:
            wrong.append(f"{what} {a}, should be {b}")
    return wrong, len(truth.samples)


def same_recording(dump, folder):
    """One recording in several forms: the stacks and counts are the same."""
    def stacks(name, whole_names=False):
        got = read(dump, folder / name)
        counts = collections.Counter()
        for row in got["samples"]:
            counts[tuple((n, f if whole_names else f.rsplit("/", 1)[-1], ln)
                         for n, f, ln in row["stack"])] += row["count"]
        return counts
    wanted = stacks("raw.txt")
    names = ["raw-threads.txt", "speedscope-0.3.6.json", "speedscope-0.4.2.json", "flamegraph.svg",
             "flamegraph-upwards.svg", "flamegraph-pl.svg"]
    return [f"{name} differs from raw.txt" for name in names if stacks(name) != wanted]


def read(dump, file):
    return json.loads(subprocess.run([dump, file], check=True, stdout=subprocess.PIPE).stdout)


def main():
    dump, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    files = sorted(folder.iterdir())
    real = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else None
    if real and real.is_dir():
        files += sorted(f for part in real.iterdir() if part.is_dir() and part.name != "pstats"
                        for f in part.iterdir())
    else:
        print("no real recordings from elsewhere: those are left out")
    failures = stacks = 0
    for file in files:
        wrong, count = compare(file, read(dump, file))
        stacks += count
        failures += bool(wrong)
        for line in wrong[:5]:
            print(f"{file.name}: {line}")
    wrong = same_recording(dump, folder)
    print("\n".join(wrong + [f"{len(files)} files, {stacks} stacks compared, {failures + len(wrong)} wrong"]))
    return 1 if failures or wrong or not stacks else 0


if __name__ == "__main__":
    sys.exit(main())
