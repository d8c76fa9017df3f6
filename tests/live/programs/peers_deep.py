"""Recursion as deep as told, in a thread with a stack for it."""
import sys
import threading

import peers_death


def descend(remaining):
    if not remaining:
        peers_death.die()
    return descend(remaining - 1) + 1


if __name__ == "__main__":
    depth, stack_megabytes = int(sys.argv[1]), int(sys.argv[2])
    sys.setrecursionlimit(depth + 1000)
    threading.stack_size(stack_megabytes << 20)
    thread = threading.Thread(target=descend, args=(depth,), name="deep")
    thread.start()
    thread.join()
