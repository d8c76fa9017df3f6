#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes testdata/profiles/pyspy: one made-up recording in each form that py-spy 0.3.6
and 0.4.2 write, after what its source says (src/flamegraph.rs, speedscope.rs,
chrometrace.rs, dump.rs, stack_trace.rs), and forms that share them.

    make_pyspy.py FOLDER
"""
import collections
import json
import pathlib
import sys
from xml.sax.saxutils import escape

APP = "/srv/shop/app.py"
ORDERS = "/srv/shop/orders/model.py"
THREADING = "/usr/lib/python3.12/threading.py"
SHORT = {APP: "app.py", ORDERS: "orders/model.py", THREADING: "threading.py"}
FIRST = {"<module>": 1, "main": 30, "handle": 12, "total": 40, "<genexpr>": 44, "price": 60,
         "run": 982, "_bootstrap": 1030, "wait": 350}
COMMANDS = {100: "python app.py --workers 2", 101: 'python -c "import x; x.y()"'}

# Stacks from the outermost frame on: (function, file, line).
MAIN = [("<module>", APP, 33), ("main", APP, 31)]
HANDLE = MAIN + [("handle", APP, 14)]
TOTAL = HANDLE + [("total", ORDERS, 44), ("<genexpr>", ORDERS, 44)]
PRICE = TOTAL + [("price", ORDERS, 61)]
RECURSE = HANDLE + [("price", ORDERS, 61)] + [("price", ORDERS, 63)] * 3
WORKER = [("_bootstrap", THREADING, 1032), ("run", THREADING, 1010), ("handle", APP, 14)]
WAIT = [("_bootstrap", THREADING, 1032), ("run", THREADING, 1010), ("wait", THREADING, 355)]
NATIVE = HANDLE + [("PyObject_Call", "libpython3.12.so.1.0", 0),
                   ("std::map<int, char (*)[3]>::at(int const&) const", "libprice.so", 0),
                   ("price", "prices.pyx", 12), ("0x7f00aa10", "?", 0)]

Sample = collections.namedtuple("Sample", "pid tid pthread name active gil stack")
THREADS = {"main": (100, 100, 0x7F0011112222, "MainThread"),
           "worker": (100, 105, 0x7F0033334444, "Thread-1 (handle)"),
           "child": (101, 101, 0x7F0011112222, "MainThread")}


def recording():
    """The samples in the order they were taken: one round looks at all threads."""
    rounds = []
    for i in range(40):
        main = PRICE if i % 4 == 0 else TOTAL if i % 4 == 1 else RECURSE if i % 8 == 2 else HANDLE
        busy = i % 5 != 0
        rounds.append([("main", main, True, not busy),
                       ("worker", WORKER if busy else WAIT, busy, busy),
                       ("child", NATIVE if i % 3 == 0 else MAIN, i % 10 != 9, True)])
    for looked in rounds:
        for thread, stack, active, gil in looked:
            yield Sample(*THREADS[thread], active, active and gil, stack)


def chosen(idle=False, gil=False, children=False, native=False):
    """What py-spy records with -i, -g, -s and -n."""
    for sample in recording():
        if not (sample.active or idle) or (gil and not sample.gil) or (sample.pid != 100 and not children):
            continue
        stack = [f for f in sample.stack if native or f[2]]
        yield sample._replace(stack=stack)


def marked(sample, threads, processes):
    """The frames that -t and -s put before a stack."""
    marks = []
    if processes:
        pids = [100, 101] if sample.pid == 101 else [100]  # parents first
        marks += [(f'process {pid}:"{COMMANDS[pid]}"', "", 0) for pid in pids]
    if threads:
        marks.append((f"thread ({sample.tid}): {sample.name}" if sample.name else f"thread ({sample.tid})", "", 0))
    return marks + sample.stack


def label(frame, lines=True, first=False):
    name, file, line = frame
    file = SHORT.get(file, file)
    if first and line:
        line = FIRST.get(name, line)
    if lines and line:
        return f"{name} ({file}:{line})"
    return f"{name} ({file})" if file else name


def folded(samples, threads=False, processes=False, **how):
    counts = collections.Counter(";".join(label(f, **how) for f in marked(s, threads, processes)) for s in samples)
    return counts


def raw(samples, **how):
    counts = folded(samples, **how)
    # py-spy writes a hash map: in no order
    return "".join(f"{stack} {n}\n" for stack, n in sorted(counts.items(), key=lambda x: hash(len(x[0]) * 7919 % 101)))


def speedscope(samples, version, threads=False, processes=False, lines=True):
    frames, by_thread, names = {}, {}, {}
    old = version == "0.3.6"
    for sample in samples:
        key = sample.tid if old else (sample.pid, sample.tid)
        stack = marked(sample, threads, processes)
        by_thread.setdefault(key, []).append([frames.setdefault(f if lines else (*f[:2], 0), len(frames))
                                              for f in stack])
        if old:
            names.setdefault(key, sample.name or "py-spy")
        else:
            process = f"Process {sample.pid} " if processes else ""
            names.setdefault(key, f'{process}Thread {sample.tid} "{sample.name}"')
    profiles = []
    for key, rows in by_thread.items():
        rate = 1 if old else 100
        profiles.append({"type": "sampled", "name": names[key], "unit": "none" if old else "seconds",
                         "startValue": 0.0, "endValue": float(len(by_thread)) if old else len(rows) / rate,
                         "samples": rows, "weights": [1.0 / rate] * len(rows)})
    if not old:
        profiles.sort(key=lambda p: p["name"])
    whole = {"$schema": "https://www.speedscope.app/file-format-schema.json", "profiles": profiles,
             "shared": {"frames": [{"name": n, "file": f, "line": ln if lines else None, "col": None}
                                   for n, f, ln in frames]},
             "activeProfileIndex": None, "exporter": f"py-spy@{version}", "name": "py-spy profile"}
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False) + "\n"


def evented():
    """As others write speedscope's files: frames first, spans, several units."""
    frames = [{"name": "main", "file": "a.py", "line": 1}, {"name": "work"}, {"name": "rest", "file": "b.py"}]

    def events(scale):
        spans = [("O", 0, 0), ("O", 1, 10), ("C", 1, 25), ("O", 2, 25), ("O", 1, 30), ("C", 1, 31), ("C", 2, 40),
                 ("C", 0, 100), ("O", 0, 150), ("C", 0, 151)]
        return [{"type": t, "frame": f, "at": at * scale} for t, f, at in spans]
    return json.dumps({"exporter": "made up", "$schema": "https://www.speedscope.app/file-format-schema.json",
                       "shared": {"frames": frames}, "activeProfileIndex": 0, "profiles": [
                           {"type": "evented", "name": "a", "unit": "milliseconds", "startValue": 0, "endValue": 151,
                            "events": events(1)},
                           {"type": "evented", "name": "b", "unit": "microseconds", "startValue": 0,
                            "endValue": 151000, "events": events(1000)},
                           {"type": "sampled", "name": "c", "unit": "milliseconds", "startValue": 0, "endValue": 3,
                            "samples": [[0], [0, 1], []], "weights": [1, 2.5, 0]}]}, indent=1)


def chrometrace(samples, threads=False, processes=False):
    """Keeps the last stack by thread_id alone, as py-spy does."""
    events, before, now = [], {}, 0

    def event(sample, frame, phase):
        return {"args": {"filename": frame[1], "line": frame[2]}, "cat": "py-spy", "name": frame[0], "ph": phase,
                "pid": sample.pid, "tid": sample.pthread, "ts": now}
    for number, sample in enumerate(samples):
        now = 137 + number * 5003
        stack = marked(sample, threads, processes)
        old = before.pop(sample.pthread, (None, []))[1]
        same = 0
        while same < min(len(old), len(stack)) and old[same] == stack[same]:
            same += 1
        events += [event(sample, f, "E") for f in reversed(old[same:])]
        events += [event(sample, f, "B") for f in stack[same:]]
        before[sample.pthread] = (sample, stack)
    now += 4000
    for sample, stack in before.values():
        events += [event(sample, f, "E") for f in reversed(stack)]
    return json.dumps(events, separators=(",", ":")) + "\n"


def rectangles(counts):
    """(depth, first sample, samples, label) of a flame graph: stacks sorted, equal beginnings merged."""
    rows, first, open_frames = [], 0, []
    for stack, n in sorted((["all"] + stack.split(";"), n) for stack, n in counts.items()):
        same = 0
        while same < min(len(stack), len(open_frames)) and stack[same] == open_frames[same][0]:
            same += 1
        for depth in range(len(open_frames) - 1, same - 1, -1):
            rows.append((depth, open_frames[depth][1], first - open_frames[depth][1], open_frames[depth][0]))
        open_frames = open_frames[:same] + [(f, first) for f in stack[same:]]
        first += n
    for depth in range(len(open_frames) - 1, -1, -1):
        rows.append((depth, open_frames[depth][1], first - open_frames[depth][1], open_frames[depth][0]))
    return rows, first


def flamegraph(counts, command, inverted=True):
    rows, total = rectangles(counts)
    deepest = max(r[0] for r in rows)
    out = ['<?xml version="1.0" standalone="no"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" '
           '"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"><svg version="1.1" width="1200" height="300" '
           'xmlns="http://www.w3.org/2000/svg" xmlns:fg="http://github.com/jonhoo/inferno">'
           '<!--Flame graph stack visualization.--><style type="text/css"><![CDATA[ text { fill:rgb(0,0,0); } ]]></style>'
           '<script type="text/ecmascript"><![CDATA[ if (1 < 2 && "<title>" > "") { } ]]></script>'
           '<rect x="0" y="0" width="100%" height="300" fill="url(#background)"/>'
           f'<text id="title" x="50.0000%" y="24.00">{escape(command)}</text>'
           f'<svg id="frames" x="10" width="1180" total_samples="{total}">']
    for depth, first, samples, name in rows:
        y = 36 + 16 * (depth if inverted else deepest - depth)
        share, x = 100 * samples / total, 100 * first / total
        title = f"{name} ({samples:,} samples, {share:.2f}%)"
        out.append(f'<g><title>{escape(title)}</title><rect x="{x:.4f}%" y="{y}" width="{share:.4f}%" height="15" '
                   f'fill="rgb(227,0,7)" fg:x="{first}" fg:w="{samples}"/><text x="{x + .25:.4f}%" '
                   f'y="{y + 10.5:.2f}"></text></g>')
    return "".join(out) + "</svg></svg>"


def flamegraph_pl(counts):
    rows, total = rectangles(counts)
    deepest, scale = max(r[0] for r in rows), 1180 / total
    out = ['<?xml version="1.0" standalone="no"?>\n<svg version="1.1" width="1200" height="390" '
           'xmlns="http://www.w3.org/2000/svg">\n<rect x="0.0" y="0" width="1200.0" height="390.0" fill="url(#b)"  />\n'
           '<text id="title" x="600.00" y="24" >Flame Graph</text>\n<g id="frames">\n']
    for depth, first, samples, name in rows:
        title = escape(f"{name} ({samples:,} samples, {100 * samples / total:.2f}%)", {'"': "&quot;"})
        out.append(f'<g >\n<title>{title}</title><rect x="{10 + first * scale:.1f}" y="{36 + 16 * (deepest - depth)}" '
                   f'width="{samples * scale:.1f}" height="15.0" fill="rgb(228,1,2)" rx="2" ry="2" />\n'
                   f'<text  x="{13 + first * scale:.2f}" y="50.5" ></text>\n</g>\n')
    return "".join(out) + "</g>\n</svg>\n"


LOCALS = {"price": [("order", True, '{"id": 7, "note": "a: b"}'), ("depth", True, "3"), ("rate", False, "0.19")],
          "handle": [("self", True, "<Shop at 0x7f0011>"), ("x", False, None)]}


def dump_json(samples, local=False, processes=False):
    threads = []
    for s in samples:
        parent = {"pid": 100, "command_line": COMMANDS[100], "parent": None}
        info = parent if s.pid == 100 else {"pid": s.pid, "command_line": COMMANDS[s.pid], "parent": parent}
        threads.append({
            "pid": s.pid, "thread_id": s.pthread, "thread_name": s.name, "os_thread_id": s.tid, "active": s.active,
            "owns_gil": s.gil, "frames": [
                {"name": n, "filename": f, "module": None, "short_filename": SHORT.get(f), "line": ln,
                 "locals": [{"name": v, "addr": 4096, "arg": a, "repr": r} for v, a, r in LOCALS.get(n, [])]
                 if local else None, "is_entry": False, "is_shim_entry": False}
                for n, f, ln in reversed(s.stack)],
            "process_info": info if processes else None})
    return json.dumps(threads, indent=2) + "\n"


def dump_text(samples, local=False, colons=":", hexadecimal=False):
    out, pid = [], None
    for s in samples:
        if s.pid != pid:
            if pid:
                out += ["", "-" * 80]
            out += [f"Process {s.pid}: {COMMANDS[s.pid]}", "Python v3.12.3 (/usr/bin/python3.12)"]
            if pid:
                out.append(f"Parent Process {pid}: {COMMANDS[pid]}")
            out.append("")
            pid = s.pid
        state = "idle" if not s.active else "active+gil" if s.gil else "active"
        tid = f"{s.pthread:#X}".replace("0X", "0x") if hexadecimal else s.tid
        out.append(f"Thread {tid} ({state})" + (f': "{s.name}"' if s.name else ""))
        for name, file, line in reversed(s.stack):
            file = SHORT.get(file, file)
            out.append(f"    {name} ({file}:{line})" if line else f"    {name} ({file})")
            shown = set()
            for variable, argument, value in LOCALS.get(name, []) if local else []:
                if argument not in shown:
                    shown.add(argument)
                    out.append("        " + ("Arguments" if argument else "Locals") + colons)
                out.append(f"            {variable}: {value if value is not None else '?'}")
    return "\n".join(out) + "\n"


def austin(mode):
    head = ["# austin: 3.7.0", "# interval: 100", f"# mode: {mode}", "# python: 3.12.3", "# sampling: 1,100,2000",
            "# duration: 1234567"]
    lines = []
    for i, sample in enumerate(chosen(idle=True)):
        frames = ";".join(f"{f}:{n}:{ln}" for n, f, ln in sample.stack)
        metric = {"wall": f"{100 + i}", "memory": f"{4096 * (i % 3)}", "full": f"{100 + i},{i % 2},{4096 - i}"}[mode]
        special = ";:GC:" if i % 7 == 3 else ""
        lines.append(f"P{sample.pid};T0:{sample.tid};{frames}{special} {metric}")
    return "\n".join(head + [""] + lines) + "\n"


def odd():
    """Labels that take care: each line is what py-spy would write of such a program."""
    return b"".join(line + b"\n" for line in [
        b"f (C:\\Program Files (x86)\\shop\\app.py:12);<lambda> (D:\\a b\\c.py:7) 3",
        b"f (dir (old)/a (1).py:9);g (a:b.py:3);h (<string>:1);<genexpr> (<frozen importlib._bootstrap>:1078) 4",
        "größe (日本/メイン.py:5);naïve (a.py:1) 5".encode(),
        b"latin (caf\xe9/\xff.py:8);bad\xfe (x.py:2) 6",
        b"std::function<void (int)>::operator()(int) const (libx.so);foo(int, char (*)[3]) (lib y.so.1) 7",
        b"0x7f00 (?);name 8",
        b"open (a(b/c.py:4);shut (a)b/c.py:5) 9",
        b'process 7:"sh -c "a; b"; c";thread (0x7F0011): name: with (parentheses);f (a.py:1) 10',
        b'process 7:"";process 8:"python "x.py"";thread (9);f (a.py:1) 11',
        b"f (a.py:99999999999);g (a.py:) 12",
        b"name with blanks (my file.py:3) 13\r",
    ])


def main():
    folder = pathlib.Path(sys.argv[1])
    everyone = list(chosen(idle=True, children=True, native=True))
    last = everyone[-6:]
    svg_command = "py-spy record -o x.svg -- python app.py --max 3 <in & out>"
    files = {
        "raw.txt": raw(chosen()),
        "raw-threads.txt": raw(chosen(), threads=True),
        "raw-subprocesses.txt": raw(chosen(children=True), threads=True, processes=True),
        "raw-idle.txt": raw(chosen(idle=True), threads=True),
        "raw-gil.txt": raw(chosen(gil=True)),
        "raw-native.txt": raw(chosen(children=True, native=True), processes=True),
        "raw-nolineno.txt": raw(chosen(children=True, native=True), lines=False),
        "raw-function.txt": raw(chosen(), first=True),
        "raw-odd.txt": odd(),
        "speedscope-0.3.6.json": speedscope(chosen(), "0.3.6"),
        "speedscope-0.3.6-nolineno.json": speedscope(chosen(), "0.3.6", lines=False),
        "speedscope-0.4.2.json": speedscope(chosen(), "0.4.2"),
        "speedscope-0.4.2-threads.json": speedscope(chosen(idle=True), "0.4.2", threads=True),
        "speedscope-0.4.2-subprocesses.json": speedscope(chosen(children=True, native=True), "0.4.2", processes=True),
        "speedscope-evented.json": evented(),
        "chrometrace.json": chrometrace(chosen()),
        "chrometrace-subprocesses.json": chrometrace(chosen(children=True), threads=True, processes=True),
        "flamegraph.svg": flamegraph(folded(chosen()), svg_command),
        "flamegraph-subprocesses.svg": flamegraph(
            folded(chosen(children=True, native=True), threads=True, processes=True), svg_command),
        "flamegraph-upwards.svg": flamegraph(folded(chosen()), "Flame Graph", inverted=False),
        "flamegraph-pl.svg": flamegraph_pl(folded(chosen())),
        "dump.txt": dump_text(last[:2]),
        "dump-locals.txt": dump_text(everyone[:2], local=True),
        "dump-locals-0.3.6.txt": dump_text(everyone[:2], local=True, colons="::", hexadecimal=True),
        "dump-subprocesses.txt": dump_text(sorted(everyone[:3], key=lambda s: s.pid)),
        "dump.json": dump_json(last[:2]),
        "dump-locals.json": dump_json(everyone[:3], local=True, processes=True),
        "austin-wall.txt": austin("wall"),
        "austin-memory.txt": austin("memory"),
        "austin-full.txt": austin("full"),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


if __name__ == "__main__":
    main()
