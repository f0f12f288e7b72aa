"""Rows that cannot be jets are an error that names the option, or are left out and counted by their cause."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from formats import files

from jetbench.errors import DataFileError
from jetbench.formats import formats, reading
from jetbench.formats.columns import FaultyRowsError
from jetbench.formats.conversion import Request, convert
from jetbench.formats.jetnet import JetNet
from jetbench.formats.reader import Reader
from jetbench.jets import Jets, open_jets

N, WIDTH = 60, 12
JETS = files.particles(N, seed=8)
CARD = """kind: constituents
source: private
format: hdf5
layout: padded
momentum: {pt: "x:0", eta: "x:1", phi: "x:2", energy: "x:3"}
radius: 0.8
label: "y"
weights: w
class_names: [a, b]
targets: {truth: t}
"""
IMAGES = """kind: images
source: private
format: hdf5
images: img
layout: NHW
channels: [{name: energy, unit: GeV, role: pt}]
eta_extent: 0.8
phi_extent: 0.8
label: "y"
weights: w
class_names: [a, b]
"""
CAUSES = {
    "has no constituents": [3],
    "has a momentum or energy that is NaN or infinite": [11, 12],
    "has a constituent of negative energy in 'x:3'": [20],
    "has a label that is none of 0 … 1": [21, 22, 23],
    "has a weight in 'w' that is NaN, infinite or negative": [40, 59],
    "has 'targets/truth' that is NaN, infinite or too large": [41],
}
BAD = sorted(row for rows in CAUSES.values() for row in rows)


def arrays() -> dict[str, np.ndarray]:
    x = JETS.padded(np.column_stack([JETS.pt, JETS.eta, JETS.phi, JETS.pt * np.cosh(JETS.eta)]), WIDTH)
    return {"x": x, "y": np.arange(N) % 2.0, "w": np.linspace(0, 3, N), "t": np.arange(N, dtype=float)}


def broken() -> dict[str, np.ndarray]:
    found = arrays()
    found["x"][3] = 0
    found["x"][11, 0, 1], found["x"][12, 1, 3] = np.nan, np.inf
    found["x"][20, 1, 3] = -1
    found["y"][21:24] = 2, -1, np.nan
    found["w"][[40, 59]] = np.nan, -1e-9
    found["t"][41] = np.inf
    return found


def write(path: Path, content: dict[str, np.ndarray], card: str = CARD) -> Request:
    with h5py.File(path, "w") as file:
        for name, array in content.items():
            file[name] = array
    path.with_suffix(".yaml").write_text(card)
    return Request(card=path.with_suffix(".yaml"), drop="bad")


def in_order(path: Path) -> tuple[Jets, np.ndarray]:
    """The jets of a file by the row of theirs in the source, and these rows."""
    jets = open_jets(path)
    order = np.argsort(jets.event[:])
    return jets.take(order), jets.event[:][order] % 2**32


@pytest.fixture(params=[60, 7, 1], ids=lambda rows: f"blocks-of-{rows}")
def blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Blocks of so many rows: of one row, blocks without a jet."""
    look = reading.look
    monkeypatch.setattr(
        "jetbench.formats.files.look", lambda sources: [replace(one, block=request.param) for one in look(sources)]
    )
    return int(request.param)


def test_what_is_left_are_the_good_rows_and_the_others_are_counted_by_cause(tmp_path: Path, blocks: int) -> None:
    done = convert(tmp_path / "in.h5", tmp_path / "out.h5", write(tmp_path / "in.h5", broken()))
    assert done.jets == N - len(BAD)
    jets, rows = in_order(tmp_path / "out.h5")
    assert rows.tolist() == [row for row in range(N) if row not in BAD]
    assert dict(jets.meta.provenance.dropped) == {cause: len(which) for cause, which in CAUSES.items()}
    assert {text for text in done.remarks if "left out" in text} == {
        f"{len(which)} of {N} rows {'is left out, which' if len(which) == 1 else 'are left out, each of which'} {cause}"
        for cause, which in CAUSES.items()
    }
    good = np.repeat(~np.isin(np.arange(N), BAD), JETS.counts)
    np.testing.assert_allclose(jets.values[:, 0], JETS.pt[good], rtol=1e-6)
    np.testing.assert_allclose(jets.targets["truth"][:], rows)
    np.testing.assert_allclose(jets.targets["weight"][:], np.linspace(0, 3, N)[rows], rtol=1e-6)
    assert jets.targets["label"][:].tolist() == [row % 2 for row in rows]


def test_without_the_option_the_error_names_row_and_option(tmp_path: Path) -> None:
    request = write(tmp_path / "in.h5", broken()).replace(drop=None)
    with pytest.raises(DataFileError, match=r"in\.h5: jet 21 has the label 2\.0 .*`jetbench data convert --drop bad` leaves"):
        convert(tmp_path / "in.h5", tmp_path / "out.h5", request)


def test_parts_and_resumed_conversions_leave_out_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look = reading.look
    monkeypatch.setattr("jetbench.formats.files.look", lambda some: [replace(one, block=5) for one in look(some)])
    request = write(tmp_path / "in.h5", broken())
    whole = convert(tmp_path / "in.h5", tmp_path / "out.h5", request)
    for i in (1, 2, 3):
        convert(tmp_path / "in.h5", tmp_path / f"part-{i}.h5", request.replace(part=(i, 3)))
    joined = open_jets(tmp_path / "part-*.h5")
    assert sorted(joined.event[:]) == sorted(open_jets(tmp_path / "out.h5").event[:])
    assert sum(rows for _, rows in joined.meta.provenance.dropped) == len(BAD)

    def stop(what: str, done: int, total: int) -> None:
        if what == "reading jets" and done >= 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(tmp_path / "in.h5", tmp_path / "again.h5", request, stop)
    told: list[tuple[str, int, int]] = []
    again = convert(tmp_path / "in.h5", tmp_path / "again.h5", request, lambda *said: told.append(said))
    assert again == whole
    assert next(done for what, done, _ in told if what == "reading jets") == 35, "or nothing was resumed"


def test_empty_images_and_bad_pixels(tmp_path: Path, blocks: int) -> None:
    img = np.random.default_rng(0).exponential(size=(N, 6, 6))
    img[3], img[4, 2, 2], img[5, 1, 1] = 0, np.nan, -1
    content = {"img": img.astype(np.float32), "y": np.arange(N) % 2, "w": np.ones(N)}
    done = convert(tmp_path / "in.h5", tmp_path / "out.h5", write(tmp_path / "in.h5", content, IMAGES))
    jets, rows = in_order(tmp_path / "out.h5")
    assert done.jets == N - 3
    assert sorted(set(range(N)) - set(rows)) == [3, 4, 5]
    np.testing.assert_array_equal(jets.values[:, 0], content["img"][rows].ravel())
    assert len(jets.meta.provenance.dropped) == 3


def test_a_number_that_is_rounded_is_no_bad_row(tmp_path: Path) -> None:
    content = {"img": np.full((N, 2, 2), 0.1), "y": np.arange(N) % 2, "w": np.ones(N)}
    content["img"][2] = 0
    with pytest.raises(DataFileError, match=r"jet 0 has numbers in 'img' that float32 does not hold; .*`cast: true`"):
        convert(tmp_path / "in.h5", tmp_path / "out.h5", write(tmp_path / "in.h5", content, IMAGES))


def test_row_numbers_are_those_of_the_file_where_others_were_left_out(tmp_path: Path) -> None:
    content = {"img": np.full((N, 2, 2), 0.5), "y": np.arange(N) % 2, "w": np.ones(N)}
    content["y"][:4], content["img"][9] = 7, 0.1
    with pytest.raises(DataFileError, match="jet 9 has numbers in 'img' that float32"):
        convert(tmp_path / "in.h5", tmp_path / "out.h5", write(tmp_path / "in.h5", content, IMAGES))


@pytest.mark.parametrize(
    ("bad", "told"),
    [(N, "nothing is left to convert: 60 of 60 rows"), (45, "more rows are left out that cannot be jets than are kept")],
)
def test_most_or_all_left_out(bad: int, told: str, tmp_path: Path) -> None:
    content = arrays()
    content["x"][:bad] = 0
    request = write(tmp_path / "in.h5", content)
    if bad == N:
        with pytest.raises(DataFileError, match=told):
            convert(tmp_path / "in.h5", tmp_path / "out.h5", request)
        return
    assert any(told in text for text in convert(tmp_path / "in.h5", tmp_path / "out.h5", request).remarks)


def _zero(rows: slice) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        array[rows] = 0
        return array

    return change


READERS: dict[str, tuple[type[Reader], Callable[[Path], Any]]] = {
    "a.h5": (formats["top-tagging"].load(), lambda path: files.top_tagging(path, JETS, floats=_zero(slice(0, 20)))),
    "a.npz": (formats["energyflow"].load(), lambda path: files.energyflow(path, JETS, X=_zero(slice(0, 20)))),
    "g.hdf5": (JetNet, lambda path: files.jetnet(path, JETS, particle_features=_zero(slice(0, 20)))),
    "a.root": (formats["jetclass"].load(), lambda path: files.jetclass(path, JETS, label_QCD=_zero(slice(0, 20)))),
}


@pytest.mark.parametrize("name", READERS)
def test_every_reader_leaves_bad_rows_out(name: str, tmp_path: Path) -> None:
    reader_of, make = READERS[name]
    make(tmp_path / name)
    bad = [row for row in range(20) if name != "a.root" or row % 10 == 0]
    with closing(reader_of(tmp_path / name)) as reader, pytest.raises(FaultyRowsError, match="jet 0 "):
        next(reader.blocks())
    for block in (60, 10, 1):
        with closing(reader_of(tmp_path / name)) as reader:
            reader.drop, reader.block, dropped, event = True, block, 0, []
            for jets, _ in reader.blocks():
                jets.validate()
                dropped += sum(reader.dropped.values())
                event += jets.event.tolist()
        assert dropped == len(bad)
        assert event == [row for row in range(N) if row not in bad]
