"""What of the paper holds here: each claim with a verdict that is worked out from the committed records.

`page` is called by ``python -m docs.pages``. A verdict is never typed in: `docs/judges.py` works it out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.findings.several.statistics import FEWEST, interval
from analysis.page.export import Table
from docs.judges import (
    HOLDS,
    MISSING,
    NOISE,
    NOT,
    PARTLY,
    UNTESTED,
    Records,
    Verdict,
    background,
    gain_law,
    lies,
    of_formula,
    of_study,
    roles,
    solves,
    staying,
    strangers,
)  # fmt: skip
from docs.trained import LEARNT, MARGIN, accuracy, eleven, language, nobody_loses, utility
from marketproof.studies.carried_out import markdown_table
from mechanism.wording import percent, plural


@dataclass(frozen=True)
class Claim:
    """What the paper says, in our words, how it is judged, and what would change the verdict."""

    source: str
    says: str
    judge: Callable[[Records], Verdict]
    changes: str


MORE = "More tasks, seeds or the paper's scale: `marketproof study performance --tasks all --seeds 5`."
COUNTER = "A flaw in the market that refutes it: it has at most a few clients, and `marketproof replay` recomputes it."

CLAIMS: Sequence[Claim] = (
    Claim("abstract", "Public data will be used up within years; what is left is private and spread out.",
          background("A statement about the world; nothing here measures it."), "Nothing that this repository runs."),
    Claim("abstract", "Sensitive data and the lack of incentives keep private data from being used.",
          background("The same."), "Nothing that this repository runs."),
    Claim("abstract", "Clients with different purposes train together: traders, buyers and sellers all gain.",
          of_study("inclusive", roles), "`study inclusive` on more tasks and seeds."),
    Claim("abstract", "Raw data is not revealed.",
          background("Models are sent, no samples; what a server can compute from models is in the guide of the "
                     "federation, and only differential privacy bounds it. No record measures a leak."),
          "An attack on recorded models that rebuilds samples, or a study with a privacy budget in which it fails."),
    Claim("abstract", "The market solves a graph-based optimisation of training.", solves,
          "A selection that provably reaches the best objective: `ipfl-exact` is one."),
    Claim("abstract", "Individual rationality: in theory nobody loses by taking part.", of_formula("ipfl", "ir"),
          "A market in which a truthful client loses: `marketproof verify ipfl --property ir` looks for one."),
    Claim("abstract", "Individual rationality: in training nobody loses.", nobody_loses,
          "A recorded round in which a client's true utility is below zero."),
    Claim("abstract", "Truthfulness, cost: in theory nobody gains by a false report of it.",
          of_formula("ipfl", "dsic-cost"), COUNTER),
    Claim("paper.md", "Truthfulness, the gain parameter.", of_formula("ipfl", "dsic-gain"), COUNTER),
    Claim("paper.md", "Truthfulness, the number of samples.", of_formula("ipfl", "dsic-size"), COUNTER),
    Claim("paper.md", "Truthfulness in training: who reports another cost or size does not gain.",
          of_study("liars", lies),
          "`study liars` on more tasks and seeds, in which no lie pays."),
    Claim("paper.md", "What a client gains from imports follows a square-root law in their samples (here weakly: more "
          "gain where more is promised).",
          of_study("market", gain_law),
          "`study market` on more tasks and seeds, or a law fitted to measured gains (`--valuation fitted`)."),
    Claim("paper.md", "Every payment is received: nothing is left over.", of_formula("ipfl", "budget-balance"),
          "A market whose payments do not sum to zero."),
    Claim("abstract", "The evaluation covers eleven tasks.", eleven, MORE),
    Claim("abstract", "Among them the tuning of language models.", language,
          "The same tasks with the paper's model: it needs a GPU and the model's weights."),
    Claim("abstract", "iPFL consistently has the highest economic utility.", utility, MORE),
    Claim("abstract", "Its models are better than those of the other methods, or comparable "
          f"(here: at most {100 * MARGIN:g} point behind each of them).", accuracy, MORE),
    Claim("paper.md", "Attackers and free-riders earn less than honest clients.", of_study("robustness", strangers),
          "`study robustness` on more tasks and seeds."),
    Claim("paper.md", "Clients that may leave when they lose stay.", of_study("dropout", staying),
          "`study dropout` on more tasks and seeds."),
    Claim("abstract", "It satisfies everyone, and will serve future models on private data.",
          background("A hope; what of it can be measured is in the claims on utility and on who loses."),
          "Nothing that this repository runs."),
)  # fmt: skip
"""Every sentence of the abstract, and every claim that paper.md adds, in our words."""


def verdicts(folder: Path) -> list[tuple[Claim, Verdict]]:
    """Return every claim with its verdict by the records in ``folder``."""
    records = Records(folder)
    return [(claim, claim.judge(records)) for claim in CLAIMS]


def table(found: Sequence[tuple[Claim, Verdict]]) -> Table:
    """Return claims and verdicts as a table."""
    rows = [(k, claim.says, claim.source, verdict.word) for k, (claim, verdict) in enumerate(found, start=1)]
    return Table("What of the paper holds here", ("no", "the paper says", "where", "verdict"), tuple(rows))


def beside_authors(records: Records) -> list[str]:
    """Return the accuracies of the authors' code beside ours, in Markdown; nothing where none is recorded."""
    told, units = records.get("authors"), records.units()
    if told is None:
        return []
    rows = []
    for task, best in told["best"].items():
        for method, theirs in best.items():
            ours = [unit["accuracy_best"] for unit in units.get(task, {}).get(method, {}).values()]
            mean, half = interval(ours) if ours else (None, None)
            reach = "" if half is None else f" ± {100 * half:.1f}"
            cell = "not run yet" if mean is None else f"{100 * mean:.1f}{reach} ({plural(len(ours), 'seed')})"
            rows.append([task, method, f"{100 * theirs:.1f}", cell])
    heads = ["task", "method", "authors' code, %", "here, %, with a 95 % interval over seeds"]
    return [
        "## Beside the authors' code",
        f"Best accuracy; {told['how']}. Splits, starts and how long is trained are not the same, so that no "
        "difference is tested.",
        markdown_table(heads, rows, (0, 1)),
    ]


def page(found: Sequence[tuple[Claim, Verdict]], folder: Path) -> str:
    """Return the page in Markdown."""
    words = (HOLDS, PARTLY, NOT, NOISE, UNTESTED, MISSING)
    counts = {word: sum(verdict.word == word for _, verdict in found) for word in words}
    shown = table(found)
    parts = [
        "# What of the paper holds here",
        "Zhang, Chai, Ye, Wang, Chen: *Incentivizing Inclusive Contributions in Model Sharing Markets*, Nature "
        "Communications 16:7923 (2025). Each claim in our words, with a verdict worked out from the records beside "
        "this page by `python -m docs.pages`; none is typed in. The rule is the one in the authors' code, its "
        "thresholds solved exactly; training is at the reduced scales that each record names.",
        "; ".join(f"{word}: {count}" for word, count in counts.items() if count) + ".",
        markdown_table(shown.columns, [[str(cell) for cell in row] for row in shown.rows], (1, 2, 3)),
    ]
    for k, (claim, verdict) in enumerate(found, start=1):
        parts += [f"## {k}. {claim.says}", f"**{verdict.word.capitalize()}.** {verdict.evidence}",
                  f"*What would change our mind:* {claim.changes}"]  # fmt: skip
    parts += [
        *beside_authors(Records(folder)),
        "## How to read it",
        f"*{HOLDS.capitalize()}* and *{NOT}* are said of what is proved, refuted by a market that replays, or seen "
        f"beyond the noise of seeds (paired 95 % intervals, Student's t; for a claim each of its comparisons has to be "
        f"seen; against it one is enough, after Holm's correction over all; *{PARTLY}*: on every task recorded that "
        f"counts, fewer than eleven). *{NOISE.capitalize()}*: an interval includes the opposite, or there are fewer "
        f"than {FEWEST} seeds. "
        f"Accuracies count only where the best method makes at least {percent(LEARNT, 0)} fewer errors than a model "
        "that always gives a client one answer, its best; no verdict is on the paper's own scale of training. "
        f"*{MISSING.capitalize()}*: the record is not there. The theory's claims, one by one: `marketproof claims`.",
    ]
    return "\n\n".join(parts) + "\n"
