"""Exact Shapley values by pyDVL, in a process of its own: games as JSON on stdin, values as JSON on stdout.

Of its own, since importing pyDVL changes how polars reads empty numpy arrays in the same process.
"""

import json
import sys
import warnings

import numpy as np

warnings.simplefilter("ignore")  # its dependencies deprecate what it uses
setattr(np, "float_", np.float64)  # noqa: B010 - it was written for numpy 1 and names this when it is imported

from pydvl.value.games import Game  # noqa: E402
from pydvl.value.shapley.naive import combinatorial_exact_shapley  # noqa: E402


class Purchase(Game):
    """The importer is player 0, its sellers follow: v(T) = G(T) - sum of their prices, nothing without the importer."""

    def __init__(self, gain: float, own: float, sizes: list[float], prices: list[float]) -> None:
        super().__init__(len(sizes) + 1)
        self.gain, self.own, self.sizes, self.prices = gain, own, np.array(sizes), np.array(prices)

    def _score(self, model: object, x: np.ndarray, y: np.ndarray) -> float:
        members = {int(k) for k in np.asarray(x).ravel()}
        if 0 not in members:
            return 0.0
        sold = [k - 1 for k in sorted(members) if k > 0]
        data = self.own + self.sizes[sold].sum()
        return float(np.sqrt(self.gain / self.own) - np.sqrt(self.gain / data) - self.prices[sold].sum())


def main() -> None:
    """Read, compute, write."""
    found = []
    for game in json.load(sys.stdin):
        values = combinatorial_exact_shapley(Purchase(**game).u, progress=False)
        by_player = dict(zip(values.indices.tolist(), values.values.tolist(), strict=True))
        found.append([by_player[k] for k in range(len(game["sizes"]) + 1)])
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
