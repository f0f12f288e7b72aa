"""Places of artifacts in MLflow's database follow the results folder, and no others do."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from jetbench.errors import BusyError, StoreError
from jetbench.files import file_lock
from jetbench.tracking.database import connected, looking
from jetbench.tracking.places import CONTENT, local, moved_from, place_here
from jetbench.tracking.store import Store

ELSEWHERE = ("s3://bucket/1", "mlflow-artifacts:/1", "http://host/1", "/data/theirs/artifacts/1", "file:///data/theirs/1")


@pytest.fixture
def moved(store: Store) -> Store:
    """A store that was `old` before, with a run in each kind of place."""
    old = store.root.with_name("my old")  # a blank is written as %20 in a place
    with closing(connected(store.database)) as base, base:
        base.execute("update experiments set artifact_location = ?", (f"{old}/artifacts/0",))
        base.execute("delete from experiments where experiment_id != 0")
        places = [(old / "artifacts/mini").as_uri(), *ELSEWHERE, f"{store.root}/artifacts/later"]
        for number, place in enumerate(places, 1):
            insert = (
                "insert into experiments (experiment_id, name, artifact_location, lifecycle_stage) values (?, ?, ?, 'active')"
            )
            base.execute(insert, (number, f"e{number}", place))
            insert = (
                "insert into runs (run_uuid, name, artifact_uri, experiment_id, lifecycle_stage) values (?, ?, ?, ?, 'active')"
            )
            base.execute(insert, (f"r{number}", f"r{number}", f"{place}/r{number}/artifacts", number))
        base.execute("insert into experiment_tags (key, value, experiment_id) values ('jetbench.store', 'me', 1)")
        base.execute("insert into tags (key, value, run_uuid) values (?, 'all of it', 'r1')", (CONTENT,))
        base.execute("insert into registered_models (name) values ('tagger')")
        for version, place in enumerate((old, Path("/data/theirs")), 1):
            insert = "insert into model_versions (name, version, source, storage_location) values ('tagger', ?, ?, ?)"
            base.execute(insert, (version, place.joinpath("artifacts/m").as_uri(), f"{place}/artifacts/m"))
    return store


def ask(store: Store, query: str) -> list[str]:
    with looking(store.database) as connection:
        return [value for (value,) in connection.execute(query)]


def test_what_lay_in_the_folder_follows_and_nothing_else(moved: Store, caplog: pytest.LogCaptureFixture) -> None:
    moved.settle()
    here = (moved.artifacts / "mini").as_uri()
    own = [f"{moved.artifacts}/0", here, *ELSEWHERE, f"{moved.artifacts}/later"]
    assert ask(moved, "select artifact_location from experiments order by experiment_id") == own
    places = [f"{place}/r{number}/artifacts" for number, place in enumerate(own) if number]
    assert ask(moved, "select artifact_uri from runs order by run_uuid") == places
    assert ask(moved, "select source from model_versions order by version") == [
        (moved.artifacts / "m").as_uri(),
        "file:///data/theirs/artifacts/m",
    ]
    assert ask(moved, "select storage_location from model_versions") == [f"{moved.artifacts}/m", "/data/theirs/artifacts/m"]
    assert "my old before: the artifacts of its 1 runs" in caplog.text


def test_what_somebody_else_has_put_elsewhere_stays(store: Store) -> None:
    """MLflow's own first experiment is theirs too, in a database that they have made."""
    with closing(connected(store.database)) as base, base:
        insert = "insert into experiments (experiment_id, name, artifact_location, lifecycle_stage) values (1, 'a', ?, 'active')"
        base.execute(insert, ("/data/artifacts/1",))
        base.execute("update experiments set artifact_location = '/data/artifacts/0' where experiment_id = 0")
    store.settle()
    places = ["/data/artifacts/0", "/data/artifacts/1"]
    assert ask(store, "select artifact_location from experiments order by experiment_id") == places


def test_settling_again_writes_nothing(moved: Store) -> None:
    moved.settle()
    before = moved.database.read_bytes()
    moved.settle()
    moved.prepare()
    assert moved.database.read_bytes() == before


@pytest.mark.parametrize("there", [True, False])
def test_a_run_is_shipped_again_whose_artifacts_have_not_come_along(there: bool, moved: Store) -> None:
    if there:
        folder = moved.artifacts / "mini" / "r1" / "artifacts"
        folder.mkdir(parents=True)
        folder.joinpath("spec.yaml").touch()
    moved.settle()
    assert bool(ask(moved, f"select value from tags where key = '{CONTENT}'")) is there


def test_a_folder_in_its_old_one_follows_once(moved: Store) -> None:
    """Of two places that it was, one lies in the other, and the new one lies in both."""
    root = moved.root
    with closing(connected(moved.database)) as base, base:
        base.execute("insert into experiment_tags (key, value, experiment_id) values ('jetbench.suite', 'mini', 7)")
        base.execute("update experiments set artifact_location = ? where experiment_id = 7", (f"{root.parents[1]}/artifacts/7",))
        place = (root.parent / "artifacts/mini").as_uri()
        base.execute("update experiments set artifact_location = ? where experiment_id = 1", (place,))
        base.execute("update runs set artifact_uri = ? where run_uuid = 'r1'", (f"{place}/r1/artifacts",))
        assert moved_from(base, root) == [root.parent, root.parents[1]]
    moved.settle()
    assert ask(moved, "select artifact_uri from runs where run_uuid = 'r1'") == [
        f"{(root / 'artifacts/mini').as_uri()}/r1/artifacts"
    ]
    assert ask(moved, "select artifact_location from experiments where experiment_id = 7") == [f"{root}/artifacts/7"]


def test_a_folder_by_another_name_is_the_same_folder(store: Store) -> None:
    link = store.root.with_name("link")
    link.symlink_to(store.root)
    before = store.database.read_bytes()
    Store(link).settle()
    assert store.database.read_bytes() == before
    assert place_here(f"file://{link}/artifacts/1", [], store.root) == store.artifacts / "1"


def test_nothing_moves_under_a_process_that_works_there_by_another_name(moved: Store) -> None:
    with file_lock(moved.lock_of("mini.smoke")), pytest.raises(BusyError, match="my old, and a process that knows it by another"):
        moved.settle()
    moved.settle()


def test_a_database_that_is_none_is_an_error(store: Store) -> None:
    store.database.write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match=r"mlflow.db is damaged.*move it away"):
        store.settle()


@pytest.mark.parametrize("uri", ["s3://bucket/1", "http://host/1", "relative/1", "", None])
def test_no_place_of_this_machine(uri: str | None) -> None:
    assert local(uri) is None


def test_looking_writes_nothing_and_sees_what_a_killed_process_has_left(tmp_path: Path) -> None:
    """The log of a killed process holds what the database does not: here as a copy of both under a process that is alive."""
    live = tmp_path / "live.db"
    base = sqlite3.connect(live)
    base.execute("pragma journal_mode=wal")
    base.execute("create table jets (pt real)")
    base.commit()
    left = tmp_path / "left"
    left.mkdir()
    for suffix in ("", "-wal"):
        (left / f"mlflow.db{suffix}").write_bytes(live.with_name(f"live.db{suffix}").read_bytes())
    base.close()
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in left.iterdir()}
    assert len(before["mlflow.db-wal"][0]) > 0
    with looking(left / "mlflow.db") as connection:
        assert connection.execute("select count(*) from jets").fetchall() == [(0,)]
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in left.iterdir()} == before
