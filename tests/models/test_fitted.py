from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from extras import installed

from jetbench.errors import DataFileError
from jetbench.models import ModelEntry, models
from jetbench.models.fitted import BoostedTrees, FittedModel
from jetbench.statistics.delong import auc

NAMES = ("noise", "mass", "width")


@pytest.fixture
def sample() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.arange(600) % 2
    table = rng.normal(size=(600, 3))
    table[:, 1] = 80 + 90 * labels + rng.normal(0, 40, 600)
    return table.astype(np.float32), labels


FITTED = [entry for entry in models if entry.kind == "fitted" and entry.tasks != ("regression",)]
OF_MANY = [entry for entry in FITTED if not entry.signal]
TREES = [models["boosted-trees"], models["lightgbm"]]


@pytest.mark.parametrize("entry", installed(TREES))
def test_trees_learn_from_few_labels(entry: ModelEntry, sample: tuple) -> None:
    table, labels = sample
    model = entry.load()()
    model.fit(table[:80], NAMES, labels[:80], 1, 0.1)
    assert auc(labels[80:], model.predict(table[80:])) > 0.85


@pytest.mark.parametrize("entry", installed(TREES))
def test_trees_regress_what_is_no_label(entry: ModelEntry, sample: tuple, tmp_path: Path) -> None:
    """Floats are regressed, in their own unit."""
    table, _ = sample
    model, target = entry.load()(), 2 * table[:, 1] + 5
    model.fit(table[:400], NAMES, target[:400], 1, 0.1)
    model.save(tmp_path)
    found = model.predict(table[400:])
    assert (found.shape, found.dtype) == ((200,), np.float64)
    assert np.abs(found - target[400:]).mean() < 0.1 * target.std()
    assert np.array_equal(entry.load().load(tmp_path).predict(table[400:]), found)


@pytest.mark.parametrize("entry", installed(TREES))
def test_the_same_jets_give_the_same_trees(entry: ModelEntry, sample: tuple) -> None:
    table, labels = sample
    scores = []
    for _ in range(2):
        model = entry.load()(trees=20, max_leaf_nodes=7, min_samples_leaf=20, l2=5.0)
        model.fit(table[:400], NAMES, labels[:400], 1, 0.1)
        scores.append(model.predict(table[400:]))
    assert np.array_equal(*scores)
    other = entry.load()(trees=20)
    other.fit(table[:400], NAMES, labels[:400], 1, 0.1)
    assert not np.array_equal(other.predict(table[400:]), scores[0])


@pytest.fixture
def lightgbm_trees(sample: tuple) -> FittedModel:
    """Trees of LightGBM, fitted in this process, which has no limit on its threads."""
    pytest.importorskip("lightgbm", reason="pip install 'jetbench[lightgbm]' installs it")
    table, labels = sample
    model = models["lightgbm"].load()()
    model.fit(table[:400], NAMES, labels[:400], 1, 0.1)
    return model


def test_lightgbm_has_one_thread(lightgbm_trees: FittedModel, sample: tuple) -> None:
    table, labels = sample
    threads = len(list(Path("/proc/self/task").iterdir()))
    lightgbm_trees.fit(table[:400], NAMES, labels[:400], 1, 0.1)
    lightgbm_trees.predict(table)
    assert len(list(Path("/proc/self/task").iterdir())) == threads


def test_lightgbm_is_stored_as_text_and_half_of_it_is_refused(lightgbm_trees: FittedModel, tmp_path: Path) -> None:
    """The library itself would end the process at the first tree that is cut off."""
    lightgbm_trees.save(tmp_path)
    text = (tmp_path / "model.txt").read_text()
    assert text.startswith("tree\nversion=")
    for part in ("", text[: len(text) // 2], "hello"):
        (tmp_path / "model.txt").write_text(part)
        with pytest.raises(DataFileError, match=r"model\.txt: not a whole model of LightGBM"):
            models["lightgbm"].load().load(tmp_path)


def test_a_file_with_other_types_is_not_loaded(tmp_path: Path) -> None:
    import skops.io

    skops.io.dump({"model": np.random.default_rng}, tmp_path / BoostedTrees.FILE)
    with pytest.raises(DataFileError, match="types that trees do not need"):
        BoostedTrees.load(tmp_path)


@pytest.mark.parametrize("entry", installed(TREES))
def test_trees_learn_what_has_weight(entry: ModelEntry, sample: tuple) -> None:
    """Half of the jets have a wrong label and next to no weight."""
    table, labels = sample
    wrong = np.arange(600) % 4 < 2
    told = np.where(wrong, 1 - labels, labels)
    areas = []
    for weight in (None, np.where(wrong, 0.001, 1.999)):
        model = entry.load()()
        model.fit(table, NAMES, told, 1, 0.1, weight)
        areas.append(auc(labels, model.predict(table)))
    assert areas[1] > 0.9 > areas[0] + 0.1
