"""A reader that tests make themselves, of which a child process can import what it needs."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from jetbench.errors import DataFileError, UnknownNameError
from jetbench.formats.reader import Block, Reader
from jetbench.jets import Channel, Grid, Jets, Meta, Provenance, jets_from_images
from jetbench.jets.guard import guarded

__all__ = ["Crashing", "Image", "Miscounting", "Short", "Toy", "reads"]

LOG = "reads.log"  # where it is there already, the first row of each block that is read is added


def reads(folder: Path) -> list[int]:
    """Rows at which blocks of the folder's files began that were read since the last call."""
    found = [int(line) for line in (folder / LOG).read_text().split()] if (folder / LOG).exists() else []
    (folder / LOG).write_text("")
    return found


class Toy(Reader):
    """A text file: "toy", then a line of label and seed for each jet. A label of −9 means that there is none."""

    def __init__(self, path: Path) -> None:
        with guarded(path):
            self.rows = [[int(x) for x in line.split()] for line in path.read_text().splitlines()[1:]]
        self.path, self.jets, self.block, self.remarks = path, len(self.rows), 7, []
        self.meta = Meta(
            channels=(
                Channel(name="charged", unit="GeV"),
                Channel(name="photon", unit="GeV"),
                Channel(name="time", unit="ns", combine="mean", weight="photon"),
            ),
            class_names=("a", "b", "c") if path.stem.startswith("named") else (),
            provenance=Provenance(source="toy", licence="CC-BY-4.0", cuts=("pt > 1",)),
        )

    @staticmethod
    def recognises(path: Path) -> bool:
        return path.read_bytes().startswith(b"toy")

    def blocks(self, start: int = 0) -> Iterator[Block]:
        for first in range(start, self.jets, self.block):
            log = self.path.with_name(LOG)
            if log.exists():
                log.write_text(f"{log.read_text()} {first}")
            if self.path.stem in FAULTS and first:
                FAULTS[self.path.stem]()
            yield self.read(first, min(first + self.block, self.jets))

    def read(self, start: int, stop: int) -> Block:
        rngs = [np.random.default_rng(seed) for _, seed in self.rows[start:stop]]
        counts = np.array([rng.integers(1, 9) for rng in rngs]) * (10_000 if self.path.stem == "large" else 1)
        deposits = np.concatenate([rng.normal(size=(k, 5)) for rng, k in zip(rngs, counts, strict=True)]).astype(np.float32)
        labels = np.array([label for label, _ in self.rows[start:stop]], np.int32)
        zeros = np.zeros(stop - start, np.float32)
        jets = Jets(
            meta=self.meta,
            offsets=np.concatenate([[0], np.cumsum(counts)]),
            eta=deposits[:, 0],
            phi=deposits[:, 1],
            values=deposits[:, 2:],
            jet_eta=zeros,
            jet_phi=zeros,
            jet_pt=zeros,
            event=np.arange(start, stop),
            targets={"mass": np.array([seed for _, seed in self.rows[start:stop]], np.float32)}
            | ({"label": labels} if labels[0] != -9 else {})
            | ({"width": zeros} if self.path.stem.startswith("wide") else {}),
        )
        if self.path.stem.startswith("odd"):
            self.remarks = [f"{stop} jets are odd"]
        return jets, {"odd seeds": int(sum(seed % 2 for _, seed in self.rows[start:stop]))}

    def close(self) -> None:
        pass


class Image(Toy):
    """Four images of 2 × 2 pixels in two channels: jets 0 and 1 have the first in both and in one of their two pixels, jets 2 and
    3 in none."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        grid = Grid(rows=2, columns=2, eta_extent=1, phi_extent=1)
        channels = Channel(name="a", unit=""), Channel(name="b", unit="")
        self.meta = Meta(channels=channels, class_names=("x", "y"), grid=grid)

    def read(self, start: int, stop: int) -> Block:
        images = np.zeros((4, 2, 2, 2), np.float32)
        images[:, 1] = np.array([[1, 2], [0, 0]])
        images[0, 0, 0], images[1, 0, 0, 0] = (3, 4), 5
        return jets_from_images(images[start:stop], self.meta, {"label": np.arange(start, stop, dtype=np.int32) % 2}), {}


class Short(Toy):
    """One that forgets the last jet of each block."""

    def read(self, start: int, stop: int) -> Block:
        return super().read(start, stop - 1)


class Miscounting(Toy):
    """One that numbers the jets of each block from 0 on."""

    def read(self, start: int, stop: int) -> Block:
        jets, repairs = super().read(start, stop)
        return replace(jets, event=np.arange(stop - start)), repairs


class Crashing(Toy):
    """One whose library does not survive a look at a file."""

    @staticmethod
    def recognises(path: Path) -> bool:
        if Toy.recognises(path):
            _die(signal.SIGSEGV)
        return False


def _die(number: int) -> None:
    os.kill(os.getpid(), number)


def _fail(error: Exception) -> None:
    raise error


class OwnError(Exception):
    """An error that does not come back from a pickle."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(one)


# what happens after the first block of a file of that name
FAULTS = {
    "crashes": lambda: _die(signal.SIGSEGV),
    "killed": lambda: _die(signal.SIGKILL),
    "exits": lambda: os._exit(3),
    "damaged": lambda: _fail(DataFileError("row 8 is damaged; write it again")),
    "unknown": lambda: _fail(UnknownNameError("no such name")),
    "bug": lambda: _fail(KeyError("size")),
    "strange": lambda: _fail(OwnError("a", "b")),
    "waits": lambda: time.sleep(600),
}
