"""How an arm at one label budget presents itself to a tracker, and how the whole comparison does."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["ArmCard", "Overview", "Pairs", "Picture", "Table"]

Pairs = tuple[tuple[str, str], ...]
Table = Mapping[str, Sequence[str | int | float]]  # columns of one length, by heading


@dataclass(frozen=True)
class Picture:
    """A picture that is drawn only where it is wanted: `save` writes it as a PNG file, `digest` changes when the picture does."""

    key: str
    digest: str
    save: Callable[[Path], None]


@dataclass(frozen=True)
class ArmCard:
    """`key` is unique in the experiment, `name` what people read; `metrics` are finite numbers; `runs` are the keys of the
    runs that it sums up, `pictures` and `tables` (by file name) what it shows, `note` Markdown. `side_by_side`: whether its
    pictures stand beside those of other arms, or on the page of its run alone."""

    key: str
    name: str
    tags: Pairs
    params: Pairs
    metrics: Mapping[str, float]
    runs: tuple[str, ...]
    note: str = ""
    pictures: tuple[Picture, ...] = ()
    side_by_side: bool = True
    tables: Mapping[str, Table] = field(default_factory=dict)

    def digest(self) -> str:
        """Return a digest of all that is shown."""
        tables = [(name, [(heading, list(column)) for heading, column in one.items()]) for name, one in self.tables.items()]
        pictures = [(picture.key, picture.digest) for picture in self.pictures]
        told = (self.name, self.tags, self.params, sorted(self.metrics.items()), self.runs, self.note)
        return hashlib.sha256(repr((*told, pictures, self.side_by_side, tables)).encode()).hexdigest()


@dataclass(frozen=True)
class Overview:
    """All arms at all budgets, in the order of the report's table. `description` is Markdown, its first paragraph the answer;
    `view` is what the page of the experiment opens with, `runs` what the page of the runs behind it does, both as the tracker's
    own pages write them down, and `headline` the metric that they put first."""

    arms: tuple[ArmCard, ...]
    description: str
    view: Mapping[str, Any]
    runs: Mapping[str, Any]
    headline: str
