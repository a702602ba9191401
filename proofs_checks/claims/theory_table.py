"""The table of theory.md, cell by cell."""

from dataclasses import dataclass, replace

import numpy as np

from mechanism.direct import DirectMechanism, Floats
from mechanism.entry import PROPERTIES
from mechanism.market.direct import MarketDirect
from mechanism.market.mechanisms import market_mechanism
from proofs_checks.claims.claim import Claim, ClaimVerdict, Context, asked, both
from proofs_checks.claims.examples import MECHANISMS, Joint, ask, catalogue
from proofs_checks.properties.property import Probe, Rng, change
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.properties.truthful import Truthful
from proofs_checks.search.cases import Cases
from proofs_checks.search.lines import draw_lines, utility_table

COLUMNS = ("ir", "dsic-cost", "dsic-gain", "dsic-size", "budget-balance", "efficiency")

TABLE: dict[str, str] = {
    "ipfl": "yes no no no yes no",
    "exact-marginal": "yes no no no yes yes",
    "ipfl-exact": "yes yes no no yes yes",
    "posted-price": "yes yes yes no yes no",
    "pooled-price": "yes yes yes no yes no",
    "vcg-two-sided": "yes yes yes no no yes",
    "shapley-split": "yes no no no yes yes",
    "no-payment": "no yes yes yes yes no",
}
"""What the table says, without its remarks; `realised` has its own claims, it promises ex post."""

EX_POST = {
    "realised": "expost-cost yes, expost-gain yes, expost-size yes, budget-balance no",
    "realised-bilateral": "expost-cost yes, expost-gain no, expost-size no, budget-balance yes",
}
"""The remarks of the row `realised`: (global form), (sellers), "global: as VCG; bilateral: exact"."""

NEEDS_SIZES = ("posted-price", "pooled-price", "vcg-two-sided")
"""Where a gain is truthfully reported only if the others' sizes are what they report."""


def _words(name: str, prop: str) -> str:
    said = PROPERTIES[prop].split(":")[0]
    return f"{name}: {said}."


def _cells() -> list[Claim]:
    found = []
    for name, row in TABLE.items():
        for prop, says in zip(COLUMNS, row.split(), strict=True):
            # whatever the others report includes sizes that they do not have: only a gain is hurt by that
            sizes = "private" if prop == "dsic-gain" else "delivered"
            source = f"theory, table, {name}"
            found.append(Claim(f"table-{name}-{prop}", source, _words(name, prop), says == "yes",
                               ask(name, prop, sizes=sizes)))  # fmt: skip
            if prop == "dsic-gain" and name in NEEDS_SIZES:
                words = _words(name, prop).replace("whatever the others report", "sizes as reported")
                found.append(Claim(f"table-{name}-{prop}-sizes", source, words, True, ask(name, prop)))
    for name, cells in EX_POST.items():
        source = "theory, table, realised"
        known = [tuple(cell.split()) for cell in cells.split(", ")]
        for prop, says in (("ir", "yes"), *known, ("efficiency", "yes")):
            words = _words(name, prop)
            if prop in ("ir", "efficiency"):
                words = f"{words[:-1]} (at truth)."
            found.append(Claim(f"table-{name}-{prop}", source, words, says == "yes", ask(name, prop, sizes="private")))
        for coordinate in ("cost", "gain", "size"):
            prop = f"dsic-{coordinate}"
            found.append(Claim(f"table-{name}-{prop}", source, _words(name, prop), False,
                               ask(name, prop, sizes="private")))  # fmt: skip
    return found


class SellersLie(MarketDirect):
    """A market with one buyer, client 0, whose size is public; the others only sell."""

    def __post_init__(self) -> None:
        super().__post_init__()
        high, private = self.space.high.copy(), self.space.private.copy()
        high[1:, 2] = 0.0
        private[0] = False
        space = replace(self.space, low=np.minimum(self.space.low, high), high=high, private=private)
        object.__setattr__(self, "space", space)


class BuyersLie(SellersLie):
    """A market with one buyer, client 0, who alone may misreport."""

    def __post_init__(self) -> None:
        super().__post_init__()
        private = ~self.space.private & (np.arange(self.space.k) < 3)
        private[1:] = False
        object.__setattr__(self, "space", replace(self.space, private=private))


@dataclass(frozen=True)
class OneWay(Truthful):
    """Truthfulness against lies in one direction: ``sign`` 1, overstating; -1, understating."""

    sign: int = 1

    def probe(self, mechanism: DirectMechanism, rng: Rng, ways: tuple[str, str], count: int) -> Probe:
        """Compare every truth with every report on one side of it."""
        lines = draw_lines(mechanism, rng, ways, count, self._movable(mechanism), levels=8, others=self.others)
        table = utility_table(mechanism, lines)
        level = lines.levels[:, :, mechanism.space.index(str(self.coordinate))]
        beyond = self.sign * (level[:, None, :] - level[:, :, None]) > 0
        gain = np.where(beyond, table - np.diagonal(table, axis1=1, axis2=2)[:, :, None], -np.inf)
        line, truth, report = (int(x) for x in np.unravel_index(int(np.argmax(gain)), gain.shape))
        p, r = lines.shape
        return Probe(lines.case(line, truth, report), float(gain[line, truth, report]), p * r * (r - 1) // 2, p)

    def violation(self, mechanism: DirectMechanism, cases: Cases) -> Floats:
        """Return what the lie adds, or nothing where it is on the other side."""
        before, after = change(mechanism, cases)
        who, rows = cases.deviator, np.arange(len(cases.types))
        place = mechanism.space.index(str(self.coordinate))
        moved = cases.reported[rows, :, who, place] - cases.before[rows, who, place][:, None]
        gain = after[rows, :, who] - before[rows, :, who]
        return np.asarray(np.where(self.sign * moved > 0, gain, np.minimum(gain, 0.0) - 1.0))


def one_way(coordinate: str, sign: int) -> OneWay:
    """Return truthfulness in a coordinate against overstating (1) or understating (-1)."""
    base = PROPERTY[f"dsic-{coordinate}"]
    return OneWay(base.id, base.statement, base.formula, coordinate, "arbitrary", sign)


def _monotone(context: Context) -> ClaimVerdict:
    part = context.part(1.0 / len(MECHANISMS))
    return both(*(asked(catalogue(name), PROPERTY["monotonicity"], part, name) for name in MECHANISMS))


_TOGETHER = Joint("dsic", "no client gains by a false cost and a false gain together", PROPERTY["dsic"].formula)


_T = "theory, table"

CLAIMS = (
    *_cells(),
    Claim("table-realised-bilateral-sellers", f"{_T}, realised", "realised-bilateral: no seller gains by a false size "
          "when the others tell the truth.", True,
          ask(SellersLie(market_mechanism("realised-bilateral"), 4), "expost-size")),
    Claim("table-posted-price-buyer-size", f"{_T}, posted-price", "posted-price: no buyer gains by a false size.", True,
          ask(BuyersLie(market_mechanism("posted-price"), 4), "dsic-size")),
    Claim("table-exact-marginal-overstating", f"{_T}, exact-marginal", "exact-marginal: no client gains by overstating "
          "its cost.", True, ask("exact-marginal", one_way("cost", 1))),
    Claim("table-shapley-split-overstating", f"{_T}, shapley-split", "shapley-split: no client gains by overstating "
          "its cost.", False, ask("shapley-split", one_way("cost", 1))),
    Claim("table-shapley-split-understating", f"{_T}, shapley-split", "shapley-split: no client gains by understating "
          "its cost.", False, ask("shapley-split", one_way("cost", -1))),
    Claim("table-monotone", _T, "Under every mechanism a dearer seller sells no more.", True, _monotone),
    Claim("realised-gain-sizes", "question", "realised: no client gains by a false gain, whatever the others report, "
          "sizes as reported.", True, ask("realised", "dsic-gain")),
    *(Claim(f"joint-{name}-sizes", "question", f"{name}: no client gains by lying about cost and gain together, sizes "
            "as reported.", True, ask(name, _TOGETHER, sizes="delivered")) for name in NEEDS_SIZES),
    *(Claim(f"joint-{name}", "question", f"{name}: no client gains by lying about cost and gain together, whatever the "
            "others' sizes.", False, ask(name, _TOGETHER, sizes="private")) for name in NEEDS_SIZES),
)  # fmt: skip
"""The table, and the directions and roles that its remarks name."""
