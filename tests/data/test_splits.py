from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jetbench.data.splits import split_jets, write_split
from jetbench.errors import SuiteError

LABELS = (np.arange(1000) % 2).astype(np.int32)
EVENTS = np.arange(1000)


def split(budget: int | None = 100, seed: int = 0, labels: np.ndarray = LABELS, events: np.ndarray = EVENTS, test: int = 200):
    return split_jets(labels, events, test, budget, seed, "digest")


def test_parts_are_disjoint_and_stratified() -> None:
    s = split()
    assert (len(s.train), len(s.validation), len(s.test), len(s.pool)) == (80, 20, 200, 800)
    assert not set(s.test) & set(s.pool)
    assert not set(s.train) & set(s.validation)
    assert set(s.train) | set(s.validation) <= set(s.pool)
    for part in (s.train, s.validation, s.test):
        assert LABELS[part].mean() == 0.5


@pytest.mark.parametrize("classes", [3, 6, 10])
@pytest.mark.parametrize("budget", [20, 50, 60, 100])
def test_every_class_has_its_share_of_a_small_budget(classes: int, budget: int) -> None:
    labels = (np.arange(1200) % classes).astype(np.int32)
    s = split(budget, labels=labels, events=np.arange(1200))
    counts = np.bincount(labels[np.concatenate([s.train, s.validation])], minlength=classes)
    assert counts.sum() == budget
    assert set(counts) <= {budget // classes, -(-budget // classes)}
    assert np.array_equal(np.bincount(labels[s.validation], minlength=classes), counts // 5)


@pytest.mark.parametrize("each", [2, 3, 5])
@pytest.mark.parametrize("seed", range(20))
def test_every_fifth_event_of_a_class_validates_however_many_jets_it_has(each: int, seed: int) -> None:
    """Counted in jets, a seed of small budgets had none at all."""
    events = EVENTS // each
    labels = (events % 2).astype(np.int32)
    s = split(100, seed, labels, events)
    budget = np.concatenate([s.train, s.validation])
    for label in (0, 1):
        of_class = [np.unique(events[rows[labels[rows] == label]]) for rows in (s.validation, budget)]
        assert len(of_class[0]) == len(of_class[1]) // 5 > 0


def test_the_test_set_is_frozen_and_labels_vary_with_the_seed() -> None:
    a, b = split(seed=0), split(seed=1, budget=500)
    assert np.array_equal(a.test, b.test)
    assert set(a.train) != set(split(seed=1).train)
    assert np.array_equal(split(seed=0).train, a.train)


def test_budgets_are_nested_with_their_roles() -> None:
    small, large = split(100), split(500)
    assert set(small.train) <= set(large.train)
    assert set(small.validation) <= set(large.validation)


def test_all_labels_of_the_pool() -> None:
    s = split(None)
    assert set(s.train) | set(s.validation) == set(s.pool)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 5), st.floats(0.05, 0.95), st.integers(0, 10))
def test_no_event_is_on_two_sides(jets_per_event: int, signal: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = (rng.uniform(size=600) < signal).astype(np.int32)
    events = rng.permutation(600) // jets_per_event
    s = split(200, seed, labels, events, test=150)
    sides = [set(events[part]) for part in (s.train, s.validation, s.test)]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]
    assert not set(events[s.pool]) & sides[2]
    assert not sides[0] & sides[1]
    assert len(s.train) + len(s.validation) == 200


def test_too_few_jets_are_said() -> None:
    with pytest.raises(SuiteError, match="budget of 900"):
        split(900)
    with pytest.raises(SuiteError, match="1000 test jets"):
        split(test=1000)


def test_a_split_is_written_once_under_its_digest(tmp_path) -> None:
    s = split()
    name = write_split(tmp_path, s)
    assert write_split(tmp_path, s) == name
    with np.load(tmp_path / name, allow_pickle=False) as stored:
        assert all(np.array_equal(stored[k], v) for k, v in vars(s).items())
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert s.summary()["train"]["jets"] == 80
