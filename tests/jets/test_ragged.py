from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from jetbench.jets.ragged import gather, owner_of, owners, wrap_phi

counts = st.lists(st.integers(0, 5), min_size=1, max_size=30)


def offsets_of(counts: list[int]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(counts)])


def test_by_hand() -> None:
    offsets = np.array([0, 2, 2, 5])  # two deposits, none, three
    assert owners(offsets).tolist() == [0, 0, 2, 2, 2]
    chosen, places = gather(offsets, np.array([2, 1, 0]))
    assert (chosen.tolist(), places.tolist()) == ([0, 3, 3, 5], [2, 3, 4, 0, 1])


@given(counts, st.data())
def test_each_jet_owns_its_deposits_wherever_it_goes(counts: list[int], data: st.DataObject) -> None:
    offsets = offsets_of(counts)
    owner = owners(offsets)
    assert owner.tolist() == [i for i, count in enumerate(counts) for _ in range(count)]
    assert owner_of(offsets, np.arange(len(owner))).tolist() == owner.tolist()
    rows = np.array(data.draw(st.lists(st.integers(0, len(counts) - 1))), np.int64)
    chosen, places = gather(offsets, rows)
    expected = [place for row in rows for place in range(offsets[row], offsets[row + 1])]
    assert places.tolist() == expected
    assert chosen.tolist() == offsets_of([counts[row] for row in rows]).tolist()


@given(st.floats(-3, 3), st.integers(-3, 3))
def test_an_angle_comes_back_from_any_number_of_turns(angle: float, turns: int) -> None:
    wrapped = wrap_phi(np.array([angle + 2 * np.pi * turns]))
    np.testing.assert_allclose(wrapped, angle, atol=1e-14)
    assert wrap_phi(np.array([np.pi, -np.pi])).tolist() == [-np.pi, -np.pi]
    assert wrap_phi(np.array([4], np.float32)).dtype == np.float32
