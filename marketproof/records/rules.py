"""Rules of one's own that cleared a recorded run: executed only if their user names them, and only unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analysis.run.files import read_manifest
from mechanism.errors import InputError, one_line, shown
from mechanism.market.mechanisms import OURS, use_rule
from mechanism.own_code import digests_of


def use_recorded_rules(run: Path, given: Sequence[str], option: str = "--rule ") -> None:
    """Let the rules that cleared a run be known, of those of one's own the ``given`` ones, ``FILE.py:NAME``.

    A record may come from anybody: that it names a file is no reason to execute it. `InputError` if a rule is not
    given, or its file is not the one by which the run was cleared.
    """
    manifest = read_manifest(run)
    own = {rule for rule in manifest.mechanisms.values() if rule is not None and rule not in OURS}
    for rule in sorted(own):
        named = [text for text in given if _ending(text) == _ending(rule)]
        if not named:
            raise InputError(
                f"{shown(run)} was cleared by a rule of its owner's, {shown(rule)}; a record's code is run only if you "
                f"name it: add {option}{one_line(rule)}"
            )
        kept, (now,) = _digest(rule, manifest.code), digests_of([("rule", named[0])]).values()
        if kept != now:
            raise InputError(
                f"{shown(named[0])} is not the code by which {shown(run)} was cleared (another digest); put back the "
                "file as it was, or run again"
            )
        use_rule(named[0], rule)


def _ending(text: str) -> tuple[str, str]:
    """Return by what a rule is recognised, wherever its file lies: the file's name, and the rule's in it."""
    path, _, name = text.rpartition(":")
    return Path(path).name, name


def _digest(rule: str, code: dict[str, str]) -> str | None:
    return code.get(rule.rpartition(":")[0], code.get(f"rule {rule}"))
