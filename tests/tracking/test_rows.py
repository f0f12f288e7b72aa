"""What is taken out of MLflow when a store is cleared."""

from __future__ import annotations

from jetbench.tracking.folder import RunFolder
from jetbench.tracking.journal import Journal
from jetbench.tracking.mlflow_tracker import MlflowTracker
from jetbench.tracking.rows import drop_experiment, drop_files, rows, shown


def finish(tracker, run):
    with Journal(run.journal) as journal:
        journal.append(0, {"train/loss": 1.0})
        journal.commit()
    folder = RunFolder(run.folder)
    folder.weights.write_bytes(b"weights")
    folder.tested.write_text("{}")
    tracker.publish(run)
    tracker.finish(run, "FINISHED", run.artifacts())
    return folder


def test_mlflow_holds_all_of_a_run_before_and_after_its_weights_are_gone(store, card):
    """Of a sealed run as of an open one: nothing is sent again for it."""
    tracker = MlflowTracker(store, "suite")
    open_run, sealed = card(key="a" * 64, name="one"), card(key="b" * 64, name="two", kind="trial")
    for run in (open_run, sealed):
        folder = finish(tracker, run)
        before = shown(folder)
        among = [row for row in rows(store) if row.key == run.key]
        (copy,) = [path for row in among for path in row.copies(["model.safetensors"])]
        assert copy.read_bytes() == b"weights"
        folder.weights.unlink()
        assert not MlflowTracker(store, "suite").holds(run.key, folder, sealed=run.sealed)
        drop_files(store, among, ["model.safetensors"], before, shown(folder))
        assert not copy.exists()
        assert MlflowTracker(store, "suite").holds(run.key, folder, sealed=run.sealed)
        assert copy.parent.joinpath("test.json").exists() is not run.sealed


def test_an_experiment_that_is_dropped_begins_anew(store, card):
    tracker = MlflowTracker(store, "suite")
    run = card(key="a" * 64, name="one")
    finish(tracker, run)
    first = tracker.experiment_id
    assert rows(store)
    drop_experiment(store, "suite")
    drop_experiment(store, "suite")
    assert not any(store.artifacts.rglob("model.safetensors"))
    again = MlflowTracker(store, "suite")
    finish(again, run)
    assert again.experiment_id != first
    assert len([row for row in rows(store) if row.experiment == "suite"]) == 1
    assert any(store.artifacts.rglob("model.safetensors"))


def test_a_store_without_a_database_has_no_rows_and_gets_none(tmp_path):
    from jetbench.tracking.store import Store

    assert rows(Store(tmp_path)) == []
    drop_experiment(Store(tmp_path), "suite")
    assert not list(tmp_path.iterdir())
