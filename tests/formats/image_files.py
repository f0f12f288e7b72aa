"""Small files of images in each of the field's layouts: dtype, contiguity, axes, channels and row groups as the real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jetbench.seeds import numpy_rng

Extra = dict[str, np.ndarray]


@dataclass(frozen=True)
class Kind:
    """A layout: `stored` are the channels in the file's order, `signed` those that may be negative, `write` makes a file of
    images (n, channels, pixels, pixels) and further columns."""

    format: str
    file: str
    pixels: int
    stored: tuple[str, ...]
    signed: tuple[str, ...]
    key: str
    columns: tuple[str, ...]
    write: Callable[[Path, np.ndarray, Extra], None]

    def images(self, n: int, seed: int = 0) -> np.ndarray:
        """Images at 3 % occupancy (n, channels, pixels, pixels) float32, channels in the file's order."""
        rng = numpy_rng(self.format, seed)
        shape = (n, len(self.stored), self.pixels, self.pixels)
        images = rng.exponential(1, shape) * (rng.random(shape) < 0.03)
        for channel in self.signed:
            images[:, self.stored.index(channel)] *= rng.choice([-1, 1], shape[2:])
        return images.astype(np.float32)

    def extra(self, n: int) -> Extra:
        rng = numpy_rng(self.format, "extra")
        values = {name: rng.uniform(50, 500, n) for name in self.columns}
        label = {"y", "Y"} & set(self.columns)
        return {**values, **{name: np.full(n, 1.0) for name in label}}

    def make(self, folder: Path, n: int = 5) -> Path:
        path = folder / self.file
        self.write(path, self.images(n), self.extra(n))
        return path


def channels_last(key: str, flat: bool) -> Callable[[Path, np.ndarray, Extra], None]:
    """A writer of contiguous HDF5 datasets; further columns are (n,) or (n, 1)."""

    def write(path: Path, images: np.ndarray, extra: Extra) -> None:
        with h5py.File(path, "w") as file:
            file.create_dataset(key, data=np.moveaxis(images, 1, -1))
            for name, values in extra.items():
                file.create_dataset(name, data=values.astype(np.float32) if flat else values.astype(np.float32)[:, None])

    return write


def nested(images: np.ndarray, kind: Any = None) -> pa.Array:
    """Images as lists of lists of lists of float64, which is what lists of Python numbers become."""
    array = pa.array(images.reshape(-1).astype(np.float64), kind)
    for size in images.shape[:0:-1]:
        array = pa.ListArray.from_arrays(pa.array(np.arange(0, len(array) + 1, size, dtype=np.int32)), array)
    return array


def row_groups(key: str) -> Callable[[Path, np.ndarray, Extra], None]:
    """A writer of parquet files with one row per row group."""

    def write(path: Path, images: np.ndarray, extra: Extra) -> None:
        pq.write_table(pa.table({key: nested(images), **extra}), path, row_group_size=1, compression="snappy")

    return write


SSL = ("track_pt", "dz", "d0", "ecal", "hcal", "bpix1", "bpix2", "bpix3")
KINDS = {
    kind.file: kind
    for kind in (
        Kind(
            "ml4sci-electron-photon",
            "SingleElectronPt50_IMGCROPS_n249k_RHv1.hdf5",
            32,
            ("energy", "time"),
            ("time",),
            "X",
            ("y",),
            channels_last("X", flat=True),
        ),
        Kind(
            "ml4sci-quark-gluon",
            "quark-gluon_data-set_n139306.hdf5",
            125,
            ("ecal", "hcal", "tracks"),
            (),
            "X_jets",
            ("m0", "pt", "y"),
            channels_last("X_jets", flat=True),
        ),
        Kind(
            "ml4sci-quark-gluon-parquet",
            "QCDToGGQQ_IMGjet_RH1all_jet0_run0_n36272.test.snappy.parquet",
            125,
            ("tracks", "ecal", "hcal"),
            (),
            "X_jets",
            ("m0", "pt", "y"),
            row_groups("X_jets"),
        ),
        Kind("ml4sci-ssl", "Dataset_Specific_Unlabelled.h5", 125, SSL, ("dz", "d0"), "jet", (), channels_last("jet", flat=False)),
        Kind(
            "ml4sci-ssl", "Dataset_Specific_labelled.h5", 125, SSL, ("dz", "d0"), "jet", ("Y",), channels_last("jet", flat=False)
        ),
        Kind(
            "ml4sci-ssl",
            "Dataset_Specific_labelled_full_only_for_2i.h5",
            125,
            SSL,
            ("dz", "d0"),
            "jet",
            ("Y", "m", "pT"),
            channels_last("jet", flat=False),
        ),
        Kind(
            "ml4sci-mass-regression",
            "boosted_tops.parquet",
            125,
            tuple(f"channel-{i}" for i in range(4)),
            ("channel-1", "channel-2"),
            "X_jet",
            ("am", "pt", "iphi", "ieta"),
            row_groups("X_jet"),
        ),
    )
}
