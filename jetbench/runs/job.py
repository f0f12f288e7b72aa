"""What a training child is given: a run with every open question answered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jetbench.spec import RunSpec

__all__ = ["Job"]


@dataclass(frozen=True)
class Job:
    """`spec` has a number for its learning rate; `key` is the digest of the planned run, which may name a study
    instead; `instance` is the suite instance that has it trained."""

    key: str
    instance: str
    spec: RunSpec
    store: Path
    dataset: Path
    unlabelled: Path | None
    observables: Path | None

    @property
    def work(self) -> Path:
        return self.store / "work"
