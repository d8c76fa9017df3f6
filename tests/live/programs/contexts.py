"""Context variables of threads: few, many (a deep tree), colliding hashes, and a span as OpenTelemetry keeps it."""
import contextvars
import json
import os
import sys
import threading
import time
import types

span_module = types.ModuleType("opentelemetry.trace.span")
sys.modules["opentelemetry.trace.span"] = span_module


class SpanContext(tuple):
    """As opentelemetry-api has it: trace id, span id and what goes with them, in a tuple."""
    __module__ = "opentelemetry.trace.span"

    def __new__(cls, trace_id, span_id):
        return tuple.__new__(cls, (trace_id, span_id, False, 1))


class Span:
    def __init__(self, trace_id, span_id):
        self._context = SpanContext(trace_id, span_id)


TRACE, SPAN = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331
current = contextvars.ContextVar("current_context")
variables = [contextvars.ContextVar("variable_%d" % number) for number in range(1500)]
barrier = threading.Barrier(4)
truth = {}


def tell(name, values=True):
    context = contextvars.copy_context()
    truth[name] = {"ident": threading.get_ident(),
                   "context": {variable.name: repr(value) if values else None for variable, value in context.items()}}
    barrier.wait()
    time.sleep(600)


def few():
    variables[0].set("request-17")
    variables[1].set({"tenant": "acme", "retries": 3})
    variables[0].set("request-18")
    tell("few")


def many():
    for number, variable in enumerate(variables):
        variable.set(number)
    tell("many")


def traced():
    current.set({"current-span-4711": Span(TRACE, SPAN), "baggage": {}})
    tell("traced", values=False)


for target in (few, many, traced):
    threading.Thread(target=target, daemon=True, name=target.__name__).start()
barrier.wait()
time.sleep(0.3)
truth["span"] = "trace_id=%032x span_id=%016x " % (TRACE, SPAN)
with open(os.environ["WITNESS_FILE"], "w") as file:
    json.dump(truth, file)
os.abort()
