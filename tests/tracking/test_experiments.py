"""Several stores that publish the same suite to one place: each has its runs, and none touches those of another."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jetbench.errors import StoreError
from jetbench.tracking import mlflow_tracker
from jetbench.tracking.arm_card import ArmCard, Overview
from jetbench.tracking.experiments import experiment_in, experiment_names, find_experiment
from jetbench.tracking.folder import RunFolder
from jetbench.tracking.journal import Journal
from jetbench.tracking.mlflow_tracker import MlflowTracker
from jetbench.tracking.registry import register
from jetbench.tracking.rows import drop_experiment, rows
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import RunCard

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

KEY, SUITE = "a" * 64, "mini.smoke"


@pytest.fixture
def client(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    import mlflow

    monkeypatch.chdir(tmp_path)  # where files go of a server that has no place for them
    return mlflow.MlflowClient(store.uri)


@pytest.fixture
def member(client: MlflowClient, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Store]:
    """`member(name)`: a results folder of somebody who publishes to the database of `store`, as to a server."""
    monkeypatch.setattr(mlflow_tracker, "refuse_absent", lambda uri: None)
    monkeypatch.setattr("jetbench.tracking.registry.refuse_absent", lambda uri: None)
    return lambda name: Store(tmp_path / name, store.uri)


def train(store: Store, losses: tuple[float, ...]) -> RunCard:
    """The run of the suite as it has come out in a store, trained where it has not come out so yet."""
    run = RunCard(key=KEY, name="scratch/n50/s0", kind="final", folder=store.work / KEY[:16])
    weights, content = RunFolder(run.folder).weights, repr(losses).encode()
    if weights.exists() and weights.read_bytes() == content:
        return run
    run.folder.mkdir(parents=True, exist_ok=True)
    run.journal.unlink(missing_ok=True)
    with Journal(run.journal) as journal:
        for step, loss in enumerate(losses):
            journal.append(step, {"train/loss": loss})
        journal.commit()
    weights.write_bytes(content)
    return run


def publish(store: Store, *losses: float) -> MlflowTracker:
    """Publish all of a suite, as `jetbench run` does: its run, its report and the comparison."""
    tracker, run, page = MlflowTracker(store, SUITE), train(store, losses), store.root / "report.html"
    tracker.publish(run)
    tracker.finish(run, "FINISHED", run.artifacts())
    page.write_text(f"<p>{losses}</p>")
    tracker.log_report([page])
    arm = ArmCard("arm/scratch/n50", "scratch/n50", (), (), {"test/auc": losses[-1]}, (KEY,))
    told = Overview((arm,), f"it is {losses}", {"view": losses[0]}, {"runs": losses[0]}, "gain/auc")
    tracker.log_overview(repr(losses), lambda: told, page.name)
    return tracker


def seen(client: MlflowClient, tracker: MlflowTracker) -> dict[str, Any]:
    """All that MLflow shows of a tracker's experiment."""
    found: list[Run] = list(client.search_runs([tracker.experiment_id]))
    return {
        "tags": client.get_experiment(tracker.experiment_id).tags,
        **{run.data.tags["jetbench.key"]: run.to_dictionary() for run in found},
    }


def test_two_stores_that_run_the_same_suite_keep_their_runs(client: MlflowClient, member: Callable[[str], Store]) -> None:
    anna, ben = member("anna"), member("ben")
    of_anna = publish(anna, 0.5, 0.4)
    shown = seen(client, of_anna)
    of_ben = publish(ben, 0.6, 0.3, 0.2)
    assert seen(client, of_anna) == shown
    assert seen(client, of_ben).keys() == shown.keys() == {"tags", KEY, "report", "arm/scratch/n50"}
    for store, tracker in ((anna, of_anna), (ben, of_ben)):
        for run in client.search_runs([tracker.experiment_id]):
            assert run.data.tags["jetbench.store"] == store.identity
    named = [client.get_experiment(tracker.experiment_id).name for tracker in (of_anna, of_ben)]
    assert named == [SUITE, f"{SUITE} (store {ben.identity})"]
    views = {tracker.place() for tracker in (of_anna, of_ben)}
    assert views == {(of_anna.experiment_id, "arms"), (of_ben.experiment_id, "arms")}


def test_what_one_store_trains_again_leaves_the_runs_of_another(client: MlflowClient, member: Callable[[str], Store]) -> None:
    anna, ben = member("anna"), member("ben")
    publish(anna, 0.5, 0.4)
    before = seen(client, publish(ben, 0.6, 0.3))
    again = seen(client, publish(anna, 0.5, 0.1))
    assert again[KEY]["data"]["metrics"] == {"train/loss": 0.1}
    assert again["arm/scratch/n50"]["data"]["metrics"] == {"test/auc": 0.1}
    assert seen(client, MlflowTracker(ben, SUITE)) == before
    assert MlflowTracker(ben, SUITE).holds(KEY, RunFolder(ben.work / KEY[:16]))
    assert not MlflowTracker(ben, SUITE).holds(KEY, RunFolder(anna.work / KEY[:16]))
    publish(ben, 0.6, 0.3)  # again, with nothing new
    assert seen(client, MlflowTracker(ben, SUITE)) == before
    client.delete_experiment(MlflowTracker(anna, SUITE).experiment_id)
    assert seen(client, publish(ben, 0.6, 0.3)) == before
    back = seen(client, publish(anna, 0.5, 0.1))  # what a user has deleted comes back
    assert back.keys() == again.keys()
    assert back[KEY]["data"]["metrics"] == {"train/loss": 0.1}


def test_a_store_that_serves_others_reclaims_its_own_runs_alone(
    client: MlflowClient, store: Store, member: Callable[[str], Store]
) -> None:
    """`jetbench ui` on a store is a server to others, which may be the first to publish a suite there."""
    before = seen(client, of_ben := publish(member("ben"), 0.6, 0.3))
    of_owner = publish(store, 0.5, 0.4)
    assert client.get_experiment(of_owner.experiment_id).name == f"{SUITE} (store {store.identity})"
    assert {row.experiment for row in rows(store)} == {f"{SUITE} (store {store.identity})"}
    known = experiment_in(store, SUITE)
    assert known == (of_owner.experiment_id, client.get_experiment(of_owner.experiment_id).tags)
    folder = RunFolder(store.work / KEY[:16])
    assert MlflowTracker(store, SUITE).holds(KEY, folder)
    copies = [path for row in rows(store) for path in row.copies(["model.safetensors"])]
    assert [path.read_bytes() for path in copies] == [b"(0.5, 0.4)"]
    drop_experiment(store, SUITE)
    assert not MlflowTracker(store, SUITE).holds(KEY, folder)
    assert seen(client, of_ben) == before


def test_a_copy_of_a_store_stands_for_the_same_runs(client: MlflowClient, member: Callable[[str], Store]) -> None:
    anna, copy = member("anna"), member("copy")
    before = seen(client, publish(anna, 0.5, 0.4))
    shutil.copytree(anna.root, copy.root)
    assert copy.identity == anna.identity
    assert seen(client, publish(copy, 0.5, 0.4)) == before
    (copy.root / "store.json").unlink()
    publish(copy, 0.5, 0.4)
    assert copy.identity != anna.identity
    assert seen(client, MlflowTracker(anna, SUITE)) == before


def test_what_names_no_store_is_left_alone_on_a_server_and_is_its_own_in_a_database(
    client: MlflowClient, store: Store, member: Callable[[str], Store]
) -> None:
    """Of an earlier version."""
    number = client.create_experiment(SUITE)
    assert experiment_in(store, SUITE) == (number, {})
    assert find_experiment(client, member("anna"), SUITE) is None
    publish(member("anna"), 0.5)
    assert client.search_runs([number]) == []
    assert client.get_experiment(number).tags == {}
    assert publish(store, 0.5).experiment_id == number
    assert client.get_experiment(number).tags["jetbench.store"] == store.identity


def test_the_files_of_models_have_an_experiment_of_each_store(
    client: MlflowClient, member: Callable[[str], Store], tmp_path: Path
) -> None:
    content = tmp_path / "content"
    content.mkdir()
    made = []
    for name in ("anna", "ben"):
        (content / "weights").write_text(name)
        made.append(register(member(name), content, "jetbench.inference.pyfunc", "tagger", "best", ["numpy"], {}).version)
        (run,) = [client.get_run(client.get_model_version("tagger", made[-1]).run_id)]
        assert run.data.tags["jetbench.store"] == member(name).identity
    assert made == ["1", "2"]
    assert find_experiment(client, member("ben"), "jetbench.models").name.endswith(f"(store {member('ben').identity})")


def test_a_store_gets_its_id_when_it_publishes_and_keeps_it(store: Store, tmp_path: Path) -> None:
    experiment_in(store, SUITE)
    assert not MlflowTracker(store, SUITE).holds(KEY, RunFolder(store.work / KEY[:16]))
    assert rows(store) == []
    assert store.identity is None
    assert experiment_names(store, SUITE) == (SUITE,)
    with ThreadPoolExecutor(4) as pool:
        (made,) = set(pool.map(lambda _: store.identify(), range(8)))
    assert Store(store.root).identity == made
    assert len(made) == 12
    assert {path.name for path in store.root.iterdir()} == {"work", "mlflow.db", "artifacts", ".lock", "store.json"}
    assert Store(tmp_path / "another").identify() != made


def test_a_damaged_id_is_an_error_with_the_remedy(store: Store) -> None:
    (store.root / "store.json").write_text("{}")
    with pytest.raises(StoreError, match=r"store.json: no readable id .* the tag jetbench.store"):
        MlflowTracker(store, SUITE).connect()
