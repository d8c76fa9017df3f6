"""Large situations to measure on, without a truth: dies by abort (or the way given) at once.

    bench.py threads 1000 | frames 100000 | heap 1000000
"""
import os
import sys
import threading
import time

COUNT = {"threads": 1000, "frames": 100000, "heap": 1000000}


class Node:
    """About 460 bytes with what it owns."""

    def __init__(self, number, parent):
        self.number = number
        self.name = "node %d" % number
        self.parent = parent
        self.children = [number, str(number)]
        self.tags = {"weight": number * 0.5}


def die():
    if os.environ.get("WITNESS_WAY") == "gcore":
        print("ready", flush=True)
        time.sleep(600)
    os.abort()


def threads(count):
    threading.stack_size(1 << 17)
    gate = threading.Lock()
    gate.acquire()
    running = threading.Semaphore(0)

    def wait(depth, number):
        if depth:
            return wait(depth - 1, number)
        running.release()
        gate.acquire()

    for number in range(count):
        threading.Thread(target=wait, args=(5, number), name="worker %d" % number, daemon=True).start()
    for _ in range(count):
        running.acquire()
    time.sleep(0.2)
    die()


def frames(count):
    def descend(depth, label):
        return descend(depth - 1, label) + 1 if depth else die()

    sys.setrecursionlimit(count + 1000)
    threading.stack_size(max(1 << 20, count << 10))  # before 3.11 each Python frame takes a C frame
    thread = threading.Thread(target=descend, args=(count, "label"))
    thread.start()
    thread.join()


def heap(count):
    def work(nodes, label):
        die()

    nodes = []
    for number in range(count):
        nodes.append(Node(number, nodes[number // 2] if number else None))
    work(nodes, "the heap")


if __name__ == "__main__":
    kind = sys.argv[1]
    {"threads": threads, "frames": frames, "heap": heap}[kind](int(sys.argv[2]) if len(sys.argv) > 2 else COUNT[kind])
