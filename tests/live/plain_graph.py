"""Passes over a graph, written to be plain and not to be fast. `edges` maps a node to a list of nodes."""
import collections


def reach(edges, roots, without=None):
    """The set of nodes that some root leads to, where `without` is taken out."""
    seen = {root for root in roots if root != without}
    queue = collections.deque(seen)
    while queue:
        for target in edges.get(queue.popleft(), ()):
            if target not in seen and target != without:
                seen.add(target)
                queue.append(target)
    return seen


def _postorder(edges, roots, within):
    order, seen = [], set()
    for root in roots:
        if root in seen:
            continue
        seen.add(root)
        stack = [(root, iter(edges.get(root, ())))]
        while stack:
            node, targets = stack[-1]
            for target in targets:
                if target in within and target not in seen:
                    seen.add(target)
                    stack.append((target, iter(edges.get(target, ()))))
                    break
            else:
                order.append(node)
                stack.pop()
    return order


def dominators(edges, roots, within):
    """{node: the last node that all ways from a root go through, 0 for none}; all of `within` is reached. Each
    node's is the meeting point of those of its predecessors, over and over until nothing changes.
    """
    order = _postorder(edges, roots, within)
    place = {node: number for number, node in enumerate(order)}
    top = len(order)
    place[0] = top
    before = collections.defaultdict(list)
    for node in order:
        for target in edges.get(node, ()):
            if target in within:
                before[target].append(node)
    for root in set(roots):
        before[root].append(0)
    found = {0: 0}
    changed = True
    while changed:
        changed = False
        for node in reversed(order):
            new = None
            for each in before[node]:
                if each in found:
                    new = each if new is None else _meet(found, place, each, new)
            if found.get(node) != new:
                found[node], changed = new, True
    del found[0]
    return found


def _meet(found, place, one, other):
    while one != other:
        while place[one] < place[other]:
            one = found[one]
        while place[other] < place[one]:
            other = found[other]
    return one


def retained(dominators_of, sizes):
    """{node: its own size and that of all that it dominates}"""
    total = {node: sizes[node] for node in dominators_of}
    waiting = collections.Counter(parent for parent in dominators_of.values() if parent)
    ready = [node for node in dominators_of if not waiting[node]]
    while ready:
        node = ready.pop()
        parent = dominators_of[node]
        if parent:
            total[parent] += total[node]
            waiting[parent] -= 1
            if not waiting[parent]:
                ready.append(parent)
    return total


def garbage_roots(edges, nodes):
    """The smallest member of each group of `nodes` that lead to each other and that no other of them leads to."""
    forward = {node: [target for target in edges.get(node, ()) if target in nodes] for node in nodes}
    backward = collections.defaultdict(list)
    for node, targets in forward.items():
        for target in targets:
            backward[target].append(node)
    group = {}
    for node in reversed(_postorder(forward, sorted(nodes), nodes)):
        if node not in group:
            members = {node}
            queue = [node]
            while queue:
                for each in backward[queue.pop()]:
                    if each not in group and each not in members:
                        members.add(each)
                        queue.append(each)
            group.update(dict.fromkeys(members, min(members)))
    held = {group[target] for node, targets in forward.items() for target in targets if group[target] != group[node]}
    return sorted(set(group.values()) - held)


class Shortest:
    """All shortest ways from a root."""

    def __init__(self, edges, roots):
        self.depth = dict.fromkeys(roots, 0)
        self.before = collections.defaultdict(set)
        queue = collections.deque(self.depth)
        while queue:
            node = queue.popleft()
            for target in edges.get(node, ()):
                if target not in self.depth:
                    self.depth[target] = self.depth[node] + 1
                    queue.append(target)
                if self.depth[target] == self.depth[node] + 1:
                    self.before[target].add(node)

    def ways(self, node, most):
        """Lists of nodes, the root first; None for more than `most`."""
        found = [[node]]
        for _ in range(self.depth[node]):
            found = [[each] + way for way in found for each in self.before[way[0]]]
            if len(found) > most:
                return None
        return found


class PathWriter:
    """Ways as Python would write them. `tables`: objects, dicts, labels, roots (kind, object, label)."""

    KINDS = {0: "%s", 1: "%s", 2: "%s", 3: "%s", 4: "%s", 8: "<held by C code>"}

    def __init__(self, tables):
        self.tables = tables
        self.roots = collections.defaultdict(list)
        for kind, number, label in tables.roots:
            self.roots[number].append((kind, label))

    def texts(self, way):
        """One for each root that the first node is."""
        labels = [self.tables.labels[pair] for pair in zip(way, way[1:])]
        for kind, name in self.roots[way[0]]:
            pattern = self.KINDS.get(kind, "<%s>")
            text = pattern % name if "%" in pattern else pattern
            is_namespace = kind in (0, 1) and self.tables.objects[way[0]].type_id in self.tables.dicts
            found = [(text, is_namespace, is_namespace)]
            for choices in labels:
                found = [self._step(*state, label) for state in found for label in set(choices)]
            yield from (text + ".__dict__" if is_open else text for text, _, is_open in found)

    @staticmethod
    def _step(text, in_namespace, _, label):
        if not label:
            return text + ".<?>", False, False
        if label == ".__dict__":
            return text, True, True
        name = label[2:-2]
        if in_namespace and label[:2] == "['" and label[-2:] == "']" and is_name(name):
            return text + "." + name, False, False
        if in_namespace:
            text += ".__dict__"
        return text + (label if label[0] in ".[" else ".<%s>" % label), False, False


def is_name(text):
    return bool(text) and not text[0].isdigit() and all(
        each == "_" or ord(each) >= 128 or each.isalnum() for each in text)
