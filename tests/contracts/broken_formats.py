"""A reader of a small npz format that keeps its contract, and for each property one that breaks it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from jetbench.formats.reader import Reader
from jetbench.jets import Jets
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

    def read(self, start: int, stop: int) -> tuple[Jets, dict[str, int]]:
        return self.made[start:stop], {}

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
    def read(self, start: int, stop: int) -> tuple[Jets, dict[str, int]]:
        return replace(self.made[start:stop], event=np.zeros(stop - start, np.int64)), {}


class Restarting(Good):
    def read(self, start: int, stop: int) -> tuple[Jets, dict[str, int]]:
        return self.made[: stop - start], {}


class Torn(Good):
    def __init__(self, path: Path) -> None:
        with open(path, "rb") as file, np.load(file):
            super().__init__(path)
