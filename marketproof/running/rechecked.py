"""A run's folder, held against itself: files against digests, summary and audit worked out again from the markets."""

import json
from pathlib import Path
from typing import Any

from analysis.run.files import Manifest, digests, read_json, read_manifest, verify
from analysis.run.records import books_of, open_markets
from analysis.run.results import read_summary, summarise
from marketproof.running.finish import audit_markets
from mechanism.errors import MarketProofError, one_line

_LEFT = "that markets and accuracies are what training gave; they are as recorded, and "
_SEALED, _LOOSE = "sealed by manifest.json alone", "nothing ties the files together: manifest.json holds no digests"


def check_run(folder: Path) -> list[dict[str, Any]]:
    """Return what was found of a run: ``what``, ``holds``, ``sentence``, and ``left``, what is not worked out again.

    `RecordError` if its manifest is missing or damaged.
    """
    manifest = read_manifest(folder)
    results = []
    for what, check in (("digests", _digests), ("summary.json and audit.json", _derived)):
        try:
            wrong, said = check(folder, manifest)
        except MarketProofError as error:
            wrong, said = True, str(error)
        results.append({"what": what, "holds": not wrong, "sentence": said})
        results[-1] |= {"left": f"{_LEFT}{_SEALED if manifest.digests else _LOOSE}"}
    return results


def _digests(folder: Path, manifest: Manifest) -> tuple[bool, str]:
    if not manifest.digests:
        return False, "there are none"
    for name in manifest.digests:
        verify(folder, name, manifest.digests)
    if odd := sorted(set(digests(folder)) - set(manifest.digests)):
        return True, f"{one_line(odd[0])} is none of the run's"
    return False, f"{len(manifest.digests)} files are those that the manifest holds the digests of"


def _derived(folder: Path, manifest: Manifest) -> tuple[bool, str]:
    told = read_summary(folder / "summary.json")
    files = open_markets(folder, manifest.methods, manifest.seeds, manifest.digests)
    audit = audit_markets(manifest, files)
    traces, _ = books_of(manifest.methods, manifest.seeds, files)
    summary = summarise(manifest, traces, {}, told.privacy, audit).as_json()
    for name, figures in summary["methods"].items():  # of earlier versions fewer; seconds are in no market
        recorded = told.methods.get(name, {})
        timed = {key: recorded[key] for key in ("seconds", "seconds_std") if key in recorded}
        summary["methods"][name] = {key: value for key, value in (figures | timed).items() if key in recorded}
    for name, due in (("summary.json", summary), ("audit.json", audit.as_json())):
        if (odd := _odd(read_json(folder / name), json.loads(json.dumps(due)))) is not None:
            return True, f"{name}: {odd} is not what the recorded markets give to this version"
    return False, "the same figures, and the same audit, come out of the recorded markets"


def _odd(told: Any, due: Any, where: str = "") -> str | None:
    """Return where two values first part, None if nowhere; "it": at the top."""
    if isinstance(told, dict) and isinstance(due, dict):
        parts = (_odd(told.get(key), due.get(key), f"{where}.{key}") for key in {**due, **told})
        return next(filter(None, parts), None)
    if isinstance(told, list) and isinstance(due, list) and len(told) == len(due):
        parts = (_odd(a, b, f"{where}[{k}]") for k, (a, b) in enumerate(zip(told, due, strict=True)))
        return next(filter(None, parts), None)
    return None if told == due else one_line(where.removeprefix("."))[:100] or "it"
