"""A mechanism by its name: an id of the catalogue, ``FILE.py:NAME``, the user's own code, or a plugin's."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mechanism.errors import InputError, did_you_mean, one_line, shown
from mechanism.own_code import digest_of, explaining, find, is_file, is_own, neighbours

if TYPE_CHECKING:
    from mechanism.direct import DirectMechanism

_PARTS = ("space", "outcome", "utility", "payments")
_COUNTS = ("agents", "clients", "n")  # what a maker may call the number of agents if it has a default
_MOST_AGENTS = 64


@dataclass(frozen=True, eq=False)
class Source:
    """Where a mechanism comes from: ``file`` is None for the catalogue's; else ``found`` is what the file holds.

    ``digest``: SHA-256 of the file and of what it imported from beside it.
    """

    name: str
    file: Path | None = None
    found: Any = None
    digest: str | None = None

    def build(self, agents: int | None = None) -> DirectMechanism:
        """Return the mechanism, for that many agents if a number is given.

        `InputError` if the file holds no mechanism, or none for that number. `UnknownNameError` if the catalogue does
        not hold the mechanism for that number of agents.
        """
        if agents is not None and not 1 <= agents <= _MOST_AGENTS:
            raise InputError(f"--clients is {agents}; expected a number from 1 to {_MOST_AGENTS}")
        if self.file is None:
            from mechanism.catalogue import direct_mechanism

            return direct_mechanism(self.name, agents)
        with self.explaining("does not make a mechanism"):
            return _built(self.found, self.name, agents)

    def explaining(self, failing: str) -> contextlib.AbstractContextManager[None]:
        """Turn what a file's code raises in the block into one line, and send what it prints to stderr.

        Errors in the catalogue's own code pass: they are bugs of ours.
        """
        if self.file is None:
            return contextlib.nullcontext()
        elsewhere = "; does an optional part (welfare, allocation, …) return another shape?"
        return explaining(self.name, self.file, failing, elsewhere)


def find_mechanism(text: str) -> Source:
    """Return where the mechanism comes from that a command line names; a file is executed, a plugin imported.

    `InputError`: in one line: no such file, the file does not run, or it does not hold the name.
    """
    from mechanism.catalogue import CATALOGUE

    if text in CATALOGUE:
        return Source(text)
    if not is_own(text, "mechanism"):
        raise _unknown(text, CATALOGUE)
    file, found = find(text, _could_be, "mechanism")
    if not is_file(text):
        return Source(text, file, found, digest_of(file))
    digest = digest_of(file, *neighbours().values())
    return Source(f"{one_line(file.name)}:{text.rpartition(':')[2]}", file, found, digest)


def _unknown(name: str, known: Iterable[str]) -> InputError:
    """Return the error that says which names look like it, and how one's own is named."""
    near = did_you_mean(name, known)
    here = Path(f"{name}.py").is_file()
    where = f"; what your file holds is {one_line(name)}.py:NAME" if here else "; your own is FILE.py:NAME"
    return InputError(f"unknown mechanism {shown(name)}{near or ';'} 'marketproof list mechanisms' shows all{where}")


def file_of(text: str) -> Path | None:
    """Return the file that ``FILE.py:NAME`` names, None for an id of the catalogue."""
    return Path(text.rpartition(":")[0]) if is_file(text) else None


def _could_be(value: Any) -> bool:
    return all(hasattr(value, part) for part in _PARTS)


def _built(found: Any, name: str, agents: int | None) -> DirectMechanism:
    from mechanism.direct import Space

    if inspect.isclass(found) or (callable(found) and not _could_be(found)):
        found = _called(found, name, agents)
    if inspect.isclass(found) or not _could_be(found):
        raise InputError(
            f"{name} is {_article(type(found).__name__)}; expected a mechanism made by mechanism.single_parameter, or "
            "an object with space, outcome, utility and payments, or what makes one"
        )
    if not isinstance(found.space, Space):
        raise InputError(f"the space of {name} is {_article(type(found.space).__name__)}; expected a mechanism.Space")
    if agents is not None and found.space.agents != agents:
        found = _resized(found, name, agents)
    mechanism: DirectMechanism = found
    return mechanism


def _resized(found: Any, name: str, agents: int) -> Any:
    from mechanism.direct import SingleParameter

    if type(found) is SingleParameter:  # a rule over bids [batch, agents] takes as many columns as there are
        return replace(found, agents=agents)
    made: Any = found.resized(agents) if hasattr(found, "resized") else None
    if not _could_be(made) or made.space.agents != agents:
        raise InputError(
            f"{name} is for {found.space.agents} agents and has no method resized(agents) that makes it one for "
            f"{agents}; leave out --clients"
        )
    return made


def _article(word: str) -> str:
    return f"an {word}" if word[0].lower() in "aeiou" else f"a {word}"


def _called(maker: Any, name: str, agents: int | None) -> Any:
    """Call a class or function that makes a mechanism, with the number of agents if it takes one and one was given."""
    try:
        taken = [p for p in inspect.signature(maker).parameters.values() if p.kind <= inspect.Parameter.KEYWORD_ONLY]
    except (TypeError, ValueError):
        taken = []
    taken = [p for p in taken if p.kind is not inspect.Parameter.VAR_POSITIONAL]
    wanted = [p for p in taken if p.default is p.empty]
    if len(wanted) > 1 or (wanted and agents is None):
        raise InputError(
            f"{name} takes {', '.join(p.name for p in wanted)} and is no mechanism: if it is a rule, write "
            "@single_parameter(agents=N) above it (from mechanism import single_parameter); if it makes a mechanism, "
            "it takes nothing or one number of agents, which --clients gives"
        )
    count = next(iter(wanted), None) or next((p for p in taken if p.name in _COUNTS), None)
    if count is None or agents is None:
        return maker()
    return maker(agents) if count.kind is inspect.Parameter.POSITIONAL_ONLY else maker(**{count.name: agents})
