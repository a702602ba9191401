"""The algebraic proofs, one line a step: label, rule, and what it uses (axioms by name, earlier lines by label)."""

from __future__ import annotations

_TRUTH_IN_OUT = """
w-in combine + truth-in + truth-price =
w-out combine + truth-out - truth-rest =
w cases w-in w-out sells by truth
l-in combine + lie-in + lie-price - lie-worth =
l-out combine + lie-out - lie-rest =
l cases l-in l-out sells by lie
"""

SCRIPTS: dict[str, str] = {
    "marginal-buyer": """
each combine + penalty - price >=
sums sum each j
end combine + buyer + telescoping + sums >=
""",
    "clarke-buyer": """
each combine + rest - best - price - objective + penalty >=
sums sum each j
end combine + buyer + telescoping + sums >=
""",
    "threshold-seller": """
gap combine + order + accepted >=
finite combine + falling + root + price >=
infinite combine + rising + price - free >=
each cases finite infinite finite threshold
sums sum each s
end combine + seller + sums >=
""",
    "exact-marginal-seller": """
each combine + best - objective + price >=
sums sum each s
end combine + seller + sums >=
""",
    "clarke-seller": """
each combine + more + price >=
sums sum each s
end combine + seller + sums >=
""",
    "both-roles": "end combine + utility + buyer + seller >=",
    "clarke-truth": _TRUTH_IN_OUT
    + """
each combine + w - l + best >=
sums sum each i
end combine + total - lie-total + sums >=
""",
    "separable-optimum": """
sums sum best i
end combine + total - other + sums >=
""",
    "bilateral-balance": """
pairs sum pair h
selves sum self i
centres sum centre i
end combine + total + pairs + selves + centres =
""",
    "posted-buyer": """
sums sum price j
end combine + buyer + nothing - sums >=
""",
    "posted-seller": """
each combine + price + willing >=
sums sum each s
end combine + seller + sums >=
""",
    "posted-truth-cost": """
on-on combine + on-truth - on-lie >=
on-off combine + on-truth + fair - off-lie >=
on cases on-on on-off on offer by lie
off-on combine + off-truth + dear - on-lie >=
off-off combine + off-truth - off-lie >=
off cases off-on off-off on offer by lie
each cases on off truly on offer
sums sum each i
end combine + total - lie-total + sums >=
""",
    "posted-truth-gain": "end combine + truth - lie + best >=",
    "pivot-truth": "end combine + truth - pivot - lie + lie-pivot + best >=",
    "pivot-ir": "end combine + truth - pivot + best + worth >=",
    "pivot-budget": """
each combine + pivot + best >=
sums sum each i
end combine + total + sums >=
""",
    "pivot-efficiency": "end combine + best + truth - other >=",
    "critical-truth": """
win-win combine + win - lie-win >=
win-lose combine + win + above - lie-lose >=
wins cases win-win win-lose wins by lie
lose-win combine + lose + below - lie-win >=
lose-lose combine + lose - lie-lose >=
loses cases lose-win lose-lose wins by lie
end cases wins loses wins by truth
""",
    "critical-ir": """
wins combine + win + above >=
loses combine + lose >=
end cases wins loses wins by truth
""",
}
"""Proofs by problem."""
