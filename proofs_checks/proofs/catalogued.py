"""Whether an object is the catalogue's own, unchanged: only of such code is anything said that was proved of a formula.

It is built anew by its name and compared part by part. Parameters that are numbers or words may differ (bounds, a
reserve, a price); classes, functions and what they close over may not, nor may an instance hide a method. A small node
limit, and a gain law that is not one of the house's concave ones, leave what the theorems assume of the selection.
"""

import sys
from collections.abc import Mapping
from functools import partial
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from mechanism.catalogue import CATALOGUE
from mechanism.market.allocation.selection import NODE_LIMIT
from mechanism.market.direct import MarketDirect
from mechanism.market.gains import CONCAVE

_DEEPEST = 8
_PLAIN = (int, float, str, bool, np.ndarray, np.number, tuple, list, type(None))


def not_catalogued(mechanism: Any) -> str | None:
    """Return why the object is not the catalogue's own code within its theorems' premises; None if it is."""
    entry = CATALOGUE.get(str(getattr(mechanism, "name", ""))[:100])
    if entry is None:
        return "it is not in the catalogue"
    if type(mechanism) is MarketDirect:
        if type(mechanism.law) not in CONCAVE or _parted(mechanism.law, mechanism.law, "law"):
            return f"its gain law, {mechanism.law.name!r}, is not one of those that are known to be concave"
        limit = getattr(mechanism.mechanism, "node_limit", NODE_LIMIT)
        if not (isinstance(limit, int) and limit >= NODE_LIMIT):
            return f"its selection stops after {limit} nodes: it may leave a gap"
    try:
        theirs = entry.build(mechanism.space.agents)
    except Exception:
        return f"the catalogue builds no {entry.id} for {mechanism.space.agents} agents"
    return _parted(mechanism, theirs, "")


def _parted(mine: Any, theirs: Any, where: str, depth: int = 0) -> str | None:
    """Return where two objects part in more than plain numbers and words; None: nowhere."""
    if depth > _DEEPEST:
        return f"{where} is nested too deeply"
    if isinstance(theirs, _PLAIN) or isinstance(mine, _PLAIN):
        same = isinstance(mine, _PLAIN) and isinstance(theirs, (*_PLAIN, FunctionType))
        return None if same and not _holds_code(mine) else f"{where} is not the catalogue's"
    if isinstance(mine, FunctionType):
        if not isinstance(theirs, FunctionType) or mine.__code__ is not theirs.__code__:
            return f"{where} is not the catalogue's"
        inside = zip(mine.__closure__ or (), theirs.__closure__ or (), strict=True)
        parts = [_parted(a.cell_contents, b.cell_contents, where, depth + 1) for a, b in inside]
        given = zip(mine.__defaults__ or (), theirs.__defaults__ or (), strict=False)
        parts += [_parted(a, b, where, depth + 1) for a, b in given]
        return next(filter(None, parts), None)
    if type(mine) is not type(theirs) or type(mine).__module__.partition(".")[0] not in ("mechanism", "functools"):
        return f"{where or 'it'} is a {type(mine).__name__} of one's own"
    if isinstance(mine, partial):
        return _parted(mine.func, theirs.func, where, depth + 1) or _dicts(mine.keywords, theirs.keywords, where, depth)
    if isinstance(mine, MethodType):
        return _parted(mine.__func__, theirs.__func__, where, depth + 1)
    home = sys.modules.get(type(mine).__module__)
    if getattr(home, type(mine).__qualname__.partition(".")[0], None) is None:
        return f"{where or 'it'} is a {type(mine).__name__} of one's own"
    return _dicts(_fields(mine), _fields(theirs), where, depth)


def _fields(value: Any) -> Mapping[str, Any]:
    return vars(value) if hasattr(value, "__dict__") else {}


def _dicts(mine: Mapping[str, Any], theirs: Mapping[str, Any], where: str, depth: int) -> str | None:
    if set(mine) != set(theirs):
        odd = sorted(set(mine) ^ set(theirs))
        return f"{odd[0]!r} was put on the object, or taken from it"
    found = (_parted(mine[key], theirs[key], key, depth + 1) for key in mine if key not in ("law", "family"))
    return next(filter(None, found), None)


def _holds_code(value: Any) -> bool:
    return isinstance(value, (tuple, list)) and any(callable(entry) or _holds_code(entry) for entry in value)
