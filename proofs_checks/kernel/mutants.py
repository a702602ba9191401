"""Bend the rules in the Coq sources: the theorems are about the rules, so that each bent rule must break a proof.

python proofs_checks/kernel/mutants.py            tells which proof each mutant breaks; status 1 where one breaks none
python proofs_checks/kernel/mutants.py --record   writes it into mutants.json beside this file, too
"""

import argparse
import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

from proofs_checks.kernel import check

FOUND = check.HERE / "mutants.json"

MUTANTS = {
    "marginal price in place of the critical value": (
        "market/Exact.v",
        "N := cost r j + top E r i (others E i) - top E r i (without j (others E i)).",
        "N := marginal E r i (sel r i) j - pen E r i j.",
    ),
    "ties that read the importer's own cost": (
        "market/Exact.v",
        "sel_view : forall r r' i, same_view E r r' i ->",
        "sel_view : forall r r' i, same_view E r r' i -> cost r i = cost r' i ->",
    ),
    "penalty subtracted at prices that nobody moves": (
        "market/Offers.v",
        "N := value E r k s - sum (asked r k) s.",
        "N := value E r k s - sum (asked r k) s - sum (pen E r k) s.",
    ),
    "a posted price that reads the seller's cost": (
        "market/Posted.v",
        "Definition posted_price (r : types) : nat -> nat -> N := p (size r).",
        "Definition posted_price (r : types) (i j : nat) : N := add (p (size r) i j) (cost r j).",
    ),
    "rising thresholds": (
        "market/Threshold.v",
        "StronglySorted (fun a b => before (x r i) a b = true) (ord r i) }.",
        "StronglySorted (fun a b => before (x r i) b a = true) (ord r i) }.",
    ),
    "a pool priced at its own dearest": (
        "market/Pooled.v",
        "match next N (cost r) (suppliers r k) (width k) with\n",
        "match next N (cost r) (suppliers r k) (pred (width k)) with\n",
    ),
    "a clock that hears those who may still sell": (
        "market/Clock.v",
        "In j s \\/ ~ In j (suppliers N E r k) -> cost r j",
        "In j (others E k) -> cost r j",
    ),
    "a certificate's leaf that forgets the undecided": (
        "market/Clearing.v",
        "else if taken_too a j then mu * e j - w j else plus (mu * e j - w j).",
        "else if taken_too a j then mu * e j - w j else 0.",
    ),
    "a certificate's exchange for less data": (
        "market/Clearing.v",
        "bool := leb (e b) (e a) && leb (w a) (w b) &&",
        "bool := leb (e a) (e b) && leb (w a) (w b) &&",
    ),
    "effective data moved by a report": (
        "market/Market.v",
        "(n : nat -> N) (i j : nat) : N := e i j.",
        "(n : nat -> N) (i j : nat) : N := add (e i j) (n j).",
    ),
}
"""Name to file, what the rule says there, and what the bent one says."""


def bent(folder: Path, name: str) -> None:
    """Bend one rule in a copy of the sources.

    `ValueError` if the file does not say the rule exactly once: it moved, and the mutant with it.
    """
    file, rule, wrong = MUTANTS[name]
    text = (folder / file).read_text()
    if text.count(rule) != 1:
        raise ValueError(f"{file} says {rule!r} {text.count(rule)} times; expected once: update the mutant {name!r}")
    (folder / file).write_text(text.replace(rule, wrong))


def broken(folder: Path) -> str:
    """Build a folder with a bent rule; return the file whose proof fails, "" where none does."""
    try:
        check.build(folder)
    except SystemExit as stop:
        said = str(stop)
        # it is a proof that fails, not the mutant's wording
        if "Syntax error" in said or "was not found in the current environment" in said:
            return ""
        where = re.search(r": ([\w/]+)\.vo\] Error", said)
        return f"{where[1]}.v" if where else ""
    return ""


def main() -> int:
    """Build every mutant and print what it breaks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", action="store_true", help="write what was found into mutants.json")
    options = parser.parse_args()
    if not shutil.which("coqc"):
        sys.stderr.write("Coq is not installed here (Debian: apt-get install --no-install-recommends coq)\n")
        return 2
    found = {}
    with tempfile.TemporaryDirectory() as place:
        built = check.copy(Path(place) / "built")
        check.build(built)
        for name in MUTANTS:
            folder = Path(place) / "bent"
            shutil.copytree(built, folder)
            bent(folder, name)
            found[name] = broken(folder)
            shutil.rmtree(folder)
            sys.stdout.write(f"{name} breaks {found[name] or 'NO PROOF'}\n")
    if options.record:
        FOUND.write_text(json.dumps(found, indent=1) + "\n")
    return 0 if all(found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
