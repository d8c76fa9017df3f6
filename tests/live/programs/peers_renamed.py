"""Renames itself and its thread, for Python and for the kernel, when it gets SIGUSR1: after its core was taken."""
import ctypes
import os
import signal
import threading
import time

import peers_death

PR_SET_NAME = 15


def rename(number, frame):
    for thread in threading.enumerate():
        thread.name = "renamed too late"
    for task in os.listdir("/proc/self/task"):
        with open("/proc/self/task/%s/comm" % task, "w") as out:
            out.write("renamed too late")
    with open(os.environ["WITNESS_FILE"] + ".renamed", "w"):
        pass


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, rename)
    threading.Thread(target=time.sleep, args=(600,), name="as it was", daemon=True).start()
    ctypes.CDLL(None).prctl(PR_SET_NAME, b"kernels name", 0, 0, 0)
    peers_death.die()
