"""Tokens: bytes without any dependency, a folder's own tokenizer offline, and folders that are refused in one line."""

import json
import socket

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from learning.errors import LearningError
from learning.models.tokenizers import tokenizer


def write_tokenizer(folder, **settings):
    """A tokenizer of six words as a model's folder holds it."""
    words = {"<unk>": 0, "</s>": 1, "buy": 2, "sell": 3, "hold": 4, "now": 5}
    inner = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.save(str(folder / "tokenizer.json"))
    values = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>", "unk_token": "<unk>"} | settings
    (folder / "tokenizer_config.json").write_text(json.dumps({k: v for k, v in values.items() if v is not None}))


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*arguments):
        raise AssertionError("a request was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


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
    with pytest.raises(LearningError) as caught:
        tokenizer(str(folder))
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500
    return message


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
