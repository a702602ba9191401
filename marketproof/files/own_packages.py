"""Import our own packages first, by the place where they lie.

The packages of this project bear common names (``mechanism``, ``learning``, ``analysis``). Whatever the module path
says, the ones beside `marketproof` are the ones that are used, here and in the worker processes that are started.
"""

import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path

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
