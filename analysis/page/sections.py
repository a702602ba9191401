"""The sections of the report about one run: each a question, its answer in words, figures, and graded evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from analysis import evidence, metrics, tables, words
from analysis.decomposition import welfare_parts
from analysis.drawn import Drawn
from analysis.evidence import Evidence
from analysis.page.export import inline_svg
from analysis.page.gallery import Facts, gallery
from analysis.run.records import Run
from analysis.run.settings import flat
from analysis.tables import Table
from analysis.verdicts import property_table
from mechanism.wording import typeset


@dataclass(frozen=True)
class Figure:
    """A figure on the page: its SVG text, what to look at, and the table under it."""

    svg: str
    look: str
    table: Table


@dataclass(frozen=True)
class Section:
    """One question: its anchor, the answer in words, figures, graded evidence, and remarks."""

    anchor: str
    question: str
    answer: str
    figures: tuple[Figure, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    table: Table | None = None
    remarks: tuple[tuple[str, tuple[str, ...]], ...] = ()


def ready(drawn: Drawn, prefix: str) -> Figure:
    """Return a drawing as it stands on a page; ``prefix`` makes its ids unique there."""
    return Figure(inline_svg(drawn.figure, f"{prefix}-{drawn.name}", drawn.alt), drawn.look, drawn.table)


def run_sections(run: Run, prefix: str) -> tuple[Section, ...]:
    """Return the sections of one run; ``prefix`` makes ids unique on a page of several runs."""
    facts = Facts(run)
    drawings = gallery(facts)

    def draw(*names: str) -> tuple[Figure, ...]:
        return tuple(ready(drawings[name](), prefix) for name in names if name in drawings)

    best, curves, spread = facts.optimum, facts.curves, metrics.inequality(run)
    sections = [
        Section(
            f"{prefix}-achieved", "What does each method achieve, in accuracy and in utility?",
            words.accuracy_beside_utility(run), draw("accuracy-and-utility"), evidence.measured(run),
        ),
        Section(
            f"{prefix}-waterline", "Does anybody lose by taking part?",
            words.waterlines(run), draw("waterline"), evidence.individual_rationality(run),
        ),
        Section(
            f"{prefix}-welfare", "What are the imports worth, and what do they cost?",
            words.welfare_parts(welfare_parts(run)), draw("welfare"), evidence.measured(run),
        ),
        Section(
            f"{prefix}-money", "Who pays whom?",
            words.money(run), draw(*(f"money-{k}" for k in range(len(run.methods)))), evidence.balance(run),
        ),
        Section(
            f"{prefix}-imports", "Who learns from whom?",
            words.imports(run), draw("imports"), evidence.measured(run),
        ),
        Section(
            f"{prefix}-optimum", "How much of what was possible is reached?",
            words.against_optimum(run, best), draw("optimum"), evidence.efficiency(run, best),
        ),
        Section(
            f"{prefix}-lies", "Does lying about one’s cost pay?",
            words.lying(run, curves), draw("lie-curve", "regret"), evidence.truthfulness(run, curves),
            remarks=(("Scope", (run.audit.scope,)),) if curves else (),
        ),
        Section(
            f"{prefix}-spread", "How evenly is utility spread?",
            words.inequality(spread), draw("lorenz"), evidence.measured(run),
        ),
        Section(
            f"{prefix}-rounds", "Does it hold over the rounds?",
            words.rounds(run), draw("rounds"), evidence.measured(run),
        ),
    ]  # fmt: skip
    if figures_of_people := draw("roles", "attendance"):
        sections.insert(
            2,
            Section(
                f"{prefix}-people", "Who does well, and who stays?",
                words.population(run), figures_of_people, evidence.measured(run),
            ),
        )  # fmt: skip
    return (*sections, *_about_rules(facts, prefix, draw), *_how(run, prefix))


def _about_rules(facts: Facts, prefix: str, draw: Callable[..., tuple[Figure, ...]]) -> tuple[Section, ...]:
    """Return the sections about the rules rather than the run, where there are any."""
    sections = []
    if facts.regions:
        sections.append(
            Section(
                f"{prefix}-regions", "What would be bought at other costs?",
                words.regions(facts.regions), draw("regions"), evidence.regions(facts.regions),
            )
        )  # fmt: skip
    if facts.verdicts:
        sections.append(
            Section(
                f"{prefix}-verdicts", "Which promises does each rule keep in every market?",
                words.verdicts(facts.verdicts), draw("verdicts"), evidence.verdicts(facts.verdicts),
                table=property_table(facts.verdicts),
            )
        )  # fmt: skip
    return tuple(sections)


def _how(run: Run, prefix: str) -> tuple[Section, Section]:
    """Return the audit's own words, and the settings."""
    return (
        Section(
            f"{prefix}-audit", "What does the audit say, in words?",
            f"Every promise was checked on the record alone, to a relative tolerance of "
            f"{typeset(run.audit.tolerance)}. The sentences are those of audit.json, with all digits that it has.",
            table=tables.theory_table(run),
            remarks=(*_audit_remarks(run), ("Scope of the claim of truthfulness", (run.audit.scope,))),
        ),
        Section(
            f"{prefix}-settings", "How was this made?",
            f"Task {run.task}, seed{'s' * (len(run.seeds) > 1)} {words.listed(str(s) for s in run.seeds)}, folder "
            f"{run.path.resolve().name}. The same settings and seeds give the same numbers.",
            table=_settings(run),
        ),
    )  # fmt: skip


def _settings(run: Run) -> Table:
    rows = [(f"config: {key}", value) for key, value in flat(run.config)]
    rows += [(f"run: {key}", value) for key, value in flat(run.manifest)]
    return Table("Settings and versions", ("setting", "value"), tuple(rows))


def _audit_remarks(run: Run) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found = []
    for name in run.methods:
        audit = run.audit.methods[name]
        found.append((f"{name} ({audit.mechanism})" if audit.mechanism else name, audit.words))
    return tuple(found)
