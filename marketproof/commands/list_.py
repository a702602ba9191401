"""``marketproof list``: what exists: mechanisms, methods, tasks, properties, populations, plugins."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from marketproof.commands.options import FixedSeed, Json, Quiet, argument
from marketproof.terminal.console import stdout, table
from mechanism.errors import InputError, shown
from mechanism.writing import write_json

HELP = "List what exists: mechanisms, methods, tasks, properties, populations or plugins (parts of other packages)."

EPILOG = """Example: "marketproof list mechanisms" shows of each mechanism which promises it keeps by theory: ir (nobody
loses), dsic-cost (no lie about a cost pays), budget-balance, efficiency. No mechanism keeps all of them."""


def list_(
    what: Annotated[str, argument("WHAT", "mechanisms, methods, tasks, properties, populations or plugins.")],
    json: Json = None,
    seed: FixedSeed = 0,
    quiet: Quiet = False,
) -> None:
    """Look up, write, show."""
    if what not in LISTINGS:
        raise InputError(f"there is no list of {shown(what)}; expected one of {', '.join(LISTINGS)}")
    listing = LISTINGS[what]()
    write_json(json, {what: listing.rows})
    rows = [[str(row.get(column, "-")) for column in listing.columns] for row in listing.rows]
    stdout(quiet=quiet).print(table(listing.title, listing.columns, rows, left=len(listing.columns)))


@dataclass(frozen=True)
class Listing:
    """A table of what exists: its title, columns (the first is the id), and one dictionary per row."""

    title: str
    columns: tuple[str, ...]
    rows: list[dict[str, Any]]


_SHOWN_TRUTHS = ("ir", "dsic-cost", "dsic-gain", "dsic-size", "budget-balance", "efficiency")


def mechanisms() -> Listing:
    """Every mechanism with what theory says of it; those for a market clear a run or a table."""
    from mechanism.catalogue import AUCTION_ENTRIES, EFFECTIVE_ENTRIES, MARKET_ENTRIES

    kinds = {"market": MARKET_ENTRIES, "market on effective sizes": EFFECTIVE_ENTRIES, "auction": AUCTION_ENTRIES}
    rows = [
        {
            "id": entry.id,
            "for": kind,
            "title": entry.title,
            "citation": entry.citation,
            "domain": entry.domain,
            **entry.truths,
        }
        for kind, entries in kinds.items()
        for entry in entries.values()
    ]
    return Listing("Mechanisms, and what theory says of them", ("id", "for", "title", *_SHOWN_TRUTHS), rows)


def methods() -> Listing:
    """Learning methods; those whose graph a market decides take a mechanism after a slash."""
    from learning.algorithms import ALGORITHMS
    from marketproof.running.methods import uses_market

    rows = [
        {
            "id": method.name,
            "graph": f"by the market: {method.name}/MECHANISM{'(-earned)' * method.measures}"
            if uses_market(method.name)
            else "implied by the method",
            "summary": method.summary,
            "citation": method.citation,
        }
        for method in ALGORITHMS.values()
    ]
    return Listing("Methods for run --methods", ("id", "graph", "summary", "citation"), rows)


def tasks() -> Listing:
    """Tasks that come with the package."""
    from marketproof.running.config import load_task, task_names

    rows = []
    for name in task_names():
        task = load_task(name)
        scales = {key: f"{scale.rounds} x {scale.steps}" for key, scale in task.scale.items()}
        rows.append(
            {
                "id": name,
                "title": task.title,
                "clients": task.data.clients,
                "lambda": task.market.lam,
                "scales (rounds x steps)": ", ".join(f"{key} {text}" for key, text in scales.items()),
            }
        )
    return Listing("Tasks", ("id", "title", "clients", "lambda", "scales (rounds x steps)"), rows)


def properties() -> Listing:
    """What can be promised of a mechanism, in words; after each its variants, which `verify` checks when named."""
    from proofs_checks.properties.registry import PROPERTY, VARIANTS

    rows = [
        {"id": each.name, "statement": each.statement, "formula": each.formula}
        for standard in PROPERTY.values()
        for each in (standard, *(variant for variant in VARIANTS.values() if variant.id == standard.id))
    ]
    return Listing("Properties", ("id", "statement", "formula"), rows)


def populations() -> Listing:
    """Who takes part in a run, and what of its task changes with them."""
    from marketproof.running.populations import POPULATIONS

    column = "changes in the task"
    rows = [{"id": name, "summary": one.summary, column: one.changes} for name, one in POPULATIONS.items()]
    return Listing("Populations for run --population", ("id", "summary", column), rows)


def plugins() -> Listing:
    """What installed packages bring, by name; nothing of it is imported."""
    from mechanism.own_code import KINDS
    from mechanism.own_code import plugins as installed

    rows = []
    for plugin in installed():
        kind, _, name = plugin.name.partition(".")
        package = f"{plugin.dist.name} {plugin.dist.version}" if plugin.dist else "?"
        kind = kind if kind in KINDS else f"unknown: {kind}; expected {', '.join(KINDS)}"
        rows.append({"id": name, "kind": kind, "package": package, "object": plugin.value})
    return Listing("Plugins of installed packages", ("id", "kind", "package", "object"), rows)


LISTINGS: dict[str, Callable[[], Listing]] = {
    "mechanisms": mechanisms,
    "methods": methods,
    "tasks": tasks,
    "properties": properties,
    "populations": populations,
    "plugins": plugins,
}
"""What can be listed, by name."""
