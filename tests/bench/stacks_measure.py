# SPDX-License-Identifier: Apache-2.0
"""One run of a command: CPU and wall time of the whole process, and its peak memory.

Time and memory are taken in runs of their own, because watching memory takes a processor.

ru_maxrss is of no use here: it begins with what the parent held before exec. The kernel keeps
the peak of all resident pages (VmHWM), mapped files' among them: pages of the core that are in
the page cache anyhow and that nothing is lost by dropping. "Private" memory is what only the
process has, RssAnon + RssShmem; the kernel keeps no peak of it, so it is read from
/proc/PID/status as fast as one processor can (tens of microseconds a reading), and its peak is
the largest value seen: a lower bound. On a busy machine a short run can be over before the
first reading, so a run with too few of them is made again, and "?" stands where none was enough.
"""
import os
import statistics
import time

ENOUGH = 20  # readings of one run
RESTLESS = 2.0  # seconds of reading without a pause; then a thousand times a second


def spawn(command, environment, output=os.devnull):
    """Returns when the new program is in place, so that no page of this one is counted."""
    files = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
             (os.POSIX_SPAWN_OPEN, 1, str(output), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
             (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]
    return os.posix_spawn(command[0], command, environment, file_actions=files)


def check(command, status):
    if status:
        raise SystemExit("stacks.py: status %d: %s" % (status, " ".join(command)))


def timed(command, environment=os.environ):
    """(CPU seconds, wall seconds)"""
    begin = time.perf_counter()
    _, status, usage = os.wait4(spawn(command, environment), 0)
    wall = time.perf_counter() - begin
    check(command, status)
    return usage.ru_utime + usage.ru_stime, wall


def watched(command, environment=os.environ, output=os.devnull):
    """(peak private bytes, peak resident bytes, readings)"""
    begin = time.perf_counter()
    pid = spawn(command, environment, output)
    file = os.open("/proc/%d/status" % pid, os.O_RDONLY)
    private = resident = readings = 0
    try:
        while True:
            memory = reading(file)
            readings += bool(memory)
            private = max(private, memory.get(b"RssAnon", 0) + memory.get(b"RssShmem", 0))
            resident = max(resident, memory.get(b"VmHWM", 0))
            done, status, _ = os.wait4(pid, os.WNOHANG)
            if done:
                check(command, status)
                return private, resident, readings
            if time.perf_counter() - begin > RESTLESS:
                time.sleep(0.001)
    finally:
        os.close(file)


def reading(file):
    try:
        lines = os.pread(file, 4096, 0).splitlines()
    except ProcessLookupError:
        return {}
    return {name: int(value.split()[0]) * 1024 for name, _, value in (line.partition(b":") for line in lines)
            if name in (b"RssAnon", b"RssShmem", b"VmHWM")}


class Series:
    """The runs of one command on one core."""

    def __init__(self):
        self.cpu, self.wall, self.private, self.resident = [], [], [], []

    def time(self, command, environment=os.environ):
        cpu, wall = timed(command, environment)
        self.cpu.append(cpu)
        self.wall.append(wall)

    def watch(self, command, environment=os.environ, output=os.devnull):
        """False where the readings were too few to tell."""
        private, resident, readings = watched(command, environment, output)
        if readings >= ENOUGH:
            self.private.append(private)
            self.resident.append(resident)
        return readings >= ENOUGH


def seconds(values):
    """median (least to most)"""
    middle = statistics.median(values)
    unit, factor = ("ms", 1000) if middle < 1 else ("s", 1)
    digits = 1 if middle * factor < 100 else 0
    return "%.*f %s (%.*f to %.*f)" % (digits, middle * factor, unit, digits, min(values) * factor, digits,
                                       max(values) * factor)


def megabytes(values):
    return "%.1f MB" % (max(values) / 1e6) if values else "?"


def ratio(theirs, ours):
    return "%.0f" % (statistics.median(theirs) / statistics.median(ours))
