"""What a training child is given: a run with every open question answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jetbench.data.catalog import cache_folder
from jetbench.errors import DataFileError
from jetbench.jets import Jets, open_jets, verify
from jetbench.spec import RunSpec

__all__ = ["JetFiles", "Job", "OtherFiles"]


@dataclass(frozen=True)
class JetFiles:
    """Jets by the digest of what their files held when the plan was made ready; `path` is a file, or a folder or glob of them."""

    path: Path
    digest: str

    def open(self) -> Jets:
        """Open the jets, whose files are read through where they have changed since the last look. Raises `DataFileError` where
        they hold others now."""
        if verify(self.path, cache=cache_folder()) != self.digest:
            raise DataFileError(f"{self.path}: replaced by other jets since the training was planned; start the command again")
        return open_jets(self.path)


@dataclass(frozen=True)
class OtherFiles:
    """The jets of another test set, and the file of their table in the view of a run, where there is one."""

    jets: JetFiles
    table: Path | None


@dataclass(frozen=True)
class Job:
    """`spec` is resolved: nothing in it waits for a study; `key` is the digest of the planned run, which may name studies
    instead; `instance` is the suite instance that has it trained. `table` is the file of the view's table, where there is one;
    `also` are the files of the other test sets that have jets of their own, by name. `limits` are pairs of an epoch and of the
    largest validation loss with which the training goes on after it: its study stops it beyond. `weights` is the folder of the
    imported ones, `scores` the file of those that it is taught by. `cache` is the driver's folder of what was verified and
    computed, which a process on another machine takes for its own."""

    key: str
    instance: str
    spec: RunSpec
    store: Path
    dataset: JetFiles
    unlabelled: JetFiles | None
    table: Path | None
    also: Mapping[str, OtherFiles] = field(default_factory=dict)
    limits: tuple[tuple[int, float], ...] = ()
    weights: Path | None = None
    scores: Path | None = None
    cache: Path | None = None

    @property
    def work(self) -> Path:
        return self.store / "work"
