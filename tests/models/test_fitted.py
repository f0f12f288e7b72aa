from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from jetbench.errors import DataFileError
from jetbench.models import models
from jetbench.models.fitted import BoostedTrees
from jetbench.statistics.delong import auc

NAMES = ("noise", "mass", "width")


@pytest.fixture
def sample() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.arange(600) % 2
    table = rng.normal(size=(600, 3))
    table[:, 1] = 80 + 90 * labels + rng.normal(0, 40, 600)
    return table.astype(np.float32), labels


FITTED = [entry.name for entry in models if entry.kind == "fitted" and entry.tasks != ("regression",)]
OF_MANY = [name for name in FITTED if not models[name].signal]


@pytest.fixture
def five_classes() -> tuple[np.ndarray, np.ndarray]:
    """Five masses, the heaviest class half as frequent as the others."""
    rng = np.random.default_rng(1)
    labels = rng.permutation(np.repeat(np.arange(5), [200, 200, 200, 200, 100]))
    table = rng.normal(size=(900, 3))
    table[:, 1] = np.array([40, 80, 91, 125, 173])[labels] + rng.normal(0, 6, 900)
    return table.astype(np.float32), labels


@pytest.mark.parametrize("name", OF_MANY)
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
    assert auc(labels[600:], scores) == (0.5 if name == "class-prior" else pytest.approx(0.97, abs=0.025))


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
