"""The view pixels-mass: the invariant mass of the pixels that the image view shows, which is a formula of the image."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from jetbench.data.batch import JetTensors
from jetbench.jets import Grid, Jets
from jetbench.jets.images import pixel_centres
from jetbench.spec import Options
from jetbench.views.alignment import align
from jetbench.views.frame import image_grid
from jetbench.views.image import render
from jetbench.views.table import Table

__all__ = ["PixelsMass", "image_mass"]

PIXELS = 1 << 22  # of images in memory at a time: 32 MB in float64


class PixelsMass(Table):
    """The mass [GeV] of each jet's image with the options of the image view, from its pT before any scaling."""

    columns = ("mass",)

    @classmethod
    def rows(cls, jets: Jets, options: Options = ()) -> np.ndarray:
        given, table = dict(options), np.zeros((len(jets), 1), np.float32)
        grid, turned = image_grid(given), given.get("align")
        for places, batch in JetTensors(jets).sweep(np.arange(len(jets)), max(1, PIXELS // (grid.rows * grid.columns))):
            seen = (align(batch) if turned else batch).summed()
            table[places, 0] = image_mass(render(seen, grid)[:, 0], grid).numpy()
        return table


def image_mass(image: Tensor, grid: Grid) -> Tensor:
    """Return the invariant masses (n,) [GeV] of images (n, rows, columns) of pT [GeV]: of each, of the sum of the massless
    four-vectors of its pixels, at their centres. It depends on differences in eta and phi alone, so that they may be those to
    the jet axis."""
    eta, phi = (
        torch.from_numpy(pixel_centres(pixels, extent)).double()
        for pixels, extent in ((grid.rows, grid.eta_extent), (grid.columns, grid.phi_extent))
    )
    by_row, by_column = image.double().sum(dim=2), image.double().sum(dim=1)
    energy, pz = by_row @ eta.cosh(), by_row @ eta.sinh()
    px, py = by_column @ phi.cos(), by_column @ phi.sin()
    return (energy**2 - pz**2 - px**2 - py**2).clamp(min=0).sqrt()
