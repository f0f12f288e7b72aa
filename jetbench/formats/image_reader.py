"""Readers of dense images: a layout says where things stand in the file, and every pixel is read, checked and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.fourvectors import labels
from jetbench.formats.reader import BLOCK_BYTES, Reader
from jetbench.formats.tables import Table
from jetbench.jets import Grid, Jets, Meta, jets_from_images
from jetbench.jets.guard import guarded
from jetbench.jets.ragged import owner_of

__all__ = ["Axes", "Column", "ImageReader", "Layout", "unknown_columns"]

Axes = Literal["NHWC", "NCHW", "NHW"]  # N jets, H rows along eta, W columns along phi, C channels
Column = Literal["jet_eta", "jet_phi", "jet_pt"]
COLUMNS: tuple[Column, ...] = ("jet_eta", "jet_phi", "jet_pt")
T = TypeVar("T", bound=Table)
PIXEL_BYTES = 32  # index, position and number of one pixel on its way to a deposit
ROUNDED = "pixels rounded to float32"


@dataclass(frozen=True)
class Layout:
    """What the arrays of a file mean. `stored` names the channels in the order that they have in the file, `meta.channels` in
    the order of the jets. `targets` and `columns` give the key of each target and of each of jet_eta, jet_phi and jet_pt.
    Extensive channels must not be negative unless they are `signed`. `cast`: numbers that float32 does not hold exactly are
    rounded and counted, instead of being an error."""

    images: str
    axes: Axes
    stored: tuple[str, ...]
    meta: Meta
    label: str | None = None
    targets: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[Column, str] = field(default_factory=dict)
    signed: frozenset[str] = frozenset()
    cast: bool = False
    remarks: tuple[str, ...] = ()

    @property
    def grid(self) -> Grid:
        assert self.meta.grid is not None  # or it would describe no images
        return self.meta.grid

    def arrays(self) -> list[str]:
        """List the keys of the arrays that are read, each once, the images first."""
        label = [self.label] if self.label is not None else []
        return list(dict.fromkeys([self.images, *label, *self.targets.values(), *self.columns.values()]))


def unknown_columns(columns: Iterable[Column]) -> tuple[Column, ...]:
    """List those of jet_eta, jet_phi and jet_pt that are not among the columns of a file."""
    return tuple(name for name in COLUMNS if name not in set(columns))


class ImageReader(Reader):
    """Images in the arrays of one file, whose table the reader owns from here on."""

    def __init__(self, path: Path, table: T, describe: Callable[[T], Layout]) -> None:
        self.path, self._table = path, table
        try:
            with guarded(path):
                self._layout = layout = describe(table)
                self.meta, self.remarks = layout.meta, layout.remarks
                self.jets = self._check_shapes()
                row_bytes = sum(table.row_bytes(key) for key in layout.arrays())
                self.block = max(1, BLOCK_BYTES // max(row_bytes, self._jet_bytes()))
        except BaseException:
            table.close()
            raise

    def close(self) -> None:
        self._table.close()

    def read(self, start: int, stop: int) -> tuple[Jets, dict[str, int]]:
        layout = self._layout
        with guarded(self.path):
            raw = {key: self._table.read(key, start, stop) for key in layout.arrays()}
            images, rounded = _float32(raw[layout.images])
            targets = {name: self._numbers(raw[key], key, start) for name, key in layout.targets.items()}
            if layout.label is not None:
                where = f"{self.path}: {layout.label!r}"
                targets["label"] = labels(raw[layout.label].reshape(-1), len(self.meta.class_names), start, where)
            columns: dict[str, np.ndarray] = {name: self._numbers(raw[key], key, start) for name, key in layout.columns.items()}
            columns["event"] = np.arange(start, stop)
            jets = jets_from_images(self._ordered(images), self.meta, targets, columns)
            self._check_values(jets, start)
            return jets, self._rounding(rounded, start)

    def _check_shapes(self) -> int:
        """The number of jets, where the images have the shape of the layout and every other array one number per jet."""
        layout = self._layout
        sizes = {"H": layout.grid.rows, "W": layout.grid.columns, "C": len(layout.stored)}
        shape = self._table.shape(layout.images)
        expected = tuple(sizes[axis] for axis in layout.axes[1:])
        if shape[1:] != expected:
            raise DataFileError(
                f"{self.path}: one row of {layout.images!r} has shape {shape[1:]} where {expected} ({layout.axes[1:]}) belongs"
            )
        if self._jet_bytes() > BLOCK_BYTES:
            raise DataFileError(f"{self.path}: images of shape {shape[1:]} are too large to read in bounded memory")
        for key in layout.arrays()[1:]:
            if (other := self._table.shape(key)) not in ((shape[0],), (shape[0], 1)):
                raise DataFileError(
                    f"{self.path}: {key!r} has shape {other} where one number for each of the {shape[0]} jets belongs"
                )
        return shape[0]

    def _jet_bytes(self) -> int:
        """How many bytes one jet takes as float32, or as deposits should no pixel be empty."""
        grid = self._layout.grid
        return grid.rows * grid.columns * max(4 * len(self.meta.channels), PIXEL_BYTES)

    def _ordered(self, images: np.ndarray) -> np.ndarray:
        """Images (n, channels, rows, columns), channels in the order of the jets, of images as they are stored."""
        layout = self._layout
        if layout.axes == "NHW":
            return images[:, None]
        if layout.axes == "NHWC":
            images = np.moveaxis(images, -1, 1)
        order = [layout.stored.index(channel.name) for channel in self.meta.channels]
        return images if order == sorted(order) else images[:, order]

    def _check_values(self, jets: Jets, start: int) -> None:
        empty = np.flatnonzero(np.diff(jets.offsets) == 0)
        if len(empty):
            raise DataFileError(
                f"{self.path}: row {start + empty[0]}: every pixel is zero, and an empty jet is none; remove the row"
            )
        values = np.asarray(jets.values)
        if not np.isfinite(values).all():
            self._refuse_pixel(jets, ~np.isfinite(values), "is NaN, infinite or beyond the range of float32", start)
        extensive = [c.combine == "sum" and c.name not in self._layout.signed for c in self.meta.channels]
        if np.any(values[:, extensive] < 0):
            self._refuse_pixel(jets, (values < 0) & extensive, "is negative, which a sum of energies or counts cannot be", start)

    def _refuse_pixel(self, jets: Jets, wrong: np.ndarray, how: str, start: int) -> None:
        deposit, channel = np.argwhere(wrong)[0]
        row = start + int(owner_of(jets.offsets, deposit))
        name = self.meta.channels[channel].name
        raise DataFileError(f"{self.path}: row {row}: a pixel of channel {name!r} of {self._layout.images!r} {how}")

    def _rounding(self, rounded: np.ndarray, start: int) -> dict[str, int]:
        if not rounded.any():
            return {}
        if not self._layout.cast:
            raise DataFileError(
                f"{self.path}: row {start + rounded.argmax()}: float32 does not hold every number of {self._layout.images!r}; "
                "describe the file by a card of the kind `images` with `cast: true` to have them rounded"
            )
        return {ROUNDED: int(rounded.sum())}

    def _numbers(self, values: np.ndarray, key: str, start: int) -> np.ndarray:
        """One finite number per jet (n,) float32."""
        with np.errstate(over="ignore"):
            numbers = values.reshape(len(values)).astype(np.float32)
        wrong = ~np.isfinite(numbers)
        if wrong.any():
            raise DataFileError(f"{self.path}: row {start + wrong.argmax()}: {key!r} is NaN or infinite")
        return numbers


def _float32(raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The numbers as float32, of the same shape, and for which rows (n,) that has changed one."""
    with np.errstate(over="ignore", under="ignore"):
        images = raw.astype(np.float32, copy=False)
    if np.can_cast(raw.dtype, np.float32):
        return images, np.zeros(len(raw), bool)
    # a comparison of whole numbers with float32 happens in float64, which holds only those below 2^53
    changed = images != raw if raw.dtype.kind == "f" else (images != raw) | (np.abs(images) >= 2.0**53)
    return images, changed.reshape(len(raw), -1).any(axis=1)
