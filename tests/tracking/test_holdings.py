"""What MLflow holds of every run, told at once: a finished suite is not asked for run by run."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from jetbench.tracking.arm_card import Overview
from jetbench.tracking.folder import RunFolder
from jetbench.tracking.holdings import Holding, from_client, from_database
from jetbench.tracking.journal import Journal
from jetbench.tracking.mlflow_tracker import MlflowTracker
from jetbench.tracking.store import Store


@pytest.fixture
def tracker(store):
    return MlflowTracker(store, "mini.smoke")


@pytest.fixture
def client(store):
    import mlflow

    return mlflow.MlflowClient(store.uri)


@pytest.fixture
def shipped(tracker, card):
    """A finished run that is in MLflow, with a file."""
    run = card()
    with Journal(run.journal) as journal:
        journal.append(0, {"train/loss": 0.5})
        journal.commit()
    (run.folder / "spec.yaml").write_text("seed: 0")
    tracker.publish(run)
    tracker.finish(run, "FINISHED", RunFolder(run.folder).artifacts())
    return run


def held(store, run):
    return MlflowTracker(store, "mini.smoke").holds(run.key, RunFolder(run.folder))


def test_the_database_and_mlflow_say_the_same(store, tracker, client, card, shipped):
    tracker.publish(card("another/run"))
    tracker.log_report([shipped.folder / "spec.yaml"])
    tracker.log_overview("d", lambda: Overview((), "none yet", {}, {}, "gain/auc"), "spec.yaml")
    found = from_database(store, "mini.smoke")
    assert found == from_client(client, tracker.experiment_id)
    assert found.keys() == {shipped.key, card("another/run").key, "report"}
    assert found[shipped.key].status == "FINISHED"
    assert found[card("another/run").key] == Holding("RUNNING", "", "", "")
    assert found["report"].overview == "0:d"
    assert from_database(store, "an experiment that is not there") == {}
    assert from_database(Store(store.root / "elsewhere"), "mini.smoke") == {}


def test_a_run_is_held_while_nothing_about_it_changes(store, shipped):
    assert held(store, shipped)
    (shipped.folder / "spec.yaml").write_text("seed: 1")
    assert not held(store, shipped)
    (shipped.folder / "spec.yaml").write_text("seed: 0")
    assert held(store, shipped)
    with Journal(shipped.journal) as journal:
        journal.append(1, {"train/loss": 0.4})
        journal.commit()
    assert not held(store, shipped)


def test_what_a_user_deletes_or_an_older_copy_lacks_is_not_held(store, tracker, client, shipped, tmp_path):
    (run,) = client.search_runs(["1"], "tags.`jetbench.kind` = 'final'")
    client.delete_run(run.info.run_id)
    assert not held(store, shipped)
    client.restore_run(run.info.run_id)
    assert held(store, shipped)
    client.delete_experiment("1")
    assert not held(store, shipped)
    client.restore_experiment("1")
    client.set_terminated(run.info.run_id, "KILLED")
    assert not held(store, shipped)


def test_a_store_that_was_moved_still_holds_its_runs(store, shipped, tmp_path):
    moved = Store(tmp_path / "elsewhere")
    shutil.copytree(store.root, moved.root)
    folder = RunFolder(moved.work / shipped.folder.name)
    assert MlflowTracker(moved, "mini.smoke").holds(shipped.key, folder)


def test_a_tracker_that_has_touched_a_run_no_longer_answers_from_memory(tracker, client, shipped):
    folder = RunFolder(shipped.folder)
    again = MlflowTracker(tracker.store, "mini.smoke")
    assert again.holds(shipped.key, folder)
    again.publish(shipped)
    assert not again.holds(shipped.key, folder)


def test_a_report_that_is_there_already_is_not_sent_again(store, tracker, client, tmp_path):
    page = tmp_path / "report.html"
    for text, sent in (("first", True), ("first", False), ("second", True), ("first", True)):
        page.write_text(text)
        (before,) = client.search_runs(["1"], "tags.`jetbench.kind` = 'report'") or [None]
        tracker.log_report([page])
        (after,) = client.search_runs(["1"], "tags.`jetbench.kind` = 'report'")
        assert (before is None or before.info.end_time != after.info.end_time) is sent


def test_what_is_held_is_told_without_mlflow(store, shipped):
    script = f"""
import sys
from pathlib import Path
from jetbench.tracking.folder import RunFolder
from jetbench.tracking.mlflow_tracker import MlflowTracker
from jetbench.tracking.store import Store
tracker = MlflowTracker(Store(Path({str(store.root)!r})), "mini.smoke")
print(tracker.holds({shipped.key!r}, RunFolder(Path({str(shipped.folder)!r}))), "mlflow" in sys.modules)
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=store.root, check=True)
    assert ended.stdout == "True False\n"


def test_a_server_that_is_away_holds_nothing(tmp_path, card, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    away = MlflowTracker(Store(tmp_path, "http://127.0.0.1:9"), "mini.smoke")
    assert not away.holds(card().key, RunFolder(card().folder))
