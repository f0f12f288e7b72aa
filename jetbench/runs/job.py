"""What a training child is given: a run with every open question answered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jetbench.spec import RunSpec

__all__ = ["Job"]


@dataclass(frozen=True)
class Job:
    """`spec` is resolved: nothing in it waits for a study; `key` is the digest of the planned run, which may name studies
    instead; `instance` is the suite instance that has it trained. `table` is the file of the view's table, where there is one."""

    key: str
    instance: str
    spec: RunSpec
    store: Path
    dataset: Path
    unlabelled: Path | None
    table: Path | None

    @property
    def work(self) -> Path:
        return self.store / "work"
