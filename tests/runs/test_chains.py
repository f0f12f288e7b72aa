"""Runs that start from one another, in this process: what is taken over, what is noted and what is booked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from jetbench.errors import SuiteError
from jetbench.evaluation.artifacts import read_scores
from jetbench.jets import Jets, open_jets, save_jets
from jetbench.runs.data import open_data
from jetbench.runs.job import JetFiles, Job
from jetbench.runs.learners import build_learner
from jetbench.runs.run import run
from jetbench.spec import DatasetRef, RunSpec
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.suite import find_suite, instantiate
from jetbench.tracking.journal import read
from jetbench.tracking.ledger import Ledger

ARMS = """
    lpft: {{model: deep-sets, regime: simclr-lpft}}
    supcon: {{model: deep-sets, regime: supcon}}
    both: {{model: deep-sets, regime: labels+ssl}}
  recipes:
    supcon: {{base: simclr-small, passes: 512, epochs: 2}}"""
NOTED = {f"features/{name}" for name in ("standard_deviation", "effective_rank", "alignment", "uniformity")}


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory, toy_jets: Jets, suite_text: str) -> tuple[Plan, Path]:
    """A plan of 60 labels on 240 jets, and the folder of jets and store."""
    folder = tmp_path_factory.mktemp("chains")
    save_jets(folder / "jets.h5", [toy_jets[:240]])
    text = suite_text.replace("\n  recipes:", ARMS)
    (folder / "mini.yaml").write_text(text.format(dataset=folder / "jets.h5"))
    overrides = ("labels=[60]", "seeds=1", "tuning=null", "test_jets=60", "recipes.supervised.passes=96")
    return make_plan(instantiate(find_suite(str(folder / "mini.yaml")), overrides=overrides)), folder


def chain_of(plan: Plan, arm: str) -> list[RunSpec]:
    return [planned.spec for planned in plan.chain(CellKey(arm, 60, 0))][::-1]


def trained(specs: Sequence[RunSpec], folder: Path, store: Path) -> tuple[Ledger, list[str]]:
    """Train the runs one after another; returns their keys."""
    jets = JetFiles(folder / "jets.h5", open_jets(folder / "jets.h5").digest)
    for spec in specs:
        job = Job(spec.digest(), "mini", spec, store, jets, None, None)
        Ledger(job.work).folder(job.key).mkdir(parents=True)
        run(job, Event())
    return Ledger(job.work), [spec.digest() for spec in specs]


def test_fine_tuning_after_a_probe_begins_where_the_probe_has_come_to(toys: tuple[Plan, Path], tmp_path: Path) -> None:
    """With a rate of next to nothing it stays there: the same scores, which neither the encoder nor a new head would give."""
    plan, folder = toys
    before, probe, last = chain_of(plan, "lpft")
    still = last.replace(recipe=last.recipe.replace(learning_rate=1e-12))
    ledger, keys = trained([before, probe, still], folder, tmp_path)
    weights = [load_file(ledger.run(key).weights) for key in keys]
    frozen = [name for name in weights[0] if name.startswith("encoder.")]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in frozen)
    assert not torch.equal(weights[0]["head.weight"], weights[1]["head.weight"])
    torch.testing.assert_close(weights[2]["head.weight"], weights[1]["head.weight"], rtol=0, atol=1e-9)
    scores = [read_scores(ledger.run(key).scores)[2] for key in keys[1:]]
    np.testing.assert_allclose(scores[1], scores[0], atol=1e-6)


def test_the_encoder_moves_less_where_it_has_a_lower_rate(toys: tuple[Plan, Path], tmp_path: Path) -> None:
    plan, folder = toys
    before, probe, last = chain_of(plan, "lpft")
    slow = last.replace(recipe=last.recipe.replace(encoder_rate=0.01))
    ledger, keys = trained([before, probe, last, slow], folder, tmp_path)
    fast_change, slow_change = (ledger.metrics(key)["trained/encoder_change"] for key in keys[2:])
    assert 0 < slow_change < fast_change / 20


@pytest.mark.parametrize(("arm", "booked"), [("lpft", (0.0, 512.0)), ("supcon", (512.0, 0.0))])
def test_what_trains_no_head_is_diagnosed_and_not_validated(
    toys: tuple[Plan, Path], tmp_path: Path, arm: str, booked: tuple[float, float]
) -> None:
    """A pretraining with labels is booked as such; it sees those of its pool that train, and of no budget."""
    plan, folder = toys
    spec = chain_of(plan, arm)[0]
    ledger, (key,) = trained([spec], folder, tmp_path)
    records, metrics = read(ledger.run(key).journal)[0], ledger.metrics(key)
    epochs = [record.metrics for record in records if "train/loss" in record.metrics]
    assert len(epochs) == 2
    assert all(set(epoch) >= NOTED and not any(name.startswith("val/") for name in epoch) for epoch in epochs)
    assert (metrics["cost/labelled_passes"], metrics["cost/unlabelled_passes"]) == booked
    assert metrics["train/jets"] == (144 if arm == "supcon" else 180)
    assert not ledger.run(key).scores.exists()


def test_a_pretraining_sees_as_many_jets_of_its_pool_as_it_asks_for(toys: tuple[Plan, Path], tmp_path: Path) -> None:
    """Of its own pool, of one with other shares, of which 120 jets are left, and of another file."""
    plan, folder = toys
    spec = chain_of(plan, "lpft")[0].replace(pool_jets=70)
    composed = spec.replace(pool=(("qcd", 0.75), ("top", 0.25)))
    ledger, keys = trained([spec, composed], folder, tmp_path)
    assert [ledger.metrics(key)["train/jets"] for key in keys] == [70, 70]
    save_jets(tmp_path / "pool.h5", [open_jets(folder / "jets.h5")[:100]])
    pool = JetFiles(tmp_path / "pool.h5", open_jets(tmp_path / "pool.h5").digest)
    foreign = spec.replace(unlabelled=DatasetRef(name="pool", sha256=pool.digest))
    jets = JetFiles(folder / "jets.h5", open_jets(folder / "jets.h5").digest)
    ledger.folder(foreign.digest()).mkdir()
    run(Job(foreign.digest(), "mini", foreign, tmp_path, jets, pool, None), Event())
    assert ledger.metrics(foreign.digest())["train/jets"] == 70
    with pytest.raises(SuiteError, match="has 120 jets, fewer than the 121 of `pool_jets`"):
        trained([composed.replace(pool_jets=121)], folder, tmp_path)


def test_what_trains_the_head_is_validated_and_not_diagnosed(toys: tuple[Plan, Path], tmp_path: Path) -> None:
    plan, folder = toys
    before, probe, _ = chain_of(plan, "lpft")
    ledger, keys = trained([before, probe], folder, tmp_path)
    names = {name for record in read(ledger.run(keys[1]).journal)[0] for name in record.metrics}
    assert "val/auc" in names
    assert not NOTED & names


def test_labels_and_pool_are_trained_on_together(toys: tuple[Plan, Path], tmp_path: Path) -> None:
    """It is validated as what is trained on labels alone; the passes of either kind are booked as such."""
    plan, folder = toys
    (spec,) = chain_of(plan, "both")
    assert (spec.data, spec.labels, spec.targets) == ("budget+pool", 60, "true")
    ledger, (key,) = trained([spec], folder, tmp_path)
    metrics = ledger.metrics(key)
    assert (metrics["cost/labelled_passes"], metrics["cost/unlabelled_passes"]) == (96, 192)
    assert metrics["train/jets"] == 48
    epochs = [record.metrics for record in read(ledger.run(key).journal)[0] if "train/loss" in record.metrics]
    assert all({"val/auc", "train/supervised_loss", "train/unlabelled_loss"} <= set(epoch) for epoch in epochs)
    assert len(read_scores(ledger.run(key).scores)[2]) == 60


def beside(spec: RunSpec, folder: Path, store: Path, pool: Jets, name: str) -> Job:
    """A run that looks at jets of another file beside its labels."""
    save_jets(folder / name, [pool])
    files = [JetFiles(folder / one, open_jets(folder / one).digest) for one in ("jets.h5", name)]
    other = spec.replace(unlabelled=DatasetRef(name=name, sha256=files[1].digest))
    return Job(other.digest(), "mini", other, store, *files, None)


def test_the_labels_of_the_pool_cannot_be_reached(toys: tuple[Plan, Path], tmp_path: Path, toy_jets: Jets) -> None:
    """Batches of the pool have no target, and whatever its labels are, the weights are the same; with other jets they are not."""
    plan, folder = toys
    (spec,) = chain_of(plan, "both")
    pool = toy_jets[240:340]
    wrong = replace(pool, targets={**pool.targets, "label": 1 - pool.targets["label"]})
    found = []
    for name, jets in (("true.h5", pool), ("wrong.h5", wrong), ("other.h5", toy_jets[300:400])):
        job = beside(spec, folder, tmp_path, jets, name)
        learner = build_learner(job, open_data(job))
        assert learner.pool is not None
        assert len(learner.pool[1]) == 100
        assert learner.pool[0].batch(torch.arange(4)).targets == {}
        Ledger(job.work).folder(job.key).mkdir(parents=True)
        run(job, Event())
        found.append(load_file(Ledger(job.work).run(job.key).weights))
    assert all(torch.equal(found[0][part], found[1][part]) for part in found[0])
    assert not torch.equal(found[0]["head.weight"], found[2]["head.weight"])


def test_the_pool_of_the_dataset_itself_has_no_targets_either(toys: tuple[Plan, Path], tmp_path: Path) -> None:
    plan, folder = toys
    (spec,) = chain_of(plan, "both")
    job = Job(spec.digest(), "mini", spec, tmp_path, JetFiles(folder / "jets.h5", spec.dataset.sha256), None, None)
    data = open_data(job)
    learner = build_learner(job, data)
    assert learner.pool[0].batch(torch.arange(4)).targets == {}
    assert set(learner.pool[1]) == set(data.split.pool)
    assert "label" in learner.jets.targets


def test_a_pretraining_without_labels_can_reach_none(toys: tuple[Plan, Path], tmp_path: Path) -> None:
    plan, folder = toys
    for arm, told in (("lpft", False), ("supcon", True)):
        spec = chain_of(plan, arm)[0]
        job = Job(spec.digest(), "mini", spec, tmp_path, JetFiles(folder / "jets.h5", spec.dataset.sha256), None, None)
        targets = build_learner(job, open_data(job)).jets.batch(torch.arange(4)).targets
        assert ("label" in targets) == bool(targets) == told
