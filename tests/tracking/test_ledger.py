"""A run's folder: when it counts as finished, and how seldom its files are read for that."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from jetbench.errors import StoreError
from jetbench.tracking import folder as folders
from jetbench.tracking.ledger import Ledger, RunFolder

KEY = "ab" * 32


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """One finished run with weights, metrics and what a training leaves behind."""
    ledger = Ledger(tmp_path / "work")
    run = ledger.run(KEY)
    run.path.mkdir(parents=True)
    run.weights.write_bytes(b"weights")
    run.metrics.write_text('{"test/auc": 0.9}')
    for path in (run.journal, run.committed, run.checkpoint, run.previous_checkpoint, run.path / ".checkpoint.17.part"):
        path.write_text("x")
    ledger.finish(KEY, [run.weights, run.metrics, run.journal])
    return ledger


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files whose content is read for a checksum."""
    seen: list[str] = []
    look = folders._look

    def spying(path: Path) -> folders.Seen:
        seen.append(path.name)
        return look(path)

    monkeypatch.setattr(folders, "_look", spying)
    return seen


def test_a_finished_run_is_done_without_reading_its_files(ledger: Ledger, reads: list[str]) -> None:
    assert ledger.done(KEY)
    assert reads == []
    assert ledger.run(KEY).checksum("model.safetensors") == ledger.run(KEY).checksum("model.safetensors")
    assert reads == []
    assert not ledger.done("ab" * 8 + "cd" * 24), "the folder of a key that begins alike"
    assert ledger.metrics(KEY) == {"test/auc": 0.9}
    assert abs(ledger.finished(KEY) - time.time()) < 60


def test_a_copied_store_is_read_once(ledger: Ledger, reads: list[str], tmp_path: Path) -> None:
    shutil.copytree(ledger.work, tmp_path / "copy", copy_function=shutil.copyfile)
    copy = Ledger(tmp_path / "copy")
    assert copy.done(KEY)
    assert sorted(reads) == ["metrics.json", "metrics.jsonl", "model.safetensors"]
    assert copy.done(KEY)
    assert len(reads) == 3


@pytest.mark.parametrize("damage", [b"weight", b"weightz", b"weights!"])
def test_a_changed_file_is_noticed_and_so_is_its_return(ledger: Ledger, damage: bytes) -> None:
    weights = ledger.run(KEY).weights
    weights.write_bytes(damage)
    assert not ledger.done(KEY)
    assert not ledger.done(KEY)
    weights.write_bytes(b"weights")
    assert ledger.done(KEY)
    weights.unlink()
    assert not ledger.done(KEY)


def test_damage_that_leaves_the_time_as_it_was_is_found_by_a_thorough_look_and_then_known(ledger: Ledger) -> None:
    weights = ledger.run(KEY).weights
    before = weights.stat()
    weights.write_bytes(b"weightz")
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert ledger.done(KEY)
    assert not Ledger(ledger.work, notes=True).done(KEY, thorough=True)
    assert not ledger.done(KEY)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"model.safetensors": 3}', '{"model.safetensors": [7, 1]}'])
def test_a_torn_cache_of_checksums_costs_a_second_reading_and_nothing_else(ledger: Ledger, reads: list[str], text: str) -> None:
    ledger.run(KEY).checksums.write_text(text)
    assert ledger.done(KEY)
    assert len(reads) == 3


def test_a_tracker_gets_what_is_not_the_trainings_own(ledger: Ledger) -> None:
    assert [path.name for path in ledger.run(KEY).artifacts()] == ["metrics.json", "model.safetensors"]


def test_a_sealed_run_shows_nothing_that_was_made_of_test_jets(tmp_path: Path) -> None:
    """Not either where the run was killed while it wrote: what is shown is named, and all else is not."""
    folder = RunFolder(tmp_path)
    shown = {"bundle.json", "environment.json", "failed.json", "losses.npy", "metrics.json", "spec.yaml", "split.json"}
    models = {"model.safetensors", "model.skops", "model.txt", "model.json"}
    for name in {*shown, *models, "scores.h5", "also_scores.h5", "roc.png", "roc.json", "confusion.json", "test.json"}:
        (tmp_path / name).write_text("")
    assert {path.name for path in folder.artifacts(sealed=True)} == shown | models
    assert {"scores.h5", "test.json"} <= {path.name for path in folder.artifacts()}


def test_the_end_of_a_run_leaves_no_checkpoint_and_nothing_half_written(ledger: Ledger) -> None:
    left = {path.name for path in ledger.folder(KEY).iterdir()}
    assert left == {"metrics.json", "model.safetensors", "metrics.jsonl", "metrics.committed", "done.json", ".checksums.json"}


def test_a_failure_has_a_reason_and_a_time(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    assert ledger.failure(KEY) is None
    ledger.fail(KEY, "the loss is not finite", "Traceback")
    assert ledger.failure(KEY) == "the loss is not finite"
    assert ledger.failure(KEY, since=time.time() + 60) is None
    assert not ledger.sealed(KEY)
    assert not ledger.done(KEY)
    for ask in (ledger.metrics, ledger.finished):
        with pytest.raises(StoreError, match="run the suite again"):
            ask(KEY)


def test_a_failure_of_test_jets_alone_is_known_as_one(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.fail(KEY, "the scores are not finite", "Traceback", sealed=True)
    assert ledger.sealed(KEY)
    assert ledger.failure(KEY) == "the scores are not finite"
    ledger.reopen(KEY)
    assert not ledger.sealed(KEY)


def test_no_other_file_spells_a_name_of_the_run_folder() -> None:
    """One owner of the layout: elsewhere such a name may only be spoken of."""
    import ast

    import jetbench

    root = Path(jetbench.__file__).parent
    run = RunFolder(Path())
    names = {str(getattr(run, name)) for name, kind in vars(RunFolder).items() if isinstance(kind, property)} - {
        ".lock",
        ".lease",
    }
    spelled = {
        (path.relative_to(root).as_posix(), node.value)
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in names and path.name != "folder.py"
    }
    assert not spelled
    nowhere = [path for path in root.rglob("*.py") if "RunFolder(Path())" in path.read_text()]
    assert not nowhere, "a name is taken from the folder of no run"
