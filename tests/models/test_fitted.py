from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from jetbench.errors import DataFileError
from jetbench.models import models
from jetbench.models.fitted import BoostedTrees, MassCut
from jetbench.statistics.delong import auc

NAMES = ("noise", "mass", "width")


@pytest.fixture
def sample() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.arange(600) % 2
    table = rng.normal(size=(600, 3))
    table[:, 1] = 80 + 90 * labels + rng.normal(0, 40, 600)
    return table.astype(np.float32), labels


FITTED = [entry.name for entry in models if entry.kind == "fitted"]


@pytest.fixture
def five_classes() -> tuple[np.ndarray, np.ndarray]:
    """Five masses, the heaviest class half as frequent as the others."""
    rng = np.random.default_rng(1)
    labels = rng.permutation(np.repeat(np.arange(5), [200, 200, 200, 200, 100]))
    table = rng.normal(size=(900, 3))
    table[:, 1] = np.array([40, 80, 91, 125, 173])[labels] + rng.normal(0, 6, 900)
    return table.astype(np.float32), labels


@pytest.mark.parametrize("name", FITTED)
def test_more_classes_have_probabilities(name: str, five_classes: tuple, tmp_path: Path) -> None:
    table, labels = five_classes
    model = models[name].load()()
    model.fit(table[:600], NAMES, labels[:600], 1, 0.1)
    model.save(tmp_path)
    scores = model.predict(table[600:])
    assert scores.shape == (300, 5)
    assert scores.min() > 0
    assert scores.sum(axis=1) == pytest.approx(np.ones(300))
    assert np.array_equal(models[name].load().load(tmp_path).predict(table[600:]), scores)
    assert auc(labels[600:], scores) == (0.5 if name == "class-prior" else pytest.approx(0.97, abs=0.02))


def test_the_mass_alone_gives_the_shares_of_its_bin(five_classes: tuple) -> None:
    table, labels = five_classes
    model = MassCut()
    model.fit(table, NAMES, labels, 0, 0.0)
    edges = np.array(model.state["edges"])
    assert len(edges) + 1 == round(2 * 900 ** (1 / 3)) == 19
    inside = (table[:, 1] >= edges[3]) & (table[:, 1] < edges[4])
    expected = (np.bincount(labels[inside], minlength=5) + np.array([2, 2, 2, 2, 1]) / 9) / (inside.sum() + 1)
    assert model.predict(table[inside])[0] == pytest.approx(expected)
    assert abs(inside.sum() - 900 / 19) < 2


@pytest.mark.parametrize("name", FITTED)
def test_a_fitted_model_scores_alike_after_storage(name: str, sample: tuple, tmp_path: Path) -> None:
    table, labels = sample
    model = models[name].load()()
    model.fit(table[:400], NAMES, labels[:400], 1, 0.1)
    model.save(tmp_path)
    scores = model.predict(table[400:])
    assert scores.shape == (200,)
    assert 0 <= scores.min() <= scores.max() <= 1
    assert np.array_equal(models[name].load().load(tmp_path).predict(table[400:]), scores)


def test_the_mass_cut_is_the_best_cut_on_the_labels(sample: tuple) -> None:
    table, labels = sample
    model = MassCut()
    model.fit(table, NAMES, labels, 0, 0.0)
    mass = table[:, 1]
    best = max(np.mean((mass > cut) == labels) for cut in np.linspace(mass.min() - 1, mass.max() + 1, 4000))
    assert np.mean((model.predict(table) > 0.5) == labels) == pytest.approx(best, abs=2e-3)
    assert auc(labels, model.predict(table)) == pytest.approx(auc(labels, mass), abs=1e-9)


def test_trees_learn_from_few_labels(sample: tuple) -> None:
    table, labels = sample
    model = BoostedTrees()
    model.fit(table[:80], NAMES, labels[:80], 1, 0.1)
    assert auc(labels[80:], model.predict(table[80:])) > 0.85


def test_trees_regress_what_is_no_label(sample: tuple, tmp_path: Path) -> None:
    """Floats are regressed, in their own unit."""
    table, _ = sample
    model, target = BoostedTrees(), 2 * table[:, 1] + 5
    model.fit(table[:400], NAMES, target[:400], 1, 0.1)
    model.save(tmp_path)
    found = model.predict(table[400:])
    assert (found.shape, found.dtype) == ((200,), np.float64)
    assert np.abs(found - target[400:]).mean() < 0.1 * target.std()
    assert np.array_equal(BoostedTrees.load(tmp_path).predict(table[400:]), found)


def test_a_file_with_other_types_is_not_loaded(tmp_path: Path) -> None:
    import skops.io

    skops.io.dump({"model": np.random.default_rng}, tmp_path / BoostedTrees.FILE)
    with pytest.raises(DataFileError, match="types that trees do not need"):
        BoostedTrees.load(tmp_path)


def test_a_cut_finds_out_which_class_is_heavy(sample: tuple) -> None:
    table, labels = sample
    heavy, light = MassCut(), MassCut()
    heavy.fit(table, NAMES, labels, 0, 0.0)
    light.fit(table, NAMES, 1 - labels, 0, 0.0)
    assert light.state["width"] == -heavy.state["width"] < 0
    assert auc(1 - labels, light.predict(table)) == pytest.approx(auc(labels, heavy.predict(table)))
