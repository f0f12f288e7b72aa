"""Faults in trainings, and what nobody may do with what came out of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from tiny_runs import Toys

from jetbench.errors import DataFileError, RunError
from jetbench.evaluation.artifacts import read_scores
from jetbench.inference import load_predictor
from jetbench.models.folders import find_weights
from jetbench.models.imported import import_model
from jetbench.models.network import network_for
from jetbench.models.weights import read_weights
from jetbench.spec import Component
from jetbench.statistics.delong import auc
from jetbench.tracking.folder import RunFolder
from jetbench.tracking.journal import read
from jetbench.tracking.specs import read_spec
from jetbench.training.bundle import load_preprocessing

ALL = (
    "faults=[scratch-at-1e-6, range-255, frozen-encoder, selection-on-test, best-epoch-on-test, no-augmentation, first-rows, "
    "too-few-steps, leaked-test, large-validation]"
)


@pytest.fixture
def toys(toys_of: Callable[..., Toys]) -> Toys:
    return toys_of(2, ALL, "tuning=null", "recipes.supervised.epochs=4", "recipes.supervised.passes=384")


def weights(folder: Path, part: str = "encoder.") -> dict[str, np.ndarray]:
    return {name: value for name, value in load_file(RunFolder(folder).weights).items() if name.startswith(part)}


def curve(folder: Path, key: str) -> list[float]:
    records = [record.metrics for record in read(RunFolder(folder).journal)[0]]
    return [record[key] for record in records if key in record and "train/passes" in record]


def pretrained(toys: Toys, folder: Path) -> Path:
    """The folder of the run that this one started from, which is trained before."""
    spec = RunFolder(folder).spec.read_text()
    (start,) = [line.split()[1] for line in spec.splitlines() if line.startswith("start:")]
    return next(path.parent for path in toys.store.glob("work/*/done.json") if json.loads(path.read_text())["key"] == start)


def auc_of(folder: Path) -> float:
    _, labels, scores = read_scores(RunFolder(folder).scores)
    return auc(labels, scores)


def test_an_encoder_at_one_in_a_million_stays_where_it_began(toys: Toys) -> None:
    """Adam moves no weight by much more than the rate in each of the 12 steps, and the head is free to learn."""
    honest, slow = toys.run("scratch"), toys.run("faulty-scratch-at-1e-6-scratch")
    spec = read_spec(slow)
    began = network_for(spec.model, load_preprocessing(honest).fitted, 2, spec.seed).state_dict()

    def moved(folder: Path, part: str) -> float:
        return max(float(np.abs(value - began[name].numpy()).max()) for name, value in weights(folder, part).items())

    assert 0 < moved(slow, "encoder.") <= 3 * 12 * 1e-6
    assert moved(honest, "encoder.") > 100 * moved(slow, "encoder.")
    assert moved(slow, "head.") > 100 * moved(slow, "encoder.")


def trained(toys: Toys, arm: str) -> Path:
    """A run of the arm whose pretraining is trained first."""
    spec = next(run.spec for run in toys.plan.runs.values() if run.arm == arm and run.kind == "final")
    assert spec.start is not None
    toys._train(spec.start, toys.plan.runs[spec.start].spec)
    return toys._train(spec.digest(), spec)


def test_a_frozen_encoder_is_that_of_its_pretraining(toys: Toys) -> None:
    folder = trained(toys, "faulty-frozen-encoder-simclr")
    before = weights(pretrained(toys, folder))
    assert before
    assert all(np.array_equal(value, before[name]) for name, value in weights(folder).items())
    honest = trained(toys, "simclr")
    assert any(not np.array_equal(value, before[name]) for name, value in weights(honest).items())


def test_the_best_epoch_on_the_test_set_is_what_is_reported(toys: Toys) -> None:
    """The training itself is the honest one: only what is kept of it differs."""
    honest, folder = toys.run("scratch"), toys.run("faulty-best-epoch-on-test-scratch")
    told = curve(folder, "val/auc")
    assert len(told) == 4
    assert auc_of(folder) == pytest.approx(max(told), abs=1e-6)
    assert auc_of(honest) == pytest.approx(told[-1], abs=1e-6)
    assert curve(folder, "train/loss") == curve(honest, "train/loss")
    assert len(np.load(RunFolder(folder).losses)) == len(np.load(RunFolder(honest).losses)) == 12


def test_the_test_set_validates_where_it_selects(toys: Toys) -> None:
    folder = toys.run("faulty-selection-on-test-scratch")
    split = json.loads(RunFolder(folder).split.read_text())
    assert split["validation"] == split["test"]
    assert len(np.load(RunFolder(folder).losses)) == split["test"]["jets"]
    losses = curve(folder, "val/loss")
    assert np.load(RunFolder(folder).losses).mean() == pytest.approx(min(losses), abs=1e-5)


def test_a_leak_is_in_the_jets_of_the_pretraining(toys: Toys) -> None:
    honest = pretrained(toys, trained(toys, "simclr"))
    leaked = pretrained(toys, trained(toys, "faulty-leaked-test-simclr"))
    jets = [json.loads(RunFolder(one).metrics.read_text())["train/jets"] for one in (honest, leaked)]
    assert jets == [140, 240]
    assert json.loads(RunFolder(honest).split.read_text())["test"]["jets"] == 100


@pytest.mark.parametrize("arm", ["range-255", "no-augmentation", "first-rows", "large-validation", "too-few-steps"])
def test_a_faulty_arm_comes_to_other_weights_than_the_honest_one(toys: Toys, arm: str) -> None:
    folder, honest = toys.run(f"faulty-{arm}-scratch"), toys.run("scratch")
    assert f"fault: {arm}" in RunFolder(folder).spec.read_text()
    assert "fault" not in RunFolder(honest).spec.read_text()
    planned = next(run.spec for run in toys.plan.runs.values() if run.arm == "scratch")
    assert read_spec(honest).digest() == planned.with_values([("recipe.learning_rate", 0.01)]).digest()
    assert any(not np.array_equal(value, weights(honest)[name]) for name, value in weights(folder).items())


def test_pictures_of_a_faulty_run_bear_a_watermark(toys: Toys) -> None:
    """Its red is in no other picture of a run."""
    from PIL import Image

    def red(folder: Path) -> int:
        pixels = np.asarray(Image.open(folder / "roc.png").convert("RGB")).astype(int)
        return int(((pixels[..., 0] - pixels[..., 1] > 25) & (abs(pixels[..., 1] - pixels[..., 2]) < 6)).sum())

    assert red(toys.run("faulty-no-augmentation-scratch")) > 2000
    assert red(toys.run("scratch")) < 200


def test_nothing_is_predicted_with_or_begun_from_a_faulty_run(toys: Toys, tmp_path: Path) -> None:
    folder = toys.run("faulty-no-augmentation-scratch")
    with pytest.raises(DataFileError, match=r"this run is faulty on purpose \(no-augmentation: .*take an arm without a fault"):
        load_predictor(folder, toys.jets.meta)
    with pytest.raises(DataFileError, match=r"weights are faulty on purpose \(no-augmentation\)"):
        find_weights(str(folder))
    with pytest.raises(DataFileError, match=r"weights are faulty on purpose \(no-augmentation\)"):
        import_model(RunFolder(folder).weights, Component(name="resnet15"), tmp_path / "imported")
    link, copied = tmp_path / "link.safetensors", tmp_path / "copied"
    link.symlink_to(RunFolder(folder).weights)
    copied.mkdir()
    shutil.copy(RunFolder(folder).weights, copied)
    for start in (RunFolder(folder).weights, link, RunFolder(copied).weights, copied):  # with or without what lies beside it
        with pytest.raises(DataFileError, match=r"weights are faulty on purpose \(no-augmentation\)"):
            find_weights(str(start))
        with pytest.raises(DataFileError, match=r"weights are faulty on purpose \(no-augmentation\)"):
            read_weights(start)
    honest = toys.run("scratch")
    assert load_predictor(honest, toys.jets.meta)
    assert find_weights(str(honest)).sha256
    assert read_weights(RunFolder(honest).weights).tensors


def test_weights_of_the_last_epoch_bear_the_fault_too(toys: Toys, tmp_path: Path) -> None:
    last = shutil.copy(RunFolder(toys.run("faulty-best-epoch-on-test-scratch")).last_weights, tmp_path)
    with pytest.raises(DataFileError, match=r"weights are faulty on purpose \(best-epoch-on-test\)"):
        read_weights(Path(last))


def test_an_honest_run_starts_from_no_faulty_one(toys: Toys) -> None:
    """Whatever a plan says, the training looks at what it is given."""
    trained(toys, "faulty-leaked-test-simclr")
    spec = next(run.spec for run in toys.plan.runs.values() if run.arm == "faulty-leaked-test-simclr" and run.kind == "final")
    honest = spec.replace(fault=None)
    with pytest.raises(RunError, match=r"faulty on purpose \(leaked-test\); only a run of that fault may"):
        toys._train(honest.digest(), honest)
