"""A client's own copy of the model that it uses, as ``marketproof export-model`` writes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from marketproof.records.export_model import model_files
from mechanism.writing import write_all

if TYPE_CHECKING:
    from learning.federation.share import Share


def write_own(folder: Path, run: str, share: Share) -> None:
    """Write the model that a client tested last, into ``folder`` under the name of its training; nothing if none was.

    ``run``: as the server calls it, the federation's name and that of the training.
    """
    for slot, row in share.used:
        bench = share.bench
        plan, layout = bench.facts.plan, bench.network.layout
        told = {"network": plan.model, "base": plan.base_model, "targets": list(plan.lora_targets)}
        tensors = {name: view.numpy() for name, view in zip(layout.names, layout.views(row), strict=True)}
        stem = run.partition("-")[2] or run
        target = folder / (f"{stem}-adapter" if plan.model == "lora" else f"{stem}.safetensors")
        write_all(model_files(target, told | bench.facts.use(slot), tensors))
