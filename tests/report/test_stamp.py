"""A report that would come out the same is not made again, and what has changed is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from jetbench.errors import StoreError
from jetbench.files import write_atomically
from jetbench.report import stamp, write
from jetbench.report.collect import collect
from jetbench.report.fingerprint import fingerprint
from jetbench.report.machines import machines
from jetbench.report.results import Results
from jetbench.report.write import write_report
from jetbench.statistics.intervals import Interval
from jetbench.suites.plan import CellKey
from jetbench.tracking.journal import Journal
from jetbench.tracking.store import Store

Planted = Callable[..., Results]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the plots that are drawn, in order."""
    names: list[str] = []

    def save(figure: Figure, path: Path) -> None:
        names.append(path.stem)
        write_atomically(path, b"PNG" + path.name.encode())

    monkeypatch.setattr(write, "save_png", save)
    monkeypatch.setattr("os.fsync", lambda file: None)
    return names


def again(results: Results) -> Results:
    """The same store, read anew."""
    return collect(results.plan, Store(results.ledger.work.parent))


def change_journal(results: Results, cell: CellKey) -> None:
    """A run that was done again: another loss, and a new declaration of its files."""
    key = results.plan.cells[cell]
    folder = results.ledger.folder(key)
    files = list(json.loads((folder / "done.json").read_text())["files"])
    with Journal(folder / "metrics.jsonl") as journal:
        journal.cut(0)
        journal.append(0, {"train/loss": 0.1, "val/auc": 0.6})
        journal.commit()
    results.ledger.finish(key, files)


ALL = ["label_budget", "differences", "roc_50", "roc_200", "learning_curves", "pretraining"]


def test_what_is_the_same_is_not_touched(planted: Planted, drawn: list[str], tmp_path: Path) -> None:
    results, folder = planted("seeds=2"), tmp_path / "report"
    files = write_report(results, folder)
    assert drawn == ALL
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}
    assert write_report(again(results), folder) == files
    assert drawn == ALL
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()} == before


def test_only_what_has_changed_is_drawn(planted: Planted, drawn: list[str], tmp_path: Path) -> None:
    results, folder = planted("seeds=2"), tmp_path / "report"
    write_report(results, folder)
    drawn.clear()
    change_journal(results, CellKey("scratch", 50, 0))
    files = write_report(again(results), folder)
    assert drawn == ["learning_curves"]
    fresh = write_report(again(results), tmp_path / "fresh")
    assert [path.read_bytes() for path in files] == [path.read_bytes() for path in fresh]


def test_a_file_that_was_lost_or_damaged_comes_back(planted: Planted, drawn: list[str], tmp_path: Path) -> None:
    results, folder = planted("seeds=1"), tmp_path / "report"
    before = {path: path.read_bytes() for path in write_report(results, folder)}
    for damage in (Path.unlink, lambda path: path.write_bytes(b"x"), Path.touch):
        drawn.clear()
        for name in ("roc_50.png", "results.csv"):
            damage(folder / name)
        assert {path: path.read_bytes() for path in write_report(results, folder)} == before
        assert drawn == ([] if damage is Path.touch else ["roc_50"])


def test_other_code_draws_all_again(planted: Planted, drawn: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = planted("seeds=1")
    write_report(results, tmp_path / "report")
    drawn.clear()
    monkeypatch.setattr(stamp, "code_digest", lambda: "other")
    write_report(results, tmp_path / "report")
    assert drawn == ALL


@pytest.mark.parametrize("content", ["", "{", "[]", '{"inputs": 1}', '{"files": ["a"]}', '{"files": {"../a": "b"}}'])
def test_a_stamp_that_cannot_be_read_means_anew(content: str, tmp_path: Path) -> None:
    (tmp_path / stamp.NAME).write_text(content)
    assert stamp.read_stamp(tmp_path) == stamp.Stamp()


def test_a_plot_that_is_gone_leaves_no_file(planted: Planted, drawn: list[str], tmp_path: Path) -> None:
    results, folder = planted("seeds=1"), tmp_path / "report"
    write_report(results, folder)
    for cell in [cell for cell in results.cells if cell.labels == 200]:
        (results.ledger.folder(results.plan.cells[cell]) / "done.json").unlink()
    files = write_report(again(results), folder)
    assert "roc_200.png" not in {path.name for path in files}
    assert sorted([*files, folder / stamp.NAME]) == sorted(folder.iterdir())


def test_trials_of_a_study_that_goes_on_are_no_old_news(planted: Planted) -> None:
    """Their cost stands in the report, though no plan knows them beforehand."""
    results = planted("seeds=1", "tuning.sampler=tpe", "tuning.trials=8", "tuning.factors=[0.1,10.0]")
    asked = {key for keys in results.trials.values() for key in keys} - results.plan.runs.keys()
    assert asked
    seen = [stamp.inputs(results)]
    for spent in (1280.0, 2560.0):
        for key in asked:
            results.ledger.fail(key, "the loss is nan", "", costs={"cost/labelled_passes": spent})
        seen.append(stamp.inputs(replace(again(results), trials=results.trials, runs=results.runs)))
    assert len(set(seen)) == 3
    assert stamp.inputs(again(results)) not in seen  # the next round is asked for


@pytest.mark.parametrize("content", ["", "[1]", "{"])
def test_a_damaged_declaration_is_a_missing_cell(content: str, planted: Planted, drawn: list[str], tmp_path: Path) -> None:
    results, cell = planted("seeds=1"), CellKey("scratch", 200, 0)
    (results.ledger.folder(results.plan.cells[cell]) / "done.json").write_text(content)
    found = again(results)
    assert found.missing == {cell: "not run yet"}
    assert write_report(found, tmp_path / "report")


def test_a_damaged_file_is_named(planted: Planted) -> None:
    results = planted("seeds=1")
    (results.ledger.folder(results.plan.cells[CellKey("scratch", 50, 0)]) / "environment.json").write_text("[1]")
    with pytest.raises(StoreError, match=r"environment.json: damaged .* run the suite again"):
        machines(results)


@dataclass(frozen=True)
class Record:
    one: float
    two: tuple[int, ...]


def test_equal_content_has_one_fingerprint_and_any_change_another() -> None:
    values = [
        *(None, True, 1, 1.0, "1", b"1", [], [1], (1,), {"a": 1}, {"a": 2}, {"b": 1}, [["a"], "b"], ["a", ["b"]]),
        *(np.zeros(2), np.zeros(2, np.float32), np.zeros((1, 2)), np.ones(2), np.float64(0)),
        *(
            Record(1.0, (2,)),
            Record(1.0, (3,)),
            Interval(mean=0.5, low=None, high=None, n=1),
            Interval(mean=0.5, low=0, high=1, n=1),
        ),
    ]
    found = [fingerprint(value) for value in values]
    assert len(set(found)) == len(found)
    assert fingerprint({"a": np.arange(3)}) == fingerprint({"a": np.arange(3)})


def test_what_has_no_content_is_refused() -> None:
    with pytest.raises(TypeError, match="function has no fingerprint"):
        fingerprint([len, lambda: 1][1])
