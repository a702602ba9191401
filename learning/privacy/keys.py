"""The secret noise keys of a run: where they lie, and how the random numbers of a step follow from them.

Whoever can compute the noise can subtract it, so it must not follow from anything recorded. Every client has 32 bytes
from the operating system, kept outside the run folder, readable by their owner only. A step's random numbers are
SHAKE-256 of a subkey, BLAKE2b keyed with the client's key of everything that identifies the step, the models from which
its round starts included. So a run that is resumed draws the same noise if it repeats the same round, and other noise
if it starts from other models: the difference of two releases with the same noise would be bare gradients. Numbers of
one step tell nothing about those of another, unless one of these functions is broken. What this does not give:
protection of the keys against their owner or anybody who reads that folder, or of the past once a key is known.
Destroy the keys (`destroy_keys`) when a run need not be resumed any more.
"""

import hashlib
import os
import re
import secrets
import shutil
import stat
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from learning.errors import LearningError
from learning.streams import stream

KEY_BYTES = 32
SECRET = "secret"
SEEDED = "seeded (for tests: gives no privacy)"
"""What a record says of noise, according to where its keys came from."""

_PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)  # neither is everywhere
_OTHERS = 0o077 if os.name == "posix" else 0  # elsewhere lists of the folder say who reads
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def keys_folder(run: str) -> Path:
    """Return where the keys of the run with that identifier lie.

    In ``$MARKETPROOF_KEYS``, else ``$XDG_STATE_HOME/marketproof/keys``, else ``~/.local/state/marketproof/keys``.
    """
    if not _NAME.fullmatch(run):
        raise LearningError(f"the run is called {run[:120]!r}; expected up to 100 letters, digits, '.', '_' or '-'")
    chosen = os.environ.get("MARKETPROOF_KEYS")
    if chosen:
        return Path(chosen).expanduser() / run
    state = os.environ.get("XDG_STATE_HOME")
    base = Path(state) if state and Path(state).is_absolute() else Path.home() / ".local" / "state"
    return base / "marketproof" / "keys" / run


def new_run() -> str:
    """Return an identifier for a run that no other run has."""
    return secrets.token_hex(16)


def create_keys(run: str, clients: int) -> list[bytes]:
    """Draw the keys of all clients of a new run, write them one file each, and return them.

    The folder appears whole or not at all, with mode 0700 and files 0600. `LearningError` if it exists or cannot be
    written.
    """
    folder = keys_folder(run)
    if folder.exists():
        raise LearningError(f"there are noise keys for a run {run} in {folder} already; expected a new run")
    keys = [secrets.token_bytes(KEY_BYTES) for _ in range(clients)]
    part = folder.with_name(f".{run}.{secrets.token_hex(8)}")
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.mkdir(mode=0o700)
        for client, key in enumerate(keys):
            with open(part / _file(client), "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                file.write(key)
                file.flush()
                os.fsync(file.fileno())
        os.rename(part, folder)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise LearningError(
            f"the noise keys cannot be written to {folder}: {error.strerror}; set MARKETPROOF_KEYS to a folder of yours"
        ) from error
    return keys


def load_keys(run: str, clients: int) -> list[bytes]:
    """Return the keys of a run that goes on. `LearningError` if one is missing, damaged, or readable by others."""
    folder = keys_folder(run)
    return [_read(folder / _file(client), client) for client in range(clients)]


def _file(client: int) -> str:
    return f"client-{client:05d}.key"


def _read(path: Path, client: int) -> bytes:
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | _PLAIN)) as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode) or path.is_symlink():
                raise LearningError(f"the noise key {path} is not a plain file; put the original back")
            if about.st_mode & _OTHERS:
                raise LearningError(
                    f"the noise key {path} can be read by others, who could subtract the noise; if nobody did, "
                    f"say: chmod 600 {path}"
                )
            key = file.read(KEY_BYTES + 1)
    except OSError as error:
        raise LearningError(
            f"the noise key of client {client} is not at {path} ({error.strerror}): without it the run cannot go on as "
            "it would have; put the key back, set MARKETPROOF_KEYS to the folder that holds it, or start a new run in "
            "another folder"
        ) from error
    if len(key) != KEY_BYTES:
        raise LearningError(f"the noise key {path} has not {KEY_BYTES} bytes; it is damaged: put the original back")
    return key


def destroy_keys(run: str) -> None:
    """Delete the keys of a run, which can then not be resumed; harmless if there are none."""
    folder = keys_folder(run)
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise LearningError(f"the noise keys in {folder} cannot be deleted: {error.strerror}") from error


def seeded_keys(seed: int, clients: int) -> list[bytes]:
    """Return keys that follow from ``seed``: for tests, and no privacy at all; a record must say `SEEDED`."""
    return [stream(seed, "dp key", 0, client).bytes(KEY_BYTES) for client in range(clients)]


def subkey(
    key: bytes, purpose: str, client: int, round_index: int, step: int, setting: tuple[float, ...], model: bytes
) -> bytes:
    """Return the 32 bytes from which the random numbers of one purpose in one step follow.

    ``setting`` are the numbers that decide what is drawn and how it is used (rate, noise, clip), ``model`` the bytes of
    the parameters from which the round starts. Every part has a fixed place, so that no two steps run into each other.
    """
    if len(key) != KEY_BYTES:
        raise LearningError(f"a noise key has {len(key)} bytes; expected {KEY_BYTES}")
    parts = hashlib.blake2b(digest_size=32, key=key, person=b"marketproof dp 1")
    name = purpose.encode()
    parts.update(struct.pack("<QQQQQ", client, round_index, step, len(name), len(setting)))
    parts.update(name)
    parts.update(struct.pack(f"<{len(setting)}d", *setting))
    parts.update(hashlib.blake2b(model, digest_size=32).digest())
    return parts.digest()


def _words(secret: bytes, count: int) -> NDArray[np.uint64]:
    return np.frombuffer(hashlib.shake_256(secret).digest(8 * count), dtype="<u8")


def normals(secret: bytes, count: int) -> NDArray[np.float64]:
    """Return ``count`` independent standard normal numbers, by Box and Muller's method from 64-bit words."""
    half = (count + 1) // 2
    uniform = (_words(secret, 2 * half).astype(np.float64) + 0.5) * 2.0**-64
    length, angle = np.sqrt(-2.0 * np.log(np.minimum(uniform[:half], 1.0))), 2.0 * np.pi * uniform[half:]
    return np.concatenate([length * np.cos(angle), length * np.sin(angle)])[:count]


def poisson_sample(secret: bytes, samples: int, rate: float) -> NDArray[np.int64]:
    """Return which of ``samples`` are drawn, each by itself with probability ``rate`` (to 2⁻⁶⁴), in rising order."""
    if rate >= 1.0:
        return np.arange(samples, dtype=np.int64)
    return np.flatnonzero(_words(secret, samples) < np.uint64(int(rate * 2.0**64))).astype(np.int64)
