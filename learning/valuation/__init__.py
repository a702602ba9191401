"""What training measured, turned into what the market values: a public gain law, and each client's parameter in it.

Three valuations: ``size`` (the paper's square-root law, nothing measured), ``measured`` (a concave table through
measured loss drops) and ``fitted`` (a power law through them). A round: `value_tasks` -> `measuring.measure` on a
backend -> `collect` -> `value` -> `Valuation`, whose ``law`` and ``gain`` go into `Market` and `Types`. After clearing,
`chosen_tasks` measures what was really bought, and `Valuation.seen` takes it into account.
"""

from learning.valuation.curves import Curve, collect, joined
from learning.valuation.laws import value, worth_of
from learning.valuation.sets import ValueTask, chosen_tasks, value_tasks
from learning.valuation.valuation import KINDS, Valuation

__all__ = [
    "KINDS",
    "Curve",
    "Valuation",
    "ValueTask",
    "chosen_tasks",
    "collect",
    "joined",
    "value",
    "value_tasks",
    "worth_of",
]
