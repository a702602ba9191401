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

from mechanism.market.allocation.sellers import Rows, Scratch, Sellers, Slices

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
_ROUNDED = 1e-13  # relative error that sums and products of some numbers may have
_SAFELY = 1e-9  # relative margin where only time depends on it
_MET, _WAITING, _STREAMS, _COMPUTED = 0, 1, 2, 3  # places in `Scratch.at`
_SLICES = 6  # numbers of sellers for which candidates are kept sorted
_BY_NUMBER = 1_000  # nodes of one search by number, and of one by price per sample that only has to choose among equals
_LONGEST = 2_048  # candidates in a list, unless more are bought: what is beyond is then in the gap
_FEW = 100  # nodes of a search before its list of candidates is made longer
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
def fractional(
    law: KernelForm, k: float, total: float, cost: float, first: int, count: int, absent: int, size: Floats,
    ratio: Floats, sum_size: Floats, sum_price: Floats,
) -> float:  # fmt: skip
    """Upper bound on level(data) - cost when candidates first.. may be bought, one of them in part, and not ``absent``.

    Candidates stand in rising price per sample, so the best fractional purchase is a prefix: binary search for the
    first one not wanted at all, then the best part of the one before it. Returns level less cost.
    """
    if first <= absent < count:  # either all before it are wanted whole, or nobody behind it is wanted
        before = total + between(sum_size, first, absent)
        if slope_at(law, k, before) > ratio[absent]:
            total, cost, first = before, cost + between(sum_price, first, absent), absent + 1
        else:
            count = absent
    lo, hi = first, count
    while lo < hi:
        mid = (lo + hi) // 2
        if slope_at(law, k, total + between(sum_size, first, mid)) > ratio[mid]:
            lo = mid + 1
        else:
            hi = mid
    if lo == first:
        return level(law, k, total) - cost
    last = lo - 1
    left = total + between(sum_size, first, last)
    data = peak(law, k, ratio[last], left, left + size[last])
    return level(law, k, data) - (cost + between(sum_price, first, last) + ratio[last] * (data - left))


@jit
def search(
    law: KernelForm, k: float, own: float, floor: float, size: Floats, price: Floats, ratio: Floats, sum_size: Floats,
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
    candidates can be made longer), else what it might bring is in the gap. ``size`` and ``ratio`` need one place more.
    ``floor``: level of the importer's own data. ``work`` float [count + 1, 3]: data, cost and bound on the path.
    ``state`` int8 [count + 1]: 0 new, 1 in, 2 out, 3 absent.
    """
    for a in range(count):
        chosen[a] = False
    end = count
    if beyond < math.inf:  # for bounds: one candidate more, who has any number of samples, to be had in part
        size[count], ratio[count] = math.inf, max(beyond, 2.0 * _FREE)
        end += 1
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
            bound = -floor + fractional(
                law, k, total, cost, depth, end, absent, size, ratio, sum_size, sum_price,
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
def slice_of(
    law: KernelForm, k: float, own: float, size: Floats, price: Floats, count: int, number: int, slices: Slices
) -> int:  # fmt: skip
    """Sort the candidates for sets of so many; return where in ``slices`` (kept for the same list).

    With the tangent of the level at about the data of the best such set, slope s: level(x) - cost is at most the
    tangent at the importer's own data plus the sum of the worths s n_j - w_j of the set.
    """
    here = number % len(slices.number)
    if slices.number[here] == number and slices.length[here] == count:
        return here
    slices.number[here], slices.length[here] = number, count
    order, worth, sums = slices.order[here], slices.worth[here], slices.sums[here]
    point = own
    for a in range(number):
        point += size[a]
    for _ in range(2):  # the second time at what the best set of the first time holds
        slope = slope_at(law, k, point)
        for a in range(count):
            sums[a] = price[a] - slope * size[a]
        order_by(sums, slices.level, order, count)
        slices.base[here] = level(law, k, point) - slope * (point - own)
        point = own
        for a in range(number):
            point += size[order[a]]
    sums[0], largest = 0.0, 0.0
    for a in range(count):
        worth[a] = slope * size[order[a]] - price[order[a]]
        largest = max(largest, abs(worth[a]))
        sums[a + 1] = sums[a] + worth[a]
    slices.rounding[here] = _ROUNDED * (abs(slices.base[here]) + largest * number) * 0.1
    return here


@jit
def best_of(p: int, number: int, count: int, out: int, worth: Floats, sums: Floats) -> float:
    """Sum of the first ``number`` worths from place p on, but the one at ``out``; -inf where there are not so many."""
    end = p + number
    if p <= out < end:
        end += 1
    if end > count:
        return -math.inf
    return sums[end] - sums[p] - (worth[out] if p <= out < end else 0.0)


@jit
def with_others(
    law: KernelForm, k: float, own: float, floor: float, count: int, about: int, absent: int, beyond: float,
    cheapest: float, ratio: Floats, sum_size: Floats, sum_price: Floats,
) -> float:  # fmt: skip
    """Upper bound on the value of sets that hold one at least of the sellers beyond the list (see `search`).

    At any slope s a set is worth at most sup of level(x) - s (x - own), and for each seller s n_j - w_j, if that is
    positive; who asks ``cheapest`` at least, and ``beyond`` per sample, costs cheapest (1 - s / beyond) more than it
    brings. The slope is that where about so many are bought.
    """
    if beyond == math.inf:
        return -math.inf
    about = min(about, count)
    slope = slope_at(law, k, own + between(sum_size, 0, about))
    if about > 0:
        slope = max(slope, ratio[about - 1])
    if about < count:
        slope = min(slope, ratio[about])
    if slope >= beyond or slope <= _FREE:
        return math.inf
    data = peak(law, k, slope, own, math.inf)
    bound = level(law, k, data) - floor - slope * (data - own) - cheapest * (1.0 - slope / beyond)
    first = 0  # the first ``about`` but the one who is absent
    if absent < about and absent >= 0:
        bound += slope * between(sum_size, 0, absent) - between(sum_price, 0, absent)
        first = absent + 1
    return bound + slope * between(sum_size, first, about) - between(sum_price, first, about)


@jit
def search_by_number(
    law: KernelForm, k: float, own: float, size: Floats, price: Floats, count: int, absent: int, about: int,
    room: float, limit: int, best: float, slices: Slices, work: Floats, path: Ints, chosen: Bools,
) -> tuple[float, bool, int, float]:  # fmt: skip
    """Exact best purchase among sets of one number of sellers after the other, from ``about`` so many up and down.

    Returns (value, sure, nodes, rival). Not sure: ``limit`` nodes were not enough, or rounding might mislead.
    ``rival``: no other set is worth more; if that is less than the value the set ``chosen`` is the only best.
    Parameters as of `search`.

    The best set of each number is bounded by its worths (`slice_of`). The bound is concave in the number at one slope:
    where it is no better than the incumbent, and one more (one less) seller would not raise it, no larger (smaller)
    number is better. It is far closer than `fractional` where many sellers are nearly alike.
    """
    floor = level(law, k, own)
    for a in range(count):
        chosen[a] = False
    nodes, rival, rest = 0, 0.0, count - (1 if absent >= 0 else 0)
    about = max(1, min(about, rest))
    for step in (1, -1):
        number = about if step == 1 else about - 1
        while number >= 1:
            if number > rest:
                break
            here = slice_of(law, k, own, size, price, count, number, slices)
            order, worth, sums = slices.order[here], slices.worth[here], slices.sums[here]
            base = slices.base[here] - floor
            if slices.rounding[here] > 0.1 * room:
                return best, False, nodes, rival
            out = -1
            if absent >= 0:
                while out < 0 or order[out] != absent:
                    out += 1
            top = base + best_of(0, number, count, out, worth, sums)
            last = number - 1 if out < 0 or out >= number else number  # the least worth of the best
            follows = last + 1 if last + 1 != out else last + 2
            less, more = worth[last], worth[follows] if follows < count else -math.inf
            # depth-first, in the order of worth; the first leaf is the best set by worth
            depth, p, total, cost, value = 0, 0, own, 0.0, base
            while True:
                if p == out:
                    p += 1
                bound = value + best_of(p, number - depth, count, out, worth, sums)
                if depth == number:
                    nodes += 1
                    attained = level(law, k, total) - floor - cost
                    if attained > best:
                        rival = max(rival, best)
                        best = attained
                        for a in range(count):
                            chosen[a] = False
                        for a in range(depth):
                            chosen[order[path[a]]] = True
                    else:
                        rival = max(rival, attained)
                elif bound > best + room:
                    work[depth, 0], work[depth, 1], work[depth, 2] = total, cost, value
                    path[depth] = p
                    total, cost, value = total + size[order[p]], cost + price[order[p]], value + worth[p]
                    depth += 1
                    p += 1
                    continue
                else:
                    nodes += 1
                    rival = max(rival, bound)
                if nodes > limit:
                    return best, False, nodes, rival
                if depth == 0:
                    break
                depth -= 1
                total, cost, value, p = work[depth, 0], work[depth, 1], work[depth, 2], path[depth] + 1
                while p < count and (  # who is left out, all that are like it are
                    size[order[p]] == size[order[p - 1]] and price[order[p]] == price[order[p - 1]]
                ):
                    p += 1
            change = more if step == 1 else -less
            if top <= best + room and change <= 0.0:
                rival = max(rival, top + change)
                break
            number += step
    return best, True, nodes, rival


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
                law, k, own, floor, s_size, s_price, s_ratio, sum_size, sum_price, kept, -1, math.inf, False,
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
                    law, k, own, floor, s_size, s_price, s_ratio, sum_size, sum_price, kept, p, math.inf, False,
                    same, room, limit, warm, work, state, without,
                )  # fmt: skip
                unsure = max(unsure, missing)
                # W(M) >= W(M\j): rounding may not break it
                prices[b, i, client[a]] = cost[b, client[a]] + max(0.0, found - other)
        gap[b, i] = unsure


@jit
def sooner(a: int, b: int, mark: Floats, size: Floats) -> bool:
    """Whether a stands before b: lower mark, then larger size, then lower number."""
    return mark[a] < mark[b] or (mark[a] == mark[b] and (size[a] > size[b] or (size[a] == size[b] and a < b)))


@jit
def push(heap: Ints, count: int, item: int, mark: Floats, size: Floats) -> None:
    """Add an item to a heap of ``count``, the first by `sooner` on top."""
    a = count
    while a > 0:
        b = (a - 1) // 2
        if sooner(heap[b], item, mark, size):
            break
        heap[a] = heap[b]
        a = b
    heap[a] = item


@jit
def pop(heap: Ints, count: int, mark: Floats, size: Floats) -> int:
    """Take the first item from a heap of ``count``."""
    top, item = heap[0], heap[count - 1]
    a = 0
    while True:
        b = 2 * a + 1
        if b >= count - 1:
            break
        if b + 2 < count and sooner(heap[b + 1], heap[b], mark, size):
            b += 1
        if not sooner(heap[b], item, mark, size):
            break
        heap[a] = heap[b]
        a = b
    heap[a] = item
    return top


@jit
def listed(matrix: Rows, i: int, j: int) -> float:
    """Entry (i, j) of (indptr, columns, values, rest), i and j different."""
    indptr, columns, values, rest = matrix
    lo, end = indptr[i], indptr[i + 1]
    hi = end
    while lo < hi:
        mid = (lo + hi) // 2
        if columns[mid] < j:
            lo = mid + 1
        else:
            hi = mid
    return values[lo] if lo < end and columns[lo] == j else rest


@jit
def cosine(a: Floats, b: Floats) -> float:
    """Product of two vectors of length 1, within [-1, 1]."""
    total = 0.0
    for q in range(len(a)):
        total += a[q] * b[q]
    return min(1.0, max(-1.0, total))


@jit
def nearest(cos_centre: float, cos_radius: float) -> float:
    """Lower bound on 1 - cos of the angle to anything within a radius of a centre, both given by their cosines.

    By the triangle inequality of angles. The cosines are moved by `_ROUNDED` to the safe side first: near 1 the angle
    is sensitive to their last bits.
    """
    a, b = min(1.0, cos_centre + _ROUNDED), cos_radius - _ROUNDED
    if a >= b:
        return 0.0
    across = (1.0 - a) * (1.0 + a) * (1.0 - b) * (1.0 + b) if b > -1.0 else 0.0
    return max(0.0, 1.0 - _ROUNDED - (a * b + math.sqrt(across)))


@jit
def offer(
    table: Sellers, law: KernelForm, i: int, j: int, data: float, whole: bool, bare: float, scratch: Scratch
) -> bool:  # fmt: skip
    """Work out what importer i would pay for j's model, which counts ``data`` samples, and put it among the offers.

    Only if it can be worth buying: alone, and after those that dominate j (no smaller, no dearer), which a best set
    with j holds; ``whole``: in any case. ``bare``: level of the importer's own data. Returns whether it was put there.
    """
    own, k, penalty = table.size[i], table.gain[i], 0.0
    if table.lam > 0.0:
        if table.vectors.shape[1] > 0:
            difference = max(0.0, 1.0 - cosine(table.vectors[i], table.vectors[j]))
            scratch.at[_COMPUTED] += 1
        else:
            difference = listed(table.pairs, i, j)
        penalty = table.lam * difference * (data / own)
    price = table.cost[j] + penalty
    if not whole:
        if not price < level(law, k, own + data) - bare:
            return False
        if table.ahead[j] > 2:  # the importer, and who is left out for a price, may be two of those that dominate j
            held = own + (table.ahead[j] - 2) * data
            if not price < (level(law, k, held + data) - level(law, k, held)) * (1.0 + _SAFELY):
                return False
    q = scratch.at[_MET]
    scratch.client[q], scratch.size[q], scratch.price[q], scratch.penalty[q] = j, data, price, penalty
    scratch.mark[q] = price / data
    push(scratch.heap, scratch.at[_WAITING], q, scratch.mark, scratch.size)
    scratch.at[_MET] += 1
    scratch.at[_WAITING] += 1
    return True


@jit
def open_offers(
    table: Sellers, law: KernelForm, i: int, first: int, last: int, ceiling: float, whole: bool, bare: float,
    scratch: Scratch,
) -> None:  # fmt: skip
    """Begin with importer i: the offers of sellers listed for it, and streams first..last-1 for the others.

    ``ceiling``: who asks so much per sample, or more, is not looked at. The rest as of `offer`.
    """
    scratch.at[_MET] = scratch.at[_WAITING] = scratch.at[_STREAMS] = 0
    scratch.met[i] = i + 1
    indptr, columns, values, _ = table.effective if table.sparse else table.pairs
    if len(indptr) > 0:
        for p in range(indptr[i], indptr[i + 1]):
            j = columns[p]
            scratch.met[j] = i + 1
            data = values[p] if table.sparse else table.size[j]
            if data > 0.0:
                offer(table, law, i, j, data, whole, bare, scratch)
    for c in range(first, last):
        nearly = 0.0
        if table.vectors.shape[1] > 0:
            nearly = nearest(cosine(table.vectors[i], table.centres[c]), table.radius[c])
        elif len(indptr) > 0:
            nearly = table.pairs[3]
        scratch.base[c] = table.lam * nearly / table.size[i] * (1.0 - _ROUNDED)
        scratch.place[c] = table.starts[c] - 1
        step_stream(table, c, ceiling, scratch)


@jit
def step_stream(table: Sellers, c: int, ceiling: float, scratch: Scratch) -> None:
    """Go to the next seller of stream c; if it may ask less than ``ceiling`` per sample put the stream in the heap."""
    p = scratch.place[c] + 1
    scratch.place[c] = p
    if p < table.starts[c + 1]:
        scratch.bound[c] = table.ratio[p] if table.lam == 0.0 else (table.ratio[p] + scratch.base[c]) * (1.0 - _ROUNDED)
        if scratch.bound[c] < ceiling:
            push(scratch.streams, scratch.at[_STREAMS], c, scratch.bound, scratch.bound)
            scratch.at[_STREAMS] += 1


@jit
def look(
    table: Sellers, law: KernelForm, i: int, ceiling: float, whole: bool, bare: float, scratch: Scratch
) -> None:  # fmt: skip
    """Look at the seller that may ask least per sample of those not yet looked at; there must be one."""
    c = pop(scratch.streams, scratch.at[_STREAMS], scratch.bound, scratch.bound)
    scratch.at[_STREAMS] -= 1
    j = table.order[scratch.place[c]]
    put = True
    if scratch.met[j] != i + 1:
        if len(table.depths) == 0:  # else the shorter streams are begun anew by the longer ones
            scratch.met[j] = i + 1
        put = offer(table, law, i, j, table.size[j], whole, bare, scratch)
    if not put and scratch.place[c] + 1 < table.starts[c + 1]:
        # of those behind, all hold at least so much before them: none is worth more than its slope there
        held = table.size[i] + table.least[scratch.place[c] + 1]
        ceiling = min(ceiling, slope_at(law, table.gain[i], held) * (1.0 + _SAFELY))
    step_stream(table, c, ceiling, scratch)


@jit
def gather(
    table: Sellers, law: KernelForm, i: int, want: int, count: int, ceiling: float, outside: float, bare: float,
    scratch: Scratch, listing: Ints, size: Floats, price: Floats, ratio: Floats, sum_size: Floats, sum_price: Floats,
) -> tuple[int, float]:  # fmt: skip
    """Make the list of candidates ``want`` long, in the order of the search; return its length and what is beyond.

    ``outside``: what sellers in none of the streams ask per sample at least, if they matter.
    """
    while True:
        at = scratch.at
        if at[_WAITING] > 0 and (
            at[_STREAMS] == 0 or scratch.mark[scratch.heap[0]] <= scratch.bound[scratch.streams[0]]
        ):
            if count >= want or scratch.mark[scratch.heap[0]] > outside:
                break
            q = pop(scratch.heap, at[_WAITING], scratch.mark, scratch.size)
            at[_WAITING] -= 1
            listing[count], size[count] = q, scratch.size[q]
            price[count], ratio[count] = scratch.price[q], scratch.mark[q]
            count += 1
        elif at[_STREAMS] == 0 or count >= want or scratch.bound[scratch.streams[0]] > outside:
            break
        else:
            look(table, law, i, ceiling, False, bare, scratch)
    prefix_sums(size, sum_size, count)
    prefix_sums(price, sum_price, count)
    beyond = outside
    if scratch.at[_WAITING] > 0:
        beyond = min(beyond, scratch.mark[scratch.heap[0]])
    if scratch.at[_STREAMS] > 0:
        beyond = min(beyond, scratch.bound[scratch.streams[0]])
    return count, beyond


@jit
def take_of_many(
    table: Sellers, law: KernelForm, i: int, bare: float, scratch: Scratch, chosen: Bools, mark: Floats, order: Ints
) -> None:  # fmt: skip
    """`take_while_worth` for importer i without looking at everyone: fills ``chosen`` over the offers met.

    A threshold rises with the seller's size and falls with the price per sample: none of those not looked at comes
    before the first that fails once that is above what the largest of them would reach at the lowest price.
    Where all pay the same, stream q holds those whom less than table.depths[q] dominate, and a seller comes
    behind all that dominate it: so few are enough while fewer are taken.
    """
    own, k, q = table.size[i], table.gain[i], 0
    last = len(table.starts) - 1
    if k <= 0.0:
        scratch.at[_MET] = 0
        return
    while True:
        ranked = len(table.depths) > 0
        open_offers(table, law, i, q if ranked else 0, q + 1 if ranked else last, math.inf, True, bare, scratch)
        want, big = 32, 0
        while True:
            while scratch.at[_STREAMS] > 0 and scratch.at[_MET] < want:
                look(table, law, i, math.inf, True, bare, scratch)
            if not ranked and last > 0:
                while big < min(want // 2, len(table.biggest)):
                    j = table.biggest[big]
                    if scratch.met[j] != i + 1:
                        scratch.met[j] = i + 1
                        offer(table, law, i, j, table.size[j], True, bare, scratch)
                    big += 1
            count = scratch.at[_MET]
            take_while_worth(law, k, own, scratch.size, scratch.price, count, False, chosen, mark, order)
            taken = 0
            while taken < count and chosen[order[taken]]:
                taken += 1
            fails = -mark[order[taken]] if taken < count else -math.inf
            reached, lowest = -math.inf, math.inf
            for a in range(scratch.at[_STREAMS]):
                c = scratch.streams[a]
                most = table.largest[scratch.place[c]]
                if not ranked:
                    most = min(most, table.size[table.biggest[big]] if big < len(table.biggest) else 0.0)
                lowest = min(lowest, scratch.bound[c])
                reached = max(reached, threshold(law, k, most, scratch.bound[c] * most) if most > 0.0 else 0.0)
            if reached * (1.0 + _SAFELY) < fails or reached == -math.inf:
                break
            if taken == 0 and count > 0 and lowest >= slope_at(law, k, own):
                break  # the first of all fails, whoever it is
            want *= 2
        if not ranked or taken + 2 <= table.depths[q] or q + 1 == len(table.depths):
            return
        q += 1


@jit
def count_ahead(order: Ints, rank: Ints, ahead: Ints) -> None:
    """Fill ``ahead``: how many clients dominate each.

    ``order``: by rising cost, then falling size, then number. ``rank``: by falling size, from 0, equal ones alike.
    """
    tree = np.zeros(len(order) + 1, np.int64)  # sums over ranks met so far (Fenwick)
    for j in order:
        a = rank[j] + 1
        while a > 0:
            ahead[j] += tree[a]
            a -= a & -a
        a = rank[j] + 1
        while a < len(tree):
            tree[a] += 1
            a += a & -a


@jit
def clear_sellers(
    start: int, stop: int, table: Sellers, law: KernelForm, exact: bool, payment: int, limit: int, tie: float,
    slack: float, counts: Ints, sellers: Ints, prices: Floats, samples: Floats, penalties: Floats, gap: Floats,
    told: Ints,
) -> int:  # fmt: skip
    """Clear importers start..stop-1 of a table; return the first for which the arrays written had no room.

    Written: ``counts`` and ``gap`` from 0 on for importer ``start``, and of each import, importer by importer, by
    rising seller, ``sellers prices samples penalties``; added to: ``told`` [2], differences computed and nodes.
    ``exact``: exact selection, else thresholds. ``limit`` nodes for all the searches of one importer together.
    """
    m, streams = len(table.size), len(table.starts) - 1
    scratch = Scratch(
        np.empty(m, np.int64), np.empty(m), np.empty(m), np.empty(m), np.empty(m), np.empty(m, np.int64),
        np.zeros(m, np.int64), np.empty(streams), np.empty(streams), np.empty(streams, np.int64),
        np.empty(streams, np.int64), np.zeros(4, np.int64),
    )  # fmt: skip
    listing, order = np.empty(m, np.int64), np.empty(m, np.int64)
    size, price, ratio, mark = np.empty(m), np.empty(m), np.empty(m), np.empty(m)
    sum_size, sum_price = np.empty((m + 1, 2)), np.empty((m + 1, 2))
    chosen, without, every = np.zeros(m, np.bool_), np.zeros(m, np.bool_), np.ones(m, np.bool_)
    work, state = np.empty((m + 1, 3)), np.zeros(m + 1, np.int8)
    slices = Slices(
        np.zeros(_SLICES, np.int64), np.zeros(_SLICES, np.int64), np.empty((_SLICES, m), np.int64),
        np.empty((_SLICES, m)), np.empty((_SLICES, m + 1)), np.empty(_SLICES), np.empty(_SLICES), np.zeros(m),
    )  # fmt: skip
    path = np.empty(m, np.int64)
    ranked = len(table.depths) > 0
    end = 0  # of what is written
    i, deep = start, 0
    while i < stop:
        own, k = table.size[i], table.gain[i]
        floor = level(law, k, own)
        same = tie * max(1.0, abs(floor))
        room = max(same, slack * max(1.0, level(law, k, own + table.total) - floor))
        ceiling, left, want, count, beyond, outside = slope_at(law, k, own), limit, 32, 0, math.inf, math.inf
        unsure, bought, held, spent, found, warm, absent, about = 0.0, 0, own, 0.0, 0.0, 0.0, -1, 0
        if exact:
            if ranked:
                for a in range(table.edge.shape[1] - 1, -1, -1):
                    if table.edge[deep, a] < slope_at(law, k, own + table.reach[deep, a]) * (1.0 + _SAFELY):
                        outside = table.edge[deep, a]
            open_offers(
                table, law, i, deep if ranked else 0, deep + 1 if ranked else streams, ceiling, False, floor, scratch,
            )  # fmt: skip
            slices.length[:] = 0
            count, beyond = gather(
                table, law, i, want, count, ceiling, outside, floor, scratch, listing, size, price, ratio, sum_size,
                sum_price,
            )  # fmt: skip
            while about < count and slope_at(law, k, own + sum_size[about, 0]) > ratio[about]:
                about += 1
        else:
            take_of_many(table, law, i, floor, scratch, chosen, mark, order)
            count = scratch.at[_MET]
            for a in range(count):
                listing[a] = a
        mine, deeper = chosen, False
        for problem in range(-1, m):  # what is best; then, for each import of it, what is best without
            if problem >= 0:
                absent, mine, about = order[problem], without, bought
                rest = total_but(samples[end:], every, problem, bought, own, held)
                warm = max(0.0, level(law, k, rest) - floor - total_but(mark, every, problem, bought, 0.0, spent))
            value, missing = warm, 0.0
            while exact and (count > 0 or beyond < math.inf):
                value, sure, nodes, rival = search_by_number(
                    law, k, own, size, price, count, absent, about, room, max(1, min(left, _BY_NUMBER)), warm, slices,
                    work, path, mine,
                )  # fmt: skip
                others = with_others(
                    law, k, own, floor, count, about, absent, beyond, table.cheapest, ratio, sum_size, sum_price,
                )  # fmt: skip
                whole = others <= value + room  # nobody beyond the list matters
                left -= nodes
                told[1] += nodes
                if sure and whole and (problem >= 0 or max(rival, others) < value - room):
                    missing = 0.0
                    break
                # by price per sample: to choose among equals, or where the numbers leave it open
                more = left > 0 and not whole and count < max(_LONGEST, 2 * about)
                nodes = _BY_NUMBER if sure and whole else _FEW if more else left
                again, missing, nodes = search(
                    law, k, own, floor, size, price, ratio, sum_size, sum_price, count, absent,
                    math.inf if whole else beyond, more, same, room, max(1, min(left, nodes)), warm, work, state,
                    without,
                )  # fmt: skip
                left -= nodes
                told[1] += nodes
                better = missing == 0.0 or (again > value and not more and not (sure and whole))
                if better and problem < 0:
                    chosen[:count] = without[:count]
                if missing == 0.0:
                    value = again
                    break
                if sure and whole:
                    missing = 0.0
                    break
                if not more:
                    upper = min(again + missing, max(value, others)) if sure else again + missing
                    value = max(value, again)
                    missing = max(0.0, upper - value)
                    break
                if beyond == outside:
                    deeper = True
                    break
                before, want = count, 2 * count + 32
                count, beyond = gather(
                    table, law, i, want, count, ceiling, outside, floor, scratch, listing, size, price, ratio,
                    sum_size, sum_price,
                )  # fmt: skip
                chosen[before:count] = False
            if deeper:
                break
            unsure = max(unsure, missing)
            if problem >= 0:
                prices[end + problem] = table.cost[sellers[end + problem]] + max(0.0, found - value)
            else:
                for a in range(count):
                    if chosen[a]:
                        b = bought  # by rising seller
                        while b > 0 and scratch.client[listing[order[b - 1]]] > scratch.client[listing[a]]:
                            order[b] = order[b - 1]
                            b -= 1
                        order[b] = a
                        bought += 1
                if end + bought > len(sellers):
                    told[0] += scratch.at[_COMPUTED]
                    return i
                for a in range(bought):
                    q = listing[order[a]]
                    sellers[end + a], samples[end + a] = scratch.client[q], scratch.size[q]
                    penalties[end + a], mark[a], prices[end + a] = scratch.penalty[q], scratch.price[q], 0.0
                    held += scratch.size[q]
                    spent += scratch.price[q]
                found = level(law, k, held) - floor - spent
            if payment != CLARKE or problem + 1 >= bought:
                break
        if deeper:
            deep += 1
            continue
        if payment == MARGINAL:
            top = level(law, k, held)
            for a in range(end, end + bought):
                rest = total_but(samples[end:], every, a - end, bought, own, held)
                prices[a] = top - level(law, k, rest) - penalties[a]
        counts[i - start], gap[i - start] = bought, unsure
        end += bought
        i, deep = i + 1, 0
    told[0] += scratch.at[_COMPUTED]
    return stop


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
