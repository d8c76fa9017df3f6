"""100,000 frames and 1,000 threads."""
import time

DEEP = 100_000
THREADS = 1000
SECONDS_MAX = 20


def indexed(scene, core):
    folder = scene.new_folder()
    began = time.monotonic()
    connection = scene.inquest.load(core, folder / "index")
    return connection, time.monotonic() - began


def deep(scene):
    minor = int(scene.python.series.split(".")[1])
    # to 3.10 each Python call is a call in C too, of some 500 bytes
    death = scene.die("peers_deep.py", DEEP, 16 if minor >= 11 else 400, way="abort")
    connection, seconds = indexed(scene, death.core)
    rows = connection.execute(
        "SELECT f.depth, f.function, f.line, l.value FROM thread t JOIN frame f ON f.thread_id = t.id "
        "LEFT JOIN local l ON l.frame_id = f.id AND l.name = 'remaining' WHERE t.name = 'deep' ORDER BY f.depth"
    ).fetchall()
    connection.close()
    recursive = [row for row in rows if row[1] == "descend"]
    differences = []
    if len(recursive) != DEEP + 1:
        differences.append("%d frames of descend, not %d" % (len(recursive), DEEP + 1))
    if [row[3] for row in recursive] != [str(number) for number in range(len(recursive))]:
        differences.append("the locals do not count up")
    if len({row[2] for row in recursive[1:]}) != 1 or len(rows) != len(recursive) + 4:
        differences.append("lines or frames around are wrong: %d frames" % len(rows))
    shown = scene.inquest.text("threads", death.core, "--no-cache")
    if len(shown) > 50_000:
        differences.append("`threads` prints %d bytes: it does not fold the recursion" % len(shown))
    if seconds > SECONDS_MAX:
        differences.append("it took %.1f s" % seconds)
    yield scene.result("100,000 frames", "%d frames in %.1f s" % (len(rows), seconds), differences)


def threads(scene):
    death = scene.die("peers_threads.py", THREADS)
    connection, seconds = indexed(scene, death.core)
    rows = connection.execute(
        "SELECT t.name, max(CASE l.name WHEN 'number' THEN l.value END), max(CASE l.name WHEN 'label' THEN l.value END), "
        "max(CASE l.name WHEN 'doubled' THEN l.value END), count(DISTINCT t.os_tid) FROM thread t "
        "JOIN frame f ON f.thread_id = t.id AND f.function = 'work' JOIN local l ON l.frame_id = f.id GROUP BY t.id"
    ).fetchall()
    everything = connection.execute("SELECT count(*), count(DISTINCT os_tid) FROM thread").fetchone()
    connection.close()
    expected = {("worker %d" % n, str(n), "'n%d'" % n, str(2 * n), 1) for n in range(THREADS)}
    differences = ["missing: %s" % (row,) for row in sorted(expected - set(rows))[:3]]
    differences += ["wrong: %s" % (row,) for row in sorted(set(rows) - expected, key=str)[:3]]
    if everything != (THREADS + 1, THREADS + 1):
        differences.append("%d threads with %d ids" % everything)
    if seconds > SECONDS_MAX:
        differences.append("it took %.1f s" % seconds)
    yield scene.result("1,000 threads", "%d threads in %.1f s" % (len(rows), seconds), differences)
