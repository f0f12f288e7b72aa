"""Jets turned to one orientation before they are shown: the axis along which their pT lies, and its hardest side."""

from __future__ import annotations

import torch

from jetbench.data.batch import Batch
from jetbench.views.transforms import reflect, rotate

__all__ = ["align"]


def align(batch: Batch) -> Batch:
    """Turn each jet about its axis so that the principal axis of its pT lies along eta (the rows of an image), then mirror it so
    that the hardest quadrant is that of positive eta and phi.

    The principal axis is that of the largest second moment, Σ pT Δ², about the jet axis. The result is the same for a jet
    that was turned or mirrored before; a jet without such an axis, as an empty one, is not turned.
    """
    pt, eta, phi = batch.pt().double(), batch.eta.double(), batch.phi.double()
    angle = 0.5 * torch.atan2(2 * batch.sum(pt * eta * phi), batch.sum(pt * (eta**2 - phi**2)))
    turned = rotate(batch, -angle)
    quadrant = (turned.eta < 0) + 2 * (turned.phi < 0).long()  # 1: negative eta, 2: negative phi, 3: both
    hardest = torch.stack([batch.sum(pt * (quadrant == one)) for one in range(4)]).argmax(dim=0)
    mirrored = reflect(turned, hardest % 2 == 1, hardest >= 2)
    return mirrored.replace(eta=mirrored.eta.to(batch.eta.dtype), phi=mirrored.phi.to(batch.phi.dtype))
