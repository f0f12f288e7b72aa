"""Labels and weights of cards: every way to say them means the same for constituents and for images."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from formats import files

from jetbench.errors import DataFileError
from jetbench.formats.conversion import Request, convert
from jetbench.jets import Jets, open_jets

N = 30
JETS = files.particles(N, seed=4)
LABEL = np.arange(N) % 3
FEATURES = np.column_stack([np.linspace(0, 1, N), np.eye(3)[LABEL], LABEL, np.array([7, -1, 2])[LABEL]])
WEIGHTS = np.linspace(0, 2, N)
HEADS = {
    "constituents": 'kind: constituents\nlayout: padded\nmomentum: {pt: "x:0", eta: "x:1", phi: "x:2"}\n',
    "images": "kind: images\nimages: img\nlayout: NHW\neta_extent: 0.8\nphi_extent: 0.8\nchannels: [{name: e, unit: GeV}]\n",
}
CARD = "source: private\nformat: hdf5\nclass_names: [a, b, c]\n"
ARRAYS = {
    "x": JETS.padded(np.column_stack([JETS.pt, JETS.eta, JETS.phi]), 12),
    "img": np.random.default_rng(0).exponential(size=(N, 5, 5)).astype(np.float32),
    "jets": FEATURES,
    "y": LABEL,
    "column": LABEL[:, None],
    "hot": np.eye(3)[LABEL],
    "w": WEIGHTS,
    "empty": np.zeros((N, 3)),
}

LABELS = {
    "a column of numbers": "label: y",
    "a column (N, 1)": "label: column",
    "a column of an array": 'label: "jets:4"',
    "one-hot rows": "label: hot",
    "a place for each class": 'label: ["jets:1", "jets:2", "jets:3"]',
    "numbers for the classes": 'label: "jets:5"\nlabel_values: [7, -1, 2]',
}


def converted(folder: Path, card: str, **changes: np.ndarray) -> Jets:
    with h5py.File(folder / "in.h5", "w") as file:
        for name, array in (ARRAYS | changes).items():
            file[name] = array
    (folder / "card.yaml").write_text(card)
    convert(folder / "in.h5", folder / "out.h5", Request(card=folder / "card.yaml"))
    return open_jets(folder / "out.h5").read()


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("way", LABELS)
def test_labels_of_every_kind_of_card(kind: str, way: str, tmp_path: Path) -> None:
    jets = converted(tmp_path, HEADS[kind] + CARD + LABELS[way] + "\n")
    assert jets.targets["label"].tolist() == LABEL.tolist()
    assert jets.meta.class_names == ("a", "b", "c")


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("place", ["w", '"jets:0"'])
def test_weights_are_a_target(kind: str, place: str, tmp_path: Path) -> None:
    jets = converted(tmp_path, HEADS[kind] + CARD + f"label: y\nweights: {place}\n")
    expected = WEIGHTS if place == "w" else FEATURES[:, 0]
    assert jets.targets["weight"].dtype == np.float32
    np.testing.assert_allclose(jets.targets["weight"], expected, rtol=1e-6)


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('label: "jets:9"', "'jets:9' does not fit 'jets' of shape"),
        ("label: jets", "the label has 6 columns, and the card names 3 classes"),
        ("label: [y, hot, y]", "'hot' does not fit 'hot' of shape .*one number per jet"),
        ("label: empty", "jet 0 is not of exactly one class by the columns of its label"),
        ('label: "jets:5"', "jet 0 has the label 7.0 where labels are 0 … 2"),
        ("label: y\nweights: hot", "'hot' does not fit 'hot' of shape .* one number per jet belongs"),
        ("label: y\nweights: bad", "jet 3 has a weight in 'bad' that is NaN, infinite or negative"),
        ("label: y\nweights: huge", "jet 5 has a weight in 'huge' that is NaN, infinite or negative"),
        ("label: y\ntargets: {weight: w}", "'weight' is no name for a target.* the keys label and weights"),
        ("label: y\ntargets: {truth: hot}", "'hot' does not fit"),
    ],
)
def test_what_is_none_is_one_error(kind: str, said: str, told: str, tmp_path: Path) -> None:
    bad, huge = (np.where(np.arange(N) == row, value, 1.0) for row, value in ((3, -1e-9), (5, 1e300)))
    with pytest.raises(DataFileError, match=told):
        converted(tmp_path, HEADS[kind] + CARD + said + "\n", bad=bad, huge=huge)
