"""Files of one class each, whose class the user or the card names."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from formats import files

from jetbench.cli import main
from jetbench.errors import DataFileError
from jetbench.formats.conversion import Request, convert
from jetbench.jets import open_jets

CARD = """kind: constituents
source: private
format: hdf5
layout: padded
momentum: {pt: "cnsts:0", eta: "cnsts:1", phi: "cnsts:2"}
radius: 1.0
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files of background and one of signal, of 30, 20 and 40 jets, and a card that knows of no label."""
    for seed, (name, number) in enumerate((("background-1", 30), ("background-2", 20), ("signal", 40))):
        jets = files.particles(number, seed)
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file["cnsts"] = jets.padded(np.column_stack([jets.pt, jets.eta, jets.phi]), 12)
    (tmp_path / "card.yaml").write_text(CARD)
    return tmp_path


def counts(path: Path) -> dict[str, int]:
    jets = open_jets(path)
    return dict(zip(jets.meta.class_names, np.bincount(jets.targets["label"][:]).tolist(), strict=True))


def test_the_class_of_each_file_is_given_on_the_command_line_in_python_or_in_the_card(folder: Path) -> None:
    card = str(folder / "card.yaml")
    given = [f"qcd={folder}/background*.h5", f"top={folder}/signal.h5"]
    command = ["data", "convert", "--card", card, "--label-from-files", *given, "-o", str(folder / "a.jets")]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    patterns = {"qcd": str(folder / "background*.h5"), "top": [folder / "signal.h5"]}
    convert(patterns, folder / "b.jets", Request(card=card))
    (folder / "own.yaml").write_text(CARD + 'label_from_files: {qcd: "background*.h5", top: "signal.h5"}\n')
    convert(folder / "*.h5", folder / "c.jets", Request(card=folder / "own.yaml"))
    assert counts(folder / "a.jets") == {"qcd": 50, "top": 40}
    assert len({open_jets(folder / f"{name}.jets").digest for name in "abc"}) == 1


def test_one_file_may_be_given_alone_and_joined_later(folder: Path) -> None:
    for name, pattern in (("qcd", "background*.h5"), ("top", "signal.h5")):
        convert({name: str(folder / pattern)}, folder / f"{name}.jets", Request(card=folder / "card.yaml"))
    joined = open_jets([folder / "qcd.jets", folder / "top.jets"])
    assert joined.meta.class_names == ("qcd", "top")
    assert np.bincount(joined.targets["label"][:]).tolist() == [50, 40]


def test_a_class_that_is_given_is_not_that_of_the_name(tmp_path: Path) -> None:
    files.jetnet(tmp_path / "test.hdf5", files.particles(20))
    files.jetnet(tmp_path / "gluon.hdf5", files.particles(20, 1))
    told = convert({"top": tmp_path / "test.hdf5", "gluon": tmp_path / "gluon.hdf5"}, tmp_path / "a.h5").remarks
    assert counts(tmp_path / "a.h5") == {"top": 20, "gluon": 20}
    assert not any("its name" in text for text in told)
    files.jetnet(tmp_path / "t30.hdf5", files.particles(20, 2))
    told = convert({"w": tmp_path / "t30.hdf5", "gluon": tmp_path / "gluon.hdf5"}, tmp_path / "b.h5").remarks
    assert counts(tmp_path / "b.h5") == {"w": 20, "gluon": 20}
    assert "t30.hdf5: the letter t of its name says top, and no column does; it is left aside, since its class is given" in told
    told = convert(tmp_path / "t30.hdf5", tmp_path / "c.h5").remarks
    assert any("the letter t of its name says top, and no column does; --class-names NAME decides" in text for text in told)


def test_one_class_of_files_whose_names_say_several_is_asked_for_file_by_file(tmp_path: Path) -> None:
    for seed, name in enumerate(("q.hdf5", "q30.hdf5", "t.hdf5")):
        files.jetnet(tmp_path / name, files.particles(20, seed))
    both = [str(tmp_path / name) for name in ("q.hdf5", "t.hdf5")]
    told = r"q\.hdf5: .* says light-quark, .* but .*t\.hdf5: .* says top, .* of each file, --label-from-files qcd=FILE"
    with pytest.raises(DataFileError, match=told):
        convert(both, tmp_path / "a.h5", Request(class_names=("qcd",)))
    convert({"qcd": both}, tmp_path / "a.h5")
    assert counts(tmp_path / "a.h5") == {"qcd": 40}
    convert(str(tmp_path / "q*.hdf5"), tmp_path / "b.h5", Request(class_names=("qcd",)))
    assert counts(tmp_path / "b.h5") == {"qcd": 40}


@pytest.mark.parametrize(
    ("addition", "files_", "told"),
    [
        (
            'label_from_files: {qcd: "background*.h5"}\n',
            "*.h5",
            r"signal\.h5: of the card's .* matches none \(background",
        ),
        ('label_from_files: {qcd: "back*.h5", b: "*-1.h5"}\n', "back*.h5", r"background-1\.h5: .* matches those of qcd and b"),
        ('label_from_files: {a: "*"}\nclass_names: [a, b]\n', "*.h5", "label and class_names do not belong beside it"),
        ("class_names: [a, a]\nlabel: y\n", "*.h5", "class_names a, a are not all different"),
    ],
)
def test_what_a_card_cannot_mean_is_one_error(folder: Path, addition: str, files_: str, told: str) -> None:
    (folder / "card.yaml").write_text(CARD + addition)
    with pytest.raises(DataFileError, match=told):
        convert(str(folder / files_), folder / "x.jets", Request(card=folder / "card.yaml"))


def test_each_file_has_a_name_of_its_class(folder: Path) -> None:
    command = ["data", "convert", "--label-from-files", str(folder / "signal.h5"), "-o", str(folder / "x.jets")]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 2
    assert "each of FILES is NAME=FILE, and" in result.output
    with pytest.raises(DataFileError, match="say the class of each file: --label-from-files NAME=FILE"):
        convert(folder / "*.h5", folder / "x.jets", Request(card=folder / "card.yaml", class_names=("a", "b")))
