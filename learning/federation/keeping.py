"""What a client carries from round to round on its own disk: its privacy ledger and its private models."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import torch

from learning.errors import CheckpointError
from learning.federation.messages import Start
from learning.federation.share import OwnBench
from learning.plan import LearningPlan
from mechanism import writing
from mechanism.errors import shown

_FILE = "{run}.safetensors"


@dataclass
class Memory:
    """The last round that was trained, and what a repetition of it needs.

    ``digest`` of the models from which it started: the same start gives the same release, which costs no privacy again.
    ``before`` and ``now``: the private models before and after it. ``spent``, ``stopped``: the ledger's rows, and who
    was told to stop. ``began``: a digest of the settings and samples with which the run began.
    """

    round: int = 0
    digest: str = ""
    spent: list[dict[str, Any]] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)
    began: str = ""
    before: dict[str, torch.Tensor] = field(default_factory=dict)
    now: dict[str, torch.Tensor] = field(default_factory=dict)


def _path(folder: Path, run: str) -> Path:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", run):
        raise CheckpointError(f"a run is called {shown(run)}; expected up to 100 letters, digits, '_' or '-'")
    return folder / _FILE.format(run=run)


def keep(folder: Path, run: str, memory: Memory) -> None:
    """Write a client's memory of a run, whole or not at all, readable by its owner only."""
    from safetensors.torch import save

    tensors = {f"{when}/{slot}": row for when in ("before", "now") for slot, row in getattr(memory, when).items()}
    told = {name: getattr(memory, name) for name in ("round", "digest", "spent", "stopped", "began")}
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)  # one that was there may be open to others
    copies = {name: row.clone() for name, row in tensors.items()} or {"none": torch.zeros(0)}
    writing.write(_path(folder, run), save(copies, {"memory": json.dumps(told)}))


def recalled(folder: Path, run: str) -> Memory:
    """Return what `keep` wrote, or an empty memory of a run that is new; `CheckpointError` if the file is damaged."""
    from safetensors import SafetensorError, safe_open

    path = _path(folder, run)
    if not path.exists():
        return Memory()
    try:
        with safe_open(path, framework="pt") as file:
            memory = Memory(**json.loads((file.metadata() or {})["memory"]))
            for name in list(file.keys()):
                when, _, slot = name.partition("/")
                if slot:
                    getattr(memory, when)[slot] = file.get_tensor(name)
            if not isinstance(memory.round, int) or not isinstance(memory.digest, str):
                raise ValueError("its round is no number")
            return memory
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CheckpointError(
            f"{shown(path)}, this client's own memory of the run, is damaged; put the original back: a ledger that "
            "forgets what was spent protects nobody"
        ) from None


def began(start: Start, plan: LearningPlan, bench: OwnBench) -> str:
    """Return a digest of what a run begins with: if any of it changes, it is another run, with a budget of its own."""
    told = json.dumps([plan.to_dict(), start.method, start.seed, start.client, start.name], sort_keys=True)
    mark = blake2b(told.encode(), digest_size=16)
    for name in ("train_x", "train_y"):
        mark.update(bench.tensors[name].numpy().data)
    return mark.hexdigest()
