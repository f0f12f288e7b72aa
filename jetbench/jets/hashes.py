"""One number per jet that tells its content, whatever file the jet comes from and however its deposits are sorted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jetbench.jets.container import Jets
from jetbench.jets.selection import blocks

__all__ = ["jet_hashes", "stored_hashes"]

# splitmix64 (Steele, Lea, Flood, OOPSLA 2014, doi:10.1145/2660193.2660195): increment, multipliers and shifts
GAMMA, MULTIPLIERS, SHIFTS = 0x9E3779B97F4A7C15, (0xBF58476D1CE4E5B9, 0x94D049BB133111EB), (30, 27, 31)


def jet_hashes(block: Jets) -> np.ndarray:
    """Hash jets in memory, (n,) uint64, by the bits of their deposits (eta, phi, values) alone.

    Equal jets have equal hashes; the order of the deposits does not matter, and -0.0 counts as 0.0. Among n different jets
    two share a hash with probability n²/2⁶⁵: 3e-4 for 1e8 jets.
    """
    deposits = np.full(len(block.eta), GAMMA, np.uint64)
    for column in (block.eta, block.phi, *block.values.T):
        bits = (np.asarray(column, np.float32) + np.float32(0)).view(np.uint32)  # -0.0 + 0.0 is 0.0
        deposits = _mixed(deposits ^ bits)
    # sums wrap modulo 2⁶⁴ by design; differences of running sums are right for empty jets too, where reduceat is not
    running = np.concatenate([np.zeros(1, np.uint64), np.cumsum(deposits, dtype=np.uint64)])
    return _mixed(running[block.offsets[1:]] - running[block.offsets[:-1]])


def stored_hashes(jets: Jets, *, pt_only: bool = False) -> np.ndarray:
    """Hash jets on file, (n,) uint64, read once in blocks of bounded memory.

    With `pt_only` the pT of the deposits stands for all channels, so that a jet is known again in a file that has others.
    """
    return np.concatenate([jet_hashes(_summed(block) if pt_only else block) for _, block in blocks(jets)])


def _summed(block: Jets) -> Jets:
    return replace(block, meta=block.meta.summed(), values=block.pt()[:, None])


def _mixed(state: np.ndarray) -> np.ndarray:
    """One step of splitmix64 on each of (n,) uint64: every bit of the state reaches every bit of the result."""
    state = state + np.uint64(GAMMA)
    for shift, multiplier in zip(SHIFTS[:2], MULTIPLIERS, strict=True):
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(multiplier)
    return state ^ (state >> np.uint64(SHIFTS[2]))
