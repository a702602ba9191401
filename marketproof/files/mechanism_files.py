"""A mechanism by its name: an id of the catalogue, or ``FILE.py:NAME``, the user's own code, which is executed."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.machinery
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marketproof.files.own_packages import import_neighbours_last, neighbours
from mechanism.errors import InputError, MarketProofError, did_you_mean, one_line, shown
from mechanism.reading import read_bytes

if TYPE_CHECKING:
    from mechanism.direct import DirectMechanism

_PARTS = ("space", "outcome", "utility", "payments")
_MODULE = "_marketproof_users_mechanism"
_COUNTS = ("agents", "clients", "n")  # what a maker may call the number of agents if it has a default
_MOST_AGENTS = 64
_MOST_SHOWN = 8  # names that a file holds
_LARGEST, _EXPECTED = 16 * 2**20, "a Python file"


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

    @contextlib.contextmanager
    def explaining(self, failing: str) -> Iterator[None]:
        """Turn what a file's code raises in the block into one line, and send what it prints to stderr.

        Errors in the catalogue's own code pass: they are bugs of ours.
        """
        if self.file is None:
            yield
            return
        try:
            with contextlib.redirect_stdout(sys.stderr):
                yield
        except (MarketProofError, KeyboardInterrupt, MemoryError, GeneratorExit):
            raise
        except BaseException as error:  # SystemExit too: a rule that calls sys.exit(0) must not look like success
            where = _line(error, self.file)
            hint = "" if where else "; does an optional part (welfare, allocation, …) return another shape?"
            raise InputError(f"{self.name} {failing}{where}: {_said(error)}{hint}") from None


def find_mechanism(text: str) -> Source:
    """Return where the mechanism comes from that a command line names; a file is executed.

    `InputError`: in one line: no such file, the file does not run, or it does not hold the name.
    """
    path, colon, name = text.rpartition(":")
    if not colon and text.endswith(".py"):
        raise InputError(f"{shown(text)} names no mechanism in the file; write {one_line(text)}:NAME")
    if not colon:
        return Source(_known(text))
    if not name.isidentifier():
        raise InputError(f"{shown(name)} is no name of a Python object; write FILE.py:NAME")
    if not Path(path).is_file() and Path(f"{path}.py").is_file():
        raise InputError(f"there is no file {shown(path)}; did you mean {one_line(f'{path}.py:{name}')}?")
    module = run_file(Path(path))
    found, code = getattr_of(module, name, path), hashlib.sha256()
    for file in (Path(path), *neighbours().values()):
        code.update(hashlib.sha256(read_bytes(file, _LARGEST, _EXPECTED)).digest())
    return Source(f"{one_line(Path(path).name)}:{name}", Path(path), found, code.hexdigest())


def _known(name: str) -> str:
    """Return the id of a mechanism of the catalogue; else say which look like it, and how one's own is named."""
    from mechanism.catalogue import CATALOGUE

    if name in CATALOGUE:
        return name
    near = did_you_mean(name, CATALOGUE)
    here = Path(f"{name}.py").is_file()
    where = f"; what your file holds is {one_line(name)}.py:NAME" if here else "; your own is FILE.py:NAME"
    raise InputError(f"unknown mechanism {shown(name)}{near or ';'} 'marketproof list mechanisms' shows all{where}")


def is_file(text: str) -> bool:
    """Tell whether this names code in a file rather than an id of the catalogue."""
    return ":" in text or text.endswith(".py")


def file_of(text: str) -> Path | None:
    """Return the file that ``FILE.py:NAME`` names, None for an id of the catalogue."""
    return Path(text.rpartition(":")[0]) if is_file(text) else None


def run_file(path: Path) -> Any:
    """Execute a Python file by its path and return it as a module; it may import what lies beside it.

    `InputError` if it cannot be read or does not run to its end; the line is named.
    """
    if not path.is_file():
        raise InputError(f"there is no file {shown(path)}; expected FILE.py:NAME")
    text = read_bytes(path, _LARGEST, _EXPECTED)
    loader = importlib.machinery.SourceFileLoader(_MODULE, str(path))
    spec = importlib.util.spec_from_file_location(_MODULE, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    try:
        # Not loader.exec_module: it would write __pycache__ beside the user's file, and take a compiled copy for fresh
        # after an edit within the same second that left the size unchanged.
        code = loader.source_to_code(text, str(path))
    except SyntaxError as error:
        where = f", line {error.lineno}" if error.lineno else ""
        raise InputError(f"{one_line(path)}{where}: {one_line(error.msg)}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{one_line(path)}: {_said(error)}") from None
    sys.modules[_MODULE] = module  # dataclasses and pickles of the file look their module up
    import_neighbours_last(path.parent)
    with Source(one_line(path), path).explaining("does not run"):
        try:
            exec(code, module.__dict__)
        except MarketProofError as error:  # ours says what is wrong, not where
            raise InputError(f"{one_line(path)}{_line(error, path)}: {error}") from None
    return module


def _line(error: BaseException, file: Path) -> str:
    """Say in which line of the file an error arose, "" if in none."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(file)]
    return f", line {lines[-1]}" if lines else ""


def _said(error: BaseException) -> str:
    return one_line(f"{type(error).__name__}: {error}")[:200]


def getattr_of(module: Any, name: str, path: str) -> Any:
    """Return what the file calls by this name; else say what it does hold."""
    if hasattr(module, name):
        return getattr(module, name)
    held = [n for n, value in vars(module).items() if not n.startswith("_") and _could_be(value)]
    near = did_you_mean(name, held)
    more = f", …, and {len(held) - _MOST_SHOWN} more" if len(held) > _MOST_SHOWN else ""
    names = ", ".join(one_line(n)[:40] for n in held[:_MOST_SHOWN])
    hint = f"holds {names}{more}" if held else "holds no mechanism"
    raise InputError(f"{one_line(path)} holds no {shown(name)}{f'{near} It' if near else '; it'} {hint}")


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
