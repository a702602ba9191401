"""Why a cleared market is optimal and correctly priced: a certificate, and its check, which trusts no search.

**The claim.** Importer i owns x_i samples and may buy from the sellers M = all others: j brings n_j >= 0 samples (its
size, to everybody the same or measured for this importer) at the price w_j = c_j + pen_ij >= 0. Its objective is
J(S) = L(x_i + n(S)) - w(S), S ⊆ M, n(S) = Σ_S n_j, w(S) = Σ_S w_j, where L(x) is the gain law up to a constant: what
data x is worth less what unlimited data is worth, non-decreasing. W(M) is the largest J; M∖j leaves one seller out. All
n_j, w_j, x_i, K_i are the float64 numbers that the market states, and the claim is about these numbers exactly.

**The certificate** holds the set S bought, for each j in S a set T_j ⊆ M∖j, and for M and each M∖j (a *problem*) a
binary tree: an inner node names a seller s, its first subtree the sets with s, its second those without; a leaf holds
one number μ >= 0. So each leaf stands for the sets that hold A (named "in" on its path) and nothing of O ("out").

1. **A leaf's bound.** Let C(μ) = sup over x > 0 of L(x) - μx. For every S with A ⊆ S, S ∩ O = ∅, and F the other
   sellers of the problem: J(S) = [L(x) - μx] + μx_i + Σ_S (μ n_j - w_j), x = x_i + n(S), hence

       J(S) <= C(μ) + μ x_i + Σ_A (μ n_j - w_j) + Σ_F max(0, μ n_j - w_j).

   For the power law L(x) = -(K/x)^e, C(μ) = -(1 + e) (K μ / e)^(e / (1 + e)), reached where L'(x) = μ: μ is the slope
   of the tangent. For a table (concave, piecewise linear, constant at last), C(μ) restricted to x >= x_i is the largest
   value at x_i and at the knots beyond it. Nothing but the formula of C rests on concavity.
2. **Exchanges.** Say that a *dominates* b where n_a >= n_b, w_a <= w_b and, if both are equal, a stands before b in the
   list of clients. A set with b and without a is no better than the set with a in b's place. Rank the sellers by (w
   rising, n falling, place): an exchange lowers the sum of ranks, so that exchanges end, in a set that is no worse and
   *canonical*: it holds every seller of the problem that dominates one in it. So only canonical sets need a bound: at a
   leaf, all that dominates a member of A is in A, all that a member of O dominates is in O, and where the two meet the
   leaf stands for no canonical set.
3. **The tree covers.** Every subset follows one path from the root. So W(problem) <= U, the largest of their bounds.
4. **Attained.** W(M) >= J(S) and W(M∖j) >= J(T_j), computed from the sets. Hence W(M) lies in [J(S), U_M], and the
   critical value of j, c_j + W(M) - W(M∖j), in [c_j + J(S) - U_j, c_j + U_M - J(T_j)].

**What is proved**, with the tolerance ε_i = `MONEY` · max(1, -L(x_i)): S misses the optimum by at most U_M - J(S), and
it is called optimal where that is <= ε_i; a price misses the critical value by no more than its distance from the far
end of that interval, and it is called right where that is <= 2 ε_i.

**In float64.** Sums and products are rounded outwards: each operation to the next number, a sum of m terms by
m · 2^-52 of the sum of magnitudes. Powers and interpolation are taken to be right to `FUZZ` = 2^-46 of their size, far
more than the 4 units in the last place that numpy states. So the inequalities hold of the real numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mechanism.errors import InvalidMarketError
from mechanism.market.allocation.purchases import ROUNDING, Purchases, down, up
from mechanism.space import Floats

Ints = NDArray[np.int64]

_CELLS = 1 << 20  # leaves times sellers that are bounded at once


@dataclass(frozen=True, eq=False)
class Certificate:
    """What makes a clearing checkable, importer by importer; the problems of one: M, then M∖j for each j it imports.

    ``nodes`` int64: all trees in preorder, one after the other: a seller, then its subtree "in", then "out"; -1 a leaf.
    ``slopes`` float64: μ of every leaf, in order. ``others``: for each import in order, the sellers in which T_j
    differs from S∖j. Where prices are not critical values there are no problems M∖j, and no ``others``.
    """

    nodes: Ints
    slopes: Floats
    others: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False)
class Proved:
    """What a certificate proves of a clearing: ``gap`` ``[m]`` of each importer's purchase, money, >= 0 (inf: nothing).

    ``low`` and ``high`` ``[m, m]`` hold the critical value of every import (NaN elsewhere, and where it was not asked).
    """

    gap: Floats
    tolerance: Floats
    low: Floats
    high: Floats

    def spread(self, prices: Floats) -> Floats:
        """Return by how much each price may miss the critical value at most, ``[m, m]``, 0 where nothing is bought."""
        far = np.fmax(prices - self.low, self.high - prices)
        return np.asarray(np.nan_to_num(np.where(np.isnan(self.low), 0.0, far), nan=np.inf))


def prove(purchases: Purchases, imports: NDArray[np.bool_], certificate: Certificate, *, critical: bool) -> Proved:
    """Check the certificate of one clearing with these imports bool ``[m, m]``; return what it proves.

    ``critical``: whether it has the problems M∖j, from which critical values follow. `InvalidMarketError` if it is not
    shaped like a certificate of this clearing.
    """
    m = purchases.clients
    importer, absent = problems(imports, critical)
    bound = np.full(len(importer), -np.inf)
    slope_at = 0
    for where, row, seller, inside in leaves(certificate.nodes, importer, absent, m):
        slope = certificate.slopes[slope_at : slope_at + len(where)]
        slope_at += len(where)
        if len(slope) < len(where):
            break
        with np.errstate(all="ignore"):
            upper = leaf_bounds(purchases, importer[where], absent[where], slope, row, seller, inside)
        np.maximum.at(bound, where, np.where(np.isnan(upper), np.inf, upper))
    if slope_at != len(certificate.slopes) or not (certificate.slopes >= 0.0).all():
        raise InvalidMarketError("a certificate needs one slope >= 0 for each leaf of its trees")
    bound[bound == -np.inf] = np.inf  # some set is canonical: rounding cannot come here, damage might
    chosen = imports[importer].copy()
    removed = absent >= 0
    if len(certificate.others) != removed.sum():
        raise InvalidMarketError("a certificate needs one other set for each import whose price it proves")
    for problem, differing in zip(np.flatnonzero(removed), certificate.others, strict=True):
        i, j = importer[problem], absent[problem]
        chosen[problem, j] = False
        if len(set(differing)) < len(differing) or not all(0 <= s < m and s not in (i, j) for s in differing):
            raise InvalidMarketError(f"the other set of importer {i} without {j} names somebody twice, or nobody")
        chosen[problem, list(differing)] ^= True
    below = purchases.attained(importer, chosen)
    main = np.flatnonzero(~removed)
    gap = np.maximum(0.0, up(bound[main] - below[main], bound[main], below[main]))
    low, high = np.full((m, m), np.nan), np.full((m, m), np.nan)
    i, j = importer[removed], absent[removed]
    cost = purchases.cost[j]
    low[i, j] = down(cost + below[main][i] - bound[removed], cost, below[main][i], bound[removed])
    high[i, j] = up(cost + bound[main][i] - below[removed], cost, bound[main][i], below[removed])
    return Proved(gap, purchases.tolerance, low, high)


def problems(imports: NDArray[np.bool_], critical: bool) -> tuple[Ints, Ints]:
    """Return importer and seller left out (-1: nobody) of each problem, in the order of a certificate's trees."""
    told = [(i, j) for i, row in enumerate(imports) for j in (-1, *(np.flatnonzero(row) if critical else ()))]
    importer, absent = np.array(told, dtype=np.int64).reshape(-1, 2).T
    return importer, absent


def leaves(nodes: Ints, importer: Ints, absent: Ints, m: int) -> Iterator[tuple[Ints, Ints, Ints, NDArray[np.bool_]]]:
    """Walk the trees; yield some leaves at a time, with the decisions on their paths.

    The problem of each leaf ``[L]``; of each decision ``[D]`` the leaf's place among the L, the seller, if it is in.
    `InvalidMarketError` if the nodes are no trees for these problems, or a path decides on nobody, or on one seller
    twice.
    """
    told: list[int] = []
    rows: list[int] = []
    codes: list[int] = []

    def some() -> tuple[Ints, Ints, Ints, NDArray[np.bool_]]:
        code = np.array(codes, dtype=np.int64)
        return np.array(told, dtype=np.int64), np.array(rows, dtype=np.int64), code // 2, code % 2 == 1

    walk = iter(nodes.tolist())
    for problem, ends in enumerate(zip(importer.tolist(), absent.tolist(), strict=True)):
        path: list[int] = []  # seller · 2, + 1 where it is in
        decided = set(ends)
        while True:
            node = next(walk, None)
            if node is None or not -1 <= node < m or (node >= 0 and node in decided):
                raise InvalidMarketError(f"the tree of importer {ends[0]} is cut short, or decides on nobody or twice")
            if node >= 0:
                decided.add(node)
                path.append(2 * node + 1)
                continue
            rows += [len(told)] * len(path)
            codes += path
            told.append(problem)
            while path and path[-1] % 2 == 0:
                decided.discard(path.pop() // 2)
            if (len(told) + len(codes)) * m > _CELLS:
                yield some()
                told, rows, codes = [], [], []
            if not path:
                break
            path[-1] -= 1
    if next(walk, None) is not None:
        raise InvalidMarketError("the certificate has more trees than the clearing has problems")
    yield some()


def leaf_bounds(
    purchases: Purchases, importer: Ints, absent: Ints, slope: Floats, row: Ints, seller: Ints,
    inside: NDArray[np.bool_],
) -> Floats:  # fmt: skip
    """Return an upper bound on J over the canonical sets of each leaf ``[L]``, -inf where there are none (1. and 2.).

    ``importer``, ``absent``, ``slope`` ``[L]``; decisions ``[D]`` as of `leaves`.
    """
    m = purchases.clients
    n, w = purchases.size[importer], purchases.price[importer]
    place = np.arange(m)
    away = (place == importer[:, None]) | (place == absent[:, None])
    taken, left = np.zeros(n.shape, dtype=np.bool_), away.copy()
    for side, marks in ((inside, taken), (~inside, left)):
        if not side.any():
            continue
        key, which = np.unique(importer[row[side]] * m + seller[side], return_inverse=True)
        follows = np.packbits(_follows(purchases, key // m, key % m, marks is taken), axis=1)
        first = np.flatnonzero(np.diff(row[side], prepend=-1))  # a leaf's decisions stand together
        together = np.bitwise_or.reduceat(follows[which], first, axis=0)
        marks[row[side][first]] |= np.unpackbits(together, axis=1, count=m).view(np.bool_)
    taken &= ~away
    reduced = np.nextafter(np.nextafter(slope[:, None] * n, np.inf) - w, np.inf)
    reduced = np.where(left, 0.0, np.where(taken, reduced, np.maximum(0.0, reduced)))
    total = reduced.sum(axis=1) + (m + 2) * ROUNDING * np.abs(reduced).sum(axis=1)
    own, level = slope * purchases.own[importer], purchases.conjugate(importer, slope)
    upper = up(level + own + total, level, own, total)
    return np.where((taken & left).any(axis=1), -np.inf, upper)


def _follows(purchases: Purchases, importer: Ints, seller: Ints, inside: bool) -> NDArray[np.bool_]:
    """Return what each decision ``[D]`` decides in canonical sets ``[D, m]``.

    The seller itself, and all that dominate it if it is in, all that it dominates if it is out.
    """
    n, w, place = purchases.size[importer], purchases.price[importer], np.arange(purchases.clients)
    one = seller[:, None]
    size, price = np.take_along_axis(n, one, axis=1), np.take_along_axis(w, one, axis=1)
    same = (n == size) & (w == price)
    if inside:
        return np.asarray((n >= size) & (w <= price) & (~same | (place <= one)))
    return np.asarray((n <= size) & (w >= price) & (~same | (place >= one)))
