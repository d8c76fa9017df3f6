"""Ends a program of the peers' tests in the way that $WITNESS_WAY says; its truth is known to the test."""
import os
import time


def testify():
    with open(os.environ["WITNESS_FILE"], "w") as out:
        out.write('{"pid": %d}' % os.getpid())


def die():
    testify()
    if os.environ["WITNESS_WAY"] == "gcore":
        time.sleep(600)
    if os.environ["WITNESS_WAY"] == "segv":
        import ctypes

        ctypes.memset(16, 0, 1)
    os.abort()
