"""Automated mechanism design: the best mechanism on finite types as a linear programme, with its dual in words.

>>> spec = parse_spec('''
... objective = "revenue"
... incentive = "bic"
... rationality = "interim"
... outcomes = ["kept", "sold"]
... [[agents]]
... name = "buyer"
... types = ["low", "high"]
... values = [[0, 1], [0, 3]]
... ''')
>>> best = design(spec)
>>> best.value, best.exact, check_design(best)
(Fraction(3, 2), True, [])
"""

from mechanism.design.best import Designed, Impossible, Price, check_design, design
from mechanism.design.spec import Agent, Linear, Spec, SpecError, parse_spec, read_spec
from mechanism.design.system import Row, System, check_bound, check_infeasible, check_point
from mechanism.design.table import Lottery, TableMechanism

__all__ = [
    "Agent", "Designed", "Impossible", "Linear", "Lottery", "Price", "Row", "Spec", "SpecError", "System",
    "TableMechanism", "check_bound", "check_design", "check_infeasible", "check_point", "design", "parse_spec",
    "read_spec",
]  # fmt: skip
