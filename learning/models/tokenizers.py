"""How text becomes tokens: bytes for the tiny model, a model's own tokenizer from its folder otherwise."""

from pathlib import Path
from typing import Any

from learning.errors import LearningError, said
from learning.models.base_models import quiet, source

_LIMIT = 128 * 2**20  # bytes of a tokenizer file; that of a vocabulary of 256,000 has about 32 MiB


class ByteTokenizer:
    """A token for each byte of UTF-8: 259 tokens with pad 256, begin 257 and end 258."""

    pad, begin, end, size = 256, 257, 258, 259

    def encode(self, text: str) -> list[int]:
        """Return the bytes of a text; what UTF-8 cannot write becomes a question mark."""
        return list(text.encode("utf-8", errors="replace"))


class FolderTokenizer:
    """The tokenizer that a model brings, with the end of text as padding where it names none."""

    def __init__(self, inner: Any, name: str) -> None:
        self._inner = inner
        self.size = len(inner)
        if inner.eos_token_id is None:
            raise LearningError(
                f"the tokenizer of {name} has no token that ends a text; expected eos_token in its files"
            )
        self.end = int(inner.eos_token_id)
        self.begin = int(inner.bos_token_id) if inner.bos_token_id is not None else self.end
        self.pad = int(inner.pad_token_id) if inner.pad_token_id is not None else self.end
        for what, token in (("end", self.end), ("padding", self.pad)):
            if not 0 <= token < self.size:
                raise LearningError(f"the tokenizer of {name} has {self.size} tokens but {token} as its {what}")

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text."""
        ids = self._inner(text, add_special_tokens=False, verbose=False)["input_ids"]
        return [int(token) for token in ids]


Tokenizer = ByteTokenizer | FolderTokenizer
"""Tokens are integers in 0..size-1; ``end`` closes a text, ``pad`` fills a batch up on the right."""


def tokenizer(base_model: str) -> Tokenizer:
    """Return the tokenizer of a base model (see `learning.models.base_models`).

    Files of the folder only: no request, no code of the folder's. `LearningError` in one line if it has none.
    """
    where = source(base_model)
    if where.folder is None:
        return ByteTokenizer()
    options: dict[str, Any] = {"gguf_file": where.gguf} if where.gguf else {}
    if not where.gguf:
        _check(where.folder)
    with quiet():
        from transformers import AutoTokenizer

        try:
            inner = AutoTokenizer.from_pretrained(
                where.folder, local_files_only=True, trust_remote_code=False, **options
            )
        except Exception as error:  # other people's files, read by other people's code: anything may come
            raise LearningError(f"cannot load the tokenizer of {where.name}: {said(error, 200)}") from error
    return FolderTokenizer(inner, where.name)


def _check(folder: Path) -> None:
    files = [folder / name for name in ("tokenizer.json", "tokenizer.model", "vocab.json")]
    present = [path for path in files if path.is_file()]
    if not present:
        raise LearningError(f"{folder} has no tokenizer; expected tokenizer.json, tokenizer.model or vocab.json")
    for path in (*present, folder / "tokenizer_config.json"):
        if path.is_file() and path.stat().st_size > _LIMIT:
            raise LearningError(f"{path} is larger than {_LIMIT // 2**20} MiB; that is no tokenizer")
    settings = folder / "tokenizer_config.json"
    if settings.is_file() and b'"auto_map"' in settings.read_bytes():
        raise LearningError(f"{settings} asks for code of its own (auto_map), which is never run")
