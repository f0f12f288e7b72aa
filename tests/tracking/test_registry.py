"""Versions of models: where their files lie, and what a failure leaves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jetbench.errors import StoreError
from jetbench.tracking import backend
from jetbench.tracking.mlflow_tracker import MlflowTracker
from jetbench.tracking.registry import Registered, register
from jetbench.tracking.rows import drop_experiment
from jetbench.tracking.store import Store

if TYPE_CHECKING:
    from mlflow import MlflowClient


@pytest.fixture
def client(store: Store) -> MlflowClient:
    return backend.client(store.uri)


@pytest.fixture
def content(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    (folder / "weights").write_bytes(b"weights")
    return folder


def add(store: Store, content: Path) -> Registered:
    return register(store, content, "jetbench.inference.pyfunc", "trees", "best", ["numpy"], {"jetbench.instance": "suite"})


def files(client: MlflowClient) -> Path:
    """The folder of what the alias points to."""
    return Path(client.get_model_version_by_alias("trees", "best").source.removeprefix("file://"))


def test_a_model_outlives_the_experiment_of_its_suite(store: Store, client: MlflowClient, content: Path) -> None:
    MlflowTracker(store, "suite").connect()
    assert add(store, content) == ("1", True)
    drop_experiment(store, "suite")
    assert (files(client) / "data" / "runs" / "weights").read_bytes() == b"weights"
    assert add(store, content) == ("1", False)
    (content / "weights").write_bytes(b"others")
    client.delete_experiment(client.get_experiment_by_name("jetbench.models").experiment_id)
    assert add(store, content) == ("2", True)
    assert (files(client) / "data" / "runs" / "weights").read_bytes() == b"others"


def test_an_upload_that_fails_leaves_no_version_and_no_run_under_way(
    store: Store, client: MlflowClient, content: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(type(client), "log_artifacts", full)
        with pytest.raises(StoreError, match="cannot register trees: no space left; mend that and give the command again"):
            add(store, content)
    assert client.search_model_versions("name = 'trees'") == []
    assert add(store, content) == ("1", True)
    made = client.get_experiment_by_name("jetbench.models")
    assert sorted(run.info.status for run in client.search_runs([made.experiment_id])) == ["FAILED", "FINISHED"]


def test_a_server_that_is_away_takes_no_model(tmp_path: Path, content: Path) -> None:
    with pytest.raises(StoreError, match=r"http://127\.0\.0\.1:9 is away"):
        add(Store(tmp_path, "http://127.0.0.1:9"), content)
