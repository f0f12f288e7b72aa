"""The same jets at another energy scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jetbench.jets.container import Jets

__all__ = ["scaled"]


def scaled(jets: Jets, factor: float) -> Jets:
    """Return jets, in memory, with every extensive value of every deposit times `factor`, and the momentum of the jets with them.

    Directions, averages such as a time, and targets stay: what is asked of a jet is what it was before. No cut is made anew.
    """
    extensive = np.array([channel.combine == "sum" for channel in jets.meta.channels])
    factors = np.where(extensive, factor, 1.0).astype(np.float32)
    return replace(
        jets, values=jets.values[:] * factors, jet_pt=(jets.jet_pt[:] * np.float32(factor)).astype(np.float32), stored=None
    )
