"""What a server and its clients say to each other: fields as JSON, arrays as raw bytes, no code, everything bounded.

A message is four bytes `MAGIC`, four bytes with the header's length (little-endian), the header as JSON, and then the
arrays one after the other. The header is ``{"kind": KIND, "fields": {…}, "arrays": [[NAME, TYPE, [n, …]], …]}``; the
kinds are those of `KINDS`. Nothing is executed or unpickled, no length is believed that the payload does not have, and
every payload that is not exactly a message is refused in one line.

A conversation is a request of the server (`Start`, `Work`, `Bill`, `Audit`) and the client's reply to it (`Hello`,
`Done`, or `Refused` to any of them). Whom a reply comes from is the word of the transport, not of the reply: that names
its client again only so that a mistake is found.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from math import prod
from typing import Annotated, Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError

from learning.errors import LearningError
from mechanism.errors import one_line, shown
from mechanism.market.clients import LARGEST
from mechanism.reading import once, refuse_constant

Arrays: TypeAlias = Mapping[str, NDArray[Any]]

MAGIC = b"MPF1"
LONGEST_HEADER = 2**20
"""Bytes of a header."""
SLACK = LONGEST_HEADER + 8
"""Bytes that a message may be longer than its arrays."""
MOST_ARRAYS = 64
NOT_STARTED = "a message is of another run or for another client; expected a start first"
"""What a client answers that was started anew since the run began."""

_TYPES = {"float32": "<f4", "float64": "<f8"}
_SETTINGS = {"extra": "forbid", "strict": True}

Whole = Annotated[int, Field(ge=0, lt=2**63)]
Count = Annotated[int, Field(ge=0, le=10**12)]
Name = Annotated[str, Field(max_length=200)]
Real = Annotated[float, Field(allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, le=LARGEST, allow_inf_nan=False)]


class MessageError(LearningError):
    """A payload that is no message, or not the one that was expected."""


@dataclass(frozen=True)
class Start:
    """A run begins: what the client is in it, and the public settings of training; answered by `Hello`.

    ``run`` identifies the run, ``client`` is the number and ``name`` the registered name of whom it is sent to;
    ``plan`` holds the fields of a `learning.plan.LearningPlan`.
    """

    __pydantic_config__: ClassVar[Any] = _SETTINGS

    run: Name
    client: Whole
    clients: Whole
    name: Name
    method: Name
    seed: Whole
    plan: dict[str, Any]


@dataclass(frozen=True)
class Hello:
    """What the server must know of a client's data, and what the client reports to the market.

    ``samples`` n_i, ``held`` of which are held out of training; ``layout`` is a digest of the model's parameters, their
    names and shapes, ``parameters`` their number; a sample has ``shape``, its network sees ``scale`` times it plus
    ``shift``, and the task has so many ``classes``. ``cost`` c_i and ``gain`` K_i are the client's reports.
    """

    __pydantic_config__: ClassVar[Any] = _SETTINGS

    run: Name
    client: Whole
    samples: Annotated[int, Field(ge=1, le=10**12)]
    held: Count
    parameters: Count
    layout: Name
    shape: Annotated[tuple[Count, ...], Field(max_length=4)]
    classes: Count
    scale: Real
    shift: Real
    cost: NotNegative = 0.0
    gain: NotNegative = 0.0


@dataclass(frozen=True)
class Work:
    """One piece of a client's work in a round: what it is (``task``, see `learning.federation.client`), and its terms.

    ``serial`` is a number that no other request of the run has.
    """

    __pydantic_config__: ClassVar[Any] = _SETTINGS

    run: Name
    round: Whole
    serial: Whole
    client: Whole
    task: Name
    terms: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """The answer to a `Work` or a `Bill`: numbers, or the mixtures that the client needs to go on with the work.

    Those are ``wants``, as in `learning.valuation.effective.Blend`. ``epsilon``: what the client's training has spent
    so far, 0 without privacy.
    """

    __pydantic_config__: ClassVar[Any] = _SETTINGS

    run: Name
    round: Whole
    serial: Whole
    client: Whole
    numbers: Annotated[tuple[Real, ...], Field(max_length=20_000)] = ()
    wants: Annotated[tuple[tuple[Annotated[int, Field(ge=-1)], Real, Name], ...], Field(max_length=1000)] = ()
    epsilon: NotNegative = 0.0


@dataclass(frozen=True)
class Refused:
    """The client does not do what it was asked, and why, in one line.

    ``spent``: where its privacy budget is the reason, its ε now and, the first time, after another round.
    """

    __pydantic_config__: ClassVar[Any] = _SETTINGS

    run: Name
    round: Whole
    serial: Whole
    client: Whole
    reason: Annotated[str, Field(max_length=500)]
    spent: Annotated[tuple[NotNegative, ...], Field(max_length=2)] = ()


Lines = Annotated[tuple[tuple[Name, Real], ...], Field(max_length=10_000)]
"""Pairs of a client's name and an amount of money."""


@dataclass(frozen=True)
class Bill:
    """A client's own account of a round: ``paid`` for each import, ``received`` for each export, by the others' names.

    ``centre``: what it pays the centre. ``gain``, ``cost`` and ``utility`` are of its reports, ``audit`` the sentences
    that hold for it. Nothing in it is another's report.
    """

    __pydantic_config__: ClassVar[Any] = _SETTINGS

    run: Name
    round: Whole
    serial: Whole
    client: Whole
    name: Name
    paid: Lines = ()
    received: Lines = ()
    centre: Real = 0.0
    gain: Real = 0.0
    cost: Real = 0.0
    utility: Real = 0.0
    audit: Annotated[tuple[str, ...], Field(max_length=100)] = ()


@dataclass(frozen=True)
class Audit:
    """What holds of a client's own part in one training, when all is over; its rounds come as an array."""

    __pydantic_config__: ClassVar[Any] = _SETTINGS

    run: Name
    client: Whole
    name: Name
    told: dict[str, Any]


Message = Start | Hello | Work | Done | Refused | Bill | Audit
KINDS: dict[str, Any] = {kind.__name__.lower(): kind for kind in (Start, Hello, Work, Done, Refused, Bill, Audit)}
"""Every kind of message by the name that it has in a header."""


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def encode(message: Message, arrays: Arrays | None = None) -> bytes:
    """Return a message as bytes; ``arrays`` float32 or float64, by name."""
    parts = {name: np.ascontiguousarray(array) for name, array in (arrays or {}).items()}
    header = {
        "kind": type(message).__name__.lower(),
        "fields": asdict(message),
        "arrays": [[name, array.dtype.name, list(array.shape)] for name, array in parts.items()],
    }
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    raw = (array.astype(_TYPES[array.dtype.name], copy=False).reshape(-1).data.cast("B") for array in parts.values())
    return b"".join([MAGIC, struct.pack("<I", len(text)), text, *raw])


def decode(payload: bytes | memoryview, most: int, *kinds: type[Message]) -> tuple[Any, dict[str, NDArray[Any]]]:
    """Return the message of one of ``kinds`` and its arrays, which view ``payload`` and cannot be written to.

    `MessageError` if the payload is longer than ``most`` bytes, is no message, or one of another kind.
    """
    if len(payload) > most:
        raise MessageError(f"a payload has {len(payload)} bytes; expected at most {most}")
    view = memoryview(payload)
    if len(view) < 8 or view[:4] != MAGIC:
        raise MessageError("a payload is no message of this protocol; run the same version on both sides")
    (length,) = struct.unpack("<I", view[4:8])
    if length > min(LONGEST_HEADER, len(view) - 8):
        raise MessageError(f"a message's header says {length} bytes; expected no more than the message has")
    try:
        header = json.loads(bytes(view[8 : 8 + length]), object_pairs_hook=once, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as failed:
        raise MessageError(f"a message's header is no JSON ({one_line(failed)[:100]})") from None
    if not isinstance(header, dict) or set(header) != {"kind", "fields", "arrays"}:
        raise MessageError("a message's header has other fields; expected kind, fields and arrays")
    kind = KINDS.get(header["kind"]) if isinstance(header["kind"], str) else None
    if kind is None or kind not in kinds:
        expected = " or ".join(one.__name__.lower() for one in kinds)
        raise MessageError(f"a message is of kind {shown(header['kind'])}; expected {expected}")
    try:
        message = _adapter(kind).validate_json(json.dumps(header["fields"]))
    except (ValidationError, RecursionError) as failed:
        raise MessageError(_fault(header["kind"], failed)) from None
    return message, _arrays(header["arrays"], view[8 + length :])


def _fault(kind: str, failed: Exception) -> str:
    if not isinstance(failed, ValidationError):
        return f"a message {kind} is nested too deeply"
    first = failed.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    return f"a message {kind}: {shown(key)} does not fit; {one_line(first['msg'])[:100]}"


def _arrays(told: Any, raw: memoryview) -> dict[str, NDArray[Any]]:
    if not isinstance(told, list) or len(told) > MOST_ARRAYS:
        raise MessageError(f"a message's arrays are no list of at most {MOST_ARRAYS}")
    found: dict[str, NDArray[Any]] = {}
    at = 0
    for entry in told:
        name, kind, shape = entry if isinstance(entry, list) and len(entry) == 3 else ("", "", [])
        whole = isinstance(shape, list) and len(shape) <= 4 and all(type(n) is int and 0 <= n < 2**40 for n in shape)
        if not isinstance(name, str) or len(name) > 100 or name in found or not _known(kind) or not whole:
            raise MessageError("a message describes an array wrongly; expected a name, a type and a shape, each once")
        dtype = np.dtype(_TYPES[kind])
        end = at + prod(shape) * dtype.itemsize
        if end > len(raw):
            raise MessageError(f"a message's array {shown(name)} is longer than the message")
        try:
            found[name] = np.frombuffer(raw[at:end], dtype=dtype).reshape(shape)
        except ValueError:  # an axis of 0 beside others whose product is beyond all memory
            raise MessageError(f"a message's array {shown(name)} has an impossible shape") from None
        at = end
    if at != len(raw):
        raise MessageError(f"a message goes on for {len(raw) - at} bytes after its arrays")
    return found


def _known(kind: object) -> bool:
    return isinstance(kind, str) and kind in _TYPES


def expect(arrays: Arrays, shapes: Mapping[str, tuple[int, ...]], kind: str = "float32") -> None:
    """Raise `MessageError` unless exactly these arrays are there, of these shapes, all numbers finite."""
    if set(arrays) != set(shapes):
        odd = sorted(set(arrays) ^ set(shapes))[0]
        raise MessageError(f"a message {'lacks' if odd in shapes else 'has'} an array {shown(odd)}")
    for name, shape in shapes.items():
        array = arrays[name]
        if array.shape != shape or array.dtype != kind:
            raise MessageError(
                f"array {shown(name)} is {array.dtype} {list(array.shape)}; expected {kind} {list(shape)}"
            )
        if not np.isfinite(array).all():
            raise MessageError(f"array {shown(name)} holds a number that is not finite")


def bytes_of(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Return how long a message with such float32 arrays can be at most."""
    return SLACK + 4 * sum(prod(shape) for shape in shapes.values())
