"""Where a run's numbers come from: the audit in its own words, what theory says of the rules, and the settings."""

from analysis.findings.base import Finding, Remarks
from analysis.findings.rules.verdicts import entries
from analysis.page.export import Table
from analysis.run.files import flat
from analysis.run.records import Run
from mechanism.wording import listed, typeset

_THEORY = ("ir", "dsic-cost", "dsic-gain", "dsic-size", "budget-balance", "efficiency")

_LINES = 40
"""Notices that a report shows."""


def theory_table(run: Run, _: object = None) -> Table | None:
    """Return what theory says, for all markets, of each rule in the run; None where the catalogue knows no rule."""
    from mechanism.entry import PROPERTIES

    rules, note = entries(run)
    if not rules:
        return None
    rows = tuple((PROPERTIES[name], *(rule.truths.get(name, "–") for rule in rules)) for name in _THEORY)
    return Table(
        f"What theory says of each rule, for every market; for evidence: marketproof verify RULE. {note}".rstrip(". "),
        ("promise", *(rule.id for rule in rules)),
        rows,
    )


def _audit(run: Run, _: object) -> str:
    return (
        f"This was checked on the record alone, to a relative tolerance of {typeset(run.audit.tolerance)}. The "
        "sentences are those of audit.json, with all digits that it has; what was not looked for is said among them."
    )


def _sentences(run: Run, _: object) -> Remarks:
    found = [(name, run.audit.methods[name]) for name in run.methods]
    each = tuple(
        (f"{name} ({audit.mechanism})" if audit.mechanism else name, tuple(audit.words)) for name, audit in found
    )
    return (*each, ("Scope of the claim of truthfulness", (run.audit.scope,)))


def _made(run: Run, _: object) -> str:
    return (
        f"Task {run.task}, seed{'s' * (len(run.seeds) > 1)} {listed(str(s) for s in run.seeds)}, folder "
        f"{run.path.resolve().name}. The same settings and seeds give the same numbers, to the last bit on one machine "
        "by one backend; rows, pool and federated count as one."
    )


def _settings(run: Run, _: object) -> Table:
    rows = [(f"config: {key}", value) for key, value in flat(run.config)]
    rows += [(f"run: {key}", value) for key, value in flat(run.manifest)]
    return Table("Settings and versions", ("setting", "value"), tuple(rows))


def _told(run: Run, _: object) -> Remarks:
    """Return what was said while the run went on: who was away or stopped, and why."""
    lines = [str(line) for line in run.manifest.get("notices") or ()]
    more = (f"{len(lines) - _LINES} more: see notices in manifest.json",) if len(lines) > _LINES else ()
    return (("Said while it ran", (*lines[:_LINES], *more)),) if lines else ()


def _itself(run: Run) -> Run:
    return run


AUDIT = Finding("audit", "What does the audit say, in words?", _itself, _audit, table=theory_table, remarks=_sentences)
SETTINGS = Finding("settings", "How was this made?", _itself, _made, table=_settings, remarks=_told)
