"""What a service imports and keeps, and nobody would call a leak."""
import argparse
import collections
import decimal
import email.message
import enum
import functools
import html
import http.server
import json
import linecache
import logging
import re
import sqlite3
import string
import typing
import unittest.mock
import urllib.request
import uuid

LOG = logging.getLogger("store")
COUNTRIES = {"country-%d" % i: {"code": "C%d" % i, "rate": i / 100} for i in range(200)}
PATTERNS = [re.compile("^/%s/(?P<id>[0-9]+)$" % word) for word in string.ascii_lowercase]


class Color(enum.Enum):
    RED = 1
    GREEN = 2


class App:
    """As web frameworks have it: routes, extensions, a template cache."""

    def __init__(self):
        self.routes = {}
        self.config = dict(COUNTRIES["country-1"], name="store")
        self.extensions = {"cache": collections.OrderedDict(), "sql": sqlite3.connect(":memory:")}
        self.templates = {"page-%d.html" % i: "<p>%s</p>" % ("x%d" % i * 50) for i in range(40)}
        self.before = []

    def route(self, path):
        def register(function):
            self.routes[path] = function
            return function
        return register


app = App()


@functools.lru_cache(maxsize=64)
def price(number):
    return decimal.Decimal(number) / 7


@app.route("/")
def index(name: typing.Optional[str] = None) -> str:
    return html.escape(name or "nobody")


def serve(requests):
    """Some traffic, so that caches are warm."""
    for number in range(requests):
        index("<%d>" % number)
        price(number % 100)
        json.loads(json.dumps({"id": str(uuid.uuid4()), "n": number}))
        for pattern in PATTERNS:
            pattern.match("/a/%d" % number)
    linecache.getlines(__file__)
    argparse.ArgumentParser().add_argument("--port")
    email.message.EmailMessage()["Subject"] = "order"
    return http.server.BaseHTTPRequestHandler, urllib.request.Request, unittest.mock.Mock
