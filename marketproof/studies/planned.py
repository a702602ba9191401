"""A study made concrete: the configurations of its runs, and what its folder and files say of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marketproof.running.config import RunConfig
from marketproof.studies.findings import title
from marketproof.studies.study import Study


@dataclass(frozen=True, eq=False)
class Plan:
    """A study made concrete: ``configs`` by the name of the case; ``chosen`` says why this task.

    ``more``: what else decides the numbers; ``stem``: what its files are called.
    """

    name: str
    study: Study
    configs: Mapping[str, RunConfig]
    chosen: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)
    stem: str = "study"

    @property
    def first(self) -> RunConfig:
        """The configuration of the first run, which holds what all of them share."""
        return next(iter(self.configs.values()))

    @property
    def head(self) -> dict[str, Any]:
        """What decides the numbers of all runs, for the record of the study."""
        shared = self.first.model_dump(include={"task", "scale", "seed", "seeds", "methods"})
        return {"study": self.name, **shared, **self.more}

    @property
    def title(self) -> str:
        """What the study is about, of which task, scale and seeds."""
        one = self.first
        return title(self.study.title, self.head["task"], one.scale, one.seed_list)
