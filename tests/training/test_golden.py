"""Numbers change only with a revision: three fp32 steps of every network under every objective, by name@revision."""

from __future__ import annotations

import contextlib
import json
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from jetbench.data.batch import JetTensors
from jetbench.data.batches import Batches
from jetbench.jets import Jets
from jetbench.models import models
from jetbench.models.network import build_network
from jetbench.objectives import objectives
from jetbench.spec import Component, Recipe, options
from jetbench.tracking.journal import Journal, read
from jetbench.training import loop
from jetbench.training.bundle import fit_preprocessing

GOLDEN = Path(__file__).with_name("golden.json")
VIEWS = (Component(name="rotation"), Component(name="flip"), Component(name="drop"))
RECIPE = Recipe(name="golden", learning_rate=1e-3, batch_size=16, epochs=3, warmup=0.3, augmentation=VIEWS)
CASES = [(m, o) for m in models if m.kind == "network" for o in objectives]


def losses(jets: Jets, model: str, objective: str, folder: Path) -> list[float]:
    tensors = JetTensors(jets)
    view = Component(name="image", options=options({"pixels": 12, "extent": 0.8}))
    preprocessing = fit_preprocessing(view, tensors.batch(torch.arange(100)))
    network = build_network(Component(name=model), 3, 2, seed=3)
    extra = {} if objectives[objective].labelled else {"features": network.encoder.features, "seed": 3}
    goal = objectives[objective].load()(preprocessing.renderer(), RECIPE.augmentation, 2, **extra)
    recipe = RECIPE.replace(passes=3 * 16 * goal.views_per_jet)
    with Journal(folder / "metrics.jsonl") as journal:
        batches = Batches(tensors, np.arange(200), 16, seed=3)
        loop.fit(recipe, network, goal, batches, journal, folder, threading.Event(), seed=3)
    return [record.metrics["train/loss"] for record in read(folder / "metrics.jsonl")[0]]


@pytest.mark.parametrize(("model", "objective"), CASES, ids=lambda entry: entry.name)
def test_three_steps_are_as_they_were(
    model: object, objective: object, toy_jets: Jets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "autocast", contextlib.nullcontext)
    key = f"{model.name}@{model.revision} {objective.name}@{objective.revision}"  # type: ignore[attr-defined]
    golden = json.loads(GOLDEN.read_text())
    found = losses(toy_jets, model.name, objective.name, tmp_path)  # type: ignore[attr-defined]
    assert key in golden, f"a new revision: add {json.dumps({key: found})} to {GOLDEN.name}"
    # another processor sums in another order
    np.testing.assert_allclose(found, golden[key], rtol=2e-3, err_msg=f"{key}: numbers changed; raise the revision")
