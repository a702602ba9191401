"""Check the proofs: build every file, accept it with coqchk, compare assumptions, write the record.

    python proofs_checks/kernel/check.py            all of it; writes record.json beside this file
    python proofs_checks/kernel/check.py --no-chk   without coqchk and without the record (while writing proofs)
    python proofs_checks/kernel/check.py --again    all of it, held against the record; writes nothing

Needs Coq 8.16 (Debian: ``apt-get install --no-install-recommends coq``). Everything is built in a temporary folder:
no compiled file is left among the sources. The audit files (``audit/*.v``) restate each shipped claim in full under a
header ``[mechanism] [property] words``; their theorems and what those rest on make the record, which is also written
into the table of ``docs/kernel.md``.
"""

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RECORD = HERE / "record.json"
PAGE = HERE.parents[1] / "docs" / "kernel.md"
TABLE = "<!-- written by make kernel -->\n"
"""Where the page's table of claims begins; it is the page's end."""

ALLOWED = {
    "ClassicalDedekindReals.sig_forall_dec": "the standard library's reals",
    "ClassicalDedekindReals.sig_not_dec": "the standard library's reals",
    "FunctionalExtensionality.functional_extensionality_dep": "the standard library's reals",
    "Classical_Prop.classic": "the standard library's logarithm",
}
"""Axioms that a theorem may rest on, all of them of the standard library; everything else fails the check."""

FORBIDDEN = re.compile(
    r"\b(Admitted|admit|give_up|Axiom|Axioms|Conjecture|Parameter|Parameters|bypass_check|Unset\s+Guard|Unset\s+Positivity)\b"
)
"""What no source may say."""

CLAIM = re.compile(
    r"\(\*\* \[(?P<mechanism>[^\]]+)\] \[(?P<property>[^\]]+)\] (?P<words>.*?)\s*\*\)\s*"
    r"Theorem (?P<name>\w+) : (?P<statement>.*?)\.\s*\nProof\.",
    re.DOTALL,
)


def sources(folder: Path = HERE) -> list[Path]:
    """Return the Coq files, sorted."""
    return sorted(folder.rglob("*.v"))


def hashes(folder: Path = HERE) -> dict[str, str]:
    """Return the SHA-256 of each source by its path inside the folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in sources(folder)
    }


def forbidden(folder: Path = HERE) -> list[str]:
    """Return the lines that admit or postulate something, comments aside, as ``path:line: text``."""
    found = []
    for path in sources(folder):
        text = re.sub(r"\(\*.*?\*\)", lambda m: re.sub(r"[^\n]", " ", m.group()), path.read_text(), flags=re.DOTALL)
        for number, line in enumerate(text.splitlines(), 1):
            if FORBIDDEN.search(line):
                found.append(f"{path.relative_to(folder)}:{number}: {line.strip()}")
    return found


def claims(folder: Path = HERE) -> list[dict[str, str]]:
    """Return the shipped claims in the order of the audit files: mechanism, property, words, name, statement, file."""
    found = []
    for path in sorted((folder / "audit").glob("*.v")):
        text = path.read_text()
        matches = list(CLAIM.finditer(text))
        if len(matches) != len(re.findall(r"^Theorem ", text, flags=re.MULTILINE)):
            raise SystemExit(f"{path.name}: a theorem without a header [mechanism] [property] words")
        for match in matches:
            claim = {key: re.sub(r"\s+", " ", value) for key, value in match.groupdict().items()}
            found.append({**claim, "file": path.relative_to(folder).as_posix()})
    return found


def table(record: dict[str, Any]) -> str:
    """Return the record's claims as the table of ``docs/kernel.md``."""
    rows = ["| mechanism | property | what is proved | theorem, file | axioms |", "|---|---|---|---|---|"]
    for claim in record["theorems"]:
        axioms = "of the reals" if claim["assumptions"] else "none"
        if "Classical_Prop.classic" in claim["assumptions"]:
            axioms = "of the reals, excluded middle"
        place = f"`{claim['name']}`, {claim['file'].removeprefix('audit/')}"
        words = claim["words"].replace("|", "\\|")
        rows.append(f"| `{claim['mechanism']}` | {claim['property']} | {words} | {place} | {axioms} |")
    return "\n".join(rows) + "\n"


def run(*command: str, cwd: Path) -> str:
    """Run a command and return what it printed; on failure stop with its last lines."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stdout + done.stderr).splitlines()
        raise SystemExit(f"{' '.join(command[:3])} … failed:\n" + "\n".join(lines[-20:]))
    return done.stdout


def build(folder: Path, targets: list[str] | None = None) -> None:
    """Compile the sources that lie in the folder, or what some of them need; dependencies first, two at a time.

    `SystemExit` if a file does not compile; the message holds Coq's.
    """
    files = [path.relative_to(folder).as_posix() for path in sources(folder)]
    run("coq_makefile", "-R", ".", "MarketKernel", *files, "-o", "Makefile.coq", cwd=folder)
    run("make", "--no-print-directory", "-j2", "-f", "Makefile.coq", *(targets or []), cwd=folder)


def copy(folder: Path, source: Path = HERE) -> Path:
    """Copy the sources into a folder and return it."""
    for path in sources(source):
        target = folder / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return folder


def assumptions(folder: Path, found: list[dict[str, str]]) -> dict[str, list[str]]:
    """Return the axioms that each claim rests on, as Coq prints them in the built folder."""
    modules = sorted({claim["file"].removesuffix(".v").replace("/", ".") for claim in found})
    script = [f"From MarketKernel Require {module}." for module in modules]
    for claim in found:
        script.append(f'Redirect "{claim["name"]}" Print Assumptions {Path(claim["file"]).stem}.{claim["name"]}.')
    (folder / "Printed.v").write_text("\n".join(script) + "\n")
    run("coqc", "-R", ".", "MarketKernel", "Printed.v", cwd=folder)
    result = {}
    for claim in found:
        text = (folder / f"{claim['name']}.out").read_text()
        result[claim["name"]] = (
            []
            if "Closed under the global context" in text
            else sorted(re.findall(r"^([\w.]+) *(?::|$)", text, flags=re.MULTILINE)[1:])
        )
    return result


def check(folder: Path, *, chk: bool = True) -> dict[str, Any]:
    """Build the copy of the sources in the folder, check it, and return the record."""
    if bad := forbidden(folder):
        raise SystemExit("admitted or postulated:\n" + "\n".join(bad))
    found = claims(folder)
    names = [claim["name"] for claim in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SystemExit(f"claims of one name: {', '.join(twice)}")
    record: dict[str, Any] = {
        "coq": run("coqc", "--print-version", cwd=folder).split()[0],
        "coqchk": chk,
        "sources": hashes(folder),
    }
    build(folder)
    rests = assumptions(folder, found)
    if foreign := {name: axioms for name, axioms in rests.items() if set(axioms) - set(ALLOWED)}:
        raise SystemExit(f"assumptions that are not on the list: {foreign}")
    if chk:
        audits = sorted({"MarketKernel." + claim["file"].removesuffix(".v").replace("/", ".") for claim in found})
        run("coqchk", "-silent", "-R", ".", "MarketKernel", *audits, cwd=folder)
    record["theorems"] = [{**claim, "assumptions": rests[claim["name"]]} for claim in found]
    return record


def main() -> int:
    """Run the check from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-chk", action="store_true", help="skip coqchk and write no record")
    parser.add_argument("--again", action="store_true", help="write nothing: hold what is found against the record")
    options = parser.parse_args()
    if not shutil.which("coqc"):
        sys.stderr.write("Coq is not installed here (Debian: apt-get install --no-install-recommends coq)\n")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        record = check(copy(Path(folder)), chk=not options.no_chk)
    theorems = record["theorems"]
    if options.again:
        kept = json.loads(RECORD.read_text())
        if wrong := [key for key in ("sources", "theorems") if record[key] != kept[key]]:
            sys.stderr.write(f"the record's {' and '.join(wrong)} are not what was checked here\n")
            return 1
        sys.stdout.write(f"{len(theorems)} theorems checked here by Coq {record['coq']} and coqchk, as recorded\n")
        return 0
    for theorem in theorems:
        axioms = ", ".join(theorem["assumptions"]) or "no axiom"
        sys.stdout.write(f"{theorem['mechanism']:16} {theorem['property']:20} {theorem['name']}: {axioms}\n")
    sys.stdout.write(f"{len(theorems)} claims proved, Coq {record['coq']}\n")
    if not options.no_chk:
        RECORD.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
        page = PAGE.read_text()
        PAGE.write_text(page[: page.index(TABLE) + len(TABLE)] + table(record))
    return 0


if __name__ == "__main__":
    sys.exit(main())
