"""What would go with an object, computed from inside and by another way than inquest does: a search from all roots
that goes around the object finds what would stay."""
import gc
import json
import sys
import types


def referents(one):
    """What the collector sees; the keys of a dict, which it leaves out where all of them are strings; and code."""
    found = gc.get_referents(one)
    if isinstance(one, dict):
        found.extend(dict.keys(one))
    elif isinstance(one, types.CodeType):
        found.extend((one.co_consts, one.co_names, one.co_filename, one.co_name, getattr(one, "co_qualname", None)))
    return found


def roots(hidden):
    """Modules, their namespaces, types and the variables of running frames."""
    found = []
    for module in list(sys.modules.values()):
        found.append(module)
        if isinstance(module, types.ModuleType):
            found.append(module.__dict__)
    for frame in sys._current_frames().values():
        while frame is not None:
            if frame.f_code.co_filename != __file__:
                found.extend(value for name, value in frame.f_locals.items() if name != "answer")
            frame = frame.f_back
    found.extend(one for one in gc.get_objects() if isinstance(one, type) and id(one) not in hidden)
    return found


def reach(start, around):
    """id -> object of all that `start` leads to, without going through the ids in `around`."""
    seen, open_ = {}, list(start)
    while open_:
        one = open_.pop()
        if id(one) not in seen and id(one) not in around:
            seen[id(one)] = one
            open_.extend(referents(one))
    return seen


def size(objects):
    return sum(sys.getsizeof(one) for one in objects)


def retained(members):
    """(bytes, objects) that would go if all members went. What the collector knows and nothing leads to is held by C
    code, and so a root too."""
    hidden = {id(members)}
    frame = sys._getframe()
    while frame is not None:
        hidden.add(id(frame))
        frame = frame.f_back
    tracked = gc.get_objects()
    hidden.update((id(tracked), id(hidden)))
    start = roots(hidden)
    hidden.add(id(start))
    around = {id(one) for one in members}
    hidden.add(id(around))
    with_them = reach(members, hidden)
    known = reach(start, around | hidden)
    hidden.update((id(with_them), id(known)))
    held = [one for one in tracked if id(one) not in known and id(one) not in with_them and id(one) not in hidden]
    known.update(reach(held, around | hidden))
    gone = [one for key, one in with_them.items() if key not in known]
    return size(gone), len(gone)


def write(answer, path):
    members = answer.pop("members", None)
    if "object" in answer:
        one = answer.pop("object")
        answer["address"] = id(one)
        members = [one]
        del one
    if members is not None:
        answer["retained"], answer["objects"] = retained(members)
        answer["shallow"], answer["count"] = size(members), len(members)
        del members
        gc.collect()
    answer["version"] = list(sys.version_info[:2])
    with open(path, "w") as file:
        json.dump(answer, file)
