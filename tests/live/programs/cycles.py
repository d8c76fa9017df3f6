"""Makes reference cycles of many shapes, tells the truth about them from inside, and dies.

    cycles.py SCENE TRUTH

A forked child looks and tells, so that the dying process stays as it was. Its strongly connected components are
found over gc.get_referents, by Tarjan's algorithm. Runs on CPython 3.8 to 3.15.
"""
import gc
import os
import sys
import types
import weakref

PLANTED = {}  # group -> addresses, one or more of each cycle
KEPT = []     # cycles that stay alive, and what is asked of garbage
RINGS = (100, 100, 130)
ORDERS = ((0, 1, 2, 3), (3, 1, 0, 2), (2, 3, 1, 0), (1, 0, 3, 2))


class Node:
    def __init__(self, parent=None):
        self.parent = parent
        self.children = []
        if parent is not None:
            parent.children.append(self)


class Closing(Node):
    def __del__(self):
        pass


class Watched(Node):
    pass


class Seen(Node):
    pass


class Link:
    def __init__(self):
        self.next = self.other = None


class Slotted:
    __slots__ = ("other",)


class Fatal:
    def __init__(self):
        self.me = self

    def __del__(self):
        os.abort()


def planted(group, *objects):
    PLANTED.setdefault(group, []).extend(map(id, objects))


def family(group, kind, children):
    parent = kind()
    for _ in range(children):
        kind(parent)
    planted(group, parent)
    return parent


def ring(group, count):
    links = [Link() for _ in range(count)]
    for number, link in enumerate(links):
        link.next = links[(number + 1) % count]
    planted(group, links[0])


def circulant(group, step):
    """Every link looks alike, so that colours tell none of them from another."""
    links = [Link() for _ in range(8)]
    for number, link in enumerate(links):
        link.next, link.other = links[(number + 1) % 8], links[(number + step) % 8]
    planted(group, links[0])


def shuffled(group, order):
    """One shape, laid out in memory in another order each time."""
    first = {}
    for position in order:
        first[position] = Slotted() if position % 2 else Node()
    first[0].parent, first[2].parent = first[1], first[3]
    first[1].other, first[3].other = first[2], first[0]
    planted(group, first[0])


def watched():
    node = Watched()
    node.me = node
    KEPT.append(weakref.ref(node, lambda _: None))
    planted("weakref callback", node)


def seen():
    node = Seen()
    node.me = node
    KEPT.append(weakref.ref(node))
    planted("weakref", node)


def caring(held):
    try:
        yield held
    finally:
        pass


def careless(held):
    yield held


def suspended(group, function):
    held = {}
    held["generator"] = function(held)
    next(held["generator"])
    planted(group, held)


def recursive():
    def inner(number):
        return inner(number - 1)

    planted("closure", inner)


def raised():
    try:
        raise ValueError("kept by its own traceback")
    except ValueError as error:
        kept = error
    planted("exception", kept)


def classes():
    class Local:
        def method(self):
            return Local

    Local.instance = Local()
    planted("class", Local)


def lists():
    itself = []
    itself.append(itself)
    planted("list", itself)


def garbage():
    for _ in range(300):
        family("pair", Node, 1)
    for _ in range(20):
        family("family", Node, 5)
    for _ in range(10):
        family("finalizer", Closing, 1)
    for count in RINGS:
        ring("ring", count)
    for _ in range(3):
        circulant("circulant 2", 2)
        circulant("circulant 3", 3)
    for order in ORDERS:
        shuffled("shuffled", order)
    for _ in range(4):
        suspended("generator", careless)
        suspended("generator with finally", caring)
        watched()
        seen()
        recursive()
        raised()
        classes()
        lists()


def alive():
    for _ in range(30):
        KEPT.append(family("alive family", Node, 2))
    one, other = Slotted(), Slotted()
    one.other, other.other = other, one
    KEPT.append(one)
    planted("alive slots", one)


# ---- the truth

def referents(thing):
    found = gc.get_referents(thing)
    if sys.version_info < (3, 9) and type(thing).__flags__ & 1 << 9:
        found.append(type(thing))  # counted, but visited from 3.9 on only
    return found


def everything():
    """All objects that the collector sees, and all that they lead to: address -> (object, addresses)."""
    pending, graph = gc.get_objects(), {}
    own = {id(pending), id(graph)}
    while pending:
        thing = pending.pop()
        if id(thing) in graph or id(thing) in own:
            continue
        found = referents(thing)
        graph[id(thing)] = (thing, [id(target) for target in found])
        own.add(id(found))
        pending.extend(found)
    return graph


def program(graph):
    """Types, modules and the namespaces of code: what joins all that is alive into one component."""
    left_out = set()
    for address, (thing, _) in graph.items():
        if isinstance(thing, (type, types.ModuleType)):
            left_out.add(address)
        if isinstance(thing, types.ModuleType):
            left_out.add(id(vars(thing)))
        if isinstance(thing, types.FunctionType):
            left_out.update((id(thing.__globals__), id(getattr(thing, "__builtins__", None))))
        if isinstance(thing, types.FrameType):
            left_out.update((id(thing.f_globals), id(thing.f_builtins)))
    return left_out


def components(graph, left_out=()):
    """Tarjan's, with a list for a stack: those of more than one object, or of one that refers to itself."""
    numbers, lows, open_nodes, on_stack, count = {}, {}, [], set(), 0
    for start in graph:
        if start in numbers or start in left_out:
            continue
        work = [(start, iter(graph[start][1]))]
        numbers[start] = lows[start] = count
        count += 1
        open_nodes.append(start)
        on_stack.add(start)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in graph or target in left_out:
                    continue
                if target not in numbers:
                    numbers[target] = lows[target] = count
                    count += 1
                    open_nodes.append(target)
                    on_stack.add(target)
                    work.append((target, iter(graph[target][1])))
                    break
                if target in on_stack:
                    lows[node] = min(lows[node], numbers[target])
            else:
                work.pop()
                if work:
                    lows[work[-1][0]] = min(lows[work[-1][0]], lows[node])
                if lows[node] == numbers[node]:
                    members = []
                    while True:
                        member = open_nodes.pop()
                        on_stack.discard(member)
                        members.append(member)
                        if member == node:
                            break
                    if len(members) > 1 or node in graph[node][1]:
                        yield sorted(members)


def has_callback(thing):
    try:
        return any(reference.__callback__ is not None for reference in weakref.getweakrefs(thing))
    except TypeError:
        return False


def groups_of(graph, found, wanted):
    groups = {}
    group_of = {address: group for group in wanted for address in PLANTED.get(group, ())}
    for members in found:
        names = {group_of[address] for address in members if address in group_of}
        if not names:
            continue
        things = [graph[address][0] for address in members]
        group = groups.setdefault("+".join(sorted(names)), {"members": [], "bytes": 0, "callback": False})
        group["members"].append(members)
        group["bytes"] += sum(map(sys.getsizeof, things))
        group["callback"] |= any(map(has_callback, things))
    return groups


def truth():
    graph = everything()
    return {
        "enabled": gc.isenabled(), "thresholds": gc.get_threshold(), "counts": gc.get_count(),
        "stats": [{name: row[name] for name in ("collections", "collected", "uncollectable")}
                  for row in STATS],
        "frozen": gc.get_freeze_count(), "garbage_list": len(gc.garbage),
        "garbage": groups_of(graph, components(graph), [name for name in PLANTED if "alive" not in name]),
        "alive": groups_of(graph, components(graph, program(graph)), [name for name in PLANTED if "alive" in name]),
    }


STATS = []


def testify(path):
    STATS.extend(gc.get_stats())
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    status = 1
    try:
        found = truth()
        import json
        with open(path, "w") as out:
            json.dump(found, out)
        status = 0
    except BaseException:
        import traceback
        traceback.print_exc()
    finally:
        os._exit(status)


def die(path):
    testify(path)
    os.abort()


# ---- why it was not collected

def off():
    gc.disable()
    garbage()


def threshold_zero():
    gc.set_threshold(0)
    garbage()


def young():
    gc.collect()
    gc.set_threshold(1000000, 10, 10)
    garbage()


def oldest():
    gc.set_threshold(1000000, 10, 10)
    held = [family("pair", Node, 1) for _ in range(50)]
    gc.collect()
    held.clear()


def frozen():
    gc.set_threshold(1000000, 10, 10)
    held = [family("pair", Node, 1) for _ in range(50)]
    gc.freeze()
    held.clear()


def none():
    gc.collect()
    gc.set_threshold(1000000, 10, 10)


def collecting():
    gc.disable()
    family("pair", Node, 1)
    Fatal()
    gc.enable()


def main():
    scene, path = sys.argv[1:]
    alive()
    globals()[scene]()
    if scene == "collecting":
        testify(path)
        gc.collect()
    die(path)


main()
