"""Each fault of the split against a slow version of what its sentence says."""

from __future__ import annotations

import numpy as np
import pytest

from jetbench.data.splits import Split, split_jets
from jetbench.faults import faults
from jetbench.faults.fault import Fault, fault_of
from jetbench.faults.selections import blocked
from jetbench.seeds import numpy_rng
from jetbench.spec import Component, DatasetRef, Recipe, RunSpec

LABELS = (np.arange(1000) % 2).astype(np.int32)
EVENTS = np.arange(1000)
RECIPE = Recipe(name="r", learning_rate=0.003, passes=960, batch_size=32, epochs=5, augmentation=(Component(name="flip"),))


def spec(fault: str | None, labels: int = 100, seed: int = 0, digest: str = "digest") -> RunSpec:
    return RunSpec(
        dataset=DatasetRef(name="jets", sha256=digest),
        test_jets=200,
        labels=labels,
        seed=seed,
        model=Component(name="deep-sets"),
        view=Component(name="constituents"),
        objective=Component(name="supervised"),
        recipe=RECIPE,
        fault=fault,
    )


def honest(labels: int = 100, seed: int = 0, digest: str = "digest") -> Split:
    return split_jets(LABELS, EVENTS, 200, labels, seed, digest)


def spoilt(fault: str, labels: int = 100, seed: int = 0, digest: str = "digest") -> Split:
    run = spec(fault, labels, seed, digest)
    return fault_of(run).split(honest(labels, seed, digest), LABELS, EVENTS, run)


def same(one: Split, other: Split, *parts: str) -> bool:
    return all(np.array_equal(getattr(one, part), getattr(other, part)) for part in parts)


def test_a_run_without_a_fault_is_left_as_it_is() -> None:
    run, split = spec(None), honest()
    code = fault_of(run)
    assert type(code) is Fault
    assert code.split(split, LABELS, EVENTS, run) is split
    assert code.recipe(RECIPE) is RECIPE
    assert code.planned(run) is run
    assert np.array_equal(code.watched(split), split.validation)
    assert np.array_equal(code.pool(split.pool, split), split.pool)


@pytest.mark.parametrize("entry", [one for one in faults if one.target], ids=lambda one: one.name)
def test_a_fault_changes_one_place_alone(entry) -> None:
    """What it overrides is one method, and its plan where it says that a spec differs."""
    own = {name for base in entry.load().__mro__[:-2] for name in vars(base) if name in vars(Fault) and name[0] != "_"}
    assert ("planned" in own) == bool(entry.differs)
    assert len(own - {"planned"}) <= 1
    assert own


def test_the_test_set_is_the_validation_set() -> None:
    found = spoilt("selection-on-test")
    assert np.array_equal(found.validation, found.test)
    assert same(found, honest(), "train", "pool", "test")


def test_epochs_are_watched_on_test_jets_and_rates_are_not() -> None:
    run, split = spec("best-epoch-on-test"), honest()
    code = fault_of(run)
    assert np.array_equal(code.watched(split), split.test)
    assert code.split(split, LABELS, EVENTS, run) is split
    recipe = code.planned(run).recipe
    assert (recipe.select, recipe.select_by) == ("best", "auc")


def test_the_pool_has_the_test_jets_among_it() -> None:
    split = honest()
    rows = fault_of(spec("leaked-test")).pool(split.pool, split)
    assert sorted(rows) == sorted([*split.pool, *split.test])


def test_the_first_rows_are_those_of_a_file_in_blocks() -> None:
    """The file is written down row by row, and its beginning taken."""
    found, pool = spoilt("first-rows"), honest().pool
    order = blocked(LABELS[pool], numpy_rng("blocks", "digest"))
    file = [int(pool[place]) for place in order]
    assert sorted(file) == sorted(pool)
    for start in range(0, len(file), 10):
        assert len({int(LABELS[row]) for row in file[start : start + 10]}) == 1
    train, validation, seen = [], [], {0: 0, 1: 0}
    for row in file[:100]:
        label = int(LABELS[row])
        seen[label] += 1
        (validation if seen[label] % 5 == 0 else train).append(row)
    assert found.train.tolist() == train
    assert found.validation.tolist() == validation
    assert same(found, honest(), "pool", "test")


def test_the_first_rows_are_the_same_for_all_seeds_and_their_share_of_a_class_scatters() -> None:
    assert same(spoilt("first-rows", seed=0), spoilt("first-rows", seed=7), "train", "validation")
    assert not same(spoilt("first-rows"), spoilt("first-rows", digest="another"), "train")
    shares = []
    for file in range(200):
        order = blocked(LABELS, np.random.default_rng(file))
        shares.append(LABELS[order[:100]].mean())
    random = np.sqrt(0.25 / 100)
    assert np.mean(shares) == pytest.approx(0.5, abs=0.03)
    assert np.std(shares) / random == pytest.approx(np.sqrt(10), rel=0.15)  # "three times as much as a random one's"


@pytest.mark.parametrize(("labels", "others"), [(20, 400), (100, 700)])
def test_twenty_times_as_many_labels_validate_as_far_as_there_are_any(labels: int, others: int) -> None:
    """All of the budget is trained on; the others are the next ones that the seed would have labelled."""
    found, base = spoilt("large-validation", labels), honest(labels)
    budget = {*base.train, *base.validation}
    assert {*found.train} == budget
    assert len(found.train) == labels
    larger = honest(min(21 * labels, 800))
    assert {*found.validation} == {*larger.train, *larger.validation} - budget
    assert len(found.validation) == others
    assert not {*found.validation} & {*found.test}
    recipe = fault_of(spec("large-validation")).planned(spec("large-validation")).recipe
    assert (recipe.select, recipe.select_by) == ("best", "loss")


def test_no_event_of_the_budget_validates_outside_of_it() -> None:
    events, run = EVENTS // 3, spec("large-validation", 100)
    found = fault_of(run).split(split_jets(LABELS, events, 200, 100, 0, "digest"), LABELS, events, run)
    assert not {*events[found.train]} & {*events[found.validation]}
    assert len(found.validation) > 600
