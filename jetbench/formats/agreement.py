"""Whether the jets that were read agree with what their file says of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Agreement"]


@dataclass
class Tally:
    kind: str
    jets: int = 0
    disagreeing: int = 0
    worst: float = 0.0


class Agreement:
    """Counts, over all blocks, the jets whose computed value differs from the file's own by more than a tolerance."""

    def __init__(self) -> None:
        self._tallies: dict[str, Tally] = {}

    def compare(self, name: str, computed: np.ndarray, stored: np.ndarray, tolerance: float, relative: bool = False) -> None:
        """Count where two columns (n,) of the quantity that the file calls `name` disagree.

        A value of the file that is not finite disagrees with everything.
        """
        with np.errstate(all="ignore"):
            difference = np.abs(computed.astype(np.float64) - stored)
            difference = np.nan_to_num(difference / np.abs(stored) if relative else difference, nan=np.inf)
        tally = self._tallies.setdefault(name, Tally("relative difference" if relative else "difference"))
        tally.jets += len(difference)
        tally.disagreeing += int(np.sum(difference > tolerance))
        tally.worst = max(tally.worst, float(difference.max(initial=0.0)))

    def remarks(self) -> list[str]:
        """Write a sentence for each quantity with disagreement."""
        return [
            f"{tally.disagreeing} of {tally.jets} jets disagree with the file's {name}; the largest {tally.kind} is "
            f"{tally.worst:.3g}"
            for name, tally in self._tallies.items()
            if tally.disagreeing
        ]
