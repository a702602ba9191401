"""Import our own packages first, by the place where they lie.

The packages of this project bear common names (``mechanism``, ``learning``, ``analysis``). Whatever the module path
says, the ones beside `marketproof` are the ones that are used, here and in the worker processes that are started.
"""

import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path
from types import CodeType, ModuleType

PACKAGES = ("mechanism", "learning", "proofs_checks", "analysis")


def import_ours_first(root: Path | None = None) -> None:
    """Bind each of `PACKAGES` to the folder beside `marketproof`, before anything can import another of that name.

    Their ``__init__`` files are light by contract, so this costs a few milliseconds. Worker processes start with the
    module path of this one; they are told not to put their current folder before it.
    """
    os.environ["PYTHONSAFEPATH"] = "1"
    root = Path(__file__).resolve().parents[2] if root is None else root
    for name in PACKAGES:
        if name in sys.modules:
            continue
        folder = root / name
        spec = importlib.util.spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        if spec is None or spec.loader is None or not (folder / "__init__.py").is_file():
            continue  # not laid out side by side (a frozen application): the ordinary import finds it
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)


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
