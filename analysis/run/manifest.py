"""``manifest.json``: what a run was made with, and the digests of what it recorded. Written and read here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, model_validator

from analysis.run.files import MANIFEST, RecordError, read_json
from mechanism.reading import validated

Seed = Annotated[int, Field(gt=-(2**62), lt=2**62)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Manifest(BaseModel, frozen=True, strict=True, extra="allow"):
    """What a run was made with. Only what readers rely on has bounds; what else a version writes is kept as it is.

    ``mechanisms``: the market mechanism of each method, None where the method implies its graph. ``judged``: by which
    models of a round the accuracy of each method is, those that clients have "trained" or those that the server has
    "aggregated" (as all were in version 0.1). ``backend`` is that of
    the last unit; ``backend_used`` names for each unit (method and seed, as in file names) the backend that did its
    training, ``backend_reason`` why. ``digests``: SHA-256 of every other file of the record but ``progress.json``, by
    its place in the folder; version 0.1 wrote none.
    """

    task: str = ""
    data: Any = None
    clients: Annotated[int, Field(ge=1, le=100_000)]
    seed: Any = None
    seeds: Annotated[list[Seed], Field(min_length=1)]
    methods: Annotated[list[Name], Field(min_length=1)]
    mechanisms: dict[str, str | None]
    judged: dict[str, str] = {}
    backend: Any = ""
    backend_used: Any = None
    backend_reason: Any = None
    device: Any = ""
    machine: Any = None
    versions: Any = None
    privacy: Any = None
    notices: Any = None
    timings: Any = None
    digests: dict[str, str] = {}

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        for what, listed in (("method", self.methods), ("seed", self.seeds)):
            if len(set(listed)) < len(listed):
                raise ValueError(f"a {what} is listed twice")
        if set(self.mechanisms) != set(self.methods):
            raise ValueError("mechanisms names other methods than methods; expected the mechanism or null of each")
        return self


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a run folder.

    Raises
    ------
    RecordError
        If there is no such folder, or its manifest is missing or damaged.
    """
    if not folder.is_dir():
        raise RecordError(f"{folder}: no such folder; expected a run folder, as `marketproof run` writes it")
    return validated(Manifest, read_json(folder / MANIFEST), str(folder / MANIFEST), error=RecordError)
