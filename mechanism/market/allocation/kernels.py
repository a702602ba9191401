"""The inner loops of a clearing, importer by importer: thresholds, exact selection, prices.

One source, two lives: imported as it stands, these are plain Python functions, quick to start and right for a market
of a dozen clients; loaded a second time by `mechanism.market.allocation.selection` under the name
``…kernels_compiled``, the same functions are machine code. The whole call tree stays in this file, because a cached
compilation does not notice a change in another one.

Conventions: ``law`` is the tuple (kind, exponent, knots_x, knots_y), kind 0 for ``-(k/x)^e`` and 1 for a table;
``k`` the importer's gain parameter; ``x`` total samples; all money float64. Importer and candidates are those of one
market; candidate arrays are ordered as stated in each function.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mechanism.market.gains import KernelForm

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

if __name__.endswith("kernels_compiled"):
    from mechanism.market.allocation.jit import jit
else:

    def jit(function: Callable[..., Any]) -> Any:
        """Leave the function as it is."""
        return function


# Codes shared with the rule objects.
GIVEN, THRESHOLD, THRESHOLD_SKIP, EXACT, FULL, OFFERED = 0, 1, 2, 3, 4, 5
NOTHING, MARGINAL, CLARKE = 0, 1, 2

_DOMINATORS = 16  # how many excluded sellers on the path are tested for dominance: more costs more than it saves
_FREE = 1e-150  # a price below this is no price: its inverse powers overflow
_INSERTION = 48  # below this length insertion sort beats the library's


@jit
def level(law: KernelForm, k: float, x: float) -> float:
    """Gain at total data x up to a constant: value(K, n, x) = level(x) - level(n)."""
    kind, exponent, knots_x, knots_y = law
    if kind == 0:
        if exponent == 0.5:
            return -math.sqrt(k / x)
        return -((k / x) ** exponent)
    count = len(knots_x)
    lo, hi = 1, count - 1  # the segment (hi-1, hi) that holds x; the first one also serves x below it
    while lo < hi:
        mid = (lo + hi) // 2
        if knots_x[mid] < x:
            lo = mid + 1
        else:
            hi = mid
    if x >= knots_x[count - 1]:
        return k * knots_y[count - 1]
    slope = (knots_y[lo] - knots_y[lo - 1]) / (knots_x[lo] - knots_x[lo - 1])
    return k * (knots_y[lo - 1] + slope * (x - knots_x[lo - 1]))


@jit
def slope_at(law: KernelForm, k: float, x: float) -> float:
    """Right derivative of `level` in x."""
    kind, exponent, knots_x, knots_y = law
    if kind == 0:
        if exponent == 0.5:
            return 0.5 * math.sqrt(k / x) / x
        return exponent * (k / x) ** exponent / x
    count = len(knots_x)
    if x >= knots_x[count - 1]:
        return 0.0
    lo, hi = 1, count - 1
    while lo < hi:
        mid = (lo + hi) // 2
        if knots_x[mid] <= x:
            lo = mid + 1
        else:
            hi = mid
    return k * (knots_y[lo] - knots_y[lo - 1]) / (knots_x[lo] - knots_x[lo - 1])


@jit
def peak(law: KernelForm, k: float, price: float, low: float, high: float) -> float:
    """Total data in [low, high] at which level(x) - price·x is largest."""
    kind, exponent, knots_x, _ = law
    if kind == 0:
        if price <= _FREE:
            return high if k > 0.0 else low
        if exponent == 0.5:
            root = (0.5 * math.sqrt(k) / price) ** (2.0 / 3.0)
        else:
            root = (exponent * k**exponent / price) ** (1.0 / (exponent + 1.0))
        return min(max(root, low), high)
    if slope_at(law, k, low) <= price:
        return low
    for index in range(len(knots_x)):  # concave and piecewise linear: the peak is at a knot or an end
        if knots_x[index] > low and (knots_x[index] >= high or slope_at(law, k, knots_x[index]) <= price):
            return min(knots_x[index], high)
    return high


@jit
def threshold(law: KernelForm, k: float, n: float, price: float) -> float:
    """Total data x > n at which a seller of n samples stops being worth its price: level(x) - level(x - n) = price.

    +inf where the price is <= 0, n (never taken) where no total is small enough. For the sqrt law, with
    x = n / sin²a the equation reads tan a - sin a = s, s = price·sqrt(n/K); with t = tan(a/2) it is the quartic
    s·t⁴ + 4t³ = s on (0, 1], convex, so that Newton's iteration from above falls to the only root.
    """
    kind, exponent, _, _ = law
    if n <= 0.0:  # brings nothing, even for nothing
        return n
    if price <= _FREE:
        return math.inf
    if k <= 0.0:
        return n
    if kind == 0 and exponent == 0.5:
        s = price * (math.sqrt(n) / math.sqrt(k))
        if s > 1e15:  # x - n = n/s² is nothing against n
            return n
        if s < 1e-90:  # x is beyond any total
            return math.inf
        t = min(1.0, (0.25 * s) ** (1.0 / 3.0))
        for _ in range(64):
            cube = t * t * t
            step = (s * (cube * t - 1.0) + 4.0 * cube) / (4.0 * s * cube + 12.0 * t * t)
            t -= step
            if step <= 1e-9 * t:  # the error squares at each step: this one was the last that mattered
                break
        # the last step, written so that large s (t near 1) loses nothing
        square = t * t
        return n * (1.0 + square) * (1.0 + square) / (4.0 * square)
    low, high = n, 2.0 * n  # bracketed: the marginal falls in x
    if level(law, k, n * (1.0 + 1e-12)) - level(law, k, n * 1e-12) <= price:
        return n
    while level(law, k, high) - level(law, k, high - n) > price:
        low, high = high, 2.0 * high
        if high > 1e300:
            return math.inf
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle <= low or middle >= high:
            break
        if level(law, k, middle) - level(law, k, middle - n) > price:
            low = middle
        else:
            high = middle
    return high


@jit
def fill_thresholds(law: KernelForm, k: Floats, n: Floats, price: Floats, x: Floats) -> None:
    """Fill ``x`` with `threshold` of each importer's k, seller's n and price."""
    for index in range(len(x)):
        x[index] = threshold(law, k[index], n[index], price[index])


@jit
def order_by(key: Floats, size: Floats, order: Ints, count: int) -> None:
    """Fill ``order[:count]`` with positions by rising key, then falling size, then rising position."""
    if count <= _INSERTION:
        for a in range(count):
            b = a
            while b > 0:
                c = order[b - 1]
                if key[c] > key[a] or (key[c] == key[a] and size[c] < size[a]):
                    order[b] = c
                    b -= 1
                else:
                    break
            order[b] = a
        return
    # two stable sorts, the less significant key first
    by_size = np.argsort(-size[:count], kind="mergesort")
    by_key = np.argsort(key[:count][by_size], kind="mergesort")
    for a in range(count):
        order[a] = by_size[by_key[a]]


@jit
def take_while_worth(
    law: KernelForm, k: float, own: float, size: Floats, price: Floats, count: int, skip: bool, chosen: Bools,
    mark: Floats, order: Ints,
) -> None:  # fmt: skip
    """The reference rule over ``count`` candidates in client order: fills ``chosen[:count]``.

    Falling thresholds, equal ones by lower index; take j while data held + n_j < x_j strictly; stop at the first that
    fails (``skip``: pass over it).
    """
    for a in range(count):
        mark[a] = -threshold(law, k, size[a], price[a])
        chosen[a] = False
    if count <= _INSERTION:
        for a in range(count):
            b = a
            while b > 0 and mark[order[b - 1]] > mark[a]:
                order[b] = order[b - 1]
                b -= 1
            order[b] = a
    else:
        order[:count] = np.argsort(mark[:count], kind="mergesort")
    total = own
    for a in range(count):
        j = order[a]
        if total + size[j] < -mark[j]:
            chosen[j] = True
            total += size[j]
        elif not skip:
            break


@jit
def prefix_sums(values: Floats, sums: Floats, count: int) -> None:
    """sums[q] = values[0] + … + values[q-1], in two parts: ``sums[q, 0]`` rounded, ``sums[q, 1]`` what rounding left.

    ``sums`` [count + 1, 2]. Values that differ by nine digits or more stay exact in their differences (Knuth's sum).
    """
    sums[0, 0] = sums[0, 1] = 0.0
    for a in range(count):
        high, value = sums[a, 0], values[a]
        total = high + value
        added = total - high
        sums[a + 1, 0] = total
        sums[a + 1, 1] = sums[a, 1] + ((high - (total - added)) + (value - added))


@jit
def between(sums: Floats, first: int, last: int) -> float:
    """values[first] + … + values[last-1], from `prefix_sums`."""
    return (sums[last, 0] - sums[first, 0]) + (sums[last, 1] - sums[first, 1])


@jit
def relaxation(
    law: KernelForm, k: float, total: float, cost: float, first: int, count: int, absent: int, beyond: float,
    size: Floats, price: Floats, ratio: Floats, sum_size: Floats, sum_price: Floats,
) -> float:  # fmt: skip
    """Upper bound on level(data) - cost when candidates first.. may be bought, one of them in part, and not ``absent``.

    Candidates stand in rising price per sample, so the best fractional purchase is a prefix: binary search for the
    first one not wanted at all, then the best part of the one before it. Where all are wanted, any amount may be had
    besides at ``beyond`` per sample (+inf: not). Returns level less cost.
    """
    lo, hi = first, count
    while lo < hi:
        mid = (lo + hi) // 2
        data = total + between(sum_size, first, mid)
        if first <= absent < mid:
            data -= size[absent]
        if slope_at(law, k, data) > ratio[mid]:
            lo = mid + 1
        else:
            hi = mid
    last = lo - 1
    if last == absent:
        last -= 1
    data, spent = total, cost
    if last >= first:
        left, before = total + between(sum_size, first, last), cost + between(sum_price, first, last)
        if first <= absent < last:
            left, before = left - size[absent], before - price[absent]
        data = peak(law, k, ratio[last], left, left + size[last])
        spent = before + ratio[last] * (data - left)
    if lo == count and beyond < slope_at(law, k, data):
        if beyond <= _FREE:
            return level(law, k, math.inf) - spent
        more = peak(law, k, beyond, data, math.inf)
        return level(law, k, more) - (spent + beyond * (more - data))
    return level(law, k, data) - spent


@jit
def search(
    law: KernelForm, k: float, own: float, size: Floats, price: Floats, ratio: Floats, sum_size: Floats,
    sum_price: Floats, count: int, absent: int, beyond: float, short: bool, tie: float, slack: float, limit: int,
    best: float, work: Floats, state: NDArray[np.int8], chosen: Bools,
) -> tuple[float, float, int]:  # fmt: skip
    """Exact best purchase by depth-first branch and bound; returns (value, gap, nodes) and fills ``chosen[:count]``.

    Candidates in the order of `order_by` on price per sample; ``absent`` (-1: nobody) is not for sale. ``best`` is a
    value known to be attainable (0: buy nothing; then ``chosen`` starts empty). A set replaces the incumbent only if it
    is better by more than ``tie``; sets are met include-first; what cannot be better by more than ``slack`` is not
    searched. gap is 0 unless ``limit`` nodes were not enough: then no set is better by more.
    ``beyond``: no more per sample than what any other seller asks, who is not among the candidates (+inf: there is
    none). Where such a seller might belong to a better set, the gap is +inf at once if ``short`` (the list of
    candidates can be made longer), else what it might bring is in the gap.
    ``work`` float [count + 1, 3]: data, cost and bound on the path. ``state`` int8 [count + 1]: 0 new, 1 in, 2 out, 3
    absent.
    """
    floor = level(law, k, own)
    for a in range(count):
        chosen[a] = False
    work[0, 0], work[0, 1] = own, 0.0
    state[0] = 0
    depth, reach, nodes, gap, missed = 0, 0, 0, 0.0, best
    while depth >= 0:
        if state[depth] == 0:
            total, cost = work[depth, 0], work[depth, 1]
            if depth == absent:
                work[depth + 1, 0], work[depth + 1, 1] = total, cost
                state[depth] = 3
                depth += 1
                state[depth] = 0
                continue
            nodes += 1
            value = level(law, k, total) - floor - cost
            if value > best + tie:
                best = value
                for a in range(max(depth, reach)):
                    chosen[a] = a < depth and state[a] == 1
                reach = depth
            if depth == count and beyond == math.inf:
                depth -= 1
                continue
            bound = (
                relaxation(
                    law, k, total, cost, depth, count, absent, beyond, size, price, ratio, sum_size, sum_price,
                ) - floor
            )  # fmt: skip
            if bound <= best + slack:
                depth -= 1
                continue
            if depth == count:
                if short:
                    return best, math.inf, nodes
                missed = max(missed, bound)
                depth -= 1
                continue
            work[depth, 2] = bound
            if nodes >= limit:
                gap = max(bound, missed)
                for a in range(depth):
                    if state[a] == 1 and work[a, 2] > gap:
                        gap = work[a, 2]
                return best, max(0.0, gap - best), nodes
            state[depth] = 1
            # a seller no smaller and no dearer that was left out rules this one out: exchanging them loses nothing
            a, seen = depth - 1, 0
            while a >= 0 and seen < _DOMINATORS:
                if state[a] == 2:
                    seen += 1
                    if size[a] >= size[depth] and price[a] <= price[depth]:
                        state[depth] = 2
                        break
                a -= 1
            if state[depth] == 1:
                work[depth + 1, 0], work[depth + 1, 1] = total + size[depth], cost + price[depth]
            else:
                work[depth + 1, 0], work[depth + 1, 1] = total, cost
            depth += 1
            state[depth] = 0
        elif state[depth] == 1:  # back from the half with this seller: try without, if the bound still allows
            if work[depth, 2] <= best + slack:
                depth -= 1
                continue
            state[depth] = 2
            work[depth + 1, 0], work[depth + 1, 1] = work[depth, 0], work[depth, 1]
            depth += 1
            state[depth] = 0
        else:
            depth -= 1
    return best, missed - best if missed > best + slack else 0.0, nodes


@jit
def total_but(values: Floats, chosen: Bools, skipped: int, count: int, start: float, total: float) -> float:
    """``start`` plus the chosen ``values[:count]`` but one, where ``total`` is the same with it.

    Subtraction, unless the one is most of the total: then the rest would be what rounding left of it, and is added up
    again. At most one value is so large, so this costs nothing on the whole.
    """
    if values[skipped] <= 0.5 * total:
        return max(start, total - values[skipped])
    rest = start
    for a in range(count):
        if chosen[a] and a != skipped:
            rest += values[a]
    return rest


@jit
def clear_importers(
    start: int, stop: int, size: Floats, cost: Floats, gain: Floats, counted: Floats, counted_row: Ints,
    differences: Floats, which: Ints, lam: float, law: KernelForm, allocation: int, payment: int, limit: int,
    tie: float, slack: float, imports: Bools, prices: Floats, gap: Floats,
) -> None:  # fmt: skip
    """Clear importers start..stop-1, counted through the batch: task t is importer t % m of market t // m.

    ``size cost gain`` [B, m]; ``counted`` [C, m, m] what j's model counts for i, in samples, or [C, 1, m] the same for
    all i, with ``counted_row`` [B] its row for each market; ``differences`` [D, m, m] with ``which`` [B]; written:
    ``imports`` bool and ``prices`` [B, m, m], ``gap`` [B, m]. ``allocation`` and ``payment`` are the codes above.
    OFFERED is EXACT at given prices: ``differences`` then holds what i would pay j (+inf: not on offer), ``cost`` and
    ``lam`` are not read, and ``payment`` is NOTHING.
    """
    m = size.shape[1]
    # candidates in client order
    client = np.empty(m, np.int64)
    c_size, c_price, mark, c_pen = np.empty(m), np.empty(m), np.empty(m), np.empty(m)
    taken = np.zeros(m, np.bool_)
    order, back = np.empty(m, np.int64), np.empty(m, np.int64)
    # candidates that can be worth buying, in the order of the search
    s_size, s_price, s_ratio = np.empty(m), np.empty(m), np.empty(m)
    r_size, r_price = np.empty(m), np.empty(m)
    sum_size, sum_price = np.empty((m + 1, 2)), np.empty((m + 1, 2))
    chosen, without = np.zeros(m, np.bool_), np.zeros(m, np.bool_)
    work, state = np.empty((m + 1, 3)), np.zeros(m + 1, np.int8)
    for task in range(start, stop):
        b, i = task // m, task % m
        own, k = size[b, i], gain[b, i]
        data = counted[counted_row[b], i if counted.shape[1] > 1 else 0]
        count = 0
        for j in range(m):
            if j != i:
                client[count] = j
                c_size[count] = data[j]
                if allocation == OFFERED:
                    c_pen[count], c_price[count] = 0.0, differences[which[b], i, j]
                else:
                    c_pen[count] = lam * differences[which[b], i, j] * (data[j] / own) if lam > 0.0 else 0.0
                    c_price[count] = cost[b, j] + c_pen[count]
                count += 1
        unsure = 0.0
        floor = level(law, k, own)
        same = tie * max(1.0, abs(floor))  # rounding grows with the level
        room = same
        kept = 0
        if allocation in (EXACT, OFFERED) or payment == CLARKE:
            for a in range(count):
                # concave gain: who is not worth its price to an importer that holds nothing never is
                if c_price[a] < level(law, k, own + c_size[a]) - floor:
                    mark[kept] = c_price[a] / c_size[a]
                    s_size[kept] = c_size[a]
                    s_price[kept] = c_price[a]
                    back[kept] = a
                    kept += 1
            order_by(mark, s_size, order, kept)
            for a in range(kept):
                r_size[a], r_price[a] = s_size[order[a]], s_price[order[a]]
                s_ratio[a] = mark[order[a]]
            for a in range(kept):
                s_size[a], s_price[a] = r_size[a], r_price[a]
                order[a] = back[order[a]]  # from here on: the position in client order
            prefix_sums(s_size, sum_size, kept)
            prefix_sums(s_price, sum_price, kept)
            # what may be left on the table grows with what is on it
            room = max(same, slack * max(1.0, level(law, k, own + sum_size[kept, 0]) - floor))
        if allocation in (EXACT, OFFERED):
            _, unsure, _ = search(
                law, k, own, s_size, s_price, s_ratio, sum_size, sum_price, kept, -1, math.inf, False,
                same, room, limit, 0.0, work, state, chosen,
            )  # fmt: skip
            for a in range(count):
                taken[a] = False
            for a in range(kept):
                if chosen[a]:
                    taken[order[a]] = True
        elif allocation in (THRESHOLD, THRESHOLD_SKIP):
            take_while_worth(law, k, own, c_size, c_price, count, allocation == THRESHOLD_SKIP, taken, mark, order)
        elif allocation == FULL:
            for a in range(count):
                taken[a] = True
        else:
            for a in range(count):
                taken[a] = imports[b, i, client[a]]
        held = own
        spent = 0.0
        for j in range(m):
            imports[b, i, j] = False
            prices[b, i, j] = 0.0
        for a in range(count):
            if taken[a]:
                imports[b, i, client[a]] = True
                held += c_size[a]
                spent += c_price[a]
        if payment == MARGINAL:
            top = level(law, k, held)
            for a in range(count):
                if taken[a]:
                    rest_size = total_but(c_size, taken, a, count, own, held)
                    prices[b, i, client[a]] = top - level(law, k, rest_size) - c_pen[a]
        elif payment == CLARKE:
            found = level(law, k, held) - floor - spent
            for p in range(kept):
                a = order[p]
                if not taken[a]:
                    continue
                # what is left of the chosen set without j is attainable: a warm start
                rest_size = total_but(c_size, taken, a, count, own, held)
                rest_price = total_but(c_price, taken, a, count, 0.0, spent)
                warm = max(0.0, level(law, k, rest_size) - floor - rest_price)
                other, missing, _ = search(
                    law, k, own, s_size, s_price, s_ratio, sum_size, sum_price, kept, p, math.inf, False,
                    same, room, limit, warm, work, state, without,
                )  # fmt: skip
                unsure = max(unsure, missing)
                # W(M) >= W(M\j): rounding may not break it
                prices[b, i, client[a]] = cost[b, client[a]] + max(0.0, found - other)
        gap[b, i] = unsure


@jit
def apply_decision(
    size: Floats, price: Floats, count: int, at: int, side: int, state: NDArray[np.int8], trail: Ints, trailed: int,
) -> int:  # fmt: skip
    """Decide candidate ``at``, 1 in or 2 out, and what follows by exchange.

    In with all that dominate it, out with all that it dominates (`mechanism.market.allocation.optimality`). Writes
    ``state``, appends to ``trail``, returns its length. Candidates stand in the order of `order_by` on price per
    sample, in which who dominates comes first.
    """
    state[at] = side
    trail[trailed] = at
    trailed += 1
    first, last = (0, at) if side == 1 else (at + 1, count)
    for a in range(first, last):
        if state[a] == 0:
            better, worse = (a, at) if side == 1 else (at, a)
            if size[better] >= size[worse] and price[better] <= price[worse]:
                state[a] = side
                trail[trailed] = a
                trailed += 1
    return trailed


@jit
def grow_tree(
    law: KernelForm, k: float, own: float, size: Floats, price: Floats, ratio: Floats, client: Ints, count: int,
    absent: int, best: float, room: float, limit: int, state: NDArray[np.int8], trail: Ints, path: Ints, nodes: Ints,
    slopes: Floats, used: Ints, chosen: Bools,
) -> bool:  # fmt: skip
    """Branch and bound that leaves its tree behind, a certificate's, for one importer without candidate ``absent``.

    Best fractional purchase at each node, branching on the seller bought in part. ``best``: a value of level(data) -
    cost known to be attained; a leaf is what cannot be better by more than ``room``. Nodes beyond ``limit`` are leaves.
    Appends to ``nodes`` and ``slopes`` from ``used[0]`` and ``used[1]`` on, which it moves; ``chosen`` is filled where
    a better set is met. Returns whether the arrays were long enough.
    """
    for a in range(count):
        state[a] = 0
    if absent >= 0:
        state[absent] = 3
    depth, trailed, met = 0, 0, 0
    while True:
        total, cost = own, 0.0
        for a in range(count):
            if state[a] == 1:
                total += size[a]
                cost += price[a]
        slope, critical, end, data = 0.0, -1, count, total
        for a in range(count):
            if state[a] == 0:
                if slope_at(law, k, total) <= ratio[a]:
                    end = a
                    break
                slope = ratio[a]
                data = peak(law, k, ratio[a], total, total + size[a])
                if data < total + size[a]:
                    critical, end = a, a
                    break
                total += size[a]
                cost += price[a]
        value = level(law, k, total) - cost
        bound, whole = value, -1
        if critical >= 0:
            bound = level(law, k, data) - (cost + ratio[critical] * (data - total))
            more = level(law, k, total + size[critical]) - (cost + price[critical])
            if more > value:
                value, whole = more, critical
        else:
            slope = max(slope, slope_at(law, k, total))
        if value > best:
            best = value
            for a in range(count):
                chosen[a] = state[a] == 1 or (state[a] == 0 and a < end)
            if whole >= 0:
                chosen[whole] = True
        if used[0] >= len(nodes) or used[1] >= len(slopes):
            return False
        met += 1
        if critical >= 0 and bound > best + room and met < limit:
            nodes[used[0]] = client[critical]
            used[0] += 1
            path[depth, 0], path[depth, 1], path[depth, 2] = critical, 1, trailed
            depth += 1
            trailed = apply_decision(size, price, count, critical, 1, state, trail, trailed)
            continue
        nodes[used[0]] = -1
        slopes[used[1]] = slope
        used[0] += 1
        used[1] += 1
        while depth > 0 and path[depth - 1, 1] == 2:
            depth -= 1
        if depth == 0:
            return True
        before = path[depth - 1, 2]
        while trailed > before:
            trailed -= 1
            state[trail[trailed]] = 0
        path[depth - 1, 1] = 2
        trailed = apply_decision(size, price, count, path[depth - 1, 0], 2, state, trail, trailed)


@jit
def certify_importers(
    start: int, stop: int, own: Floats, gain: Floats, sizes: Floats, prices: Floats, imports: Bools, room: Floats,
    law: KernelForm, critical: bool, limit: int, nodes: Ints, slopes: Floats, others: Ints, used: Ints,
) -> int:  # fmt: skip
    """Write the certificates of importers start.. of one market; return the first that found no room in the arrays.

    ``own gain room`` [m]; ``sizes prices imports`` [m, m]. ``others`` holds for each import the sellers in which the
    best set without it differs from the rest of the set bought, then -1. ``used`` [3]: what is written of each array.
    """
    m = len(own)
    client, order = np.empty(m, np.int64), np.empty(m, np.int64)
    c_size, c_price, mark = np.empty(m), np.empty(m), np.empty(m)
    size, price, ratio, seller = np.empty(m), np.empty(m), np.empty(m), np.empty(m, np.int64)
    chosen, state = np.zeros(m, np.bool_), np.zeros(m, np.int8)
    trail, path, done = np.empty(m, np.int64), np.empty((m, 3), np.int64), np.zeros(3, np.int64)
    for i in range(start, stop):
        done[:] = used
        k, x = gain[i], own[i]
        steepest, count = slope_at(law, k, x), 0
        for j in range(m):
            if j != i and (imports[i, j] or (sizes[i, j] > 0.0 and prices[i, j] < steepest * sizes[i, j])):
                client[count], c_size[count], c_price[count] = j, sizes[i, j], prices[i, j]
                mark[count] = prices[i, j] / sizes[i, j] if sizes[i, j] > 0.0 else math.inf
                count += 1
        order_by(mark, c_size, order, count)
        held, spent = x, 0.0
        for a in range(count):
            b = order[a]
            seller[a], size[a], price[a], ratio[a] = client[b], c_size[b], c_price[b], mark[b]
            if imports[i, client[b]]:
                held += size[a]
                spent += price[a]
        fits = grow_tree(
            law, k, x, size, price, ratio, seller, count, -1, level(law, k, held) - spent, room[i], limit, state,
            trail, path, nodes, slopes, used, chosen,
        )  # fmt: skip
        for j in range(m):
            if not (critical and fits and imports[i, j]):
                continue
            absent = 0
            while seller[absent] != j:
                absent += 1
            held, spent = x, 0.0
            for a in range(count):
                chosen[a] = imports[i, seller[a]] and a != absent
                if chosen[a]:
                    held += size[a]
                    spent += price[a]
            fits = grow_tree(
                law, k, x, size, price, ratio, seller, count, absent, level(law, k, held) - spent, room[i], limit,
                state, trail, path, nodes, slopes, used, chosen,
            )  # fmt: skip
            if used[2] + count + 1 > len(others):
                fits = False
                continue
            for a in range(count):
                if a != absent and chosen[a] != imports[i, seller[a]]:
                    others[used[2]] = seller[a]
                    used[2] += 1
            others[used[2]] = -1
            used[2] += 1
        if not fits:
            used[:] = done
            return i
    return stop
