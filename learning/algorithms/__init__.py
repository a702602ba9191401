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
from learning.algorithms.scaffold import SCAFFOLD

_METHODS = (LOCAL, FEDAVG, FEDPROX, SCAFFOLD, DITTO, FEDPER, FEDAMP, CFL, FEDFOMO, PFEDGRAPH, IPFL, IPFL_EFFECTIVE)

ALGORITHMS: dict[str, Algorithm] = {method.name: method for method in _METHODS}
"""Every method by its name."""

__all__ = ["ALGORITHMS", "Aggregation", "Algorithm", "LocalSpec", "Mix", "Uploads"]
