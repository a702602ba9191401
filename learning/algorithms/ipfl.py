"""iPFL: personal models pulled towards those that the market let a client import."""

import numpy as np

from learning.algorithms.algorithm import Aggregation, Algorithm, LocalSpec, Uploads, stable
from learning.plan import LearningPlan

TARGET = "target"
"""Name of the slot that holds the proximal targets."""


def local_spec(plan: LearningPlan, first: bool) -> LocalSpec:
    """Return the descent on L_i(θ) + λ/(2η) ‖θ − target_i‖², hence a pull of λ/η; none before there are targets.

    Adapters of a language model are pulled by λ ‖θ − target_i‖², hence by 2 λ (paper, the LoRA variant).
    `LearningError` if that pull alone makes SGD with momentum diverge.
    """
    strength = 2.0 * plan.lam if plan.model == "lora" else plan.lam / plan.eta
    pull = stable(plan, strength, "lam / eta", "a smaller lr or lam, or a larger eta")
    return LocalSpec(plan.steps) if first else LocalSpec(plan.steps, pull, TARGET)


def implied(clients: int) -> None:
    """Return None: the market decides who imports whose model."""
    return


def aggregate(uploads: Uploads) -> Aggregation:
    """Return the matrix B of the model step: target_i − θ_0 = Σ_j B_ij u_j with u = θ − θ_0.

    target_i is one gradient step of length η from θ_i on −Σ_j a_ij (n_j/n_i) cos(u_i, u_j) (paper, model step); with
    ∂cos(u_i, u_j)/∂u_i = u_j/(|u_i||u_j|) − cos_ij u_i/|u_i|² that is, r_ij = n_j/n_i,

        B_ij = η a_ij r_ij / (|u_i||u_j|)  for j ≠ i,     B_ii = 1 − η Σ_j a_ij r_ij cos_ij / |u_i|².

    A client whose model is θ_0 has no direction: terms with it are left out.
    """
    imports, sizes, cosines, norms = uploads.imports, uploads.sizes, uploads.cosines, uploads.norms
    inverse = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    active = imports & ~np.eye(len(sizes), dtype=bool) & (norms > 0)[:, None] & (norms > 0)[None, :]
    strength = uploads.plan.eta * active * (sizes[None, :] / sizes[:, None])
    matrix = strength * inverse[:, None] * inverse[None, :]
    np.fill_diagonal(matrix, 1.0 - (strength * cosines).sum(1) * inverse**2)
    return Aggregation(matrix, into=TARGET)


IPFL = Algorithm(
    name="ipfl",
    citation="Zhang, Chai, Ye, Wang, Chen, Nature Communications 16:7923, 2025 (arXiv 2505.02462)",
    summary="personal models pulled to the models that the market let the client import",
    deploys="trained",
    slots=(TARGET,),
    local_spec=local_spec,
    implied=implied,
    aggregate=aggregate,
    own=True,
)
"""Inclusive and incentivised personalised federated learning."""
