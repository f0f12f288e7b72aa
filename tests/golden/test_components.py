"""Numbers change only with a revision: every augmentation, view, model, objective and split, by name@revision.

What is compared, and how tightly, is told in `golden.numbers`. A new component or revision needs numbers: run these tests with
JETBENCH_WRITE_GOLDEN=1 and commit the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from extras import installed
from golden import builders
from golden.numbers import check, hashed, sketch

from jetbench.jets import Jets
from jetbench.models import ModelEntry
from jetbench.objectives import objectives
from jetbench.registry import Entry
from jetbench.tasks import tasks
from jetbench.testing.toys import as_crystals, as_pixels, with_time
from jetbench.views import ViewEntry, augmentations, views

STRENGTHS = {  # whatever the defaults leave out
    "energy_scale": {"resolution": 0.1},
    "flip": {"eta": False},
    "translation": {"extents": 1.0},
}
TOLERANCES = {"boosted-trees": 4e-3, "lightgbm": 4e-3}  # one split that rounding decides is 3e-3, a tree more or less 5e-3


def each(argument: str, entries: Iterable[Entry]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(argument, list(entries), ids=lambda entry: entry.name)


def sketches(prefix: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    return {name: value for part, array in arrays.items() for name, value in sketch(f"{prefix} {part}", array).items()}


def test_the_toy_jets_that_all_others_are_made_from(toy_jets: Jets, pronged_jets: Callable[[int, int], Jets]) -> None:
    """Where this fails, the toy jets have changed and no component has."""
    found: dict[str, Any] = {}
    for name, jets in (("two classes", toy_jets), ("three classes", pronged_jets(400, 3))):
        found |= sketches(name, {"eta": jets.eta, "phi": jets.phi, "values": jets.values, "label": jets.targets["label"]})
    check("toy-jets@1", found)


@each("entry", augmentations)
def test_an_augmentation(entry: Entry, toy_jets: Jets) -> None:
    found = sketches("constituents", builders.augmented(entry.name, toy_jets))
    found |= sketches("pixels", builders.augmented(entry.name, as_pixels(toy_jets)))
    if strengths := STRENGTHS.get(entry.name):
        found |= sketches("strengths", builders.augmented(entry.name, toy_jets, **strengths))
    check(builders.key("augmentation", entry), found)


@each("entry", views)
def test_a_view(entry: ViewEntry, toy_jets: Jets) -> None:
    if "crystals" in entry.needs:
        found = sketches("crystals", builders.shown(entry.name, as_crystals(toy_jets)))
    else:
        found = sketches("constituents", builders.shown(entry.name, toy_jets))
        found |= sketches("pixels", builders.shown(entry.name, as_pixels(toy_jets)))
    if entry.name == "image":
        found |= sketches("time", builders.shown(entry.name, with_time(toy_jets)))
    if entry.name in ("image", "pixels-mass"):
        found |= sketches("aligned", builders.shown(entry.name, toy_jets, align="principal"))
    check(builders.key("view", entry), found)


@each("entry", builders.NETWORKS)
def test_a_network(entry: Entry, toy_jets: Jets) -> None:
    check(builders.key("model", entry), sketch("outputs", builders.outputs(entry.name, toy_jets)), tolerance=1e-3)


@pytest.mark.parametrize("entry", installed(builders.FITTED))
def test_a_fitted_model(entry: ModelEntry) -> None:
    found = sketch("two classes", builders.fitted_scores(entry.name, 2))
    if not entry.signal:
        found |= sketch("three classes", builders.fitted_scores(entry.name, 3))
    check(builders.key("model", entry), found, TOLERANCES.get(entry.name, 1e-4))


@each("entry", objectives)
def test_an_objective(entry: Entry, toy_jets: Jets) -> None:
    loss, gradient = builders.objective_step(entry.name, toy_jets)
    check(builders.key("objective", entry), {"loss": [loss], **sketch("gradient", gradient)})


@pytest.mark.parametrize(("model", "objective"), builders.TRAININGS, ids=lambda entry: entry.name)
def test_three_steps_of_a_training(model: Entry, objective: Entry, toy_jets: Jets, tmp_path: Path) -> None:
    losses = builders.training_losses(model.name, objective.name, toy_jets, tmp_path)
    check(builders.training_key(model, objective), {"losses": losses}, tolerance=2e-3)


def test_the_splits() -> None:
    cases = [
        (jets, per_event, budget, seed)
        for jets, per_event in ((1000, 1), (900, 3))
        for budget in (50, 200, None)
        for seed in (0, 1)
    ]
    found = {
        f"{jets} jets, {per_event} per event, budget {budget}, seed {seed}, {part}": hashed(rows)
        for jets, per_event, budget, seed in cases
        for part, rows in builders.split_rows(jets, per_event, budget, seed).items()
    }
    check(f"protocol splits@{builders.PROTOCOL}", found)


def test_the_batches(toy_jets: Jets) -> None:
    found = {f"buffer of {size} bytes": hashed(builders.batch_rows(toy_jets, size)) for size in (1 << 16, 1 << 28)}
    check(f"protocol batches@{builders.PROTOCOL}", found)


def test_the_pools() -> None:
    labels = np.arange(600) % 3
    shares = ({"a": 0.2, "b": 0.3, "c": 0.5}, {"a": 0.9, "b": 0.05, "c": 0.05})
    found = {str(share): hashed(builders.pool_rows(labels, share)) for share in shares}
    check(f"protocol pools@{builders.PROTOCOL}", found)


@each("entry", tasks)
def test_a_task(entry: Entry, toy_jets: Jets, pronged_jets: Callable[[int, int], Jets], tmp_path: Path) -> None:
    found = {
        f"{name} {metric}": [value]
        for name, jets in (("two classes", toy_jets), ("four classes", pronged_jets(400, 4)))
        for metric, value in builders.evaluation(entry.name, jets, tmp_path).items()
    }
    check(builders.key("task", entry), found)
