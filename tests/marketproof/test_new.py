"""Skeletons of one's own parts: each is written with a test that passes; as plugins of a package they run by name."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from learning.algorithms import OWN
from marketproof.running.config import load_run
from marketproof.skeletons.new import USES
from mechanism.own_code import plugins


def test_every_skeleton_runs_and_its_test_passes(cli, tmp_path):
    for kind in USES:
        answer = cli("new", kind, f"my-{kind}", "--out", tmp_path)
        assert (answer.status, answer.err) == (0, "")
        assert f"python -m pytest test_my_{kind}.py" in answer.out
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."]
    done = subprocess.run(tests, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{2 * len(USES) + 2} passed" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("metod", "x"), "unknown kind 'metod'; did you mean 'method'?"),
        (("method", "Half Way"), "'Half Way' is no name; expected small letters"),
        (("method", "../up"), "'../up' is no name"),
        (("method", "random"), "'random' is a word or a package of Python's or of ours"),
        (("task", "mechanism"), "'mechanism' is a word or a package"),
        (("rule", "there"), "there.py' is there already"),
    ],
)
def test_what_is_wrong_is_one_line_and_writes_nothing(cli, tmp_path, arguments, told):
    (tmp_path / "there.py").write_text("mine")
    assert told in cli("new", *arguments, "--out", tmp_path).line()
    assert [path.name for path in tmp_path.rglob("*")] == ["there.py"]
    assert (tmp_path / "there.py").read_text() == "mine"


@pytest.fixture
def package(cli, tmp_path, monkeypatch):
    """Install the skeletons as plugins of a package; returns its folder and what makes a second one."""
    parts = {
        "method.half": "plug_method:PLUG_METHOD",
        "rule.cheap": "plug_rule:clear",
        "network.net": "plug_network:PlugNetwork",
        "mechanism.vickrey": "plug_mechanism:plug_mechanism",
        "method.lost": "plug_nowhere:X",
        "metod.typo": "plug_method:PLUG_METHOD",
    }
    for kind in ("method", "rule", "network", "mechanism", "task"):
        assert cli("new", kind, f"plug-{kind}", "--out", tmp_path, "--quiet").status == 0

    def install(name: str, parts: dict[str, str]) -> None:
        told = tmp_path / f"{name}-1.0.dist-info"
        told.mkdir()
        (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = "".join(f"{part} = {place}\n" for part, place in parts.items())
        (told / "entry_points.txt").write_text(f"[marketproof.plugins]\n{lines}")
        plugins.cache_clear()

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    install("plug", parts)
    yield tmp_path, install
    plugins.cache_clear()
    for name in [name for name in sys.modules if name.startswith("plug_")]:
        del sys.modules[name]


RUN = ("run", "plug_task.toml", "--scale", "smoke", "--methods", "half,ipfl/cheap", "--out", "out", "--quiet")


@pytest.mark.usefixtures("quick")
def test_method_rule_and_network_of_a_package_run_by_name(cli, package):
    folder, _ = package
    listed = cli("list", "plugins", "--json", "plugins.json")
    assert listed.status == 0
    rows = {row["id"]: row for row in json.loads(Path("plugins.json").read_text())["plugins"]}
    assert rows["half"] == {
        "id": "half", "kind": "method", "package": "plug 1.0", "object": "plug_method:PLUG_METHOD"
    }  # fmt: skip
    assert rows["typo"]["kind"].startswith("unknown: metod; expected method")
    assert not [name for name in sys.modules if name.startswith("plug_")]  # nothing is imported before it is used
    task = folder / "plug_task.toml"
    task.write_text(task.read_text().replace('"mlp"', '"net"'))
    answer = cli(*RUN)
    assert answer.status == 0, answer.err
    assert sorted(load_run(folder / "out" / "config.toml").code) == ["method half", "network net", "rule cheap"]
    assert OWN["half"].summary == "half way to the most alike"
    method = folder / "plug_method.py"
    method.write_text(method.read_text() + "\n# changed\n")
    assert "recorded with other settings (code.method half: " in cli(*RUN, "--resume").line()


def test_a_mechanism_of_a_package_is_verified_and_replayed_by_name(cli, package):
    folder, _ = package
    rule = folder / "plug_mechanism.py"
    rule.write_text(rule.read_text().replace("order[:, -2:-1]", "order[:, -1:]"))  # pay your bid
    answer = cli("verify", "vickrey", "--property", "dsic", "--budget", "2", "--json", "v.json")
    assert answer.status == 0, answer.err
    assert json.loads(Path("v.json").read_text())["verdicts"][0]["holds"] is False
    assert cli("replay", "v.json", "vickrey").status == 0


def test_plugins_that_fail_say_so_in_one_line(cli, package):
    _, install = package
    lost = cli(*RUN[:5], "lost", "--out", "out").line()
    assert lost == "method 'lost', plugin of plug, does not load: ModuleNotFoundError: No module named 'plug_nowhere'"
    assert "unknown method 'typo'" in cli(*RUN[:5], "typo", "--out", "out").line()
    install("plug2", {"method.half": "plug_method:PLUG_METHOD", "rule.cheap": "plug_method:PLUG_METHOD"})
    assert "method 'half' is a plugin of plug and of plug2; uninstall all but one" in cli(*RUN).line()
