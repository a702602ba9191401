"""Whether a folder with a language model can be trusted with memory and time, before any of its weights are read.

Its files were written by others. What is read here is bounded before it is read; nothing is unpickled or run.
"""

import json
import math
from pathlib import Path
from typing import Any

from learning.errors import LearningError, said

_MEBI = 2**20
_BOUNDS = {
    "hidden_size": 2**16,
    "num_hidden_layers": 2**10,
    "vocab_size": 2**22,
    "intermediate_size": 2**19,
    "num_attention_heads": 2**12,
    "num_key_value_heads": 2**12,
    "max_position_embeddings": 2**26,
}
_PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


def bounded(path: Path, limit: int = _MEBI) -> bytes:
    """Return what a small file holds. `LearningError` if it cannot be read or is larger than ``limit`` bytes."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise LearningError(f"cannot read {path}: {error.strerror}") from error
    if len(data) > limit:
        raise LearningError(f"{path} is larger than {limit // _MEBI} MiB; expected a small JSON file")
    return data


def _object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(bounded(path))
    except (ValueError, RecursionError) as error:
        raise LearningError(f"{path} is not JSON: {said(error, 200)}") from error
    if not isinstance(value, dict):
        raise LearningError(f"{path} holds a {type(value).__name__}; expected a JSON object")
    return value


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files of a folder. `LearningError` if it has none, above all if it has pickles."""
    files = sorted(folder.glob("*.safetensors"))
    if files:
        return files
    pickled = [p.name for p in sorted(folder.iterdir()) if p.suffix in _PICKLED]
    if pickled:
        raise LearningError(
            f"{folder} holds pickled weights ({pickled[0]}), which can run any code when read; expected *.safetensors: "
            "if you trust them, convert with AutoModelForCausalLM.from_pretrained(FOLDER).save_pretrained(NEW_FOLDER)"
        )
    raise LearningError(f"{folder} holds no weights; expected model.safetensors, or shards with their index")


def checked(folder: Path) -> int:
    """Return the number of parameters that the weight files hold, after everything cheap has been checked."""
    config = _object(folder / "config.json")
    for path in sorted(folder.glob("*config.json")):
        if "auto_map" in _object(path):
            raise LearningError(
                f"{path} asks for code of its own (auto_map), which is never run; expected a model that transformers "
                "itself knows"
            )
    if (folder / "adapter_config.json").exists():
        raise LearningError(f"{folder} holds an adapter (adapter_config.json); expected a whole model, merged")
    for field, bound in _BOUNDS.items():
        value = config.get(field, 1)
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= bound:
            raise LearningError(
                f"{folder / 'config.json'}: {field} is {value!r}; expected an integer from 1 to {bound}"
            )
    files = weight_files(folder)
    held = sum(_parameters_in(path) for path in files)
    hidden, layers = config.get("hidden_size") or 1, config.get("num_hidden_layers") or 1
    least = layers * 2 * hidden * hidden + (config.get("vocab_size") or 1) * hidden
    if least > 2 * held:
        raise LearningError(
            f"{folder / 'config.json'} describes at least {least:,} parameters but the weight files hold {held:,}"
        )
    return held


def matrices(folder: Path) -> list[str]:
    """Return the names of the modules in the weight files whose weight is a matrix, as layers.0.mlp.up_proj."""
    every = {name: shape for path in weight_files(folder) for name, shape in _shapes_in(path).items()}
    return sorted(n.removesuffix(".weight") for n, shape in every.items() if n.endswith(".weight") and len(shape) == 2)


def _parameters_in(path: Path) -> int:
    return sum(math.prod(shape) for shape in _shapes_in(path).values())


def _shapes_in(path: Path) -> dict[str, list[int]]:
    """Return the shapes of the tensors in a safetensors file by its header, without reading the numbers."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(size - 8, 64 * _MEBI):
            raise LearningError(f"{path} is not a safetensors file: its header claims {length} of {size} bytes")
        try:
            header = json.loads(file.read(length))
            return {n: [int(k) for k in entry["shape"]] for n, entry in header.items() if n != "__metadata__"}
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise LearningError(f"{path} is not a safetensors file: its header is damaged") from error
