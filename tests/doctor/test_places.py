"""Folders that cannot be written, full disks and databases of another version are told with their remedy."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from jetbench.doctor import places
from jetbench.doctor.places import look_at_cache, look_at_store
from jetbench.errors import StoreError
from jetbench.tracking.store import Store


def test_a_store_that_is_yet_to_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    found = list(look_at_store(Store(tmp_path / "a" / "b")))
    assert {one.state for one in found} == {"ok"}
    assert "has no results yet" in found[-1].told
    assert not list(tmp_path.iterdir())


def test_a_store_with_results_counts_its_instances(tmp_path: Path) -> None:
    Store(tmp_path).prepare()
    assert list(look_at_store(Store(tmp_path)))[-1].told == f"{tmp_path}, 0 instances of suites and studies"
    (tmp_path / "mlflow.db").write_bytes(b"no database")
    with pytest.raises(StoreError, match="is damaged or not MLflow's"):
        list(look_at_store(Store(tmp_path)))


@pytest.mark.parametrize(("free", "state"), [(0.5e9, "mend"), (3e9, "note"), (9e9, "ok")])
def test_a_disk_without_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: float, state: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path))
    (found,) = look_at_cache()
    assert found.state == state
    assert ("jetbench store gc" in found.remedy) == (state != "ok")


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path / "cache"))
    (found,) = look_at_cache()
    assert (found.state, found.told) == ("mend", f"{tmp_path / 'cache'} cannot be written")
    assert found.remedy == "name another folder in JETBENCH_CACHE"


def test_a_network_file_system_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places.Store, "on_network", True)
    assert "network file system" in next(one.told for one in look_at_store(Store(tmp_path)) if one.state == "note")
