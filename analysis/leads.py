"""Which method is ahead, and whether by more than seeds differ: claims that the data carry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.metrics import MethodScores


@dataclass(frozen=True)
class Lead:
    """The method with the highest mean, and which others are ``near`` it, best first: places in ``methods``.

    ``near`` is None where there is one seed, so that nobody knows how far seeds differ.
    """

    best: int
    near: tuple[int, ...] | None

    def near_to(self, method: int) -> bool:
        """Whether a method is the best or about as good, as far as is known."""
        return method == self.best or self.near is None or method in self.near


def lead(scores: MethodScores) -> Lead:
    """Return who is ahead: another method is near if its mean is behind by no more than either's spread over seeds.

    The rule: mean(best) - mean(other) <= max(s(best), s(other)), with s the sample standard deviation over seeds. It
    is no test of significance but what a reader sees: one whisker reaches the other's dot.
    """
    mean, spread = scores.mean, scores.spread
    best = int(np.argmax(mean))
    if spread is None:
        return Lead(best, None)
    behind = mean[best] - mean
    close = behind <= np.maximum(spread[best], spread)
    order = np.argsort(behind, kind="stable")
    return Lead(best, tuple(int(k) for k in order if k != best and close[k]))
