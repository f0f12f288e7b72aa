import json
import subprocess
import sys

import h5py
import numpy as np
import pytest

from jetbench.errors import DataFileError, RunError
from jetbench.evaluation.artifacts import read_scores, write_evaluation, write_scores
from jetbench.evaluation.classification import evaluate_binary
from jetbench.seeds import numpy_rng

FILES = ["confusion.json", "confusion.png", "roc.json", "roc.png", "scores.h5"]


def sample(jets=500):
    rng = numpy_rng("test-artifacts")
    labels = rng.integers(0, 2, jets)
    return labels, rng.beta(2 + labels, 3 - labels), rng.permutation(10**6)[:jets]


def test_the_scores_file_gives_back_every_number(tmp_path):
    labels, scores, indices = sample()
    metrics, _ = write_evaluation(tmp_path / "run", labels, scores, indices, ("QCD", "top"))
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == FILES
    read_indices, read_labels, read_values = read_scores(tmp_path / "run" / "scores.h5")
    np.testing.assert_array_equal(read_indices, indices)
    np.testing.assert_array_equal(read_labels, labels)
    np.testing.assert_array_equal(read_values, scores.astype(np.float64))
    assert metrics == {f"test/{name}": value for name, value in evaluate_binary(read_labels, read_values).items()}


def test_json_beside_the_pictures(tmp_path):
    labels, scores, indices = sample()
    metrics, _ = write_evaluation(tmp_path, labels, scores, indices, ("QCD", "top"))
    curve = json.loads((tmp_path / "roc.json").read_text())
    assert curve["auc"] == metrics["test/auc"]
    assert np.trapezoid(curve["signal_efficiency"], curve["background_efficiency"]) == pytest.approx(curve["auc"], abs=2e-3)
    assert curve["background_total"] == np.count_nonzero(labels == 0)
    table = json.loads((tmp_path / "confusion.json").read_text())
    assert np.sum(table["counts"]) == 500
    assert np.trace(table["counts"]) / 500 == pytest.approx(metrics["test/accuracy"])


def test_same_evaluation_same_bytes(tmp_path):
    labels, scores, indices = sample()
    for name in ("a", "b"):
        write_evaluation(tmp_path / name, labels, scores, indices, ("QCD", "top"))
    for name in FILES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_what_cannot_be_evaluated_writes_nothing(tmp_path):
    labels, scores, indices = sample()
    with pytest.raises(RunError, match="not finite"):
        write_evaluation(tmp_path / "run", labels, np.where(labels == 1, np.nan, scores), indices, ("QCD", "top"))
    with pytest.raises(RunError, match="500 jets of 3 classes"):
        write_evaluation(tmp_path / "run", labels, scores, indices, ("QCD", "W", "top"))
    assert not (tmp_path / "run").exists()


def test_columns_of_different_length_are_refused(tmp_path):
    labels, scores, indices = sample()
    with pytest.raises(RunError, match="different shapes"):
        write_scores(tmp_path / "scores.h5", indices[:-1], labels, scores)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataFileError, match="no such file"):
        read_scores(tmp_path / "scores.h5")


@pytest.mark.parametrize("cut", [0, 100, 2000, -1000])
def test_a_truncated_file_is_damaged(tmp_path, cut):
    labels, scores, indices = sample()
    path = tmp_path / "scores.h5"
    write_scores(path, indices, labels, scores)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataFileError, match=r"scores\.h5: damaged"):
        read_scores(path)


def test_a_flipped_bit_is_found(tmp_path):
    labels, scores, indices = sample()
    path = tmp_path / "scores.h5"
    write_scores(path, indices, labels, scores)
    content = bytearray(path.read_bytes())
    place = content.find(scores.astype(np.float64).tobytes())
    assert place > 0
    content[place + 40] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(DataFileError, match="damaged"):
        read_scores(path)


def test_another_format_and_unequal_columns_are_refused(tmp_path):
    path = tmp_path / "scores.h5"
    with h5py.File(path, "w") as file:
        file["index"] = [1, 2]
    with pytest.raises(DataFileError, match="format version"):
        read_scores(path)
    labels, scores, indices = sample()
    write_scores(path, indices, labels, scores)
    with h5py.File(path, "r+") as file:
        del file["label"]
    with pytest.raises(DataFileError, match="damaged"):
        read_scores(path)
    with h5py.File(path, "r+") as file:
        file["label"] = labels[:-1].astype(np.int8)
    with pytest.raises(DataFileError, match="damaged"):
        read_scores(path)


def test_scores_near_one_are_not_tied(tmp_path):
    labels, scores = np.array([0, 0, 1, 1]), np.array([1 - 2e-12, 0.1, 1 - 1e-12, 0.9])
    metrics, _ = write_evaluation(tmp_path, labels, scores, np.arange(4), ("QCD", "top"))
    assert metrics["test/auc"] == 0.75
    assert np.array_equal(read_scores(tmp_path / "scores.h5")[2], scores)


def test_importing_the_rooms_loads_no_plotting():
    heavy = "('matplotlib', 'scipy.stats', 'torch')"
    code = f"import sys, jetbench.evaluation.artifacts; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
