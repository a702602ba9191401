"""A low-rank adapter on a frozen causal language model (Hu et al., LoRA, 2021): the row is the adapter.

Every query and value projection (or the modules chosen) W x becomes W x + (α/r) B A x. Only A [r, in] and B [out, r]
are trained, sent and traded. There is no dropout on the adapter (the paper has 0.05): its masks would be as large as
all activations, and random numbers come from keyed streams here.
"""

import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch.func import functional_call
from torch.utils.checkpoint import checkpoint

from learning.differences import Geometry
from learning.errors import LearningError, said
from learning.models.base_models import TARGETS, load_base, quiet, require
from learning.models.lora_geometry import lora_geometry
from learning.models.network import Layout, Network

Tensor = torch.Tensor

IGNORED = -100
"""The target that is not counted: of the prompt, and of padding."""

_EXACT = 16  # target tokens up to which an answer counts only if it is right as a whole
_SCORES = 2**24  # scores computed at once: 64 MiB in float32
_TOKENS = 4096  # tokens judged at once: their activations stay small
_A, _B = ".lora_A.default.weight", ".lora_B.default.weight"  # as peft names them
_SMALL, _LARGE = (8, 16), (32, 64)  # rank and α: of models below a thousand million parameters, and above (paper)


class LoraNetwork(Network):
    """The adapter of one language model. Texts are padded on the right, and y[t] is the token that follows x[t].

    x int64 [n, L] and y int64 [n, L] with -100 where a token is not counted. Attention looks back only, so that
    padding on the right needs no mask: no token that counts sees it. One network serves one thread at a time.
    """

    name = "lora"
    loops: ClassVar[bool] = True  # vmap of a language model needs attention in its slow form

    def __init__(
        self, base: Any, base_model: str = "", rank: int = 0, alpha: int = 0, targets: Sequence[str] = ()
    ) -> None:
        require("peft")
        targets = list(targets or TARGETS)
        with quiet(), torch.random.fork_rng(devices=[]):  # peft draws an A of its own; `initial` replaces it
            from peft import get_peft_model

            size = base.num_parameters()
            standard = _SMALL if size < 1e9 else _LARGE
            self.rank, self.alpha = rank or standard[0], alpha or standard[1]
            self._config = adapter_config(base_model, self.rank, self.alpha, targets)
            try:
                adapted = get_peft_model(base, self._config, autocast_adapter_dtype=False).eval()
            except ValueError as error:
                raise LearningError(
                    f"{base_model or 'tiny'} cannot be adapted at {' and '.join(targets)}: {said(error, 200)}"
                ) from error
        self.scale = self.alpha / self.rank
        self.vocabulary = int(base.config.vocab_size)
        self._base, self._decoder, self._head = base, base.get_decoder(), base.get_output_embeddings()
        self._names = [name for name, _ in self._decoder.named_parameters() if ".lora_" in name]
        inside = dict(self._decoder.named_parameters())
        made = [name for name, _ in adapted.named_parameters() if ".lora_" in name]
        if len(made) != len(self._names) or not all(name.endswith((_A, _B)) for name in made):
            raise LearningError(
                f"{' and '.join(targets)} of {base_model or 'tiny'} are not all linear layers before its head; "
                "expected such, as q_proj and v_proj"
            )
        outside = {id(p): name.replace(".default.", ".") for name, p in adapted.named_parameters()}
        self.layout = Layout(
            tuple(outside[id(inside[name])] for name in self._names),
            tuple(tuple(inside[name].shape) for name in self._names),
        )
        adapted.requires_grad_(False)
        self._movable = not getattr(base, "is_quantized", False)
        self._check_head(base_model)

    def _check_head(self, base_model: str) -> None:
        device = next(self._base.parameters()).device
        x = torch.arange(3, device=device)[None] % self.vocabulary
        with torch.no_grad():
            direct = self._head(self._decoder(input_ids=x, use_cache=False).last_hidden_state)
            whole = self._base(input_ids=x, use_cache=False).logits
        if direct.shape != whole.shape or not torch.allclose(direct.float(), whole.float(), atol=1e-3, rtol=1e-3):
            raise LearningError(
                f"{base_model or 'tiny'} does more to its scores than one linear head; expected a model such as Llama"
            )

    def geometry(self, rows: torch.Tensor, initial: torch.Tensor) -> Geometry:
        """Return the geometry of what the adapters in ``rows`` [m, P] do to the weights (see `lora_geometry`)."""
        return lora_geometry(rows, self.layout, self.scale, initial)

    @property
    def device(self) -> torch.device:
        """Where the base model is now."""
        return self._head.weight.device

    def prepare(self, x: Tensor) -> Tensor:
        """Return tokens as int32: as they are stored, half of what int64 takes."""
        if x.numel() and not (int(x.min()) >= 0 and int(x.max()) < self.vocabulary):
            raise LearningError(
                f"the data hold tokens {int(x.min())} to {int(x.max())} but the language model knows 0 to "
                f"{self.vocabulary - 1}: they were made with the tokenizer of another model"
            )
        return x.to(torch.int32)

    def inputs(self, x: Tensor, scale: float, shift: float) -> Tensor:
        """Return stored tokens as int64; ``scale`` and ``shift`` mean nothing here."""
        return x.long()

    def _hidden(self, parameters: Sequence[Tensor], x: Tensor) -> Tensor:
        """Return the last hidden states [n, L, H] of the adapted model."""
        device = parameters[0].device
        if device != self.device:
            if not self._movable:
                raise LearningError(f"a model in 8 bits stays on {self.device}; the adapter is on {device}")
            self._base.to(device)
        given = dict(zip(self._names, parameters, strict=True))
        out = functional_call(self._decoder, given, (), {"input_ids": x, "use_cache": False})
        hidden: Tensor = out.last_hidden_state
        return hidden

    def forward(self, parameters: Sequence[Tensor], x: Tensor, masks: Sequence[Tensor] = ()) -> Tensor:
        """Return the scores [n, L, vocabulary] of the next token after each of ``x`` [n, L].

        Pure, and fit for `torch.func`: `grad` of one example works as it is; `vmap(grad)` inside
        `torch.nn.attention.sdpa_kernel(SDPBackend.MATH)`.
        """
        scores: Tensor = self._head(self._hidden(parameters, x)).float()
        return scores

    def loss(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Return the mean over samples of the mean cross entropy over a sample's counted targets."""
        each = F.cross_entropy(outputs.flatten(0, 1), y.flatten(), reduction="none", ignore_index=IGNORED)
        counts = (y != IGNORED).sum(1).clamp(min=1)
        return (each.view(y.shape).sum(1) / counts).mean()

    def judge(self, outputs: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return each sample's score and mean cross entropy, float64 [n].

        The score is the share of counted targets that have the highest score given what precedes them; of at most 16
        targets, 1 only if all have, which is when greedy decoding gives exactly the answer. No target: 0 and 0.
        """
        counted = y != IGNORED
        return self._verdict(*self._token_verdicts(outputs[counted], y[counted]), counted)

    def batch_loss(self, parameters: Sequence[Tensor], x: Tensor, y: Tensor, masks: Sequence[Tensor] = ()) -> Tensor:
        """Return ``loss(forward(parameters, x), y)``, with scores of counted targets only, a part of them at a time.

        Texts are cut after the batch's last counted target, and scores, the largest tensors by far, are made again in
        the backward pass. Shapes depend on y, so this does not go through `vmap`.
        """
        x, y = self._cut(x, y)
        counted = y != IGNORED
        states, targets = self._hidden(parameters, x)[counted], y[counted]
        weights = ((1.0 / counted.sum(1).clamp(min=1))[:, None] * counted)[counted] / len(y)
        total = states.new_zeros((), dtype=torch.float32)
        for h, t, w in zip(*(v.split(self._part) for v in (states, targets, weights)), strict=True):
            if torch.is_grad_enabled() and len(targets) > self._part:
                total = total + checkpoint(self._part_loss, h, t, w, use_reentrant=False, preserve_rng_state=False)
            else:
                total = total + self._part_loss(h, t, w)
        return total

    def batch_judge(self, parameters: Sequence[Tensor], x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``judge(forward(parameters, x), y)``, as `batch_loss` does, some 4,096 tokens at a time."""
        several = max(1, _TOKENS // max(1, x.shape[1]))
        if len(x) > several:
            pieces = zip(x.split(several), y.split(several), strict=True)
            columns = zip(*(self.batch_judge(parameters, a, b) for a, b in pieces), strict=True)
            score, lost = (torch.cat(column) for column in columns)
            return score, lost
        x, y = self._cut(x, y)
        counted = y != IGNORED
        states, targets = self._hidden(parameters, x)[counted], y[counted]
        parts = [
            self._token_verdicts(self._head(h).float(), t)
            for h, t in zip(states.split(self._part), targets.split(self._part), strict=True)
        ]
        right, losses = (torch.cat(column) for column in zip(*parts, strict=True))
        return self._verdict(right, losses, counted)

    @property
    def _part(self) -> int:
        return max(1, _SCORES // self.vocabulary)

    def _part_loss(self, states: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        each = F.cross_entropy(self._head(states).float(), targets, reduction="none")
        return (each * weights).sum()

    @staticmethod
    def _cut(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        used = (y != IGNORED).any(0).nonzero()
        length = int(used[-1]) + 1 if len(used) else 1
        return x[:, :length], y[:, :length]

    @staticmethod
    def _token_verdicts(scores: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        return scores.argmax(-1) == targets, F.cross_entropy(scores.double(), targets, reduction="none")

    @staticmethod
    def _verdict(right: Tensor, losses: Tensor, counted: Tensor) -> tuple[Tensor, Tensor]:
        whose = counted.nonzero()[:, 0]
        hits = torch.zeros(len(counted), dtype=torch.float64, device=counted.device)
        total = torch.zeros_like(hits)
        hits.index_add_(0, whose, right.double())
        total.index_add_(0, whose, losses)
        counts = counted.sum(1)
        share = hits / counts.clamp(min=1)
        score = torch.where(counts <= _EXACT, (share == 1.0).double(), share)
        return score, total / counts.clamp(min=1)

    def initial(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return θ_0 [P]: A uniform in ±1/√in, as peft draws it (Kaiming with a = √5), and B zero, so that ΔW = 0."""
        row = np.zeros(self.layout.parameters, dtype=np.float32)
        offsets = self.layout.offsets
        for k, (name, shape) in enumerate(zip(self.layout.names, self.layout.shapes, strict=True)):
            if ".lora_A." in name:
                bound = 1.0 / math.sqrt(shape[1])
                row[offsets[k] : offsets[k + 1]] = rng.uniform(-bound, bound, size=math.prod(shape))
        return row


def adapter_config(base_model: str, rank: int, alpha: int, targets: Sequence[str]) -> Any:
    """Return peft's configuration of an adapter."""
    require("peft")
    with quiet():
        from peft import LoraConfig

        return LoraConfig(
            r=rank,
            lora_alpha=alpha,
            lora_dropout=0.0,
            target_modules=list(targets),
            task_type="CAUSAL_LM",
            base_model_name_or_path=base_model,
        )


def adapter_files(
    tensors: Mapping[str, NDArray[np.float32]], base_model: str, targets: Sequence[str]
) -> dict[str, bytes]:
    """Return the files of an adapter as peft writes and reads them, by name; the base model is not loaded."""
    from safetensors.numpy import save

    rank = next(len(tensor) for name, tensor in tensors.items() if ".lora_A." in name)
    config = adapter_config(base_model, rank, dict((_SMALL, _LARGE))[rank], targets or TARGETS)
    values = {k: sorted(v) if isinstance(v, set) else v for k, v in config.to_dict().items()}
    text = json.dumps(values | {"inference_mode": True}, indent=2, sort_keys=True, default=str)
    weights = save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, metadata={"format": "pt"})
    return {"adapter_model.safetensors": weights, "adapter_config.json": f"{text}\n".encode()}


@lru_cache(maxsize=1)
def _adapted(base_model: str, targets: tuple[str, ...]) -> LoraNetwork:
    return LoraNetwork(load_base(base_model), base_model, targets=targets)


def lora_network(base_model: str = "", classes: int = 0, targets: tuple[str, ...] = ()) -> LoraNetwork:
    """Return the adapter of a base model for data over ``classes`` tokens (0: not known); the last model stays loaded.

    Rank 8 and α 16 below a thousand million parameters, rank 32 and α 64 above (paper). ``targets``: the modules that
    it changes, those of queries and values if none is named.
    """
    net = _adapted(base_model, targets)
    if classes > net.vocabulary:
        raise LearningError(
            f"the data have {classes} tokens but the language model {base_model or 'tiny'} knows {net.vocabulary}: "
            "they were made with the tokenizer of another model"
        )
    return net
