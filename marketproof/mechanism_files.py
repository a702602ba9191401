"""A mechanism by its name: an id of the catalogue, or ``FILE.py:NAME``, the user's own code, which is executed."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marketproof.errors import InputError, one_line, shown

if TYPE_CHECKING:
    from mechanism.direct import DirectMechanism

_PARTS = ("space", "outcome", "utility", "payments")
_MODULE = "_marketproof_users_mechanism"
_MOST_AGENTS = 64


def load_mechanism(text: str, agents: int | None = None) -> DirectMechanism:
    """Return the mechanism that a command line names, for that many agents if a number is given.

    Raises
    ------
    InputError
        In one line: no such id or file, the file does not run, it does not hold the name, or what it holds is no
        mechanism.
    UnknownNameError
        If the catalogue does not hold the mechanism for that number of agents.
    """
    if agents is not None and not 1 <= agents <= _MOST_AGENTS:
        raise InputError(f"--clients is {agents}; expected a number from 1 to {_MOST_AGENTS}")
    path, colon, name = text.rpartition(":")
    if not colon and text.endswith(".py"):
        raise InputError(f"{shown(text)} names no mechanism in the file; write {one_line(text)}:NAME")
    if not colon:
        from mechanism.catalogue import direct_mechanism

        return direct_mechanism(text, agents)
    if not name.isidentifier():
        raise InputError(f"{shown(name)} is no name of a Python object; write FILE.py:NAME")
    return _built(getattr_of(run_file(Path(path)), name, path), f"{one_line(path)}:{name}", agents)


def is_file(text: str) -> bool:
    """Tell whether this names code in a file rather than an id of the catalogue."""
    return ":" in text or text.endswith(".py")


def run_file(path: Path) -> Any:
    """Execute a Python file by its path and return it as a module; its folder is not put on the module path.

    Raises
    ------
    InputError
        If it cannot be read or does not run to its end; the line is named.
    """
    if not path.is_file():
        raise InputError(f"there is no file {shown(path)}; expected FILE.py:NAME")
    spec = importlib.util.spec_from_file_location(_MODULE, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{shown(path)} is no Python file; expected FILE.py:NAME")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_MODULE] = module  # dataclasses and pickles of the file look their module up
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise InputError(f"{one_line(path)}, line {error.lineno}: {error.msg}") from None
    except (Exception, SystemExit) as error:
        raise InputError(f"{one_line(path)}{_line(error, path)}: {type(error).__name__}: {one_line(error)}") from None
    return module


def _line(error: BaseException, path: Path) -> str:
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) == path.absolute()]
    lines += [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""


def getattr_of(module: Any, name: str, path: str) -> Any:
    """Return what the file calls by this name; else say what it does hold."""
    if hasattr(module, name):
        return getattr(module, name)
    held = [n for n, value in vars(module).items() if not n.startswith("_") and _could_be(value)]
    hint = f"it holds {', '.join(held[:8])}" if held else "it holds no mechanism"
    raise InputError(f"{one_line(path)} holds no {shown(name)}; {hint}")


def _could_be(value: Any) -> bool:
    return all(hasattr(value, part) for part in _PARTS)


def _built(found: Any, name: str, agents: int | None) -> DirectMechanism:
    from mechanism.errors import MarketProofError

    if inspect.isclass(found) or (callable(found) and not _could_be(found)):
        found = _called(found, name, agents)
    if not _could_be(found):
        raise InputError(
            f"{name} is {_article(type(found).__name__)}; expected a mechanism made by mechanism.single_parameter, or "
            "an object with space, outcome, utility and payments, or what makes one"
        )
    if agents is not None and found.space.agents != agents:
        if not hasattr(found, "resized"):
            raise InputError(
                f"{name} is for {found.space.agents} agents and has no method resized(agents); leave out --clients"
            )
        try:
            found = found.resized(agents)
        except MarketProofError:
            raise
        except Exception as error:
            raise InputError(f"{name} cannot be resized: {type(error).__name__}: {one_line(error)}") from None
    mechanism: DirectMechanism = found
    return mechanism


def _article(word: str) -> str:
    return f"an {word}" if word[0].lower() in "aeiou" else f"a {word}"


def _called(maker: Any, name: str, agents: int | None) -> Any:
    """Call a class or function that makes a mechanism, with the number of agents if it takes one and one was given."""
    from mechanism.errors import MarketProofError

    try:
        wanted = [p for p in inspect.signature(maker).parameters.values() if p.default is p.empty and p.kind < 2]
    except (TypeError, ValueError):
        wanted = []
    if len(wanted) > 1 or (wanted and agents is None):
        raise InputError(
            f"{name} takes {', '.join(p.name for p in wanted)}; expected a mechanism (decorate a rule with "
            "mechanism.single_parameter), or what makes one from nothing or, with --clients M, from a number of agents"
        )
    try:
        return maker(agents) if wanted else maker()
    except MarketProofError:
        raise
    except Exception as error:
        raise InputError(f"{name} does not make a mechanism: {type(error).__name__}: {one_line(error)}") from None
