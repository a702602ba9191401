"""Every property by its id, collected from the families' files."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from mechanism.entry import PROPERTIES as STATEMENTS
from mechanism.errors import UnknownNameError, shown, unknown
from proofs_checks.properties import expectation, monotone, rational, revenue, split_merge, symmetry, truthful
from proofs_checks.properties.property import Property

FAMILIES = (rational, truthful, expectation, monotone, symmetry, split_merge, revenue)
"""Files whose ``FAMILY`` lists properties; a new one is added here."""

_EVERY: tuple[Property, ...] = tuple(prop for family in FAMILIES for prop in family.FAMILY)
_ORDER = list(STATEMENTS)

PROPERTY: Mapping[str, Property] = MappingProxyType(
    {
        prop.id: prop
        for prop in sorted(
            (prop for prop in _EVERY if not prop.kind),
            key=lambda prop: _ORDER.index(prop.id) if prop.id in STATEMENTS else len(_ORDER),
        )
    }
)
"""Property objects by id, in the order of `mechanism.PROPERTIES`."""

VARIANTS: Mapping[str, Property] = MappingProxyType({prop.name: prop for prop in _EVERY if prop.kind})
"""Variants of properties, by name: ``group-dsic=weak``, ``split-proof=half``, ``merge-proof=min``; asked for only."""


OWN: dict[str, Property] = {}
"""Properties of one's own, by the names that verdicts and witnesses give them (`own_property.use_property`)."""


def properties(ids: Iterable[str] | None = None, coordinates: Iterable[str] = ()) -> list[Property]:
    """Return property objects by their ids or names of `VARIANTS` and `OWN`, in the order given; by default `PROPERTY`.

    ``coordinates``: names of private numbers, each of which may follow ``dsic-`` and ``expost-``. `UnknownNameError` if
    an id is none of `mechanism.PROPERTIES`, nor a variant of one, nor one's own, nor about one of the coordinates.
    """
    known = {**PROPERTY, **VARIANTS, **OWN}
    for name in coordinates:
        known |= {prop.id: prop for prop in truthful.about(name) if prop.id not in known}
    chosen = list(PROPERTY) if ids is None else list(dict.fromkeys(ids))
    if missing := [name for name in chosen if name not in known]:
        if ":" in missing[0]:
            raise UnknownNameError(
                f"property {shown(missing[0])} is somebody's own; name its code: --property FILE.py:NAME"
            )
        raise unknown("property", missing[0], known)
    return [known[name] for name in chosen]


def premises(prop: Property, coordinates: Iterable[str] = ()) -> Iterator[str]:
    """Yield every property from which this one follows, by name; ``coordinates`` as of `properties`."""
    names = tuple(coordinates)
    for name in prop.follows:
        yield name
        yield from premises(properties([name], names)[0], names)
