"""Single changes of a certificate's JSON: every number, word, row and field can be hit."""

import copy
import re


def places(value, path=()):
    """Every position in a JSON value."""
    yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield from places(entry, (*path, key))


def at(value, path):
    """What stands at a position."""
    for key in path:
        value = value[key]
    return value


def leaves(value):
    """Every position of a number or word."""
    return [path for path in places(value) if not isinstance(at(value, path), dict | list | None)]


def variants(value):
    """What a value may become."""
    if isinstance(value, bool) or value is None:
        return [0]
    if isinstance(value, int):
        return [value + 1, value - 1, -value, 0, value * 2, float(value), str(value), None, True]
    if isinstance(value, str):
        changed = [value + "'", value[:-1], value.swapcase(), "", 1, None]
        if re.fullmatch(r"-?\d+(/\d+)?", value):
            changed += [f"-{value.lstrip('-')}", "0", "1", "7/3", "1/0", "999999999999", value.lstrip("-")]
        if " >= 0" in value:
            changed += [value.replace(">=", "="), "0 - " + value, value.replace(" - ", " + ")]
        return [v for v in changed if v != value]
    if isinstance(value, list):
        changed = [[], value[:-1], value[1:], value + value[:1], value[::-1], None, {}]
        return [v for v in changed if v != value]
    return [{}, [], None, *({k: v for k, v in value.items() if k != gone} for gone in value), {**value, "more": 1}]


def changed(table, path, value):
    """A copy of a JSON value with one position replaced."""
    if not path:
        return value
    result = copy.deepcopy(table)
    at(result, path[:-1])[path[-1]] = value
    return result
