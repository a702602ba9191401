"""Methods of personalised federated learning by name, one file each. Importable without torch."""

from learning.algorithms.algorithm import Aggregation, Algorithm, LocalSpec
from learning.algorithms.fedavg import FEDAVG
from learning.algorithms.ipfl import IPFL
from learning.algorithms.local import LOCAL

ALGORITHMS: dict[str, Algorithm] = {algorithm.name: algorithm for algorithm in (LOCAL, FEDAVG, IPFL)}
"""Every method by its name."""

__all__ = ["ALGORITHMS", "Aggregation", "Algorithm", "LocalSpec"]
