"""The process's files gone, replaced or wrapped; programs that must not run; nothing left behind."""
import json
import os
import re
import shutil
import signal
import stat
import struct
import subprocess
import time

from peers_scene import STRACE, Copy, functions, local_values, unlike
from peers_values import BIG, CALLS, bare

COMMANDS = (("info",), ("threads",), ("postmortem",))


def right_answer(scene, core, *options):
    """What differs from what programs/peers_values.py was doing."""
    rows, _ = scene.threads(core, *options)
    row = rows.get("MainThread", {"frames": []})
    expected = bare(CALLS, scene.python.series)
    if functions(row) != expected:
        yield "%s, not %s" % (functions(row), expected)
    yield from unlike(BIG, local_values(row, "величины"))
    if set(rows) != {"MainThread", "спящий", "waiter 測"}:
        yield "threads are %s" % set(rows)


def gone(scene):
    copy = Copy(scene)
    death = scene.die("peers_values.py", interpreter=copy.executable, variables=copy.variables)
    mapped = re.findall(r"%s/\S+" % re.escape(str(copy.folder)), scene.inquest.text(
        "info", death.core, "--no-cache", "--verbose", "--format", "json"))
    differences = [] if mapped else ["the copy was not what ran"]
    copy.delete()
    differences += right_answer(scene, death.core)
    _, warnings = scene.threads(death.core)
    if not any("not at hand" in text for text in warnings):
        differences.append("no warning says what is gone: %s" % warnings)
    name = "executable%s gone" % (" and libpython" if copy.libpython else "")
    yield scene.result(name, "%d frames" % len(CALLS), differences)


def other_build(scene):
    """An executable of the same name and another build id: told, and not used."""
    copy = Copy(scene)
    death = scene.die("peers_values.py", interpreter=copy.executable, variables=copy.variables)
    for file in filter(None, (copy.executable, copy.libpython)):
        spoil_build(file)
    for options in ((), ("--exe", copy.executable)):
        _, warnings = scene.threads(death.core, *options)
        differences = list(right_answer(scene, death.core, *options))
        if not any("another build" in text and copy.executable.name in text for text in warnings):
            differences.append("no warning tells of another build: %s" % warnings)
        connection = scene.inquest.load(death.core, scene.new_folder() / "index") if not options else None
        if connection:
            sources = dict(connection.execute("SELECT path, source FROM mapped_file"))
            if sources.get(str(copy.executable)) != "other build":
                differences.append("its source is %r" % sources.get(str(copy.executable)))
            connection.close()
        yield scene.result("executable of another build%s" % (" given" if options else ""), "told and not used",
                           differences)
    copy.delete()


def spoil_build(file):
    """Another build id, and other code and data: what is read from it would be wrong."""
    content = bytearray(file.read_bytes())
    for note in re.finditer(rb"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0", bytes(content)):
        content[note.end()] ^= 0xFF
    program_headers, = struct.unpack_from("<Q", content, 32)
    content[program_headers + 40] ^= 0x10  # the first one's size in memory: for cores that lack the build id
    for at in range(len(content) // 2, len(content) - 8, 64):
        content[at:at + 8] = os.urandom(8)
    file.write_bytes(content)


def never_run(scene):
    """Where the core's program was there is now a script that would leave a mark."""
    copy = Copy(scene)
    death = scene.die("peers_values.py", interpreter=copy.executable, variables=copy.variables)
    marker = scene.folder / "it was run"
    script = "#!/bin/sh\ntouch '%s'\n" % marker
    for file in filter(None, (copy.executable, copy.libpython)):
        file.unlink()
        file.write_text(script)
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    differences = []
    for command, *more in COMMANDS:
        scene.inquest.text(command, death.core, "--no-cache", *more)
        scene.inquest.text(command, death.core, "--no-cache", "--exe", copy.executable, *more)
        differences += ["%s ran: %s" % (command, line) for line in ran(scene, command, death.core)]
    if marker.exists():
        differences.append("the program named in the core was run")
    copy.delete()
    yield scene.result("no program named in the core is run", "%s" % ("strace" if STRACE else "without strace"),
                       differences)


def ran(scene, command, core):
    if not STRACE:
        return
    calls = [line for line in scene.traced(command, core, "--no-cache")
             if re.search(r"\b(execve|execveat|fork|vfork)\(", line)]
    yield from calls[1:]  # the first is strace's own: inquest


# ---- Wrapped cores.

PACKERS = {"gzip": ("gzip", "-1", "-c"), "lz4": ("lz4", "-q", "-1", "-c"), "zstd": ("zstd", "-q", "-1", "-c")}


def wrapped(scene):
    death = scene.die("peers_values.py")
    plain = rows_of(scene, death.core)
    for name, packer in PACKERS.items():
        if shutil.which(packer[0]) is None:
            yield scene.skipped("core in " + name, "no " + packer[0])
            continue
        packed = scene.folder / ("core." + name)
        with open(packed, "wb") as out:
            subprocess.run([*packer, death.core], stdout=out, check=True)
        temporary = scene.new_folder()
        differences = [] if rows_of(scene, packed, temporary) == plain else ["its answer is another than the plain core's"]
        differences += ["left behind: %s" % path for path in temporary.iterdir()]
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            for delay in (0.004, 0.02, 0.05):
                interrupt(scene, packed, temporary, number, delay)
                differences += ["left behind after signal %d: %s" % (number, path) for path in temporary.iterdir()]
        yield scene.result("core in " + name, "the same answer, nothing left behind", differences)


def variables(temporary):
    return {**os.environ, "TMPDIR": str(temporary), "XDG_CACHE_HOME": str(temporary / "none")}


def rows_of(scene, core, temporary=None):
    run = subprocess.run([scene.inquest.path, "threads", core, "--no-cache", "--limit", "0", "--format", "json"],
                         capture_output=True, check=True, stdin=subprocess.DEVNULL,
                         env=variables(temporary) if temporary else None)
    return json.loads(run.stdout)["rows"]


def interrupt(scene, core, temporary, number, delay):
    process = subprocess.Popen([scene.inquest.path, "postmortem", core, "--no-cache"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=variables(temporary))
    time.sleep(delay)
    process.send_signal(number)
    process.wait(timeout=30)


def by_gcore(scene):
    if shutil.which("gcore") is None:
        yield scene.skipped("core of gcore", "no gdb here")
        return
    death = scene.die("peers_values.py", way="gcore")
    yield scene.result("core of gcore", "%d frames" % len(CALLS), right_answer(scene, death.core))
