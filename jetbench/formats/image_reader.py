"""Dense images, as a card describes them: every pixel is read, checked and kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.columns import PerJet, dense, keys_of, refuse, shapes_of
from jetbench.formats.containers import open_table
from jetbench.formats.image_card import ImageCard
from jetbench.formats.reader import Block, Reader, TableReader
from jetbench.formats.tables import BLOCK_BYTES, Columns
from jetbench.jets import Jets, jets_from_images
from jetbench.jets.ragged import owner_of

__all__ = ["ImageReader", "Images"]

PIXEL_BYTES = 32  # index, position and number of one pixel on its way to a deposit
ROUNDED = "pixels rounded to float32"
CAST = "describe the file by a card of the kind `images` with `cast: true` to have them rounded"


class ImageReader(TableReader):
    """Images in the columns of a table, as the card says."""

    def __init__(self, path: Path, card: ImageCard) -> None:
        table, self.card = open_table(path, card, [card.images, *keys_of([*card.jet_places(), *card.told_places()])])
        self._order = card.of_jets()
        super().__init__(path, table)
        self.block = max(1, min(self.block, BLOCK_BYTES // self._jet_bytes()))

    def _open(self) -> Sequence[str]:
        card = self.card
        keys = [card.images, *keys_of([*card.jet_places(), *card.told_places()])]
        self._shapes = shapes_of(self.table, keys, self.path)
        shape = self._shapes[card.images]
        if len(shape) != len(card.layout):
            raise DataFileError(f"{self.path}: {card.images!r} has shape {shape}, which is not of the layout {card.layout}")
        sizes = dict(zip(card.layout, shape, strict=True))
        rows, columns = (card.pixels or sizes[axis] for axis in "HW")
        expected = tuple({"H": rows, "W": columns, "C": len(card.channels)}[axis] for axis in card.layout[1:])
        if shape[1:] != expected:
            raise DataFileError(
                f"{self.path}: one row of {card.images!r} has shape {shape[1:]} where {expected} ({card.layout[1:]}) belongs"
                f"{_otherwise(shape, len(card.channels), card.layout)}"
            )
        self.meta = card.meta(rows, columns)
        if self._jet_bytes() > BLOCK_BYTES:
            raise DataFileError(f"{self.path}: images of shape {expected} are too large to read in bounded memory")
        self._per_jet = PerJet(card, card.jet_places(), self._shapes, self.path)
        return list(self._shapes)

    def _jets(self, columns: Columns, start: int) -> Block:
        card = self.card
        images, rounded = _float32(dense(columns[card.images], self._shapes[card.images][1:], card.images, start, self.path))
        targets = {name: self._numbers(columns, place, start) for name, place in card.targets.items()}
        targets |= self._per_jet.targets(columns, start)
        given: dict[str, np.ndarray] = {name: self._numbers(columns, place, start) for name, place in card.columns.items()}
        given["event"] = np.arange(start, start + len(images))
        jets = jets_from_images(self._ordered(images), self.meta, targets, given)
        self._check_values(jets, start)
        if not card.cast:
            refuse(rounded, start, self.path, f"has numbers in {card.images!r} that float32 does not hold", remedy=CAST)
        return jets, {ROUNDED: int(rounded.sum())} if rounded.any() else {}

    def _jet_bytes(self) -> int:
        """How many bytes one jet takes as float32, or as deposits should no pixel be empty."""
        assert self.meta.grid is not None  # or it would describe no images
        return self.meta.grid.rows * self.meta.grid.columns * max(4 * len(self.meta.channels), PIXEL_BYTES)

    def _ordered(self, images: np.ndarray) -> np.ndarray:
        """Images (n, channels, rows, columns), channels in the order of the jets, of images as they are stored."""
        if self.card.layout == "NHW":
            return images[:, None]
        if self.card.layout == "NHWC":
            images = np.moveaxis(images, -1, 1)
        return images if self._order == sorted(self._order) else images[:, self._order]

    def _check_values(self, jets: Jets, start: int) -> None:
        refuse(np.diff(jets.offsets) == 0, start, self.path, "is empty: every pixel is zero")
        values = np.asarray(jets.values)
        extensive = [c.combine == "sum" and not c.signed for c in (self.card.channels[i] for i in self._order)]
        for wrong, cause in (
            (~np.isfinite(values), "that is NaN, infinite or beyond the range of float32"),
            ((values < 0) & extensive, "that is negative, which a sum of energies or counts cannot be"),
        ):
            for channel in np.flatnonzero(wrong.any(axis=0)):
                faulty = np.isin(np.arange(len(jets)), owner_of(jets.offsets, np.flatnonzero(wrong[:, channel])))
                name = self.meta.channels[channel].name
                refuse(faulty, start, self.path, f"has a pixel in channel {name!r} of {self.card.images!r} {cause}")

    def _numbers(self, columns: Columns, place: str, start: int) -> np.ndarray:
        """One finite number per jet (n,) float32."""
        with np.errstate(over="ignore"):
            numbers = self._per_jet.numbers(columns, place, start).astype(np.float32)
        refuse(~np.isfinite(numbers), start, self.path, f"has a number in {place!r} that is NaN or infinite")
        return numbers


class Images(ImageReader):
    """An HDF5, npz or parquet file of images, as the user's card says. It is never recognised: a file does not tell its own
    meaning."""

    looks_right = Reader.looks_right


def _float32(raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The numbers as float32, of the same shape, and for which rows (n,) that has changed one."""
    with np.errstate(over="ignore", under="ignore"):
        images = raw.astype(np.float32, copy=False)
    if np.can_cast(raw.dtype, np.float32):
        return images, np.zeros(len(raw), bool)
    # a comparison of whole numbers with float32 happens in float64, which holds only those below 2^53
    changed = images != raw if raw.dtype.kind == "f" else (images != raw) | (np.abs(images) >= 2.0**53)
    return images, changed.reshape(len(raw), -1).any(axis=1)


def _otherwise(shape: Sequence[int], channels: int, layout: str) -> str:
    """Name the other layout where images (N, …) of so many channels have it."""
    other = {"NHWC": "NCHW", "NCHW": "NHWC"}.get(layout)
    fits = other is not None and shape[layout.index("C")] != channels == shape[other.index("C")]
    return f"; {channels} channels stand in the place of layout: {other}" if fits else ""
