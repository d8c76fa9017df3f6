"""As many threads as told, each with a name and a number of its own."""
import sys
import threading

import peers_death

gate = threading.Semaphore(0)
begun = threading.Semaphore(0)


def work(number, label):
    doubled = number * 2
    begun.release()
    gate.acquire()


if __name__ == "__main__":
    threading.stack_size(256 << 10)
    for number in range(int(sys.argv[1])):
        threading.Thread(target=work, args=(number, "n%d" % number), name="worker %d" % number, daemon=True).start()
    for number in range(int(sys.argv[1])):
        begun.acquire()
    peers_death.die()
