"""Instructions and answers as tokens for a causal language model.

How an answer scores (`judge` of a language model follows this rule; the data only mark the answer's tokens in y): of an
answer of at most 16 tokens, its end included, the score is 1 if every token is predicted from what precedes it, which
is when greedy decoding gives exactly this answer, and else 0; of a longer one it is the share of tokens predicted.
So a sentiment is right or wrong with a model's own tokenizer (2 to 5 tokens) and a program is right in part. The byte
tokenizer of the tiny model needs 20 for two of NWGI's seven answers (moderately …), which then count in part too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from learning.data.dataset import Dataset
from learning.errors import DataError
from learning.models.tokenizers import Tokenizer

LENGTH = 512
"""Most tokens of a text, as in the paper."""

SHORT = 16
"""Most tokens of an answer that is right or wrong as a whole."""

IGNORED = -100
"""Target that is not counted: of the instruction and of padding."""

_INTRODUCTION = "Below is an instruction that describes a task"
_PAIRED = ", paired with an input that provides further context"
_REQUEST = ". Write a response that appropriately completes the request.\n\n### Instruction:\n"


@dataclass(frozen=True)
class Record:
    """An instruction, an input to it ("": none), the answer, the source by number, and whether it is for testing."""

    instruction: str
    input: str
    output: str
    source: int
    test: bool = False


def prompt(record: Record) -> str:
    """Return what precedes the answer: the Alpaca template (Taori et al. 2023), in its form with or without input."""
    if not record.input:
        return f"{_INTRODUCTION}{_REQUEST}{record.instruction}\n\n### Response:\n"
    context = f"{record.instruction}\n\n### Input:\n{record.input}"
    return f"{_INTRODUCTION}{_PAIRED}{_REQUEST}{context}\n\n### Response:\n"


def encode(
    records: Sequence[Record], tokenizer: Tokenizer, length: int = LENGTH, name: str = "text", source: str = "records"
) -> Dataset:
    """Return records as texts of L tokens and next-token targets.

    x int64 [N, L] are prompt, answer, end, then padding on the right; y int64 [N, L] is y[t] = x[t + 1] where x[t + 1]
    belongs to the answer or is its end, else -100. L is ``length``, or the longest text where that is shorter. What is
    longer than ``length`` is cut: the prompt only down to half of it, first at the end of the input and then of the
    instruction, never in the template; then the end of the answer, which keeps at least half of ``length``.

    Cells (strata) and ``groups`` are the sources, classes the tokens. `DataError` if ``length`` cannot hold the
    template.
    """
    texts = [tokens(record, tokenizer, length) for record in records]
    longest = max((len(text) for text, _ in texts), default=1)
    x = np.full((len(texts), longest), tokenizer.pad, dtype=np.int64)
    y = np.full((len(texts), longest), IGNORED, dtype=np.int64)
    for k, (text, start) in enumerate(texts):
        x[k, : len(text)] = text
        y[k, start - 1 : len(text) - 1] = text[start:]
    origin = np.array([record.source for record in records], dtype=np.int64)
    tested = np.array([record.test for record in records], dtype=bool)
    if tested.all() or not tested.any():
        raise DataError(f"{name}: {source} gives {int(tested.sum())} test texts of {len(records)}; expected both")
    return Dataset(
        name,
        source,
        x[~tested],
        y[~tested],
        x[tested],
        y[tested],
        classes=tokenizer.size,
        scale=1.0,
        shift=0.0,
        train_strata=origin[~tested],
        test_strata=origin[tested],
        groups=origin[~tested],
        strata=int(origin.max()) + 1,
    )


def tokens(record: Record, tokenizer: Tokenizer, length: int) -> tuple[list[int], int]:
    """Return the tokens of a record, at most ``length``, and where its answer starts."""
    answer = [*tokenizer.encode(record.output), tokenizer.end]
    asked = _shortened(record, tokenizer, max(length - len(answer), length - length // 2))
    return (asked + answer)[:length], len(asked)


def _shortened(record: Record, tokenizer: Tokenizer, most: int) -> list[int]:
    """Return the tokens of a prompt, of input and instruction only so much that they are at most ``most``."""
    asked = tokenizer.encode(prompt(record))
    while len(asked) > most and (record.input or record.instruction):
        # a token has about four characters: where it has fewer, what is cut too little is cut in the next turns
        fewer = max(1, (len(asked) - most) // 4)
        if record.input:
            record = replace(record, input=record.input[:-fewer])
        else:
            record = replace(record, instruction=record.instruction[:-fewer])
        asked = tokenizer.encode(prompt(record))
    if len(asked) > most:
        raise DataError(f"a length of {2 * most} tokens cannot hold the template of {len(asked)}; take a larger length")
    return asked


def drawn(records: Sequence[Record], most: int, rng: np.random.Generator) -> list[Record]:
    """Return ``most`` of the records at random, in their order; all if they are no more."""
    if len(records) <= most:
        return list(records)
    chosen: NDArray[np.int64] = np.sort(rng.permutation(len(records))[:most])
    return [records[k] for k in chosen.tolist()]
