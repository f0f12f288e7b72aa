"""How a stem that is fit for the image's size makes large images smaller. Torch-free, since forecasts ask for it too."""

from __future__ import annotations

__all__ = ["halvings"]

LARGEST = 48  # pixels of the shorter side that the stages look at


def halvings(rows: int, columns: int) -> int:
    """Return how often the stem halves images: not at all where the shorter side has up to 48 pixels, else once by its stride,
    which rounds up, and by pooling, which rounds down, while that leaves more: 125 pixels are halved twice and come out as 31."""
    side, count = min(rows, columns), 0
    while side > LARGEST:
        side, count = side // 2 if count else -(-side // 2), count + 1
    return count
