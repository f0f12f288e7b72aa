from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result
from formats import files

from jetbench.cli import main


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pictures are drawn into the working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def info(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["data", "info", *map(str, arguments)])


def test_a_file_is_described_and_drawn(toy_file: Path, here: Path) -> None:
    result = info(toy_file)
    assert result.exit_code == 0, repr(result.exception)
    assert "qcd: 200, top: 200" in result.output
    assert result.output.endswith("plot: toy-info.png\n")
    assert [path.name for path in here.iterdir()] == ["toy-info.png"]


def test_json_stands_alone_on_stdout_and_draws_only_on_request(toy_file: Path, here: Path) -> None:
    result = info(toy_file, "--json")
    content = json.loads(result.stdout)
    assert content["classes"] == {"qcd": 200, "top": 200}
    assert len(content["digest"]) == 64
    assert not list(here.iterdir())
    result = info(toy_file, "--json", "--plot", "plots/toy.png")
    assert json.loads(result.stdout) == content
    assert (here / "plots" / "toy.png").exists()


def test_only_png_files_are_drawn(toy_file: Path) -> None:
    result = info(toy_file, "--plot", "toy.pdf")
    assert result.exit_code == 2
    assert "does not end in .png" in result.output


def test_a_foreign_or_damaged_file_is_a_message(here: Path, toy_file: Path) -> None:
    with h5py.File(here / "foreign.h5", "w") as file:
        file["jet"] = np.zeros(3)
    files.top_tagging(here / "raw 1.h5", files.particles(20))
    (here / "cut.h5").write_bytes(toy_file.read_bytes()[:20_000])
    (here / "events.root").write_bytes(b"root" + bytes(300))
    own, glob = here / "foreign.h5", here / "raw*.h5"
    for name, message in (
        ("foreign.h5", f"not one of jetbench's; convert it first: jetbench data convert {own} --card CARD -o jets.h5"),
        ("raw*.h5", f"of the format top-tagging; convert it first: jetbench data convert '{glob}' -o jets.h5"),
        ("events.root", "a ROOT file, and no jets of jetbench's; convert it first: jetbench data convert"),
        ("cut.h5", "cut.h5"),
    ):
        result = info(name)
        assert result.exit_code == 1
        assert message in result.output
        assert "Traceback" not in result.output
