"""Methods of personalised federated learning by name, one file each. Importable without torch."""

from learning.algorithms.algorithm import Aggregation, Algorithm, LocalSpec, Mix, Uploads
from learning.algorithms.cfl import CFL
from learning.algorithms.ditto import DITTO
from learning.algorithms.fedamp import FEDAMP
from learning.algorithms.fedavg import FEDAVG
from learning.algorithms.fedfomo import FEDFOMO
from learning.algorithms.fedper import FEDPER
from learning.algorithms.fedprox import FEDPROX
from learning.algorithms.ipfl import IPFL
from learning.algorithms.ipfl_effective import IPFL_EFFECTIVE
from learning.algorithms.local import LOCAL
from learning.algorithms.pfedgraph import PFEDGRAPH
from learning.algorithms.robust import KRUM, MEDIAN, MULTI_KRUM, TRIMMED_MEAN
from learning.algorithms.scaffold import SCAFFOLD
from learning.errors import LearningError

_METHODS = (
    LOCAL, FEDAVG, FEDPROX, SCAFFOLD, MEDIAN, TRIMMED_MEAN, KRUM, MULTI_KRUM, DITTO, FEDPER, FEDAMP, CFL, FEDFOMO,
    PFEDGRAPH, IPFL, IPFL_EFFECTIVE,
)  # fmt: skip

ALGORITHMS: dict[str, Algorithm] = {method.name: method for method in _METHODS}
"""Every method by its name."""

OWN: dict[str, Algorithm] = {}
"""Methods in files that this process has executed, by ``FILE.py:NAME`` (`learning.algorithms.own_method`)."""


def method_named(name: str) -> Algorithm:
    """Return the method of that name, ours or somebody's own; `LearningError` if there is none."""
    found = ALGORITHMS.get(name) or OWN.get(name)
    if found is None:
        raise LearningError(f"there is no method {name!r}; expected one of {', '.join(ALGORITHMS)}")
    return found


__all__ = ["ALGORITHMS", "OWN", "Aggregation", "Algorithm", "LocalSpec", "Mix", "Uploads", "method_named"]
