"""The file of predictions: a run's layout, what made it, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from jetbench.errors import DataFileError, StoreError
from jetbench.evaluation.artifacts import read_scores
from jetbench.inference import output
from jetbench.inference.output import judged, write_predictions
from jetbench.inference.sources import find_source
from jetbench.jets import Jets, selection
from jetbench.jets.disk import Disk
from jetbench.statistics.delong import auc

Make = Callable[..., Any]
REGRESSION = "task={name: regression, options: {target: gen_sdmass}}"


@pytest.fixture(autouse=True)
def in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "BLOCK_JETS", 37)


def test_the_columns_are_those_of_a_run_with_each_member_beside_them(toys_of: Make, tmp_path: Path) -> None:
    toys, path, told = toys_of(), tmp_path / "scores.h5", []
    ensemble = toys.ensemble("boosted-trees", 0, 1)
    write_predictions(ensemble, find_source(toys.jets), path, lambda done, total: told.append((done, total)))
    index, labels, scores = read_scores(path)
    assert index.tolist() == list(range(240))
    np.testing.assert_array_equal(labels, toys.jets.targets["label"][:])
    np.testing.assert_array_equal(scores, ensemble.predict(toys.jets))
    assert told[0] == (37, 240)
    assert told[-1] == (240, 240)
    with h5py.File(path) as file:
        assert set(file) == {"index", "label", "score", "score_1", "score_2"}
        np.testing.assert_array_equal(file["score_2"][:], toys.predictor("boosted-trees", 1).predict(toys.jets))
        keys = {f"s{i}": json.loads((toys.run("boosted-trees", seed=i) / "done.json").read_text())["key"] for i in (0, 1)}
        assert json.loads(file.attrs["runs"]) == keys
        assert json.loads(file.attrs["class_names"]) == ["qcd", "top"]
        assert (file.attrs["dataset_digest"], file.attrs["mean_of"]) == (toys.jets.digest, "logits")
    assert judged(ensemble, path, toys.jets.meta).metrics["auc"] == auc(labels, scores)


def test_few_jets_make_a_small_file(toys_of: Make, tmp_path: Path) -> None:
    """A chunk takes its whole space: of 16 384 rows in each of five columns that were 558 kB for ten jets."""
    toys, path = toys_of(), tmp_path / "ten.h5"
    write_predictions(toys.ensemble("boosted-trees", 0, 1), find_source(toys.jets[:10]), path)
    assert path.stat().st_size < 20_000
    assert len(read_scores(path)[0]) == 10


def test_a_folder_that_is_not_there_is_named_and_not_made(toys_of: Make, tmp_path: Path) -> None:
    toys = toys_of()
    with pytest.raises(StoreError, match=r"there is no folder \S+/new; make it, or name another output"):
        write_predictions(toys.ensemble("boosted-trees", 0), find_source(toys.jets), tmp_path / "new" / "scores.h5")
    assert not (tmp_path / "new").exists()


def test_a_file_tells_what_labels_stand_behind_it(toys_of: Make, tmp_path: Path) -> None:
    """Those of a pretraining on the pool with its labels too, as long as it is there."""
    arm = "arms.ceiling={model: deep-sets, regime: supervised-pretrained}"
    recipe = "recipes.supervised-pretraining={base: supervised-small, passes: 32, epochs: 1}"
    toys = toys_of(2, "tuning=null", "varies=[model, regime, recipe]", arm, recipe)
    before = [toys.run(name, "pretrain") for name in ("ceiling", "simclr")]

    def told(name: str, path: Path) -> object:
        write_predictions(toys.ensemble(name, 0), find_source(toys.jets), path)
        with h5py.File(path) as file:
            (found,) = json.loads(file.attrs["trained_on"]).values()
        assert (found["dataset_digest"], found["test_jets"]) == (toys.jets.digest, 100)
        return found["told"]

    assert [told(name, tmp_path / f"{name}.h5") for name in ("sets", "simclr", "ceiling")] == [[60], [60], ["pool", 60]]
    before[0].rename(before[0].with_name("gone"))
    assert told("ceiling", tmp_path / "gone.h5") == ["unknown", 60]


def test_many_classes_and_numbers_have_the_columns_of_their_runs(toys_of: Make, tmp_path: Path) -> None:
    toys = toys_of(4)
    write_predictions(toys.ensemble("boosted-trees", 0), find_source(toys.jets), tmp_path / "four.h5")
    assert read_scores(tmp_path / "four.h5")[2].shape == (240, 4)
    toys = toys_of(2, REGRESSION)
    ensemble = toys.ensemble("boosted-trees", 0)
    write_predictions(ensemble, find_source(toys.jets), tmp_path / "mass.h5")
    _, truth, found = read_scores(tmp_path / "mass.h5")
    np.testing.assert_array_equal(truth.astype(np.float32), toys.jets.targets["gen_sdmass"][:])
    assert judged(ensemble, tmp_path / "mass.h5", toys.jets.meta).metrics["rmse"] == pytest.approx(
        np.sqrt(np.square(truth - found).mean())
    )
    with h5py.File(tmp_path / "mass.h5") as file:
        assert set(file) == {"index", "truth", "prediction"}
        assert file.attrs["mean_of"] == ""


def test_a_truth_that_is_not_told_or_means_something_else_is_not_made_up(toys_of: Make, tmp_path: Path) -> None:
    toys = toys_of()
    ensemble = toys.ensemble("boosted-trees", 0)
    others = toys.jets.meta.replace(class_names=("gluon", "quark"))
    whole = toys.jets.read()
    for jets, reason in (
        (replace(whole, targets={}), "the jets do not tell 'label', which the run predicts"),
        (replace(whole, meta=others), "the jets have the classes gluon, quark, and the run tells qcd, top apart"),
    ):
        path = tmp_path / f"{reason[-5:]}.h5"
        write_predictions(ensemble, find_source(jets), path)
        assert set(read_scores(path)[1]) == {-1}
        assert judged(ensemble, path, jets.meta) == ({}, reason)
    toys = toys_of(2, REGRESSION)
    ensemble = toys.ensemble("boosted-trees", 0)
    write_predictions(ensemble, find_source(replace(toys.jets.read(), targets={})), tmp_path / "mass.h5")
    assert np.isnan(read_scores(tmp_path / "mass.h5")[1]).all()
    reason = "the jets do not tell 'gen_sdmass', which the run predicts"
    assert judged(ensemble, tmp_path / "mass.h5", toys.jets.meta) == ({}, reason)


def test_the_one_reason_is_said_why_there_is_no_metric(toys_of: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toys = toys_of()
    ensemble, whole = toys.ensemble("boosted-trees", 0), toys.jets.read()
    labels = whole.targets["label"].copy()
    labels[:5] = -1
    tops = whole.take(np.flatnonzero(labels == 1))
    for name, jets, reason in (
        ("some", replace(whole, targets={"label": labels}), "5 of 240 jets have no value of 'label', which the run predicts"),
        ("tops", tops, f"the class 'qcd' has 0 of {len(tops)} test jets and needs 2"),
    ):
        write_predictions(ensemble, find_source(jets), tmp_path / f"{name}.h5")
        assert judged(ensemble, tmp_path / f"{name}.h5", jets.meta) == ({}, reason)
    monkeypatch.setattr(output, "JUDGED", 10)
    assert judged(ensemble, tmp_path / "tops.h5", whole.meta).reason == "of more than 10 jets it would take too much memory"


def test_an_output_is_not_replaced_and_none_is_left_by_an_error(toys_of: Make, tmp_path: Path) -> None:
    toys, path = toys_of(), tmp_path / "scores.h5"
    ensemble = toys.ensemble("boosted-trees", 0)
    path.write_text("mine")
    with pytest.raises(StoreError, match="is there already; name another output, or remove it"):
        write_predictions(ensemble, find_source(toys.jets), path)
    assert path.read_text() == "mine"
    wrong = replace(toys.jets.read(), meta=toys.jets.meta.replace(isotropic=False))
    with pytest.raises(DataFileError, match="isotropic"):
        write_predictions(ensemble, find_source(wrong), tmp_path / "other.h5")
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_one_error_and_leaves_nothing(toys_of: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toys = toys_of()

    def full(self: Disk, data: object) -> int:
        self.error = OSError(28, "No space left on device")
        return len(memoryview(data).cast("B"))  # type: ignore[arg-type]

    monkeypatch.setattr(Disk, "write", full)
    with pytest.raises(StoreError, match=r"scores.h5: cannot be written.*No space left on device.*is the disk full"):
        write_predictions(toys.ensemble("boosted-trees", 0), find_source(toys.jets), tmp_path / "scores.h5")
    assert not list(tmp_path.iterdir())


def test_the_error_of_a_model_is_no_full_disk(toys_of: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toys = toys_of()
    ensemble = toys.ensemble("scratch", 0)

    def fail(jets: Jets) -> np.ndarray:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(type(toys.predictor("scratch")), "predict_block", lambda self, jets: fail(jets))
    with pytest.raises(RuntimeError, match="out of memory"):
        write_predictions(ensemble, find_source(toys.jets), tmp_path / "scores.h5")
    assert not list(tmp_path.iterdir())
