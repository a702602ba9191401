"""FedPer: the body of the model is common to all, its last layer is each client's own.

The paper's base layers are all but the last one or few; here they are all but the last.
"""

from dataclasses import replace

from learning.algorithms import fedavg
from learning.algorithms.algorithm import Aggregation, Algorithm, Uploads


def body(parameters: tuple[str, ...]) -> tuple[str, ...]:
    """Return the parameters of all layers but the last; an adapter belongs to the layer that it adapts.

    >>> body(("conv.weight", "conv.bias", "output.weight", "output.bias"))
    ('conv.weight', 'conv.bias')
    """
    layers = [name.partition(".lora_")[0] if ".lora_" in name else name.rpartition(".")[0] for name in parameters]
    return tuple(name for name, layer in zip(parameters, layers, strict=True) if layer != layers[-1])


def aggregate(uploads: Uploads) -> Aggregation:
    """Return Σ_j n_j θ_j / Σ n for the body; last layers stay where they are."""
    return replace(fedavg.aggregate(uploads), only=body(uploads.parameters))


FEDPER = Algorithm(
    name="fedper",
    citation="Arivazhagan, Aggarwal, Singh, Choudhary, Federated Learning with Personalization Layers, 2019 "
    "(arXiv 1912.00818)",
    summary="the body of the model is averaged as in fedavg, its last layer is personal",
    deploys="trained",
    aggregate=aggregate,
    shared=True,
)
"""Federated learning with personalisation layers."""
