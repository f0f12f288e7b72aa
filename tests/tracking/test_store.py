import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from jetbench.errors import StoreError
from jetbench.tracking import database
from jetbench.tracking import store as module
from jetbench.tracking.store import Store, store_root


def execute(database, statement):
    with closing(sqlite3.connect(database)) as connection, connection:
        return connection.execute(statement).fetchall()


def test_the_root_is_the_option_then_the_environment_then_mlruns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JETBENCH_STORE", raising=False)
    assert store_root() == tmp_path / "mlruns"
    monkeypatch.setenv("JETBENCH_STORE", "elsewhere")
    assert store_root() == tmp_path / "elsewhere"
    assert store_root("/here") == Path("/here")


def test_prepare_makes_a_database_with_a_write_ahead_log_and_leaves_nothing_else(prepared):
    assert execute(prepared.database, "pragma journal_mode") == [("wal",)]
    assert execute(prepared.database, "select artifact_location from experiments") == [(f"{prepared.artifacts}/0",)]
    names = {path.name for path in prepared.root.iterdir()} - {"mlflow.db-wal", "mlflow.db-shm"}
    assert names == {"mlflow.db", "artifacts", "work", ".lock"}


def test_prepare_again_changes_nothing(store):
    before = store.database.read_bytes()
    store.prepare()
    assert store.database.read_bytes() == before


def test_no_write_ahead_log_on_a_network_file_system(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_filesystem", lambda path: "nfs4")
    store = Store(tmp_path)
    store.prepare()
    assert store.on_network
    assert execute(store.database, "pragma journal_mode") == [("delete",)]


def test_the_log_of_a_database_that_was_deleted_does_not_reach_the_new_one(tmp_path):
    store = Store(tmp_path)
    store.database.with_name("mlflow.db-wal").write_bytes(b"stale")
    store.database.with_name("mlflow.db-backup").write_bytes(b"precious")
    store.database.touch()
    store.prepare()
    store.prepare()
    assert store.database.with_name("mlflow.db-backup").exists()


FIRST_TOUCH = """
import os, sys, traceback
from pathlib import Path
from jetbench.tracking import backend
from jetbench.tracking.mlflow_tracker import MlflowTracker
from jetbench.tracking.store import Store
backend.load()
import mlflow.store.tracking.sqlalchemy_store  # imported once, so that the race is in the database alone
store = Store(Path(sys.argv[1]))
waiting, starter = os.pipe()
for _ in range(6):
    if not os.fork():
        os.close(starter)
        os.read(waiting, 1)
        try:
            store.prepare()
            os.write(1, MlflowTracker(store, "suite").experiment_id.encode() + b"\\n")
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
os.close(starter)
sys.exit(sum(os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(6)))
"""


def test_six_processes_touch_an_empty_store_at_once(tmp_path):
    command = [sys.executable, "-c", FIRST_TOUCH, str(tmp_path / "mlruns")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "1\n" * 6, "")  # MLflow and alembic are quiet


def test_an_old_store_of_files_is_refused_with_the_remedy(tmp_path):
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "meta.yaml").touch()
    with pytest.raises(StoreError, match=r"old MLflow store of files.*migrate-filestore.*--store DIR"):
        Store(tmp_path).prepare()
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.parametrize("name", ["50%", "what?"])
def test_a_path_that_mlflow_misreads_is_refused(tmp_path, name):
    with pytest.raises(StoreError, match="misreads"):
        Store(tmp_path / name).prepare()


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"cannot write the results folder.*JETBENCH_STORE"):
        Store(tmp_path / "file" / "mlruns").prepare()


def test_a_read_only_folder_is_an_error(tmp_path):
    tmp_path.chmod(0o500)
    if os.access(tmp_path, os.W_OK):
        pytest.skip("the administrator may write everywhere")
    with pytest.raises(StoreError, match="Permission denied"):
        Store(tmp_path).prepare()


def test_a_database_of_an_older_mlflow_is_left_alone(store):
    head, known = database._known_revisions()
    assert execute(store.database, "select version_num from alembic_version") == [(head,)]
    older = sorted(known - {head})[0]
    execute(store.database, f"update alembic_version set version_num = '{older}'")
    with pytest.raises(StoreError, match=f"older MLflow.*copy it aside.*mlflow db upgrade sqlite:///{store.database}"):
        store.prepare()
    assert execute(store.database, "select version_num from alembic_version") == [(older,)]


def test_a_database_of_a_newer_mlflow_is_refused(store):
    execute(store.database, "update alembic_version set version_num = 'from the future'")
    with pytest.raises(StoreError, match=r"newer MLflow.*--store DIR"):
        store.prepare()


@pytest.mark.parametrize("damage", ["text", "cut", "overwritten"])
def test_a_damaged_database_is_an_error(store, damage):
    data = store.database.read_bytes()
    damaged = {"text": b"no database", "cut": data[:20_000], "overwritten": data[:4096] + b"\xff" * 8192 + data[12288:]}
    store.database.write_bytes(damaged[damage])
    with pytest.raises(StoreError, match=r"damaged or not MLflow's.*jetbench run"):
        store.prepare()


def test_a_database_of_something_else_is_refused(tmp_path):
    execute(tmp_path / "mlflow.db", "create table jets (pt real)")
    with pytest.raises(StoreError, match="damaged or not MLflow's"):
        Store(tmp_path).prepare()


def test_a_killed_creation_leaves_no_half_a_database(tmp_path):
    script = "import sys; from pathlib import Path; from jetbench.tracking.store import Store; Store(Path(sys.argv[1])).prepare()"
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)])
    while not list(tmp_path.glob(".mlflow.db.*.part*")) and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (tmp_path / "mlflow.db").exists()
    Store(tmp_path).prepare()
    assert not list(tmp_path.glob(".mlflow.db.*.part*"))


def test_a_server_needs_no_database_here(tmp_path):
    store = Store(tmp_path, "http://127.0.0.1:5000")
    store.prepare()
    assert store.uri == "http://127.0.0.1:5000"
    assert not store.database.exists()
    assert store.work.is_dir()
