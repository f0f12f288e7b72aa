"""Square patches of an image: which pixels belong to which, where they are, and what is in them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["Patches"]

ALONG = 8  # patches along the longer side of an image, or fewer where their edge is a whole number of pixels


@dataclass(frozen=True)
class Patches:
    """Those of images with so many rows and columns; the last ones may reach beyond the image."""

    rows: int
    columns: int

    @property
    def edge(self) -> int:
        """How many pixels high and wide a patch is."""
        return math.ceil(max(self.rows, self.columns) / ALONG)

    @property
    def shape(self) -> tuple[int, int]:
        """How many patches there are along the rows, and along the columns."""
        return math.ceil(self.rows / self.edge), math.ceil(self.columns / self.edge)

    def pixels(self, chosen: Tensor) -> Tensor:
        """Return which pixels (n, rows, columns) belong to chosen patches (n, down, across)."""
        covered = chosen.repeat_interleave(self.edge, dim=1).repeat_interleave(self.edge, dim=2)
        return covered[:, : self.rows, : self.columns]

    def contents(self, images: Tensor) -> Tensor:
        """Return the pixels (n, patches, channels·edge²) of each patch of images (n, channels, rows, columns), row by row of
        patches; what is beyond the image is zero."""
        down, across = self.shape
        whole = F.pad(images, (0, across * self.edge - self.columns, 0, down * self.edge - self.rows))
        return F.unfold(whole, self.edge, stride=self.edge).transpose(1, 2)

    def centres(self) -> Tensor:
        """Return the centre of each patch (patches, 2) along rows and columns, where the image goes from -1 to 1."""
        sides = zip(self.shape, (self.rows, self.columns), strict=True)
        return torch.cartesian_prod(*((2 * torch.arange(n) + 1) * self.edge / pixels - 1 for n, pixels in sides))
