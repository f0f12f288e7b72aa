import json
import math
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from jetbench.errors import StoreError
from jetbench.tracking import backend
from jetbench.tracking.folder import RunFolder
from jetbench.tracking.journal import Journal, committed
from jetbench.tracking.mlflow_tracker import MlflowTracker
from jetbench.tracking.shipper import Shipper
from jetbench.tracking.store import Store


@pytest.fixture
def tracker(store):
    return MlflowTracker(store, "ssl-vs-scratch", (("jetbench.scale", "smoke"),))


@pytest.fixture
def client(store):
    import mlflow

    return mlflow.MlflowClient(store.uri)


def runs(client, kind="final"):
    return client.search_runs(["1"], f"tags.`jetbench.kind` = '{kind}'")


def history(client, run, key):
    points = client.get_metric_history(run.info.run_id, key)
    return sorted((point.step, point.value, point.timestamp) for point in points)


def train(card, steps, value=lambda step: 1.0 / (1 + step)):
    with Journal(card.journal) as journal:
        for step in steps:
            journal.append(step, {"train/loss": value(step), "val/auc": 0.5})
        journal.commit()


def picture(path, colour=(255, 255, 255)):
    from PIL import Image

    Image.new("RGBA", (64, 48), colour).save(path)
    return path


def test_a_run_appears_as_its_card_says(tracker, client, card):
    run = card(
        kind="pretrain", tags=(("jetbench.seed", "0"),), params=(("optim.lr", "0.001"), ("long", "x" * 7000)),
        datasets=(("ml4sci-qg", "c" * 64),), note="**no labels**",
    )  # fmt: skip
    train(run, range(3))
    with Journal(run.journal) as journal:
        first = journal.position()
    assert tracker.publish(run) == first
    (found,) = runs(client, "pretrain")
    assert found.info.run_name == run.name
    assert found.info.status == "RUNNING"
    assert found.data.params["optim.lr"] == "0.001"
    assert len(found.data.params["long"]) == 6000
    tags = {"jetbench.key": run.key, "jetbench.suite": "ssl-vs-scratch", "mlflow.note.content": "**no labels**"}
    assert (tags | {"jetbench.seed": "0"}).items() <= found.data.tags.items()
    assert {"mlflow.user", "mlflow.source.name"} <= found.data.tags.keys()
    dataset = found.inputs.dataset_inputs[0].dataset
    assert (dataset.name, dataset.digest) == ("ml4sci-qg", "c" * 32)
    assert [step for step, *_ in history(client, found, "train/loss")] == [0, 1, 2]


def test_a_run_is_tagged_with_what_trains_it_as_soon_as_that_is_written_down(tracker, client, card):
    """And not with what publishes it, which may be another machine, or a newer version years later."""
    run, named = card(), {"jetbench.version", "jetbench.code", "jetbench.packages", "jetbench.host", "jetbench.machine"}
    tracker.publish(run)
    assert not named & runs(client)[0].data.tags.keys()
    trained = {"jetbench": "0.1", "code": "c0de", "packages": {"torch": "2", "numpy": "1"}, "processor": "Old 1", "cores": 2}
    RunFolder(run.folder).environment.write_text(json.dumps(trained))
    tracker.publish(run)
    tags = {"version": "0.1", "code": "c0de", "packages": "torch==2 numpy==1", "machine": "Old 1, 2 cores"}
    found = runs(client)[0].data.tags
    assert {name: found[name] for name in named & found.keys()} == {f"jetbench.{name}": text for name, text in tags.items()}
    size = {"parameters": "174594", "flops": "52723968", "shapes": "image 2×32×32 → 64 features → 2 outputs"}
    RunFolder(run.folder).environment.write_text(json.dumps(trained | {"host": "elsewhere", "network": size}))
    tracker.finish(run, "FINISHED")
    assert runs(client)[0].data.tags["jetbench.host"] == "elsewhere"
    assert {f"jetbench.{name}": text for name, text in size.items()}.items() <= runs(client)[0].data.tags.items()


def test_a_damaged_note_of_what_trained_a_run_is_an_error(tracker, card):
    run = card()
    RunFolder(run.folder).environment.write_text("{")
    with pytest.raises(StoreError, match=r"environment.json: damaged .* run the suite again"):
        tracker.publish(run)


def test_the_experiment_says_what_it_is_and_where_its_artifacts_lie(tracker, store, client):
    found = client.get_experiment(tracker.experiment_id)
    assert found.name == "ssl-vs-scratch"
    assert found.artifact_location == (store.artifacts / "ssl-vs-scratch").as_uri()
    assert {"mlflow.experimentKind": "custom_model_development", "jetbench.scale": "smoke"}.items() <= found.tags.items()


def test_publishing_again_changes_nothing(tracker, store, client, card):
    run = card(params=(("a", "1"),))
    train(run, range(5))
    offset = tracker.publish(run)
    (before,) = runs(client)
    points = history(client, before, "train/loss")
    assert tracker.publish(run, 0) == offset
    assert tracker.publish(run, offset) == offset
    assert MlflowTracker(store, "ssl-vs-scratch").publish(run) == offset
    # as if the last tag had not been written: the same points are sent again
    client.delete_tag(before.info.run_id, "jetbench.shipped")
    assert MlflowTracker(store, "ssl-vs-scratch").publish(run) == offset
    (after,) = runs(client)
    assert after.info.run_id == before.info.run_id
    assert history(client, after, "train/loss") == points


def test_points_follow_as_they_are_committed(tracker, client, card):
    run, offset = card(), 0
    for step in range(4):
        train(run, [step])
        offset = tracker.publish(run, offset)
    assert offset == committed(run.journal)
    assert [step for step, *_ in history(client, runs(client)[0], "val/auc")] == [0, 1, 2, 3]


def test_a_long_journal_goes_in_pieces(tracker, client, card):
    run = card()
    with Journal(run.journal) as journal:
        for step in range(150):
            journal.append(step, {f"val/m{i}": float(i) for i in range(20)})
        journal.commit()
    tracker.publish(run)
    (found,) = runs(client)
    assert len(found.data.metrics) == 20
    assert len(history(client, found, "val/m19")) == 150


def test_values_that_are_not_finite_become_tags(tracker, client, card):
    run = card()
    with Journal(run.journal) as journal:
        journal.append(7, {"test/background_rejection_50": math.inf, "test/auc": math.nan, "test/f1": 0.5})
        journal.commit()
    tracker.publish(run)
    (found,) = runs(client)
    assert found.data.metrics == {"test/f1": 0.5}
    assert found.data.tags["jetbench.nonfinite.test/background_rejection_50"] == "inf at step 7"
    assert found.data.tags["jetbench.nonfinite.test/auc"] == "nan at step 7"


CHILD = """
import os, signal, sys
from pathlib import Path
from jetbench.tracking.journal import Journal
assert "mlflow" not in sys.modules
journal = Journal(Path(sys.argv[1]))
for step in range(10):
    journal.append(step, {"train/loss": float(step)})
    if step % 4 == 3:
        journal.sync()
        Path(sys.argv[2]).write_text(str(journal.position()))
        journal.commit()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_training_resumes_in_the_same_run_without_missing_or_double_steps(tracker, store, client, card, tmp_path):
    run, checkpoint = card(), tmp_path / "checkpoint"
    assert subprocess.run([sys.executable, "-c", CHILD, str(run.journal), str(checkpoint)], check=False).returncode == -9
    first = Shipper(tracker, run)
    first.pump()
    first.close("FAILED")
    (failed,) = runs(client)
    assert failed.info.status == "FAILED"
    assert [step for step, *_ in history(client, failed, "train/loss")] == list(range(8))

    second = Shipper(MlflowTracker(store, "ssl-vs-scratch"), run)
    with Journal(run.journal) as journal:
        journal.cut(int(checkpoint.read_text()))
        second.pump()
        assert runs(client)[0].info.status == "RUNNING"
        for step in range(8, 12):
            journal.append(step, {"train/loss": float(step)})
        journal.commit()
    second.close("FINISHED")
    (found,) = runs(client)
    assert (found.info.run_id, found.info.status) == (failed.info.run_id, "FINISHED")
    assert [point[:2] for point in history(client, found, "train/loss")] == [(step, float(step)) for step in range(12)]


def test_a_run_trained_again_replaces_the_old_one(tracker, client, card):
    run = card()
    train(run, range(5))
    tracker.publish(run)
    tracker.finish(run, "FINISHED")
    (old,) = runs(client)
    with Journal(run.journal) as journal:
        journal.cut(0)
    train(run, range(3))
    tracker.publish(run)
    (new,) = runs(client)
    assert new.info.run_id != old.info.run_id
    assert [step for step, *_ in history(client, new, "train/loss")] == [0, 1, 2]
    assert client.get_run(old.info.run_id).info.lifecycle_stage == "deleted"


def test_finishing_uploads_files_and_shows_pictures_once(tracker, client, card, tmp_path):
    run = card()
    train(run, range(2))
    roc = tmp_path / "roc.json"
    roc.write_text(json.dumps({"fpr": [0, 1]}))
    files = [roc, picture(tmp_path / "roc.png")]
    tracker.publish(run)
    tracker.finish(run, "FINISHED", files)
    (found,) = runs(client)
    images = [file.path for file in client.list_artifacts(found.info.run_id, "images")]
    assert {file.path for file in client.list_artifacts(found.info.run_id)} == {"roc.json", "roc.png", "images"}
    assert sorted(name.rpartition(".")[2] for name in images) == ["png", "webp"]
    assert all(name.startswith("images/roc+step+0+timestamp+") for name in images)
    assert found.info.status == "FINISHED"
    with Journal(run.journal):
        last = history(client, found, "train/loss")[-1][2]
    assert found.info.end_time == last

    # a process that died between the upload and its mark uploads again, but shows no picture twice
    client.set_tag(found.info.run_id, "jetbench.content", "")
    tracker.finish(run, "FINISHED", files)
    assert len(client.list_artifacts(found.info.run_id, "images")) == 2


def test_a_finished_run_is_left_alone_and_quickly(tracker, store, client, card, tmp_path):
    run = card()
    train(run, range(50))
    files = [picture(tmp_path / "roc.png")]
    tracker.publish(run)
    tracker.finish(run, "FINISHED", files)
    before = store.database.read_bytes(), client.get_run(runs(client)[0].info.run_id).to_dictionary()
    again = MlflowTracker(store, "ssl-vs-scratch", (("jetbench.scale", "smoke"),))
    again.connect()
    start = time.monotonic()
    Shipper(again, run).close("FINISHED", files)
    assert time.monotonic() - start < 1.0
    assert client.get_run(runs(client)[0].info.run_id).to_dictionary() == before[1]


def test_two_threads_share_a_tracker(tracker, client, card):
    cards = [card(f"cnn/scratch/n100/s{seed}") for seed in range(4)]

    def work(run):
        offset = 0
        for step in range(10):
            train(run, [step])
            offset = tracker.publish(run, offset)
        tracker.finish(run, "FINISHED")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, cards))
    found = runs(client)
    assert sorted(run.info.run_name for run in found) == [run.name for run in cards]
    for run in found:
        assert [step for step, *_ in history(client, run, "train/loss")] == list(range(10))


def test_one_run_published_by_many_threads_is_one_run(tracker, client, card):
    run = card()
    train(run, range(20))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: tracker.publish(run), range(8)))
    (found,) = runs(client)
    assert len(history(client, found, "train/loss")) == 20


def test_a_deleted_experiment_comes_back(tracker, store, client, card):
    client.delete_experiment(tracker.experiment_id)
    MlflowTracker(store, "ssl-vs-scratch").publish(card())
    assert client.get_experiment("1").lifecycle_stage == "active"


def test_the_report_is_one_run_updated_in_place(tracker, client, tmp_path):
    page = tmp_path / "report.html"
    for text in ("<p>first</p>", "<p>first</p>", "<p>second</p>"):
        page.write_text(text)
        tracker.log_report([page, picture(tmp_path / "efficiency.png")])
    (found,) = runs(client, "report")
    assert found.info.status == "FINISHED"
    assert found.info.run_name == "report"
    import mlflow

    location = found.info.artifact_uri.removeprefix("file://")
    assert mlflow.artifacts.load_text(f"{location}/report.html") == "<p>second</p>"


def test_the_report_has_the_suite_of_its_runs(store, client, tmp_path):
    page = tmp_path / "report.html"
    page.write_text("<p>all</p>")
    MlflowTracker(store, "mini.smoke-1f0c", (("jetbench.suite", "mini"),)).log_report([page])
    assert runs(client, "report")[0].data.tags["jetbench.suite"] == "mini"


def test_a_locked_database_is_an_error_and_nothing_is_lost(tracker, store, client, card, monkeypatch):
    from sqlalchemy.orm import Session

    run = card()
    tracker.publish(run)
    execute = Session.execute

    def impatient(self, statement, *rest, **options):
        if "busy_timeout" in str(statement):
            from sqlalchemy import text

            statement = text("PRAGMA busy_timeout = 50;")
        return execute(self, statement, *rest, **options)

    monkeypatch.setattr(Session, "execute", impatient)
    train(run, range(3))
    with closing(sqlite3.connect(store.database, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(StoreError, match=r"cannot publish resnet15.*locked.*the same command"):
            tracker.publish(run, 0)
    assert tracker.publish(run, 0) == committed(run.journal)
    assert len(history(client, runs(client)[0], "train/loss")) == 3


def test_of_two_runs_that_a_repeated_request_has_made_the_one_that_holds_most_stays(tracker, client, card):
    """A server that dies before it answers is asked again for what it has done already."""
    run = card()
    train(run, range(3))
    tracker.publish(run)
    (kept,) = runs(client)
    again = {name: kept.data.tags[name] for name in ("jetbench.key", "jetbench.kind")}
    client.create_run("1", kept.info.start_time + 1, again)
    tracker.finish(run, "FINISHED")
    (left,) = runs(client)
    assert (left.info.run_id, left.info.status) == (kept.info.run_id, "FINISHED")
    assert len(history(client, left, "train/loss")) == 3


def test_a_server_is_asked_as_whom_its_address_names(monkeypatch):
    from mlflow.utils.credentials import get_default_host_creds

    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, "")  # as Compose hands on what is not set
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:pl%40nted@127.0.0.1:9")
    asked = backend.client("http://127.0.0.1:9")
    assert asked.tracking_uri == "http://127.0.0.1:9"
    given = get_default_host_creds(asked.tracking_uri)
    assert (given.username, given.password) == ("me", "pl@nted")


@pytest.mark.parametrize(
    ("user", "password", "address", "sent"),
    [
        ("alice", "", "bob:pw", ("bob", "pw")),
        ("", "secret", "bob:pw", ("bob", "pw")),
        ("alice", "secret", "bob:pw", ("alice", "secret")),
        ("", "secret", "bob", ("bob", "secret")),
    ],
)
def test_nobodys_name_goes_with_the_password_of_another(monkeypatch, user, password, address, sent):
    from mlflow.utils.credentials import get_default_host_creds

    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", user)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)
    monkeypatch.setenv("JETBENCH_TRACKING_URI", f"http://{address}@127.0.0.1:9")
    given = get_default_host_creds(backend.client("http://127.0.0.1:9").tracking_uri)
    assert (given.username, given.password) == sent


def test_a_server_that_is_away_is_an_error_at_once(tmp_path, card):
    away = MlflowTracker(Store(tmp_path, "http://127.0.0.1:9"), "suite")
    run, start = card(), time.monotonic()
    for ask in (away.connect, lambda: away.publish(run), Shipper(away, run).pump):
        with pytest.raises(StoreError, match="is away"):
            ask()
    assert not away.holds(run.key, RunFolder(run.folder))
    assert time.monotonic() - start < 10


def test_a_missing_artifact_is_an_error(tracker, card, tmp_path):
    with pytest.raises(StoreError, match=r"cannot finish.*gone\.h5"):
        tracker.finish(card(), "FINISHED", [tmp_path / "gone.h5"])


def test_nothing_global_is_touched(store, card):
    script = f"""
import os
from pathlib import Path
from jetbench.tracking.mlflow_tracker import MlflowTracker
from jetbench.tracking.store import Store
import sys
assert "mlflow" not in sys.modules
MlflowTracker(Store(Path({str(store.root)!r})), "suite").connect()
import mlflow
from mlflow.telemetry.utils import is_telemetry_disabled
assert is_telemetry_disabled()
assert "MLFLOW_TRACKING_URI" not in os.environ
assert mlflow.active_run() is None
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=store.root, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert not (store.root / "mlruns").exists()
