"""Tasks 10 and 11: sentiments of financial texts (FiQA, TFNS, NWGI), and programs (CodeAlpaca), as instructions."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from learning.data.dataset import Dataset
from learning.data.files.places import Found, Layout, find, hub
from learning.data.files.text import read_json, read_rows, texts
from learning.data.sets.instructions import LENGTH, Record, Tokenizer, drawn, encode
from learning.data.splits import holdout
from learning.errors import DataError
from learning.streams import stream

TRAIN, TEST = 4000, 500
"""Most training and most test texts of a source, drawn at random, the same ones in every run."""

SHARE = 0.8
"""Share for training of a source that comes in one file."""

FIQA_THRESHOLD = 0.1
"""A score s is negative below -0.1, positive from 0.1 on, else neutral (as FinGPT, Yang et al. 2023, cuts it)."""

POLARITIES = ("negative", "neutral", "positive")
TFNS_LABELS = {"0": "negative", "1": "positive", "2": "neutral"}  # bearish, bullish, neutral
DEGREES = (
    "strong negative", "moderately negative", "mildly negative", "neutral",
    "mildly positive", "moderately positive", "strong positive",
)  # fmt: skip

FIQA_HUB = "pauri32/fiqa-2018"
TFNS_HUB = "zeroshot/twitter-financial-news-sentiment"
NWGI_HUB = "oliverwang15/news_with_gpt_instructions"
CODE_HUB = "lucasmccabe-lmi/CodeAlpaca-20k"

_SEED = 20250505  # which texts are taken is part of the data set: it does not change with the seed of a run
_SHARDS = ("data/train-*.parquet", "data/test-*.parquet")
_FIQA = tuple(f"fiqa_{kind}_ABSA_{part}.json" for part in ("train", "test") for kind in ("headline", "post"))
_CONTEXT = re.compile(r"Instruction: (.*?)\nInput: (.*)\nAnswer:\s*", re.DOTALL)


def finance(data_dir: Path | None = None, base_model: str = "", length: int = LENGTH) -> Dataset:
    """Return FiQA, TFNS and NWGI, sources 0, 1 and 2, as tokens of ``base_model`` (`encode` says how).

    Looked for in the hub's folders and as the files fiqa_*.json, tfns_*.csv, nwgi_test.jsonl. Of each source at most
    `TRAIN` and `TEST` texts are taken. `DataError` names the command that fetches what is missing, and the file if one
    is damaged.
    """
    return _load("finance", (fiqa, tfns, nwgi), data_dir, base_model, length)


def cofinance(data_dir: Path | None = None, base_model: str = "", length: int = LENGTH) -> Dataset:
    """Return CodeAlpaca-20k and NWGI, sources 0 and 1, as `finance` does."""
    return _load("cofinance", (codealpaca, nwgi), data_dir, base_model, length)


def fiqa(data_dir: Path | None, source: int = 0) -> list[Record]:
    """Return FiQA 2018, task 1 (WWW'18): a record a sentence, its score the mean over the companies it is about.

    The hub's copy (train.csv, validation.csv, test.csv; columns sentence, sentiment_score, format) has a row for each
    company; a sentence that is in its test set is not trained on.
    """
    layouts = (
        Layout("hub", ("test.csv", "train.csv", "validation.csv"), (FIQA_HUB,)),
        Layout("files", _FIQA, ("", "fiqa")),
    )
    found, remedy = _find("FiQA", data_dir, layouts, FIQA_HUB)
    scores: dict[tuple[bool, str], tuple[str, list[float]]] = {}
    for path in chain.from_iterable(found.files):
        rows = _fiqa_rows(path, remedy) if found.layout == "files" else _hub_rows(path, remedy)
        for sentence, kind, score in rows:
            scores.setdefault(("test" in path.name, sentence), (kind, []))[1].append(score)
    return [
        Record(_asks(kind, POLARITIES), sentence, polarity(sum(found_) / len(found_)), source, test)
        for (test, sentence), (kind, found_) in scores.items()
        if sentence
    ]


def polarity(score: float) -> str:
    """Return the label of a FiQA score in [-1, 1]: see `FIQA_THRESHOLD`."""
    if score < -FIQA_THRESHOLD:
        return "negative"
    return "positive" if score >= FIQA_THRESHOLD else "neutral"


def tfns(data_dir: Path | None, source: int = 1) -> list[Record]:
    """Return Twitter Financial News Sentiment: training and validation file, the latter for testing."""
    layouts = (
        Layout("hub", ("sent_train.csv", "sent_valid.csv"), (TFNS_HUB,)),
        Layout("files", ("tfns_train.csv", "tfns_valid.csv"), ("", "tfns")),
    )
    found, remedy = _find("TFNS", data_dir, layouts, TFNS_HUB)
    records: list[Record] = []
    for path in chain.from_iterable(found.files):
        for k, row in enumerate(read_rows(path, ("text", "label"), remedy), 1):
            text, label = texts(row, ("text", "label"), f"{path} record {k}", remedy)
            answer = _label(label, TFNS_LABELS, f"{path} record {k}", remedy)
            if text:
                records.append(Record(_asks("tweet", POLARITIES), text, answer, source, "valid" in path.name))
    return records


def nwgi(data_dir: Path | None, source: int = 2) -> list[Record]:
    """Return News With GPT Instructions, seven degrees: the hub's parquet (news, label), or a file context, target.

    The file holds one half only, which is split anew; its context spells instruction, input and "Answer:".
    """
    layouts = (
        Layout("hub", _SHARDS, (NWGI_HUB,)),
        Layout("whole", _SHARDS[:1], (NWGI_HUB,)),
        Layout("files", ("nwgi_test.jsonl",), ("", "nwgi")),
    )
    found, remedy = _find("NWGI", data_dir, layouts, NWGI_HUB)
    columns = ("context", "target") if found.layout == "files" else ("news", "label")
    records: list[Record] = []
    for path in chain.from_iterable(found.files):
        for k, row in enumerate(read_rows(path, columns, remedy), 1):
            where = f"{path} record {k}"
            text, label = texts(row, columns, where, remedy)
            if found.layout == "files":
                parts = _CONTEXT.fullmatch(text)
                if parts is None:
                    raise DataError(f"{where}: context does not read Instruction:, Input:, Answer:; {remedy}")
                text = parts[2].strip()
            answer = _label(label, {degree: degree for degree in DEGREES}, where, remedy)
            if text:
                records.append(Record(_asks("news", DEGREES), text, answer, source, path.name.startswith("test-")))
    return records if found.layout == "hub" else _split(records, "NWGI test set")


def codealpaca(data_dir: Path | None, source: int = 0) -> list[Record]:
    """Return CodeAlpaca-20k (Chaudhary 2023): instruction, input and output; one file, of which a part is for testing.

    Records without an answer, of which there are six, are left out.
    """
    layouts = (
        Layout("hub", _SHARDS[:1], (CODE_HUB,)),
        Layout("files", ("codealpaca_20k.json.gz",), ("", "codealpaca")),
        Layout("files", ("code_alpaca_20k.json",), ("", "codealpaca", CODE_HUB)),
    )
    found, remedy = _find("CodeAlpaca-20k", data_dir, layouts, CODE_HUB)
    columns = ("instruction", "input", "output")
    records: list[Record] = []
    for path in chain.from_iterable(found.files):
        for k, row in enumerate(read_rows(path, columns, remedy), 1):
            instruction, given, output = texts(row, columns, f"{path} record {k}", remedy)
            if instruction and output:
                records.append(Record(instruction, given, output, source))
    return _split(records, "CodeAlpaca test set")


def select(records: Sequence[Record], train: int = TRAIN, test: int = TEST) -> list[Record]:
    """Return at most ``train`` and ``test`` records of one source, at random; what is tested is not trained on."""
    tested = [record for record in records if record.test]
    asked = {(record.instruction, record.input) for record in tested}
    trained = [r for r in records if not r.test and (r.instruction, r.input) not in asked]
    source = records[0].source if records else 0
    return [
        *drawn(trained, train, stream(_SEED, "training texts", client=source)),
        *drawn(tested, test, stream(_SEED, "test texts", client=source)),
    ]


def _load(
    name: str, readers: Sequence[Callable[[Path | None, int], list[Record]]], data_dir: Path | None, base_model: str,
    length: int,
) -> Dataset:  # fmt: skip
    records: list[Record] = []
    for source, reader in enumerate(readers):
        chosen = select(reader(data_dir, source))
        if len({record.test for record in chosen}) < 2:
            raise DataError(f"{name}: source {reader.__name__} has no training or no test texts; fetch its files again")
        records += chosen
    where = f"{data_dir or 'MARKETPROOF_DATA'} ({', '.join(reader.__name__ for reader in readers)})"
    owners = {source: reader.__name__ for source, reader in enumerate(readers)}
    return replace(encode(records, _tokenizer(base_model), length, name, where), owners=owners)


def _tokenizer(base_model: str) -> Tokenizer:
    from learning.models.tokenizers import tokenizer  # it imports transformers for all but the tiny model

    return tokenizer(base_model)


def _find(title: str, data_dir: Path | None, layouts: Sequence[Layout], repository: str) -> tuple[Found, str]:
    """Return where a source lies, and what to do should it be damaged."""
    command = hub(repository).replace("{root}", "DIR")
    return find(title, data_dir, layouts, hub(repository)), f"fetch it again, for instance with: {command}"


def _fiqa_rows(path: Path, remedy: str) -> list[tuple[str, str, float]]:
    """Return sentence, kind and score of each company that a sentence of a file of the challenge is about."""
    value = read_json(path, remedy)
    if not isinstance(value, dict):
        raise DataError(f"{path} is not a table of sentences by number; {remedy}")
    rows = []
    kind = "news" if "headline" in path.name else "tweet"
    for key, entry in value.items():
        where = f"{path} sentence {str(key)[:20]!r}"
        infos = entry.get("info") if isinstance(entry, dict) else None
        if not isinstance(infos, list) or not infos or not all(isinstance(info, dict) for info in infos):
            raise DataError(f"{where} has no list 'info' of sentiments; {remedy}")
        sentence = next(texts({"sentence": entry.get("sentence")}, ("sentence",), where, remedy))
        rows += [(sentence, kind, _score(info.get("sentiment_score"), where, remedy)) for info in infos]
    return rows


def _hub_rows(path: Path, remedy: str) -> list[tuple[str, str, float]]:
    """Return sentence, kind and score of each row of the hub's copy."""
    rows = []
    for k, row in enumerate(read_rows(path, ("sentence", "sentiment_score", "format"), remedy), 1):
        where = f"{path} record {k}"
        sentence, form = texts(row, ("sentence", "format"), where, remedy)
        kind = "tweet" if form == "post" else "news"
        rows.append((sentence, kind, _score(row["sentiment_score"], where, remedy)))
    return rows


def _score(value: Any, where: str, remedy: str) -> float:
    try:
        score = float(value)
    except (TypeError, ValueError, OverflowError):
        score = math.nan
    if not -1.0 <= score <= 1.0:  # false of NaN too
        raise DataError(f"{where}: sentiment_score is {str(value)[:40]!r}; expected a number from -1 to 1; {remedy}")
    return score


def _label(value: str, labels: dict[str, str], where: str, remedy: str) -> str:
    if value not in labels:
        raise DataError(f"{where}: label {value[:40]!r} is none of {', '.join(labels)}; {remedy}")
    return labels[value]


def _asks(kind: str, answers: Sequence[str]) -> str:
    """Return the instruction as NWGI's own texts word it, of the kind of text and the possible answers."""
    return f"What is the sentiment of this {kind}? Please choose an answer from {{{'/'.join(answers)}}}."


def _split(records: list[Record], purpose: str) -> list[Record]:
    """Return records of which a fifth, always the same ones, are for testing."""
    _, test = holdout(np.zeros(len(records), dtype=np.int64), purpose, SHARE) if records else ((), ())
    tested = set(map(int, test))
    return [Record(r.instruction, r.input, r.output, r.source, k in tested) for k, r in enumerate(records)]
