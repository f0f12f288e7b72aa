from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from faults.test_selections import RECIPE, spec

from jetbench.data.batch import JetTensors
from jetbench.errors import SuiteError
from jetbench.faults import FaultEntry, faults
from jetbench.faults.fault import fault_of
from jetbench.jets import Jets
from jetbench.spec import Component
from jetbench.suites.suite import find_suite
from jetbench.training.bundle import fit_preprocessing
from jetbench.training.optim import build_optimizer, set_step

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("fault", "rate"), [("scratch-at-1e-6", 1e-6), ("scratch-at-1e-5", 1e-5)])
@pytest.mark.parametrize("tuned", [0.001, 0.003])
def test_the_encoder_has_an_absolute_rate_whatever_is_tuned(fault: str, rate: float, tuned: float) -> None:
    recipe = fault_of(spec(fault)).recipe(RECIPE.replace(learning_rate=tuned))
    encoder, head = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    optimizer = build_optimizer(recipe, encoder, head)
    set_step(optimizer, recipe, recipe.learning_rate, 0, 1)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([rate, tuned])
    assert recipe == RECIPE.replace(learning_rate=tuned, encoder_rate=recipe.encoder_rate)


def test_a_frozen_encoder_has_no_rate_of_its_own() -> None:
    run = spec("frozen-encoder").replace(recipe=RECIPE.replace(encoder_rate=0.1))
    found = fault_of(run).planned(run)
    assert (found.trains, found.recipe.encoder_rate) == ("head", 1.0)
    with pytest.raises(SuiteError, match="'frozen-encoder' is for an arm that fine-tunes its encoder"):
        fault_of(run).planned(found)


def test_a_recipe_without_augmentation_cannot_lose_it() -> None:
    run = spec("no-augmentation")
    bare = fault_of(run).planned(run)
    assert bare.recipe.augmentation == ()
    assert bare.replace(recipe=RECIPE) == run
    with pytest.raises(SuiteError, match="'no-augmentation' is for a recipe that augments"):
        fault_of(run).planned(bare)


@pytest.mark.parametrize(("passes", "short"), [(960, 96), (9600, 960), (100, 32)])
def test_a_tenth_of_the_passes_is_left_and_a_batch_at_least(passes: int, short: int) -> None:
    run = spec("too-few-steps").replace(recipe=RECIPE.replace(passes=passes))
    found = fault_of(run).planned(run)
    assert found.recipe == run.recipe.replace(passes=short)


@pytest.mark.parametrize("view", ["constituents", "image"])
def test_every_number_of_a_jet_is_255_times_as_large(toy_jets: Jets, view: str) -> None:
    options = {"constituents": (("number", 20),), "image": (("extent", 0.8), ("pixels", 8))}[view]
    jets = JetTensors(toy_jets[:40])
    honest = fit_preprocessing(Component(name=view, options=options), jets, np.arange(40))
    found = fault_of(spec("range-255")).preprocessing(honest)
    batch = jets.batch(torch.arange(10))
    shown, large = honest.fitted(batch), found.fitted(batch)
    (name,) = shown.tensors
    assert shown[name].abs().max() > 0
    torch.testing.assert_close(large[name], shown[name] * 255)
    assert (large.mask is None) == (shown.mask is None)
    assert shown.mask is None or torch.equal(large.mask, shown.mask)
    torch.testing.assert_close(found.fitted.scale(found.fitted.unscaled(batch))[name], large[name])
    assert found.fitted.shapes == honest.fitted.shapes
    hidden = found.fitted.hide(batch, 0.3, torch.Generator().manual_seed(0))
    plain = honest.fitted.hide(batch, 0.3, torch.Generator().manual_seed(0))
    assert torch.equal(hidden["hidden"], plain["hidden"])


@pytest.mark.parametrize("entry", [*faults], ids=lambda entry: entry.name)
def test_the_docs_say_what_each_fault_does_and_who_did_it(entry: FaultEntry) -> None:
    assert f"| {entry.summary} | {entry.source} |" in (ROOT / "docs" / "suites.md").read_text(encoding="utf-8")
    assert entry.source
    assert entry.name in find_suite(str(ROOT / "benchmarks" / "sign-flip.yaml")).common["faults"]
