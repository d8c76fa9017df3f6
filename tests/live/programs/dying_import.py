"""The middle of an import, of a finalizer at a collection, under the trace machinery of nobody."""
import gc
import sys

import witness


class Doomed:
    def __init__(self):
        self.me = self
        self.label = "collected"

    def __del__(self):
        found = self.label
        import dying_imported


def main():
    gc.collect()
    Doomed()
    gc.collect()


main()
