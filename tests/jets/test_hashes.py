from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from jetbench.jets import Jets, save_jets
from jetbench.jets.hashes import jet_hashes, stored_hashes
from jetbench.jets.shards import open_jets


def slow_hash(deposits: np.ndarray) -> int:
    """The hash of one jet's deposits (n, columns) in Python's integers."""
    mask = (1 << 64) - 1

    def mixed(state: int) -> int:
        state = (state + 0x9E3779B97F4A7C15) & mask
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & mask
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB & mask
        return state ^ (state >> 31)

    total = 0
    for row in deposits:
        state = 0x9E3779B97F4A7C15
        for value in row:
            state = mixed(state ^ int(np.float32(value + np.float32(0)).view(np.uint32)))
        total = (total + state) & mask
    return mixed(total)


def test_hashes_are_those_of_plain_integers(toy_jets: Jets) -> None:
    rows = np.column_stack([toy_jets.eta, toy_jets.phi, toy_jets.values])
    hashes = jet_hashes(toy_jets[:20])
    assert hashes.dtype == np.uint64
    assert hashes.tolist() == [slow_hash(rows[toy_jets.offsets[i] : toy_jets.offsets[i + 1]]) for i in range(20)]


def test_different_jets_have_different_hashes_and_equal_ones_equal(toy_jets: Jets, tmp_path: Path) -> None:
    hashes = jet_hashes(toy_jets)
    assert len(np.unique(hashes)) == len(toy_jets)
    assert np.array_equal(jet_hashes(toy_jets.take(np.array([5, 3]))), hashes[[5, 3]])
    save_jets(tmp_path / "jets.h5", [toy_jets])
    assert np.array_equal(stored_hashes(open_jets(tmp_path / "jets.h5")), hashes)


@given(st.integers(0, 399), st.integers(0, 2**32 - 1))
def test_the_order_of_deposits_does_not_matter_and_any_change_does(toy_jets: Jets, row: int, seed: int) -> None:
    jet, rng = toy_jets[row : row + 1], np.random.default_rng(seed)
    order = rng.permutation(len(jet.eta))
    shuffled = replace(jet, eta=jet.eta[order], phi=jet.phi[order], values=jet.values[order])
    assert jet_hashes(shuffled) == jet_hashes(jet)
    values = jet.values.copy()
    place = tuple(rng.integers(0, values.shape))
    values[place] = np.nextafter(values[place], np.float32(1e30))
    assert jet_hashes(replace(jet, values=values)) != jet_hashes(jet)
    # the same numbers, exchanged between two deposits
    eta = jet.eta[[1, 0, *range(2, len(jet.eta))]]
    assert jet_hashes(replace(jet, eta=eta)) != jet_hashes(jet)


def test_empty_jets_and_signed_zeros(toy_jets: Jets) -> None:
    a, b = toy_jets[:1], toy_jets[1:2]
    deposits = len(a.eta)
    offsets = np.array([0, 0, deposits, deposits, deposits])
    single = {name: np.zeros(4, getattr(a, name).dtype) for name in ("jet_eta", "jet_phi", "jet_pt", "event")}
    hashes = jet_hashes(replace(a, offsets=offsets, **single, targets={}))
    assert hashes[1] == jet_hashes(a)[0]
    assert hashes[0] == hashes[2] == hashes[3] != hashes[1]
    assert jet_hashes(a) != jet_hashes(b)
    assert (a.values == 0).any()
    assert jet_hashes(replace(a, values=np.where(a.values == 0, np.float32(-0.0), a.values))) == jet_hashes(a)
