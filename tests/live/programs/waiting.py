"""Threads in many states of waiting, Python's and C's, and the main thread that dies."""
import asyncio
import ctypes
import os
import queue
import select
import socket
import sys
import threading
import time
import _thread

import witness

lock = threading.Lock()
rlock = threading.RLock()
condition = threading.Condition()
event = threading.Event()
semaphore = threading.Semaphore(0)
barrier = threading.Barrier(2)
empty = queue.Queue()
full = queue.Queue(maxsize=1)
full.put("taken")
read_end, write_end = os.pipe()
sockets = socket.socketpair()


def waits_on_lock(attempt=3):
    lock.acquire()


def waits_on_rlock():
    with rlock:
        pass


def waits_on_condition():
    with condition:
        condition.wait()


def waits_with_timeout():
    with condition:
        condition.wait(timeout=900)


def waits_on_queue():
    return empty.get()


def puts_on_queue():
    full.put({"order": 7})


def waits_on_event():
    event.wait()


def waits_on_semaphore():
    semaphore.acquire()


def waits_on_barrier():
    barrier.wait()


def sleeps():
    time.sleep(900)


def selects():
    select.select([read_end], [], [])


def polls():
    poll = select.epoll()
    poll.register(read_end, select.EPOLLIN)
    poll.poll()


def reads():
    os.read(read_end, 100)


def receives():
    sockets[0].recv(10)


def joins(other):
    other.join()


def runs_an_empty_loop():
    async def forever():
        await asyncio.get_running_loop().create_future()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(forever())


class Renamed(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.name = "переименован 線程 🧵"

    def run(self):
        witness.park()


def raw_thread(a, *, b):
    witness.park()


def start_c_thread():
    """A thread of C's alone: Python has no state for it."""
    libc = ctypes.CDLL(None)
    thread = ctypes.c_ulong()
    entry = ctypes.cast(libc.pause, ctypes.c_void_p)
    libc.pthread_create.argtypes = [ctypes.c_void_p] * 4
    assert libc.pthread_create(ctypes.byref(thread), None, entry, None) == 0


def main():
    lock.acquire()
    rlock.acquire()
    threads = witness.start_all(
        waits_on_lock, waits_on_rlock, waits_on_condition, waits_with_timeout, waits_on_queue, puts_on_queue,
        waits_on_event, waits_on_semaphore, waits_on_barrier, sleeps, selects, polls, reads, receives,
        runs_an_empty_loop)
    witness.start(joins, threads[0], name="joins")
    Renamed().start()
    witness.start(witness.park)
    _thread.start_new_thread(raw_thread, (1,), {"b": 2})
    start_c_thread()
    sys.stdout.flush()
    witness.die()


if __name__ == "__main__":
    main()
