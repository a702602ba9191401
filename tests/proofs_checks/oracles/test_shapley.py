"""pyDVL's exact Shapley values of an importer's game equal the prices of `shapley-split`."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from mechanism import Market, Types, market_mechanism

with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patched:
    warnings.simplefilter("ignore")  # its dependencies deprecate what it uses
    patched.setattr(np, "float_", np.float64, raising=False)  # it was written for numpy 1 and names this at import
    from pydvl.value.games import Game
    from pydvl.value.shapley.naive import combinatorial_exact_shapley


class Purchase(Game):
    """The importer is player 0, its sellers follow: v(T) = G(T) - sum of their prices, nothing without the importer."""

    def __init__(self, gain: float, own: float, sizes: np.ndarray, prices: np.ndarray) -> None:
        super().__init__(len(sizes) + 1)
        self.gain, self.own, self.sizes, self.prices = gain, own, sizes, prices

    def _score(self, model: object, x: np.ndarray, y: np.ndarray) -> float:
        members = {int(k) for k in np.asarray(x).ravel()}
        if 0 not in members:
            return 0.0
        sold = [k - 1 for k in sorted(members) if k > 0]
        data = self.own + self.sizes[sold].sum()
        return float(np.sqrt(self.gain / self.own) - np.sqrt(self.gain / data) - self.prices[sold].sum())


@pytest.mark.parametrize("seed", range(12))
def test_prices_are_cost_plus_shapley_value(seed: int) -> None:
    rng = np.random.default_rng(seed)
    m = 5
    types = Types(rng.uniform(50, 500, m), rng.uniform(0, 1, m), np.r_[20_000.0, np.zeros(m - 1)])
    differences = np.where(np.eye(m, dtype=bool), 0.0, rng.uniform(0, 0.05, (m, m)))
    market = Market(differences, float(seed % 2))
    outcome = market_mechanism("shapley-split").clear(types.truthful(), market)
    sellers = np.flatnonzero(outcome.imports[0])
    assert len(sellers) >= 1
    penalties = market.penalties(types.size)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        game = Purchase(20_000.0, types.size[0], types.size[sellers], types.cost[sellers] + penalties[sellers])
        values = combinatorial_exact_shapley(game.u, progress=False)
    shapley = dict(zip(values.indices, values.values, strict=True))
    for k, j in enumerate(sellers):
        assert outcome.prices[0, j] == pytest.approx(types.cost[j] + shapley[k + 1], abs=1e-9)
