"""Recursion 10,000 deep in a thread that crashes, not the main one."""
import sys
import threading

import witness


def descend(depth, label="x"):
    if depth == 0:
        witness.die()
    return descend(depth - 1, label) + 1


def ping(depth):
    return pong(depth - 1) if depth else witness.park()


def pong(depth):
    return ping(depth - 1) if depth else witness.park()


def main(depth):
    sys.setrecursionlimit(depth * 2 + 1000)
    threading.stack_size(256 << 20)
    threads = [witness.start(ping, 2000, name="mutual"), witness.start(descend, depth, name="deep")]
    threads[1].join()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10000)
