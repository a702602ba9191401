"""Markets on effective sizes: the lies that are looked for in them, and what truth in everything costs in welfare.

    python benchmarks/effective.py                    10,240 markets of 3 to 6 clients for lies; about two minutes
    python benchmarks/effective.py --markets 80       so many of each kind and number of clients
    python benchmarks/effective.py --design           the prices that were tried for a truthful rule, and their welfare
    python benchmarks/effective.py --surprises        what lies gain where earned prices rest on what is foretold
    python benchmarks/effective.py --run RUN          the same rules on the markets of a run of `ipfl-effective`

Markets: `proofs_checks.search.effective_markets`, all kinds (round numbers, ties, zeros). A cost lie is searched at
every break point where the rule has them (`proofs_checks.search.lies`); lies about gain and size, and about cost, gain
and size at once, are drawn. Money is compared with 1e-9. Exits 1 where a promise is broken.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.run.records import read_run
from mechanism.auctions.public.fact import Fact
from mechanism.market.accounting import MONEY, Outcome, account
from mechanism.market.clients import Market, Types
from mechanism.market.mechanisms import market_mechanism
from mechanism.market.rules.clock_price import ClockPrice
from mechanism.market.rules.earned import Earned
from mechanism.market.rules.pooled_price import PooledPrice
from mechanism.market.rules.rule import Clearing
from mechanism.market.settling import settled
from mechanism.space import Floats
from proofs_checks.search.effective_markets import effective_markets, largest_lie
from proofs_checks.search.lies import best_reports
from proofs_checks.search.random_markets import KINDS

TRUTHFUL = ("pooled-price", "clock-price")
SIZES = (3, 4, 5, 6)
WELFARE_SIZES = (5, 10, 20, 40)


def lies(markets: int, seed: int = 0) -> dict[str, float]:
    """Return the most that each lie gains, and the most that anyone loses at truth, over all kinds; money."""
    worst: dict[str, float] = {}

    def keep(name: str, amount: float) -> None:
        worst[name] = max(worst.get(name, -np.inf), amount)

    for kind in KINDS:
        for m in SIZES:
            rng = np.random.default_rng([seed, m, sorted(KINDS).index(kind)])
            types, market = effective_markets(kind, rng, markets, m)
            sellers = np.zeros((markets, m), dtype=np.bool_)
            sellers[np.arange(markets), rng.integers(0, m, markets)] = True
            pure = Types(types.size, types.cost, np.where(sellers, 0.0, types.gain))
            exact = market_mechanism("ipfl-exact")
            keep("ipfl-exact: cost", float(best_reports(exact, types, market).gain.max()))
            moved = largest_lie(exact, pure, market, ("size",), rng, 12, sellers)[1]
            keep("ipfl-exact: size of a pure seller, moved by", moved)
            for name in TRUTHFUL:
                rule = market_mechanism(name)
                for told in (("cost",), ("gain",), ("size",), ("cost", "gain", "size")):
                    gained = largest_lie(rule, types, market, told, rng, 12 if len(told) == 1 else 24)[0]
                    keep(f"{name}: {', '.join(told)}", gained)
            for name in ("ipfl-exact", *TRUTHFUL):
                rule = market_mechanism(name)
                utility = account(types, rule.clear(types.truthful(), market), market).utility
                keep(f"{name}: loss at truth", float((-utility).max()))
    return worst


def welfare(rules: dict[str, Clearing], markets: int, seed: int = 0) -> dict[str, dict[tuple[str, int], float]]:
    """Return the share of the largest welfare that each rule reaches, by kind and number of clients; λ = 0."""
    found: dict[str, dict[tuple[str, int], float]] = {name: {} for name in rules}
    for kind in KINDS:
        for m in WELFARE_SIZES:
            rng = np.random.default_rng([seed, m, sorted(KINDS).index(kind)])
            types, drawn = effective_markets(kind, rng, markets, m)
            market, reports = Market(effective=drawn.effective), types.truthful()
            most = _total(market_mechanism("ipfl-exact"), types, market)
            for name, rule in rules.items():
                found[name][kind, m] = account(types, rule.clear(reports, market), market).welfare.sum() / most
    return found


def _total(rule: Clearing, types: Types, market: Market) -> float:
    return float(account(types, rule.clear(types.truthful(), market), market).welfare.sum())


def table(found: dict[str, dict[tuple[str, int], float]]) -> list[str]:
    """Return the shares as lines: the mean over kinds by number of clients, by kind over all, mean and lowest."""
    heads = [str(m) for m in WELFARE_SIZES] + list(KINDS) + ["mean", "lowest"]
    lines = [f"{'share of the best welfare':34}" + "".join(f"{head:>13}" for head in heads)]
    for name, cells in found.items():
        numbers = [np.mean([v for (_, m), v in cells.items() if m == size]) for size in WELFARE_SIZES]
        numbers += [np.mean([v for (kind, _), v in cells.items() if kind == one]) for one in KINDS]
        numbers += [np.mean(list(cells.values())), min(cells.values())]
        lines.append(f"{name:34}" + "".join(f"{number:13.3f}" for number in numbers))
    return lines


def design() -> dict[str, Clearing]:
    """Return the truthful prices that were tried: the pool at several k, the clock at several powers and cautions."""
    tried: dict[str, Clearing] = {f"pool of {k}": PooledPrice(k) for k in (1, 2, 3)}
    tried["pool of half"] = PooledPrice()
    for power in (0.0, 1 / 3, 1 / 2, 2 / 3, 1.0):
        for caution in (0.3, 0.5, 0.7, 1.0):
            tried[f"clock, power {power:.2f}, caution {caution:g}"] = ClockPrice(power, caution)
    return tried


def recorded(folder: str, rules: dict[str, Clearing]) -> list[str]:
    """Return the share of the largest welfare on the markets of a run: true types, measured effective sizes, λ = 0.

    One line for each method of the run that measured them: mean over its seeds, with the lowest and the highest; after
    it how many models a client bought, and how many clients found nobody who helps, mean over rounds, likewise.
    """
    run = read_run(folder)
    lines = []
    for method in run.methods:
        shares: dict[str, list[float]] = {name: [] for name in (*rules, "bought", "found nobody")}
        for seed in run.seeds:
            rounds = [run.market_round(method, seed, k + 1) for k in range(run.rounds)]
            markets = [
                (r.types, Market(law=r.law, effective=r.market.effective))
                for r in rounds
                if r.market.effective is not None
            ]
            most = sum(_total(market_mechanism("ipfl-exact"), *one) for one in markets)
            for name, rule in rules.items() if most > 0 else ():
                shares[name].append(sum(_total(rule, *one) for one in markets) / most)
            if markets:
                shares["bought"].append(float(np.mean([r.imports.sum(axis=-1).mean() for r in rounds])))
                alone = [(~market.effective.any(axis=-1)).sum() for _, market in markets]
                shares["found nobody"].append(float(np.mean(alone)))
        told = (f"{name} {np.mean(v):.3f} ({min(v):.3f} to {max(v):.3f})" for name, v in shares.items() if v)
        if words := "; ".join(told):
            lines.append(f"{method}: {words}, {len(run.seeds)} seeds of {run.rounds} rounds")
    return lines


@dataclass(frozen=True)
class Foretold(Earned):
    """Earned prices where every s is known to be ``s``."""

    s: float = 0.0

    def settle(self, outcome: Outcome, types: Types, measured: Floats | None = None) -> Outcome:
        """Return the outcome at that s."""
        return super().settle(outcome, types, np.full(outcome.centre.shape, self.s))


def foretold(markets: int, seed: int = 0) -> list[str]:
    """Return the most that random lies gain in markets of the paper's kind, 4 and 6 clients, for each s; money."""
    lines = ["s known | ipfl-exact-earned: cost | clock-price-earned: cost | cost, gain, size | mean utility of either"]
    for s in (0.0, 0.25, 0.5, -0.25, -0.5):
        gained, utility = np.zeros(3), np.zeros(2)
        for m in (4, 6):
            rng = np.random.default_rng([seed, m])
            types, market = effective_markets("paper", rng, markets, m)
            exact, clock = (Foretold(market_mechanism(name), s=s) for name in ("ipfl-exact", "clock-price"))
            asked = ((exact, ("cost",)), (clock, ("cost",)), (clock, ("cost", "gain", "size")))
            found = [largest_lie(rule, types, market, told, rng, 12)[0] for rule, told in asked]
            gained = np.maximum(gained, found)
            plain = (settled(rule, rule.clear(types.truthful(), market), types) for rule in (exact, clock))
            utility += [float(account(types, outcome, market).utility.mean()) / 2 for outcome in plain]
        lines.append(
            f"{s:+.2f} | " + " | ".join(f"{x:.2g}" for x in gained) + " | " + ", ".join(f"{u:.2f}" for u in utility)
        )
    return lines


def earners(agents: int = 9, draws: int = 2000, seed: int = 0) -> list[str]:
    """Return who earns what by the place of its cost, and what the best lie about it adds: FACT beside the clock.

    Costs uniform on [0.5, 1.5]; under FACT a sample's, money being loss; under the clock a model's, everybody's model
    worth 300 samples to everybody (K = 36,000, n = 100), and what is shown is the seller's part. Lies: 21 costs.
    """
    rng = np.random.default_rng(seed)
    cost = np.sort(rng.uniform(0.5, 1.5, (draws, agents)), axis=1)
    same = np.ones_like(cost)
    market = Market(effective=np.full((agents, agents), 300.0))
    clock, types = market_mechanism("clock-price"), Types(100.0 * same, cost, 36_000.0 * same)

    def fact(told: NDArray[np.float64]) -> NDArray[np.float64]:
        return Fact(agents).utility(cost[..., None], Fact(agents).outcome(told[..., None]))

    def sellers(told: NDArray[np.float64]) -> NDArray[np.float64]:
        return account(types, clock.clear(types.report(cost=told), market), market).seller

    lines = []
    for name, earned in (("fact", fact), ("clock-price", sellers)):
        truth, best = earned(cost), np.full(cost.shape, -np.inf)
        for said in np.linspace(0.5, 1.5, 21):
            for j in range(agents):
                told = cost.copy()
                told[:, j] = said
                best[:, j] = np.maximum(best[:, j], earned(told)[:, j])
        gain = np.maximum(best - truth, 0.0)
        ranks = " ".join(f"{amount:z.3f}" for amount in truth.mean(axis=0))
        pays = f"the best lie pays in {(gain > MONEY).mean():.0%} of cases, {gain.mean():.3f} on average"
        lines.append(f"{name}, earned by rank of cost, cheapest first: {ranks}; {pays}")
    return lines


def main() -> int:
    """Print what was found; status 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--markets", type=int, default=320, help="of each kind and number of clients (default 320)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--design", action="store_true", help="compare the prices that were tried instead")
    parser.add_argument("--surprises", action="store_true", help="what lies gain where surprises are foretold instead")
    parser.add_argument("--run", metavar="RUN", help="a run's folder: its recorded markets instead of random ones")
    options = parser.parse_args()
    if options.run is not None:
        lines = recorded(options.run, {name: market_mechanism(name) for name in (*TRUTHFUL, "posted-price", "ipfl")})
        sys.stdout.write("\n".join(lines or ["no method of this run measured effective sizes"]) + "\n")
        return 0
    began = time.perf_counter()
    if options.design:
        sys.stdout.write("\n".join(table(welfare(design(), max(8, options.markets // 8), options.seed))) + "\n")
        return 0
    if options.surprises:
        sys.stdout.write("\n".join(foretold(max(8, options.markets // 2), options.seed)) + "\n")
        return 0
    worst = lies(options.markets, options.seed)
    count = options.markets * len(KINDS) * len(SIZES)
    sys.stdout.write(f"{count} markets, {len(KINDS)} kinds, {SIZES[0]} to {SIZES[-1]} clients; money gained at most\n")
    for name, amount in worst.items():
        sys.stdout.write(f"  {name:45} {amount:.1e}\n")
    rules = {name: market_mechanism(name) for name in (*TRUTHFUL, "posted-price", "ipfl")}
    sys.stdout.write("\n".join(table(welfare(rules, max(8, options.markets // 4), options.seed))) + "\n")
    sys.stdout.write("\n".join(earners()) + "\n")
    sys.stdout.write(f"{time.perf_counter() - began:.0f} s\n")
    return int(max(worst.values()) > MONEY)


if __name__ == "__main__":
    sys.exit(main())
