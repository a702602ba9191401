"""The README's own market runs as it is written, and what its lines write is kept out of the repository."""

import fnmatch
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from marketproof.commands.run import DEFAULT_TASK
from marketproof.running.config import DEFAULT_METHODS
from mechanism.catalogue import CATALOGUE
from tests.marketproof.conftest import command

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def block(title: str) -> list[str]:
    """Return the lines of the first shell block under a heading."""
    part = README[README.index(f"\n## {title}") :]
    return part[part.index("```sh\n") + 6 : part.index("\n```\n")].splitlines()


def test_clear_your_own_market_says_what_its_comments_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = []
    for line in block("Clear your own market"):
        line = re.sub(r" +#.*", "", line)
        if line.startswith(".venv/bin/marketproof "):
            answer = command(*line.split()[1:])
            assert (answer.status, answer.err) == (0, "")
            shown.append(" ".join(answer.out.split()))
        elif line:
            subprocess.run(["sh", "-c", line], check=True)
    exact, honest, lying = shown
    assert "│ ann │ cat │ 1.1 │" in exact
    assert "No lie about a cost was found to pay" in exact
    assert "A lie pays: cat, whose number of samples is 300" in exact
    assert "│ ann │ cat │ 3 │" in honest
    assert "bob, whose cost is 1.1, gains 1.9" in honest
    assert "│ ann │ bob │ 3 │" in lying
    assert "│ bob │ 0 │ 0.9 │ 0 │ 3 │ 2.1 │" in lying


def test_the_table_is_of_what_runs_where_no_task_is_named():
    shown = README[README.index("`make run` prints") :].split("```\n")[1]
    assert shown.startswith(f"{DEFAULT_TASK}, seed 0\n")
    assert re.findall(r"^│ (\S+)", shown, re.MULTILINE) == DEFAULT_METHODS.split(",")
    paid = " ".join(shown[shown.index("Paid for their models") :].split())
    assert [part.split()[0] for part in paid.split(" under ")[1:]] == DEFAULT_METHODS.split(",")[2:]
    assert re.search(r"clock-price honest clients [\d.]+, attackers and free-riders 0,", paid)


def test_counts_are_those_of_the_catalogue():
    told = (ROOT / "CHANGELOG.md").read_text()
    assert f"Verdicts on {len(CATALOGUE)} mechanisms" in README
    assert f"`make matrix` ({len(CATALOGUE)} mechanisms" in told


def test_what_the_lines_write_is_ignored():
    ignored = [line for line in (ROOT / ".gitignore").read_text().splitlines() if line.startswith("/")]
    lines = block("Clear your own market") + block("Verify a mechanism") + block("Train a market")
    written = re.findall(r"(?:> |--json |--out )([\w.]+)(?=\s|$)", "\n".join(lines))
    assert {"clients.csv", "my_auction.py", "v.json", "three.html"} <= set(written)
    for name in written:
        assert any(fnmatch.fnmatch(f"/{name}", pattern) for pattern in ignored), name


def test_no_tracked_file_is_ignored():
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("no clone")
    question = [git, "ls-files", "--cached", "--ignored", "--exclude-standard"]
    listed = subprocess.run(question, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip(f"git does not answer here: {listed.stderr}")
    assert listed.stdout == ""
