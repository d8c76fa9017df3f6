"""What the shop deals in."""


class Session:
    def __init__(self, number):
        self.user = "user-%06d" % number
        self.basket = ["item-%d-%d" % (number, i) for i in range(6)]
        self.paid = number % 3 == 0


class Order:
    instances = []

    def __init__(self, number):
        self.number = number
        self.lines = [(number, i, "line %d of %d" % (i, number)) for i in range(4)]


class Node:
    def __init__(self, number, after):
        self.name = "node-%06d" % number
        self.after = after


class Slotted:
    __slots__ = ("key", "payload")

    def __init__(self, number):
        self.key = number
        self.payload = bytes(200)


class Tenant:
    def __init__(self, number, sessions):
        self.name = "tenant-%d" % number
        self.sessions = [Session(number * 1000 + i) for i in range(sessions)]


class State:
    def __init__(self):
        self.settings = {"debug": False, "limit": 20}
        self.pending = []
