"""A trainer without networks: two numbers per client, moved by keyed draws, saved bit by bit."""

import os
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save

from learning.streams import stream
from marketproof.running.recorder import Unit


class FakeTrainer:
    """Answers what the loop asks of a trainer; what it computes depends on the seed and on every import so far."""

    clients = 4
    backend, device, judged = "fake", "cpu", "aggregated"

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.sizes = np.array([100, 300, 300, 50])
        self.rows = np.zeros((self.clients, 3))
        self.closed = False

    def train(self, round_index: int, present: np.ndarray | None = None) -> np.ndarray:
        self.present = np.ones(self.clients, bool) if present is None else present
        for client in np.flatnonzero(self.present).tolist():
            self.rows[client] += stream(self.unit.seed, "fake", round_index, client).normal(1.0, 0.5, 3)
        return np.abs(self.rows).mean(axis=1)

    def differences(self) -> tuple[np.ndarray, np.ndarray]:
        norms = np.maximum(np.linalg.norm(self.rows, axis=1), 1e-300)
        d = np.clip(1.0 - self.rows @ self.rows.T / (norms[:, None] * norms[None, :]), 0.0, 2.0)
        np.fill_diagonal(d, 0.0)
        return d, np.zeros(self.clients, dtype=bool)

    epsilon, notices, attack_success = np.zeros(4), [], None

    def types(self) -> None:
        return

    def implied_imports(self, sizes: np.ndarray | None = None) -> np.ndarray | None:
        if self.unit.method.algorithm == "ipfl":
            return None
        return np.zeros((4, 4), bool) if self.unit.method.algorithm == "local" else ~np.eye(4, dtype=bool)

    def effective(self) -> None:
        return

    def judge(self, imports: np.ndarray) -> None:
        return

    def aggregate(self, imports: np.ndarray, sizes: np.ndarray | None = None) -> bool:
        self.rows = self.rows + 0.1 * (imports @ self.rows)
        return True

    def evaluate(self) -> tuple[np.ndarray, np.ndarray]:
        score = 1.0 / (1.0 + np.exp(-self.rows.mean(axis=1)))
        return score, 1.0 - score

    def save(self, path: Path) -> None:
        waiting = path.with_name(f".{path.name}.tmp")
        waiting.write_bytes(save({"rows": self.rows}))
        os.replace(waiting, path)

    def load(self, path: Path) -> None:
        self.rows = load_file(path)["rows"]

    def close(self) -> None:
        self.closed = True
