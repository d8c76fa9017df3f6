"""A server whose sessions grow: a child of it dies at each stage, so that cores of one address space are there.

    cores.py TRUTH STAGES

Between two stages it makes and drops as many sessions as it keeps, so that the new ones stand where dead ones stood.
"""
import gc
import json
import os
import sys

PER_STAGE = 1500


class Session:
    def __init__(self, number):
        self.id = "u%d" % number
        self.basket = [number, number + 0.5]
        self.hits = 0


SESSIONS = {}
SETTINGS = {"name": "shop", "limits": [1, 2, 3]}


def churn():
    dropped = [Session(-number) for number in range(2 * PER_STAGE)]
    return {id(session) for session in dropped}


def die(name):
    child = os.fork()
    if child == 0:
        os.abort()
    os.waitpid(child, 0)
    for core in os.listdir("."):
        if core.startswith("core") and not core.startswith("stage"):
            os.rename(core, name)


def main(truth, stages):
    stood, seen = set(), []
    for stage in range(stages):
        stood |= churn()
        first = len(SESSIONS)
        for number in range(first, first + PER_STAGE):
            SESSIONS["u%d" % number] = Session(number)
        SESSIONS["u0"].hits += 1
        gc.collect()
        new = [id(SESSIONS["u%d" % number]) for number in range(first, first + PER_STAGE)]
        seen.append({"sessions": len(SESSIONS), "new": new, "reused": sum(address in stood for address in new),
                     "held": [id(session) for session in SESSIONS.values()]})
        die("stage%d" % stage)
    with open(truth, "w") as file:
        json.dump({"stages": seen, "container": id(SESSIONS), "settings": id(SETTINGS)}, file)


main(sys.argv[1], int(sys.argv[2]))
