"""The contract between the packages, what importing costs, and that nobody's folder takes our names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = Path(sys.executable).parent / "marketproof"
PACKAGES = ["mechanism", "learning", "proofs_checks", "analysis"]
HEAVY = ["torch", "polars", "pydantic", "matplotlib", "numba", "scipy", "sklearn", "pulp", "networkx"]


def run(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(arguments, capture_output=True, text=True, timeout=120, **options)


def test_packages_import_one_way():
    done = run(str(Path(sys.executable).parent / "lint-imports"), "--no-cache", cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("statement", ["import mechanism", "import marketproof.cli"])
def test_importing_brings_nothing_heavy(statement):
    code = f"{statement}\nimport sys\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    done = run(sys.executable, "-c", code)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


@pytest.fixture
def impostors(tmp_path: Path) -> Path:
    """A folder of a user's own with our names in it, each of which tells when it is imported."""
    for name in [*PACKAGES, "typer", "rich", "numpy"]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise SystemExit('the impostor {name} was imported')\n")
    (tmp_path / "c.csv").write_text("client,size,cost,gain\nbuyer,100,0,3600\nseller,300,1,0\n")
    return tmp_path


@pytest.mark.parametrize("start", [[sys.executable, "-m", "marketproof"], [str(SCRIPT)]])
def test_a_folder_of_the_user_shadows_nothing(impostors, start):
    done = run(*start, "clear", "c.csv", cwd=impostors)
    assert (done.returncode, done.stderr) == (0, "")
    assert "buyer" in done.stdout


def test_worker_processes_take_nothing_from_a_folder_of_the_user(impostors):
    for name in ("torch", "multiprocessing"):
        (impostors / name).mkdir()
        (impostors / name / "__init__.py").write_text(f"raise SystemExit('the impostor {name} was imported')\n")
    options = [
        "--scale",
        "smoke",
        "--methods",
        "local",
        "--rounds",
        "1",
        "--backend",
        "pool",
        "--out",
        "out",
        "--quiet",
    ]
    done = run(sys.executable, "-m", "marketproof", "run", *options, cwd=impostors)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_even_a_module_path_that_names_the_folder_shadows_none_of_our_packages(impostors):
    for name in ("typer", "rich", "numpy"):  # what the user puts on the path under others' names is their choice
        (impostors / name / "__init__.py").unlink()
        (impostors / name).rmdir()
    done = run(str(SCRIPT), "clear", "c.csv", cwd=impostors, env={**os.environ, "PYTHONPATH": str(impostors)})
    assert (done.returncode, done.stderr) == (0, "")


def test_a_deleted_current_folder_is_no_reason_to_fail(tmp_path):
    code = "import os, subprocess, sys; os.rmdir(os.getcwd()); sys.exit(subprocess.call(sys.argv[1:]))"
    folder = tmp_path / "gone"
    folder.mkdir()
    done = run(sys.executable, "-c", code, sys.executable, "-m", "marketproof", "list", "methods", cwd=folder)
    assert done.returncode == 0, done.stderr
