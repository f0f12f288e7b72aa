"""Where what a network sees stands in the plane of a jet: pixels and constituents by eta and phi, and the jet's own picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from jetbench.data.batch import Batch, JetTensors
from jetbench.jets import Grid, Jets, Meta
from jetbench.jets.images import pixel_centres
from jetbench.views.alignment import align
from jetbench.views.constituents import ConstituentsView, hardest
from jetbench.views.frame import half_widths
from jetbench.views.image import ImageView, render
from jetbench.views.view import FittedView

__all__ = ["Places", "as_seen", "average_map", "frame_of", "pictures", "places_of"]

PIXELS = 32  # of the side of a picture of jets that a network sees as a set


@dataclass(frozen=True, eq=False)
class Places:
    """eta, phi [rad] relative to the axis of what a network sees of n jets: of pixels (1, rows, columns), of constituents
    (n, number); `there` (n, number) is false where a set is padded, and None of images."""

    eta: np.ndarray
    phi: np.ndarray
    there: np.ndarray | None = None


def as_seen(view: FittedView | None, jets: Jets) -> Batch:
    """Return jets in memory as one batch, in the orientation that the view shows them in, or without one as they are."""
    batch = JetTensors(jets).batch(torch.arange(len(jets)))
    return align(batch) if isinstance(view, ImageView) and view.align else batch


def frame_of(view: FittedView | None, meta: Meta) -> Grid:
    """Return the frame of the view's images; of jets that are seen otherwise, or not at all, one around their axis."""
    if isinstance(view, ImageView):
        return view.frame
    eta, phi = half_widths(meta)
    return Grid(rows=PIXELS, columns=PIXELS, eta_extent=eta, phi_extent=phi)


def places_of(view: ImageView | ConstituentsView, batch: Batch) -> Places:
    """Return where the pixels or constituents stand that the view shows of a batch."""
    if isinstance(view, ImageView):
        eta, phi = np.meshgrid(*(pixel_centres(pixels, half) for half, pixels in _sides(view.frame)), indexing="ij")
        return Places(eta[None], phi[None])
    kept, place = (column.numpy() for column in hardest(batch, view.number))
    owner = batch.jet.numpy()[kept]
    eta, phi = np.zeros((2, batch.size, view.number))
    there = np.zeros(eta.shape, bool)
    eta[owner, place], phi[owner, place], there[owner, place] = batch.eta.numpy()[kept], batch.phi.numpy()[kept], True
    return Places(eta, phi, there)


def pictures(batch: Batch, frame: Grid) -> tuple[np.ndarray, str]:
    """Render the pT of jets (n, rows, columns), or of jets without one their first channel; return its name with its unit too."""
    meta = batch.meta
    shown = batch.summed() if any(channel.role == "pt" for channel in meta.channels) else batch
    channel = shown.meta.channels[0]
    return render(shown, frame)[
        :, 0
    ].numpy(), f"{'$p_T$' if channel.role == 'pt' else channel.name} [{channel.unit or 'no unit'}]"


def average_map(maps: np.ndarray, places: Places, frame: Grid) -> np.ndarray:
    """Return the mean over n jets of what stands in each pixel of the frame (rows, columns): of maps (n, rows, columns) in it, or
    of one number per constituent (n, number)."""
    if places.there is None:
        return maps.mean(axis=0)
    edges = [np.linspace(-half, half, pixels + 1) for half, pixels in _sides(frame)]
    there = places.there
    sums = np.histogram2d(places.eta[there], places.phi[there], edges, weights=maps[there])[0]
    return sums / len(maps)


def _sides(frame: Grid) -> list[tuple[float, int]]:
    return [(frame.eta_extent, frame.rows), (frame.phi_extent, frame.columns)]
