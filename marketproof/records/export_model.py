"""``marketproof export-model``: one client's model of a recorded run, for use elsewhere."""

from __future__ import annotations

import json as jsons
import re
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from marketproof.commands.options import Json, Quiet, argument, option
from marketproof.terminal.console import stdout
from mechanism.errors import InputError, did_you_mean, shown
from mechanism.wording import plural
from mechanism.writing import refuse_overwriting, write_all, write_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from analysis.run.files import Manifest

HELP = """Write one client's model of a recorded run to a file, and print the lines that load it.

A network becomes a state dict in safetensors, an adapter of a language model a folder that peft reads. It is the model
that the client would use now: after the last round, the server's step included."""

EPILOG = """Example: "marketproof export-model runs/NAME --client 3 --method ipfl/ipfl-exact" writes 3.safetensors.
A client is called as the run calls it: by its owner's name, or by its number."""


def export_model(
    run: Annotated[Path, argument("RUN", "Run folder.")],
    client: Annotated[str, option("NAME", "Whose model: a name, or a number from 0.")],
    method: Annotated[str | None, option("METHOD", "Of which method, if the run compares several.")] = None,
    out: Annotated[Path | None, option("FILE|DIR", "Where to; default CLIENT.safetensors, CLIENT-adapter.")] = None,
    seed: Annotated[int | None, option("S", "Under which seed; default the first.")] = None,
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Read, write, tell."""
    from analysis.run.files import read_manifest, record_files, unit_key, verify
    from marketproof.records.warm import refuse_joined

    manifest = read_manifest(run)
    number, name = _client(manifest, client)
    chosen = _one("method", manifest.methods, method)
    under = _one("seed", manifest.seeds, manifest.seeds[0] if seed is None else seed)
    key = unit_key(chosen, under)
    place = f"models/{key}.safetensors"
    told, tensors = _row(verify(run, place, manifest.digests), number)
    refuse_joined(manifest, key, told["slot"])
    stem = re.sub(r"[^\w.-]+", "_", name).strip(".") or str(number)
    adapter = told["network"] == "lora"
    target = out or Path(f"{stem}-adapter" if adapter else f"{stem}.safetensors")
    files = model_files(target, told, tensors)
    refuse_overwriting([*files, json], record_files(run))
    write_all(files)
    lines = _lines(target, told)
    size = sum(tensor.size for tensor in tensors.values())
    write_json(json, {"client": name, "method": chosen, "seed": under, "files": [str(f) for f in files], "load": lines})
    console = stdout(quiet=quiet)
    console.print(
        f"The model of client {name} under {chosen}, seed {under}: {size} numbers in {plural(len(tensors), 'tensor')}, "
        f"written to {shown(target)}. Load it with:",
        soft_wrap=True,
    )
    for line in lines:
        console.print(f"    {line}", soft_wrap=True)


def _client(manifest: Manifest, client: str) -> tuple[int, str]:
    """Return a client's number and what it is called."""
    names = manifest.names or [str(k) for k in range(manifest.clients)]
    if client in names:
        return names.index(client), client
    if re.fullmatch("[0-9]{1,6}", client) and int(client) < manifest.clients:
        return int(client), names[int(client)]
    near = did_you_mean(client, names)
    known = ", ".join(shown(name) for name in names[:10]) if manifest.names else f"0 to {manifest.clients - 1}"
    raise InputError(f"the run has no client {shown(client)}{near}; expected {known}")


def _one(kind: str, known: list[Any], wanted: Any) -> Any:
    """Return what is wanted of what the run has, the only one where nothing is."""
    listed = ", ".join(map(str, known))
    if wanted is None and len(known) > 1:
        raise InputError(f"the run has several {kind}s ({listed}); choose one with --{kind}")
    if wanted is not None and wanted not in known:
        raise InputError(f"the run has no {kind} {shown(wanted)}; it has {listed}")
    return known[0] if wanted is None else wanted


def _row(path: Path, client: int) -> tuple[dict[str, Any], dict[str, NDArray[np.float32]]]:
    """Return what a file of models says of their use, and one client's tensors by name; the others are not read."""
    from safetensors import SafetensorError, safe_open

    from analysis.run.files import RecordError

    try:
        with safe_open(path, framework="np") as file:
            state = jsons.loads((file.metadata() or {})["manifest"])
            plan, use = state["plan"], state["use"]
            row = file.get_slice(use["slot"])[client : client + 1][0]
        tensors, end = {}, 0
        for name, shape in state["layout"]:
            begin, end = end, end + prod(int(length) for length in shape)
            tensors[str(name)] = row[begin:end].reshape(shape)
        if end != len(row):
            raise ValueError("its layout is of another length")
        told = {"network": plan["model"], "base": plan["base_model"], "targets": plan.get("lora_targets", [])}
        return told | {key: use[key] for key in ("slot", "shape", "classes", "scale", "shift")}, tensors
    except (OSError, SafetensorError, KeyError, ValueError, TypeError, IndexError, RecursionError) as error:
        why = f"it does not say {error}" if isinstance(error, KeyError) else str(error)
        raise RecordError(
            f"{path}: no client's model can be taken from it ({why}); run again with this version"
        ) from None


def model_files(target: Path, told: dict[str, Any], tensors: dict[str, NDArray[np.float32]]) -> dict[Path, bytes]:
    """Return what a model is written as: one file, or of an adapter a folder of them.

    ``told``: its ``network``, ``base`` model, ``targets``, and what `learning.work.Facts.use` says of its use.
    """
    from safetensors.numpy import save

    from learning.models import MARK
    from learning.models.lora import adapter_files

    if told["network"] == "lora":
        made = adapter_files(tensors, told["base"], told["targets"])
        return {target / name: content for name, content in made.items()}
    about = {"format": "pt", MARK: jsons.dumps(told, sort_keys=True)}
    return {target: save({name: tensor.copy() for name, tensor in tensors.items()}, metadata=about)}


def _lines(target: Path, told: dict[str, Any]) -> list[str]:
    """Return the Python that loads it, as written."""
    from learning.models import MODELS

    where = repr(str(target))
    if told["network"] == "lora":
        return [
            "from peft import PeftModel",
            "from learning.models.base_models import load_base",
            f"model = PeftModel.from_pretrained(load_base({told['base']!r}), {where})",
        ]
    own = "" if told["network"] in MODELS else f", {told['network']!r}"
    return [
        "from learning.models.exported import load_model",
        f"model = load_model({where}{own})",
        f"scores = model(x)  # [n, {told['classes']}] of samples [n{''.join(f', {n}' for n in told['shape'])}]",
    ]
