"""A reader of a small npz format that keeps its contract, and for each property one that breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from jetbench.formats.reader import Block, Reader
from jetbench.jets.guard import guarded
from jetbench.testing.toys import toy_jets


def written(folder: Path) -> Path:
    """Write a sample: the number of toy jets."""
    np.savez(folder / "toys.npz", toys=np.array(12), rest=np.arange(4000))
    return folder / "toys.npz"


class Good(Reader):
    def __init__(self, path: Path) -> None:
        with guarded(path), open(path, "rb") as file, np.load(file) as content:
            self.jets = int(content["toys"]) if len(content["rest"]) else 0
        self.made = replace(toy_jets(self.jets), event=np.arange(self.jets))
        self.meta, self.block = self.made.meta, self.jets

    @classmethod
    def looks_right(cls, path: Path) -> bool:
        with open(path, "rb") as file, np.load(file) as content:
            return set(content.files) == {"toys", "rest"}

    def blocks(self, start: int = 0) -> Iterator[Block]:
        for first in range(start, self.jets, self.block):
            yield self.made[first : first + self.block], {}

    def close(self) -> None: ...


class Shy(Good):
    looks_right = Reader.looks_right


class Greedy(Good):
    @classmethod
    def recognises(cls, path: Path) -> bool:
        return True


class Raw(Good):
    def __init__(self, path: Path) -> None:
        raise KeyError("toys")


class Blind(Good):
    @classmethod
    def looks_right(cls, path: Path) -> bool:
        return False


class Miscounted(Good):
    def blocks(self, start: int = 0) -> Iterator[Block]:
        for jets, repairs in super().blocks(start):
            yield replace(jets, event=np.zeros(len(jets), np.int64)), repairs


class Restarting(Good):
    def blocks(self, start: int = 0) -> Iterator[Block]:
        return super().blocks(0)


class Torn(Good):
    def __init__(self, path: Path) -> None:
        with open(path, "rb") as file, np.load(file):
            super().__init__(path)
