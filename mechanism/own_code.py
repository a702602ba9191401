"""Somebody's own code: a file that is executed by its path, or a plugin of an installed package; what it is called.

A package brings parts by entry points of the group ``marketproof.plugins``, each called ``KIND.NAME`` in its
pyproject.toml, KIND one of `KINDS`. NAME then stands wherever a name of ours does; it is imported when it is used::

    [project.entry-points."marketproof.plugins"]
    "method.fedmean" = "my_package.fedmean:FEDMEAN"
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.machinery
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

from mechanism.errors import InputError, MarketProofError, did_you_mean, one_line, shown
from mechanism.reading import read_bytes

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_MOST_SHOWN = 8  # names that a file holds
_LARGEST, _EXPECTED = 16 * 2**20, "a Python file"


KINDS = ("method", "rule", "network", "mechanism", "property")
"""What a plugin can be."""


def is_file(text: str) -> bool:
    """Tell whether this names code in a file, ``FILE.py:NAME``, rather than something of ours."""
    return ":" in text or text.endswith(".py")


def is_own(text: str, kind: str) -> bool:
    """Tell whether this, which is no name of ours, names code in a file or an installed plugin of that kind."""
    return is_file(text) or any(plugin.name == f"{kind}.{text}" for plugin in plugins())


@cache
def plugins() -> tuple[EntryPoint, ...]:
    """Return the plugins of all installed packages, in the order of their names; nothing of them is imported."""
    from importlib.metadata import entry_points  # 25 ms that a command with names of ours only does not pay

    return tuple(sorted(entry_points(group="marketproof.plugins"), key=lambda plugin: (plugin.name, plugin.value)))


def _plugin(name: str, kind: str) -> tuple[Path, Any]:
    """Import the plugin of that name; `InputError` in one line if several packages bring it, or it does not load."""
    entries = [plugin for plugin in plugins() if plugin.name == f"{kind}.{name}"]
    packages = sorted(entry.dist.name if entry.dist else "?" for entry in entries)
    if len(entries) > 1:
        raise InputError(f"{kind} {shown(name)} is a plugin of {' and of '.join(packages)}; uninstall all but one")
    (entry,) = entries
    with explaining(f"{kind} {shown(name)}, plugin of {packages[0]},", Path(), "does not load"):
        found = entry.load()
    return Path(sys.modules[entry.module].__file__ or ""), found


def find(text: str, could_be: Callable[[Any], bool], kind: str) -> tuple[Path, Any]:
    """Execute the file of ``FILE.py:NAME`` and return it with what it calls NAME; or a plugin with its module's file.

    ``could_be`` tells which of the file's names to hint at where it has no such name, ``kind`` what they are; its last
    word is one of `KINDS`. `InputError` in one line: no such file or name, or the code does not run.
    """
    if not is_file(text):
        return _plugin(text, kind.rpartition(" ")[2])
    path, colon, name = text.rpartition(":")
    if not colon:
        raise InputError(f"{shown(text)} names no {kind} in the file; write {one_line(text)}:NAME")
    if not name.isidentifier():
        raise InputError(f"{shown(name)} is no name of a Python object; write FILE.py:NAME")
    if not Path(path).is_file() and Path(f"{path}.py").is_file():
        raise InputError(f"there is no file {shown(path)}; did you mean {one_line(f'{path}.py:{name}')}?")
    module = run_file(Path(path))
    if hasattr(module, name):
        return Path(path), getattr(module, name)
    held = [n for n, value in vars(module).items() if not n.startswith("_") and could_be(value)]
    near = did_you_mean(name, held)
    more = f", …, and {len(held) - _MOST_SHOWN} more" if len(held) > _MOST_SHOWN else ""
    names = ", ".join(one_line(n)[:40] for n in held[:_MOST_SHOWN])
    hint = f"holds {names}{more}" if held else f"holds no {kind}"
    raise InputError(f"{one_line(path)} holds no {shown(name)}{f'{near} It' if near else '; it'} {hint}")


def digest_of(*files: Path, expected: str = _EXPECTED) -> str:
    """Return the SHA-256 of what files hold, of code or ``expected``; `InputError` if one cannot be read."""
    code = hashlib.sha256()
    for file in files:
        code.update(hashlib.sha256(read_bytes(file, _LARGEST, expected)).digest())
    return code.hexdigest()


def digests_of(named: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the digests of the files (not of what they import) of all own code among (kind, text).

    The digest of ``FILE.py:NAME`` stands under its path, that of a plugin's module under ``KIND NAME``.
    """
    digests = {}
    for kind, text in named:
        if is_file(text):
            path = text.rpartition(":")[0]
            digests[path] = digest_of(Path(path))
        elif is_own(text, kind):
            digests[f"{kind} {text}"] = digest_of(_plugin(text, kind)[0])
    return digests


def run_file(path: Path) -> ModuleType:
    """Execute a Python file by its path and return it as a module; it may import what lies beside it.

    `InputError` if it cannot be read or does not run to its end; the line is named.
    """
    if not path.is_file():
        raise InputError(f"there is no file {shown(path)}; expected FILE.py:NAME")
    text = read_bytes(path, _LARGEST, _EXPECTED)
    name = f"_marketproof_users_{path.stem}"
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
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
    sys.modules[name] = module  # dataclasses and pickles of the file look their module up
    import_neighbours_last(path.parent)
    with explaining(one_line(path), path, "does not run"):
        try:
            exec(code, module.__dict__)
        except MarketProofError as error:  # ours says what is wrong, not where
            raise InputError(f"{one_line(path)}{_line(error, path)}: {error}") from None
    return module


@contextlib.contextmanager
def explaining(name: str, file: Path, failing: str, elsewhere: str = "") -> Iterator[None]:
    """Turn what a file's code raises in the block into one line, and send what it prints to stderr.

    ``failing`` says what it does not do; ``elsewhere`` is added where the error arose outside of the file.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except (MarketProofError, KeyboardInterrupt, MemoryError, GeneratorExit):
        raise
    except BaseException as error:  # SystemExit too: a rule that calls sys.exit(0) must not look like success
        where = _line(error, file)
        raise InputError(f"{name} {failing}{where}: {_said(error)}{'' if where else elsewhere}") from None


def _line(error: BaseException, file: Path) -> str:
    """Say in which line of the file an error arose, "" if in none."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(file)]
    return f", line {lines[-1]}" if lines else ""


def _said(error: BaseException) -> str:
    return one_line(f"{type(error).__name__}: {error}")[:200]


class _Neighbour(importlib.machinery.SourceFileLoader):
    """Compiles what lies beside a user's file afresh: nothing is written there, and no stale copy is taken."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class _Neighbours(importlib.machinery.FileFinder):
    """Finds top-level modules in one folder."""

    def find_spec(  # type: ignore[override]  # as a finder of the meta path is asked
        self, fullname: str, path: object = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        return super().find_spec(fullname) if path is None else None


def neighbours() -> dict[str, Path]:
    """Return the files of what was imported from beside a user's file so far, by the names of the modules."""
    own = {name for name, module in sys.modules.items() if isinstance(getattr(module, "__loader__", None), _Neighbour)}
    files = {name: getattr(sys.modules[name], "__file__", None) for name in sorted(sys.modules)}
    return {name: Path(file) for name, file in files.items() if name.partition(".")[0] in own and file}


def import_neighbours_last(folder: Path) -> None:
    """Let modules in this folder be imported, after all others; those of the folder before it are forgotten."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Neighbours)]
    for name in neighbours():
        del sys.modules[name]
    sys.meta_path.append(_Neighbours(str(folder.resolve()), (_Neighbour, [".py"])))
