"""Methods of personalised federated learning by name, one file each. Importable without torch."""

from learning.algorithms.algorithm import Aggregation, Algorithm, LocalSpec, Uploads
from learning.algorithms.cfl import CFL
from learning.algorithms.ditto import DITTO
from learning.algorithms.fedamp import FEDAMP
from learning.algorithms.fedavg import FEDAVG
from learning.algorithms.fedfomo import FEDFOMO
from learning.algorithms.fedprox import FEDPROX
from learning.algorithms.ipfl import IPFL
from learning.algorithms.local import LOCAL
from learning.algorithms.pfedgraph import PFEDGRAPH

ALGORITHMS: dict[str, Algorithm] = {
    algorithm.name: algorithm for algorithm in (LOCAL, FEDAVG, FEDPROX, DITTO, FEDAMP, CFL, FEDFOMO, PFEDGRAPH, IPFL)
}
"""Every method by its name."""

__all__ = ["ALGORITHMS", "Aggregation", "Algorithm", "LocalSpec", "Uploads"]
