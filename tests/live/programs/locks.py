"""Threads that hold locks and wait for others' locks, some of them for ever; who holds what is known here."""
import json
import os
import sys
import threading
import time

waits = {}  # thread -> (whom it waits for, what its words must hold)
deadlocked = set()


def start(name, target, *args):
    thread = threading.Thread(target=target, args=args, name=name, daemon=True)
    thread.start()
    return thread


def sleeps():
    time.sleep(600)


def holds(lock, then):
    with lock:
        then()


def takes_both(first, second, barrier):
    with first:
        barrier.wait()
        with second:
            raise SystemError("not reached")


def takes(lock):
    with lock:
        raise SystemError("not reached")


def took_before(lock, other):
    """Holds nothing any more, though its stack may look so."""
    with lock:
        str(lock)
    other.wait()


def joins(thread):
    thread.join()


def main():
    # a lock, probably; one that somebody held before; an RLock, certainly; a Condition's lock; join
    lock, rlock, condition, taken = threading.Lock(), threading.RLock(), threading.Condition(), threading.Lock()
    start("was in", took_before, lock, threading.Event())
    time.sleep(0.1)
    holder = start("holder", holds, lock, sleeps)
    start("owner", holds, rlock, sleeps)
    start("in condition", holds, condition, sleeps)
    time.sleep(0.1)
    start("wants lock", takes, lock)
    waits["wants lock"] = ("holder", "probably held by holder")
    start("wants rlock", takes, rlock)
    waits["wants rlock"] = ("owner", "held by owner")
    start("wants condition", takes, condition)
    waits["wants condition"] = ("in condition", "held by in condition")
    start("joins", joins, holder)
    waits["joins"] = ("holder", "Thread.join() of holder")
    taken.acquire()
    start("wants what nobody is in", takes, taken)
    waits["wants what nobody is in"] = (None, "lock")
    # deadlocks: two locks, a lock and an RLock, a join
    for kind, pair in (("lock", (threading.Lock(), threading.Lock())), ("mixed", (threading.RLock(), threading.Lock()))):
        barrier = threading.Barrier(2)
        start(kind + " left", takes_both, *pair, barrier)
        start(kind + " right", takes_both, *reversed(pair), barrier)
        waits[kind + " left"] = (kind + " right", "held by " + kind + " right")
        waits[kind + " right"] = (kind + " left", "held by " + kind + " left")
        deadlocked.update((kind + " left", kind + " right"))
    time.sleep(0.4)
    lines = sys._current_frames()
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    truth = {"waits": waits, "deadlocked": sorted(deadlocked), "threads": sorted(names[ident] for ident in lines)}
    with open(os.environ["WITNESS_FILE"], "w") as file:
        json.dump(truth, file)
    os.abort()


main()
