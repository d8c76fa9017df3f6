"""Traces its memory and tells, from inside, which line holds how much.

    sites.py FRAMES: how many frames tracemalloc keeps; 0: it is stopped again
"""
import gc
import json
import os
import sys
import tracemalloc

FRAMES = int(sys.argv[1])
tracemalloc.start(FRAMES or 1)

import sites_body  # noqa: E402

kept = sites_body.allocate()
gc.collect()
gc.disable()
if not FRAMES:
    tracemalloc.stop()
    lines = []
else:
    snapshot = tracemalloc.take_snapshot()
    lines = [[statistic.traceback[0].filename, statistic.traceback[0].lineno, statistic.size, statistic.count]
             for statistic in snapshot.statistics("lineno") if statistic.traceback[0].filename == sites_body.__file__]
with open(os.environ["WITNESS_FILE"], "w") as file:
    json.dump({"lines": lines, "traced": tracemalloc.is_tracing()}, file)
os.abort()
