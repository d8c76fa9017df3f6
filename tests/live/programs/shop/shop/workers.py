"""Background threads, each waiting in its own way."""
import threading
import time

import witness


def mailer(queue):
    letters = {"to": ["anna@example.org"], "copies": 2 ** 70}
    with queue:
        queue.wait()


def accountant(books, *, year=2024):
    total = sum(entry for entry in books)
    time.sleep(10 ** 6)


def auditor(store):
    def audit(product):
        remaining = store.stock[product]
        return witness.park()

    return sorted(store.catalogue, key=audit)


def follower():
    def follow():
        try:
            yield 1
        except ValueError as caught:
            message = str(caught)
            witness.handling()
            witness.park()

    feed = follow()
    next(feed)
    feed.throw(ValueError("feed «news» broke off"))


def start(store):
    queue = threading.Condition()
    started = []
    for name, target, arguments in (("mailer", mailer, (queue,)), ("accountant", accountant, ([1.5, -2, 3e300],)),
                                    ("аудитор", auditor, (store,)), ("follower", follower, ())):
        thread = threading.Thread(target=target, name=name, args=arguments, daemon=True)
        thread.start()
        started.append(thread)
    return started
