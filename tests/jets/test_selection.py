from __future__ import annotations

import numpy as np
import pytest

from jetbench.jets import Jets, selection
from jetbench.jets.selection import blocks


def test_blocks_are_bounded_cover_every_jet_and_hold_at_least_one(toy_jets: Jets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "BLOCK_BYTES", 40 * 20)
    monkeypatch.setattr(selection, "BLOCK_JETS", 3)
    starts, sizes = zip(*((start, len(block)) for start, block in blocks(toy_jets)), strict=True)
    assert sum(sizes) == 400
    assert max(sizes) <= 3
    assert min(sizes) == 1
    assert list(starts) == [0, *np.cumsum(sizes[:-1])]


def test_the_digest_does_not_depend_on_the_blocks(toy_jets: Jets, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = toy_jets.content_digest()
    monkeypatch.setattr(selection, "BLOCK_BYTES", 40 * 20)
    assert toy_jets.content_digest() == whole
