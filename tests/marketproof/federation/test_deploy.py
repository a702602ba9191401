"""What starts a federation as a service says commands that there are, with options that there are."""

import configparser
import re
import shlex
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[3] / "deploy"


def commands():
    for path in sorted(DEPLOY.glob("*.service")):
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str
        unit.read(path)
        yield path.name, unit["Service"]["ExecStart"].removeprefix("/opt/marketproof/bin/marketproof ")
    for line in re.findall(r"^    command: (.*)$", (DEPLOY / "compose.yaml").read_text(), re.MULTILINE):
        yield f"compose.yaml: {line.split()[0]}", line


@pytest.mark.parametrize(("where", "line"), list(commands()))
def test_services_say_commands_that_there_are(cli, tmp_path, monkeypatch, where, line):
    """They are run where nothing is: what is missed is what their comments say must be there, and no option."""
    monkeypatch.chdir(tmp_path)
    told = cli(*shlex.split(line)).line()
    assert "No such option" not in told
    assert "ours.toml" in told or "alice" in told
    assert list(tmp_path.iterdir()) == []


def test_units_are_not_started_again_for_what_a_user_has_to_mend():
    for path in DEPLOY.glob("*.service"):
        assert {"RestartPreventExitStatus=2", "NoNewPrivileges=yes", "ProtectSystem=strict"} <= set(
            path.read_text().splitlines()
        )
