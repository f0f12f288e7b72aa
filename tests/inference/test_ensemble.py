"""The seeds of an arm predict together as their scores say, whatever the jets come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jetbench.errors import DataFileError, RunError
from jetbench.evaluation.artifacts import read_scores
from jetbench.inference import Ensemble, load_predictor
from jetbench.inference.predictor import FittedPredictor
from jetbench.inference.sources import find_source
from jetbench.jets import selection
from jetbench.statistics.delong import auc

Make = Callable[..., Any]
REGRESSION = "task={name: regression, options: {target: gen_sdmass}}"


def test_one_member_says_what_it_says_and_several_the_mean_of_their_logits(toys_of: Make) -> None:
    toys = toys_of()
    jets = toys.jets[:50]
    each = np.stack([toys.predictor("boosted-trees", seed).predict(jets) for seed in (0, 1)])
    np.testing.assert_array_equal(toys.ensemble("boosted-trees", 0).predict(jets), each[0])
    logit = np.log(each / (1 - each)).mean(axis=0)
    np.testing.assert_allclose(toys.ensemble("boosted-trees", 0, 1).predict(jets), 1 / (1 + np.exp(-logit)), rtol=1e-9)


def test_it_shows_itself_in_a_line(toys_of: Make) -> None:
    ensemble = toys_of().ensemble("boosted-trees", 0, 1)
    assert repr(ensemble) == "<Ensemble boosted-trees: 2 runs of boosted-trees, view observables, classes qcd, top>"
    member = ensemble.members["s0"]
    assert repr(member) == f"<FittedPredictor boosted-trees, view observables, of {member.folder}>"


def test_numbers_are_averaged_as_they_are(toys_of: Make) -> None:
    toys = toys_of(2, REGRESSION)
    jets = toys.jets[:50]
    each = np.stack([toys.predictor("boosted-trees", seed).predict(jets) for seed in (0, 1)])
    np.testing.assert_allclose(toys.ensemble("boosted-trees", 0, 1).predict(jets), each.mean(axis=0), rtol=1e-12)


def test_many_classes_have_a_column_each(toys_of: Make) -> None:
    toys = toys_of(4)
    found = toys.ensemble("boosted-trees", 0, 1).predict(toys.jets)
    assert found.shape == (240, 4)
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_a_path_is_predicted_as_its_jets_and_block_by_block(toys_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    toys = toys_of()
    for arm in ("scratch", "boosted-trees"):
        ensemble = toys.ensemble(arm, 0, 1)
        whole = ensemble.predict(toys.jets.read())
        with monkeypatch.context() as patch:
            patch.setattr(selection, "BLOCK_JETS", 7)
            np.testing.assert_allclose(ensemble.predict(toys.folder / "jets.h5"), whole, rtol=1e-4)


def test_a_table_is_computed_once_for_all_members(toys_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    toys = toys_of()
    ensemble, looked = toys.ensemble("boosted-trees", 0, 1), []
    table = FittedPredictor.table
    monkeypatch.setattr(FittedPredictor, "table", lambda self, jets: looked.append(len(jets)) or table(self, jets))
    ensemble.predict(toys.jets[:30])
    assert looked == [30]


def test_the_metric_on_the_test_jets_is_that_of_the_stored_scores(toys_of: Make) -> None:
    toys = toys_of()
    _, labels, scores = read_scores(toys.run("boosted-trees") / "scores.h5")
    assert toys.ensemble("boosted-trees", 0).tested()["auc"] == auc(labels, scores)
    assert toys.ensemble("boosted-trees", 0, 1).tested()["auc"] > 0.9


def test_what_a_member_refuses_is_refused_before_a_jet_is_read(toys_of: Make) -> None:
    toys = toys_of()
    pretrained = load_predictor(toys.run("simclr", "pretrain"), toys.jets.meta)
    with pytest.raises(RunError, match="predicts nothing"):
        Ensemble("both", {"a": toys.predictor("scratch"), "b": pretrained}, toys.jets.meta).predict(toys.jets)
    source = find_source(toys.jets)
    other = toys.jets.meta.replace(isotropic=False)
    with pytest.raises(DataFileError, match="isotropic False against True"):
        next(toys.ensemble("scratch", 0).stream(type(source)("x", other, 1, "", source.parts)))
