"""main.py SCENARIO TRUTH: serves some requests, leaks in one way, writes what it knows of that, and dies."""
import faulthandler
import gc
import os
import sys

import scenarios
import truth
from store import models, noise


def main(name, path):
    noise.serve(50)
    gc.collect()
    rows = [models.Session(i) for i in range(scenarios.MANY)] if name == "frame_variable" else None
    answer = scenarios.named(name)()
    if rows is not None:
        answer["object"] = rows
    truth.write(answer, path)
    del answer
    os.abort()


if __name__ == "__main__":
    faulthandler.disable()
    main(*sys.argv[1:])
