"""Independent, slow, plain renderings of the market's formulas: what the package is tested against."""

import itertools
import math

import numpy as np


def value(k, own, sizes, prices, chosen):
    """V_i(S) from the formula, one importer."""
    total = own + math.fsum(sizes[j] for j in chosen)
    return math.sqrt(k / own) - math.sqrt(k / total) - math.fsum(prices[j] for j in chosen)


def best_value(k, own, sizes, prices, candidates=None):
    """max_S V_i(S) over all subsets."""
    pool = range(len(sizes)) if candidates is None else candidates
    pool = list(pool)
    return max(
        value(k, own, sizes, prices, chosen)
        for count in range(len(pool) + 1)
        for chosen in itertools.combinations(pool, count)
    )


def subsets_matrix(count):
    """Every subset of ``count`` sellers as rows of 0/1."""
    return ((np.arange(2**count)[:, None] >> np.arange(count)) & 1).astype(float)


def best_values_fast(k, own, sizes, prices):
    """All importers of a batch at once, still over all subsets: k, own [B], sizes and prices [B, s]."""
    rows = subsets_matrix(sizes.shape[1])
    total = own[:, None] + sizes @ rows.T
    return (np.sqrt(k / own)[:, None] - np.sqrt(k[:, None] / total) - prices @ rows.T).max(axis=1)


def clarke_price(k, own, sizes, prices, costs, j):
    """c_j + W(all) - W(all without j)."""
    without = [a for a in range(len(sizes)) if a != j]
    return costs[j] + best_value(k, own, sizes, prices) - best_value(k, own, sizes, prices, without)


def threshold_root(k, n, price):
    """The root by bisection on the formula, to full precision."""
    low, high = n, 2 * n
    while math.sqrt(k / (high - n)) - math.sqrt(k / high) > price:
        high *= 2
    for _ in range(300):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if math.sqrt(k / (middle - n)) - math.sqrt(k / middle) > price:
            low = middle
        else:
            high = middle
    return high
