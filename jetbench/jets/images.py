"""Dense images as jets: a pixel that is not empty becomes a deposit at its centre."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jetbench.errors import DataFileError
from jetbench.jets.container import Jets
from jetbench.jets.meta import Meta

__all__ = ["jets_from_images"]


def jets_from_images(
    images: np.ndarray,
    meta: Meta,
    targets: Mapping[str, np.ndarray] | None = None,
    columns: Mapping[str, np.ndarray] | None = None,
) -> Jets:
    """Make jets of images (n, channels, rows, columns) float32, rows along eta, columns along phi, on `meta.grid`.

    Rendering the jets on that grid gives the images back, each value as it was; only the sign of a zero is not kept, so that
    images of equal numbers make equal jets. A pixel that is zero in every channel is empty and leaves nothing behind; NaN
    counts as a value. `columns` may give jet_eta, jet_phi, jet_pt and event; without them they are zeros, which `meta.unknown`
    should then say, and the image's number. Raises `DataFileError` where images and metadata do not fit.
    """
    grid = meta.grid
    if grid is None or images.shape[1:] != (len(meta.channels), grid.rows, grid.columns):
        raise DataFileError(
            f"images of shape {images.shape[1:]} fit neither the {len(meta.channels)} channels nor the grid {grid}"
        )
    n = len(images)
    jet, row, column = np.nonzero((images != 0).any(axis=1))
    plain: dict[str, np.ndarray] = {name: np.zeros(n, np.float32) for name in ("jet_eta", "jet_phi", "jet_pt")}
    plain |= {"event": np.arange(n), **(columns or {})}
    return Jets(
        meta=meta,
        offsets=np.concatenate([[0], np.cumsum(np.bincount(jet, minlength=n))]),
        eta=pixel_centres(grid.rows, grid.eta_extent)[row],
        phi=pixel_centres(grid.columns, grid.phi_extent)[column],
        values=images[jet, :, row, column] + np.float32(0),  # −0 + 0 is +0
        targets=dict(targets or {}),
        jet_eta=plain["jet_eta"],
        jet_phi=plain["jet_phi"],
        jet_pt=plain["jet_pt"],
        event=plain["event"],
    )


def pixel_centres(pixels: int, extent: float) -> np.ndarray:
    """Return the positions (pixels,) float32 of the centres of equal pixels that fill ±extent."""
    return (((np.arange(pixels) + 0.5) / pixels * 2 - 1) * extent).astype(np.float32)
