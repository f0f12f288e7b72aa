from __future__ import annotations

import numpy as np
import pytest

from jetbench.data.order import Order
from jetbench.seeds import numpy_rng

ROWS = np.random.default_rng(0).permutation(5000)[:3000]
SIZES = np.random.default_rng(1).integers(20, 200, 3000)
CAP = 40_000  # bytes: a ninth of all


def stream(order: Order, start: int, stop: int) -> np.ndarray:
    return np.concatenate([rows for _, rows in order.stretches(start, stop)])


def buffers(order: Order, turn: int) -> list[np.ndarray]:
    return [rows for _, rows in order.stretches(turn * 3000, (turn + 1) * 3000)]


def test_what_fits_into_the_buffer_is_permuted_as_a_whole() -> None:
    order = Order(ROWS, SIZES, int(SIZES.sum()), seed=3)
    shuffles = [numpy_rng("order", 3, k).permutation(ROWS) for k in range(3)]
    assert np.array_equal(stream(order, 1000, 8000), np.concatenate(shuffles)[1000:8000])
    assert len(list(order.stretches(1000, 8000))) == 1


@pytest.mark.parametrize("turn", [0, 1, 5])
def test_each_turn_holds_each_jet_once_in_buffers_below_the_cap(turn: int) -> None:
    order = Order(ROWS, SIZES, CAP, seed=3)
    size = dict(zip(ROWS.tolist(), SIZES.tolist(), strict=True))
    parts = buffers(order, turn)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.sort(ROWS))
    sizes = [sum(size[row] for row in part.tolist()) for part in parts]
    assert len(parts) >= SIZES.sum() / CAP
    assert max(sizes) <= CAP
    assert min(sizes) > 0.5 * CAP  # no small remainder, whose jets would hardly be shuffled
    for i, part in enumerate(parts):
        assert np.array_equal(order.content((turn, i)), np.sort(part))


def test_the_order_is_that_of_the_seed_wherever_it_is_taken_up() -> None:
    straight = Order(ROWS, SIZES, CAP, seed=3)
    steps = [stream(straight, 64 * step, 64 * step + 64) for step in range(100)]
    for step in (99, 46, 47, 0, 93):
        resumed = Order(ROWS, SIZES, CAP, seed=3)
        assert np.array_equal(stream(resumed, 64 * step, 64 * step + 64), steps[step])
        assert np.array_equal(stream(straight, 64 * step, 64 * step + 64), steps[step])
    assert not np.array_equal(stream(Order(ROWS, SIZES, CAP, seed=4), 0, 64), steps[0])


def test_neighbours_in_the_file_are_far_apart_in_the_stream() -> None:
    """The rows of a buffer are as little ordered as those of a permutation, and come from all over the file."""
    order = Order(ROWS, SIZES, CAP, seed=3)
    first, second = buffers(order, 0)[0], buffers(order, 1)[0]
    assert abs(np.corrcoef(first, np.arange(len(first)))[0, 1]) < 4 / np.sqrt(len(first))
    assert np.ptp(first) > 0.9 * np.ptp(ROWS)
    assert len(np.intersect1d(first, second)) < 0.5 * len(first)


@pytest.mark.parametrize("large", [CAP // 64, CAP // 3, 2 * CAP])
def test_a_large_jet_has_its_turn_and_only_what_is_larger_than_the_buffer_exceeds_it(large: int) -> None:
    sizes = np.where(np.arange(3000) == 7, large, SIZES)
    parts = buffers(Order(ROWS, sizes, CAP, seed=3), 0)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.sort(ROWS))
    size = dict(zip(ROWS.tolist(), sizes.tolist(), strict=True))
    assert max(sum(size[row] for row in part.tolist()) for part in parts) <= max(CAP, large)
