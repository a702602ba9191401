"""The sources of the two language tasks, in every layout, and the refusal of damaged files."""

import gzip
import json

import numpy as np
import polars as pl
import pytest

from learning.data import load
from learning.data.sets import finance as module
from learning.data.sets.finance import DEGREES, codealpaca, fiqa, nwgi, polarity, select, tfns
from learning.data.sets.instructions import Record
from learning.errors import DataError
from tests.checks import refused

NEWS = "What is the sentiment of this news? Please choose an answer from {negative/neutral/positive}."
TWEET = NEWS.replace("news", "tweet")
SEVEN = (
    "What is the sentiment of this news? Please choose an answer from {strong negative/moderately negative/"
    "mildly negative/neutral/mildly positive/moderately positive/strong positive}."
)


def entry(sentence, *scores):
    return {"sentence": sentence, "info": [{"sentiment_score": str(score), "target": "X"} for score in scores]}


def write_fiqa(folder):
    for kind in ("headline", "post"):
        for part, offset in (("train", 0), ("test", 10)):
            value = {str(k + offset): entry(f"{kind} {k + offset}", (-0.5, 0.05, 0.6)[k % 3]) for k in range(6)}
            if (kind, part) == ("headline", "train"):
                value["90"] = entry("two companies", "0.9", "-0.8")
            (folder / f"fiqa_{kind}_ABSA_{part}.json").write_text(json.dumps(value))


def write_tfns(folder, names=("tfns_train.csv", "tfns_valid.csv")):
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in zip(names, (range(12), range(12, 18)), strict=True):
        pl.DataFrame({"text": [f"tweet, {k}" for k in rows], "label": [k % 3 for k in rows]}).write_csv(folder / name)


def write_nwgi(folder):
    lines = [
        json.dumps({"context": f"Instruction: {SEVEN}\nInput: news {k}.\nAnswer: ", "target": DEGREES[k % 7]})
        for k in range(20)
    ]
    (folder / "nwgi_test.jsonl").write_text("\n".join(lines))


def write_code(folder):
    rows = [{"instruction": f"do {k}", "input": "x" * (k % 2), "output": f"answer {k}"} for k in range(30)]
    rows.append({"instruction": "no answer", "input": "", "output": " "})
    (folder / "codealpaca_20k.json.gz").write_bytes(gzip.compress(json.dumps(rows).encode()))


@pytest.fixture
def folder(tmp_path):
    for write in (write_fiqa, write_tfns, write_nwgi, write_code):
        write(tmp_path)
    return tmp_path


def shown(data, part="train"):
    """Return prompt and answer of each text of a data set of bytes."""
    x, y = getattr(data, f"{part}_x"), getattr(data, f"{part}_y")
    found = []
    for text, target in zip(x, y, strict=True):
        start = int(np.flatnonzero(target >= 0)[0]) + 1
        ends = int(np.flatnonzero(target == 258)[0]) + 1
        found.append((bytes(text[:start].tolist()).decode(), bytes(text[start:ends].tolist()).decode()))
    return found


def test_finance_has_three_sources_as_cells_and_groups(folder):
    data = load("finance", folder)
    assert np.bincount(data.train_strata).tolist() == [13, 12, 16]
    assert np.bincount(data.test_strata).tolist() == [12, 6, 4]
    np.testing.assert_array_equal(data.groups, data.train_strata)
    assert (data.classes, data.strata, data.name) == (259, 3, "finance")
    assert data.train_x.shape[1] == data.test_x.shape[1] <= 512
    prompts = [asked for asked, _ in shown(data)]
    assert f"### Instruction:\n{NEWS}\n\n### Input:\nheadline 0\n\n### Response:\n" in prompts[0]
    assert f"{TWEET}\n\n### Input:\ntweet, 0" in prompts[13]
    assert f"{SEVEN}\n\n### Input:\nnews " in prompts[25]
    assert not set(shown(data)) & set(shown(data, "test"))
    assert data.digest() == load("finance", folder).digest()


def test_cofinance_has_programs_and_news(folder):
    data = load("cofinance", folder)
    assert np.bincount(data.train_strata).tolist() == [24, 16]
    assert np.bincount(data.test_strata).tolist() == [6, 4]
    answers = {answer for _, answer in shown(data) + shown(data, "test")}
    assert answers == {f"answer {k}" for k in range(30)} | set(DEGREES)
    with_input = [("### Input:" in asked) for asked, answer in shown(data) if answer.startswith("answer")]
    assert 0 < sum(with_input) < len(with_input)


@pytest.mark.parametrize(
    ("score", "label"),
    [(-1, "negative"), (-0.1001, "negative"), (-0.1, "neutral"), (0, "neutral"), (0.0999, "neutral"),
     (0.1, "positive"), (1, "positive")],
)  # fmt: skip
def test_scores_become_three_labels(score, label):
    assert polarity(score) == label


def test_fiqa_is_a_record_a_sentence_with_the_mean_of_its_scores(folder):
    records = {record.input: record for record in fiqa(folder)}
    assert records["two companies"].output == "neutral"
    assert (records["headline 0"].output, records["headline 2"].output) == ("negative", "positive")
    assert (records["headline 0"].instruction, records["post 0"].instruction) == (NEWS, TWEET)
    assert records["post 12"].test
    assert not records["post 2"].test


def test_tfns_labels_are_bearish_bullish_neutral(folder):
    answers = {record.input: record.output for record in tfns(folder)}
    assert [answers[f"tweet, {k}"] for k in range(3)] == ["negative", "positive", "neutral"]


def test_the_hubs_folders_give_the_same_records(folder, tmp_path):
    root = tmp_path / "hub"
    hub = root / "pauri32" / "fiqa-2018"
    hub.mkdir(parents=True)
    for name, rows in (
        ("train.csv", [("a", 0.9, "post"), ("a", -0.8, "post"), ("t", 0.5, "post")]),
        ("validation.csv", [("b", -0.3, "headline")]),
        ("test.csv", [("t", 0.5, "post")]),
    ):
        schema = ["sentence", "sentiment_score", "format"]
        pl.DataFrame(rows, schema=schema, orient="row").with_columns(target=pl.lit("X")).write_csv(hub / name)
    found = fiqa(root)
    assert [(r.instruction, r.input, r.output, r.test) for r in found if r.test] == [(TWEET, "t", "positive", True)]
    assert {(r.input, r.output) for r in select(found) if not r.test} == {("a", "neutral"), ("b", "negative")}

    write_tfns(root / "zeroshot" / "twitter-financial-news-sentiment", ("sent_train.csv", "sent_valid.csv"))
    assert tfns(root) == tfns(folder)

    data = root / "oliverwang15" / "news_with_gpt_instructions" / "data"
    data.mkdir(parents=True)
    frame = pl.DataFrame({"news": [f"news {k}." for k in range(20)], "label": [DEGREES[k % 7] for k in range(20)]})
    frame.write_parquet(data / "train-00000-of-00001-ab.parquet")
    assert nwgi(root) == nwgi(folder)
    frame[:5].write_parquet(data / "test-00000-of-00001-cd.parquet")
    assert sum(record.test for record in nwgi(root)) == 5

    data = root / "lucasmccabe-lmi" / "CodeAlpaca-20k" / "data"
    data.mkdir(parents=True)
    rows = json.loads(gzip.decompress((folder / "codealpaca_20k.json.gz").read_bytes()))
    pl.DataFrame(rows).write_parquet(data / "train-00000-of-00001-e2.parquet")
    assert codealpaca(root) == codealpaca(folder)


def test_a_source_is_bounded_by_a_draw_and_not_trained_on_what_is_tested():
    records = [Record("do", str(k % 90), "x", 3, k >= 100) for k in range(140)]
    chosen = select(records, 30, 10)
    trained, tested = ([r for r in chosen if r.test is test] for test in (False, True))
    assert (len(trained), len(tested)) == (30, 10)
    forbidden = {record.input for record in records if record.test}
    assert not forbidden & {record.input for record in trained}
    assert [int(r.input) for r in trained] != list(range(30))
    assert chosen == select(records, 30, 10)


def change(path, old, new):
    path.write_text(path.read_text().replace(old, new, 1))


@pytest.mark.parametrize(
    ("task", "name", "damage", "message"),
    [
        ("finance", "fiqa_post_ABSA_train.json", ('"-0.5"', '"NaN"'), "sentiment_score is 'NaN'"),
        ("finance", "fiqa_post_ABSA_train.json", ('"-0.5"', "NaN"), "sentiment_score is 'nan'"),
        ("finance", "fiqa_post_ABSA_train.json", ('"-0.5"', "1" + "0" * 400), "sentiment_score is '1000"),
        ("finance", "fiqa_post_ABSA_train.json", ('"-0.5"', '"1.5"'), "expected a number from -1 to 1"),
        ("finance", "fiqa_post_ABSA_train.json", ('"-0.5"', "null"), "sentiment_score is 'None'"),
        ("finance", "fiqa_post_ABSA_train.json", ('"sentence": "post 0"', '"sentence": 3'), "expected a text"),
        ("finance", "fiqa_post_ABSA_train.json", ('"info"', '"infos"'), "no list 'info'"),
        ("finance", "fiqa_post_ABSA_train.json", "[1]", "not a table of sentences"),
        ("finance", "fiqa_post_ABSA_train.json", '{"a":' * 100_000, "nested too deeply"),
        ("finance", "tfns_train.csv", (",1\n", ",7\n"), "label '7' is none of 0, 1, 2"),
        ("finance", "tfns_train.csv", ("text,label", "tweet,label"), "no column 'text'"),
        ("finance", "nwgi_test.jsonl", ("neutral}", "neutral"), ""),
        ("finance", "nwgi_test.jsonl", ('"target": "neutral"', '"target": "good"'), "label 'good' is none of"),
        ("finance", "nwgi_test.jsonl", ("Answer", "Reply"), "does not read Instruction:, Input:, Answer:"),
        ("finance", "nwgi_test.jsonl", b"\xff\xfe", "not UTF-8"),
        ("finance", "nwgi_test.jsonl", "", "no training or no test texts"),
        ("cofinance", "codealpaca_20k.json.gz", gzip.compress(b'[{"instruction": "a"}]', mtime=0), "no column 'input'"),
        ("cofinance", "codealpaca_20k.json.gz", gzip.compress(b"[]" * 99, mtime=0)[:-8], "gzip"),
        ("cofinance", "codealpaca_20k.json.gz", gzip.compress(b"[]", mtime=0), "no training or no test texts"),
        ("cofinance", "codealpaca_20k.json.gz", b"[]", "gzip"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 40 else "",
)
def test_damaged_sources_are_refused_in_one_line(folder, task, name, damage, message):
    path = folder / name
    if isinstance(damage, tuple):
        change(path, *damage)
    else:
        path.write_bytes(damage if isinstance(damage, bytes) else damage.encode())
    if not message:  # how the instruction is worded is not checked: the loader has its own words
        assert load(task, folder).name == task
        return
    with refused(DataError, message, "fetch") as caught:
        load(task, folder)
    said = str(caught.value)
    assert len(said) < 700
    assert name in said or "source" in said


@pytest.mark.parametrize(
    ("task", "missing", "repository"),
    [
        ("finance", "fiqa_post_ABSA_test.json", "pauri32/fiqa-2018"),
        ("finance", "tfns_valid.csv", "zeroshot/twitter-financial-news-sentiment"),
        ("cofinance", "nwgi_test.jsonl", "oliverwang15/news_with_gpt_instructions"),
        ("cofinance", "codealpaca_20k.json.gz", "lucasmccabe-lmi/CodeAlpaca-20k"),
    ],
)
def test_a_missing_source_is_named_with_its_command(folder, task, missing, repository):
    (folder / missing).unlink()
    command = f"hf download {repository} --repo-type dataset --local-dir {folder}/{repository}"
    with refused(DataError, "", command):
        load(task, folder)


@pytest.fixture
def real(real_data):
    """The folder of real data; skipped where it has none of these."""
    if not (real_data / "nwgi_test.jsonl").is_file():
        pytest.skip("MARKETPROOF_DATA names no folder with nwgi_test.jsonl")
    return real_data


def test_real_sources_have_their_known_sizes(real):
    found = fiqa(real)
    assert (len(found), sum(record.test for record in found)) == (1111, 200)
    found = tfns(real)
    assert (len(found), sum(record.test for record in found)) == (11931, 2388)
    assert (len(nwgi(real)), len(codealpaca(real))) == (4047, 20016)


def test_real_tasks_fit_their_bounds(real):
    data = load("cofinance", real)
    assert np.bincount(data.train_strata).tolist() == [module.TRAIN, 3238]
    assert data.train_x.shape[1] == 512
    assert ((data.train_y >= 0).sum(1) >= 2).all()
    news = data.train_y[data.train_strata == 1]
    assert ((news == 258).sum(1) == 1).all()  # no short answer was cut
