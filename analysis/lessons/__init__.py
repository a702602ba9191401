"""Lessons: one app each with a figure to drag and an exercise, answered by the smallest lie or by what holds."""

import atexit
import shutil
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

TITLES = {
    "second_price": "The second-price auction",
    "revelation": "The revelation principle",
    "vcg": "Vickrey, Clarke and Groves (VCG)",
    "myerson": "Myerson: the auction that earns most",
    "myerson_satterthwaite": "Myerson–Satterthwaite: no rule has everything",
    "model_market": "The model market: what a model is worth",
    "understated_cost": "iPFL's rule: the understated cost, and the repair",
}
"""The titles of the apps by the names of their files, in the order in which a course would take them."""

LESSONS = tuple(TITLES)
"""The names of the apps' files, in the same order."""

INDEX = "index.py"
"""The file of the app that lists them, which is no lesson."""


@lru_cache(maxsize=1)
def _apps() -> Path:
    """Return a folder with the app of every lesson and the one that lists them; it goes when the process ends."""
    here, folder = Path(__file__).parent, Path(mkdtemp(prefix="marketproof-lessons-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    app = (here / "lesson.py").read_text(encoding="utf-8")
    for name, title in TITLES.items():
        own = app.replace('NAME = "second_price"', f'NAME = "{name}"').replace(
            "marketproof: a lesson", f"marketproof: {title}"
        )
        (folder / f"{name}.py").write_text(own, encoding="utf-8")
    shutil.copy(here / INDEX, folder)
    return folder


def app_file(name: str) -> Path:
    """Return the file of a lesson's app, or that of the app that lists them ("index")."""
    return _apps() / f"{name}.py"
