"""What mechanisms share whose first coordinate is the worth of a unit and whose outcome is a deal per agent."""

import numpy as np

from mechanism.direct import Deal, Floats


class UnitWorth:
    """Utility, payments and welfare where coordinate 0 is worth per unit and a negative allocation is a sale."""

    def utility(self, types: Floats, outcome: Deal) -> Floats:
        """Worth times units that come to the agent, less its payment ``[batch, agents]``."""
        return types[..., 0] * outcome.allocation - outcome.payment

    def payments(self, outcome: Deal) -> Floats:
        """What each pays the centre ``[batch, agents]``; negative: receives."""
        return outcome.payment

    def allocation(self, outcome: Deal) -> Floats:
        """Units that come to each agent ``[batch, agents]``; negative: units that it sells."""
        return outcome.allocation

    def consequences(self, outcome: Deal) -> Floats:
        """Units and payment of each agent ``[batch, agents, 2]``."""
        return np.stack([outcome.allocation, outcome.payment], axis=-1)

    def welfare(self, types: Floats, outcome: Deal) -> Floats:
        """Total worth of what is allocated, less that of what is sold ``[batch]``."""
        return np.asarray((types[..., 0] * outcome.allocation).sum(axis=-1))
