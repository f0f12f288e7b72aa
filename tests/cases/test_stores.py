"""Results folders as people treat them: moved, copied, linked, killed in the middle, read by others, without their jets."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tiny_runs import FEW, LEARNT, Toys, finished_toys_of, toys_of

from jetbench.api import Session, latest_session, open_session
from jetbench.cli import main
from jetbench.jets import Jets, save_jets
from jetbench.tracking.database import looking
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.places import local
from jetbench.tracking.store import Store

__all__ = ["finished_toys_of", "toys_of"]

pytestmark = pytest.mark.filterwarnings("ignore:For backward compatibility, 'str' dtypes")  # of MLflow's tables about pandas
LESS = ("arms.sets=null", "arms.boosted-trees=null")


@pytest.fixture(scope="session")
def original(finished_toys_of: Callable[..., Toys]) -> Path:
    """A finished suite, published with its report into the database of its folder."""
    toys = finished_toys_of(2, *LESS)
    session = Session(toys.plan, Store(toys.store))
    list(session.sync())
    session.publish_report(session.results())
    return toys.store


@pytest.fixture
def moved(original: Path, tmp_path: Path) -> Path:
    """The same in a folder that was renamed: its old name is free."""
    old = tmp_path / "old"
    shutil.copytree(original, old)
    Store(old).settle()
    return old.rename(tmp_path / "new name")


def call(*arguments: str | Path, store: Path | None = None) -> Result:
    told = [str(one) for one in arguments] + (["--store", str(store)] if store else [])
    return CliRunner().invoke(main, told, env={"JETBENCH_TRACKING_URI": None, "MLFLOW_TRACKING_URI": None})


def listing(folder: Path) -> dict[str, tuple[Any, ...]]:
    """All that lies below a folder: kinds, sizes, times and contents."""
    found = {}
    for path in sorted(folder.rglob("*")):
        state, content = path.lstat(), b"" if path.is_dir() else path.read_bytes()
        found[str(path.relative_to(folder))] = (
            state.st_mode,
            state.st_size,
            state.st_mtime_ns,
            hashlib.sha256(content).hexdigest(),
        )
    return found


def artifacts(store: Path) -> dict[str, Path]:
    """Where MLflow looks for the artifacts of each run that is not in its bin, by the run's name."""
    query = "select run_uuid, artifact_uri from runs where lifecycle_stage = 'active'"
    with looking(Store(store).database) as connection:
        rows = connection.execute(query).fetchall()
    return {name: place for name, uri in rows if (place := local(uri)) is not None}


def shown(store: Path) -> int:
    """How many runs MLflow shows with artifacts; all of them, and those below the store."""
    places = artifacts(store)
    assert places
    assert all(place.is_relative_to(store) and any(place.iterdir()) for place in places.values())
    return len(places)


# ------------------------------------------------------------------------------------------------ folders that were moved


def test_a_renamed_folder_shows_all_artifacts(moved: Path, original: Path) -> None:
    assert {place.is_dir() for place in artifacts(moved).values()} == {False}
    assert call("report", "mini", store=moved).exit_code == 0
    assert shown(moved) == len(artifacts(original))
    assert not moved.with_name("old").exists()


def test_what_a_moved_folder_still_trains_goes_nowhere_else(moved: Path) -> None:
    session = latest_session("mini", store=moved)
    key = next(key for key, run in session.plan.runs.items() if run.arm == "scratch" and run.kind == "final")
    Ledger(moved / "work").declare_open(key)
    before = len(artifacts(moved))
    events = list(session.run(jobs=1))
    session.publish_report(session.results())
    assert [event.key for event in events if event.kind == "done"] == [key]
    assert shown(moved) == before
    assert not moved.with_name("old").exists()


def test_a_copy_and_its_original_go_their_own_ways(original: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    shutil.copytree(original, one)
    Store(one).settle()
    shutil.copytree(one, other)
    before = listing(one)
    for command in (("store", "sync"), ("report", "mini"), ("inspect", "mass-likelihood"), ("compare", "scratch", "simclr")):
        assert call(*command, store=other).exit_code == 0
    registered = call("model", "register", "scratch/n60/s0", "tagger", store=other)
    assert registered.exit_code == 0, registered.output
    assert shown(other) > shown(one)
    assert listing(one) == before


def test_a_registered_model_is_found_where_the_folder_is(original: Path, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    shutil.copytree(original, old)
    assert call("model", "register", "scratch/n60/s0", "tagger", "--alias", "best", store=old).exit_code == 0
    old.rename(new)
    client = Store(new).client()
    version = client.get_model_version_by_alias("tagger", "best")
    source = client.get_model_version_download_uri("tagger", version.version)
    assert (local(source) or Path()).is_relative_to(new)
    assert (Path(local(source) or "") / "MLmodel").is_file()
    again = call("model", "register", "scratch/n60/s0", "tagger", store=new)
    assert "version 1" in again.output


def test_what_gc_removes_from_a_copy_stays_in_the_original(original: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(original, copy)
    before = listing(original)
    (name,) = (path.name for path in (copy / "reports").iterdir())
    for what in ("pretrainings", name):
        freed = call("store", "gc", what, store=copy)
        assert freed.exit_code == 0, freed.output
    assert listing(original) == before
    assert not any((copy / "artifacts").rglob("scores.h5"))


def test_a_folder_whose_artifacts_were_left_behind_gets_them_again(moved: Path, original: Path) -> None:
    shutil.rmtree(moved / "artifacts")
    assert call("store", "sync", store=moved).exit_code == 0
    assert shown(moved) == len(artifacts(original))


@pytest.mark.parametrize("spelling", ["{}/", "{}/../new name", "link"])
def test_a_store_by_another_spelling_is_the_same_store(spelling: str, moved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(moved.parent)
    Path("link").symlink_to(moved)
    assert call("report", "mini", store=Path(spelling.format(moved.name))).exit_code == 0
    shown(moved)
    assert {path.name for path in moved.parent.iterdir()} == {"new name", "link"}


# ------------------------------------------------------------------------------------------------ folders that are only read

LOOKS = (
    ("status", "mini"),
    ("status", "mini", "--watch"),
    ("results", "mini"),
    ("results", "mini", "--format", "json"),
    ("diff", "scratch", "simclr"),
    ("doctor",),
    ("store", "gc"),
    ("store", "gc", "--dry-run", "aside"),
    ("run", "--suite", "SUITE", "--dry-run"),
    ("predict", "scratch/n60", "JETS", "-o", "OUT/scores.h5"),
    ("model", "export", "scratch/n60/s0", "--format", "pt2", "-o", "OUT/tagger.pt2"),
    ("report", "mini", "-o", "OUT/report"),
    ("inspect", "scratch/n60/s0", "-o", "OUT/inspect"),
    ("inspect", "mass-likelihood", "-o", "OUT/inspect"),
    ("compare", "scratch", "simclr", "-o", "OUT/compare"),
)
CALLS = """
import json, os, sys, warnings
warnings.simplefilter("ignore")
from click.testing import CliRunner
from jetbench.cli import main
from jetbench.jets import Jets, save_jets
calls = json.load(sys.stdin)
done = [CliRunner().invoke(main, call) for call in calls]
print(json.dumps([[one.exit_code, one.output, repr(one.exception)] for one in done]))
"""
# the administrator may write everywhere but where nobody may
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'


def read_only(store: Path) -> list[str]:
    """What stands before a command for which nobody may write the folder."""
    around = ["unshare", "--mount", "sh", "-c", READ_ONLY, str(store)]
    if subprocess.run([*around, "true"], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    return around


def in_read_only(store: Path, *calls: tuple[str, ...]) -> list[tuple[int, str, str]]:
    """Exit status, output and exception of commands on a folder that nobody may write meanwhile."""
    told = json.dumps([[*call, "--store", str(store)] for call in calls])
    command = [*read_only(store), sys.executable, "-c", CALLS]
    done = subprocess.run(command, input=told, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return [(code, output, error) for code, output, error in json.loads(done.stdout.splitlines()[-1])]


@pytest.fixture
def untimed(original: Path, tmp_path: Path) -> Path:
    """A copy whose files have other times than they had: no cache of checksums counts."""
    shutil.copytree(original, tmp_path / "copy", copy_function=shutil.copyfile)
    return tmp_path / "copy"


def spelt(look: tuple[str, ...], original: Path, out: Path) -> tuple[str, ...]:
    places = {"JETS": original.parent / "jets.h5", "SUITE": original.parent / "mini.yaml", "OUT": out}
    for name, place in places.items():
        look = tuple(word.replace(name, str(place)) for word in look)
    return look


@pytest.mark.parametrize("look", LOOKS, ids=" ".join)
def test_looking_writes_nothing(look: tuple[str, ...], untimed: Path, original: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    before = listing(untimed)
    done = call(*spelt(look, original, out), store=untimed)
    assert done.exit_code == 0, done.output
    assert listing(untimed) == before
    assert len(list(out.iterdir())) == ("-o" in look) + ("export" in look)


def test_looking_leaves_the_log_of_a_killed_process_alone(untimed: Path) -> None:
    base = sqlite3.connect(untimed / "mlflow.db")
    base.execute("update experiments set name = 'renamed' where experiment_id = 0")
    base.commit()
    saved = {path.name: path.read_bytes() for path in untimed.glob("mlflow.db*")}
    base.close()
    for name, content in saved.items():
        (untimed / name).write_bytes(content)
    assert len(saved["mlflow.db-wal"]) > 0
    before = listing(untimed)
    for look in (("doctor",), ("store", "gc"), ("status", "mini")):
        assert call(*look, store=untimed).exit_code == 0
    assert listing(untimed) == before


def test_a_colleagues_read_only_folder_can_be_looked_at(untimed: Path, original: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    looks = [spelt(look, original, out) for look in LOOKS if look[0] != "doctor" and not {"export", "scratch/n60/s0"} & {*look}]
    for look, (code, output, error) in zip(looks, in_read_only(untimed, *looks), strict=True):
        assert code == 0, (look, output, error)
    assert {path.name for path in out.iterdir()} >= {"scores.h5", "report", "inspect", "compare"}


def test_what_cannot_be_written_is_one_sentence_with_the_remedy(untimed: Path) -> None:
    """No traceback; and what has to be written goes elsewhere by an option, where there is one."""
    pages = (("report", "mini"), ("inspect", "scratch/n60/s0"), ("compare", "scratch", "simclr"))
    others = (("store", "sync"), ("model", "register", "scratch/n60/s0", "tagger"), ("store", "gc", "aside"), ("doctor",))
    found = in_read_only(untimed, *pages, *others)
    remedies = ["write elsewhere with --output FOLDER"] * 3 + ["choose another folder"] * 4
    for (code, output, error), remedy in zip(found, remedies, strict=True):
        assert code == 1, output
        assert "SystemExit" in error
        assert "cannot" in output
        assert remedy in output


SERVE = """
import json, sys, urllib.request
from pathlib import Path
from jetbench.api import latest_execution
from jetbench.tracking.store import Store
from jetbench.tracking.ui import servable, serving
told = []
with servable(Store(Path(sys.argv[1])), told.append) as store:
    session = latest_execution("mini", store=sys.argv[1], tracking_uri="local")
    session.store = store
    experiment, view = session.tracker.place()
    with serving(store, port=int(sys.argv[2])) as (address, _):
        def ask(path, **fields):
            request = urllib.request.Request(f"{address}/api/2.0/mlflow/{path}", headers={"Content-Type": "application/json"})
            request.data = json.dumps(fields).encode() if fields else None
            return json.load(urllib.request.urlopen(request, timeout=30))
        runs = ask("runs/search", experiment_ids=[experiment], max_results=100)["runs"]
        files = [len(ask(f"artifacts/list?run_id={run['info']['run_id']}")["files"]) for run in runs]
print(json.dumps({"told": told, "view": view, "files": files}))
"""


def test_the_pages_of_a_read_only_folder_are_of_a_copy_of_its_database(untimed: Path) -> None:
    """Which was copied itself since it was published, so that its places are not those of its artifacts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    before = listing(untimed)
    done = subprocess.run(
        [*read_only(untimed), sys.executable, "-c", SERVE, str(untimed), str(port)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert "cannot be written: the pages are of a copy of its database" in found["told"][0]
    assert found["view"] == "arms"
    assert len(found["files"]) == len(artifacts(untimed))
    assert all(found["files"])
    assert listing(untimed) == before


def test_a_read_only_folder_without_a_database_says_how_to_get_one(untimed: Path) -> None:
    (untimed / "mlflow.db").unlink()
    ((code, output, _),) = in_read_only(untimed, ("ui",))
    assert code == 1
    assert "jetbench store sync --store COPY" in output


# ------------------------------------------------------------------------------------------------ locks and files that are left

HOLD = """
import sys
from contextlib import ExitStack
from pathlib import Path
from jetbench.files import file_lock
with ExitStack() as held:
    assert all(held.enter_context(file_lock(Path(path), wait=False)) for path in sys.argv[1:])
    print("mine", flush=True)
    sys.stdin.readline()
"""


def locks(store: Path) -> list[Path]:
    """Every lock that a store may have."""
    session = latest_session("mini", store=store)
    runs = [Ledger(store / "work").run(key).lock for key in session.plan.runs]
    return [store / ".lock", store / ".store.lock", session.store.lock_of(session.plan.instance.name), *runs]


@contextmanager
def held(paths: list[Path]) -> Iterator[subprocess.Popen[str]]:
    """A process that owns these locks."""
    command = [sys.executable, "-c", HOLD, *map(str, paths)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "mine\n"
        yield process
        process.kill()


def test_the_locks_of_a_killed_process_keep_nobody_out(moved: Path) -> None:
    with held(locks(moved)) as owner:
        assert "no process runs it" not in call("status", "mini", store=moved).output
        owner.kill()
        owner.wait()
    (moved / "optuna.journal.lock").symlink_to("/nowhere/was-here/optuna.journal")  # of an earlier version
    began = time.monotonic()
    for command in (("status", "mini"), ("store", "sync"), ("store", "gc", "aside"), ("report", "mini")):
        done = call(*command, store=moved)
        assert done.exit_code == 0, done.output
    assert list(latest_session("mini", store=moved).run(jobs=1))
    assert time.monotonic() - began < 60


def test_the_locks_of_a_process_that_hangs_are_an_error_that_names_it(original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`status` and `results` do not wait at all; what has to write does not wait for ever. `store sync` passes on."""
    for module in ("tracking.store", "engine.reclaim"):
        monkeypatch.setattr(f"jetbench.{module}.PATIENCE", 0.3)
    with held(locks(original)) as owner:
        for command in (("status", "mini"), ("results", "mini"), ("doctor",)):
            assert call(*command, store=original).exit_code == 0
        for *command, code in (("store", "sync", 0), ("store", "gc", "aside", 1)):
            done = call(*command, store=original)
            assert done.exit_code == code
            assert f"(process {owner.pid} on" in done.output
            assert "does not end; wait for it, or stop it first" in done.output


def files(store: Path) -> list[Path]:
    """The files of a store that people's trouble is made of: of one run of each model, of the report, and of all runs."""
    session = latest_session("mini", store=store)
    keys = {run.spec.model.name: key for key, run in session.plan.runs.items() if run.kind == "final"}
    folders = [*(Ledger(store / "work").folder(key) for key in keys.values()), session.folder]
    found = [path for folder in folders for path in sorted(folder.iterdir()) if path.is_file() and path.stat().st_size]
    return [*found, store / "instances.jsonl", store / ".lock", session.store.lock_of(session.plan.instance.name)]


@pytest.mark.parametrize("torn", ["half", "empty", "zeros"])
def test_a_torn_file_brings_no_command_down(torn: str, untimed: Path, tmp_path: Path) -> None:
    """As a crash of the machine leaves them: cut in the middle, of no length, or zeros to the end. What is damaged is told of as
    such, and what is not is shown."""
    Store(untimed).settle()
    book, looks = untimed / "instances.jsonl", [("status", "mini"), ("results", "mini")]
    for path in files(untimed):
        whole = path.read_bytes()
        half = whole[: len(whole) // 2]
        path.write_bytes({"half": half, "empty": b"", "zeros": half + bytes(len(whole) - len(half))}[torn])
        for look in looks:
            done = call(*look, store=untimed)
            assert isinstance(done.exception, SystemExit | None), (path, look, done.exception)
            assert (done.exit_code == 0) is (path != book), (path, look, done.output)
        path.write_bytes(whole)


@pytest.mark.parametrize("torn", ["half", "empty"])
def test_the_same_command_mends_what_is_torn_and_nothing_is_deleted_by_hand(torn: str, untimed: Path) -> None:
    session = latest_session("mini", store=untimed)
    before = session.results().cells
    for path in files(untimed):
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2] if torn == "half" else b"")
    with (untimed / "instances.jsonl").open("ab") as book:
        book.write(b'{"time": 1764322, "inst')
    events = [event for event in session.run(jobs=1) if event.kind in ("done", "failed")]
    assert {event.kind for event in events} == {"done"}
    again = latest_session("mini", store=untimed)
    assert again.results().cells.keys() == before.keys()
    again.publish_report(again.results())
    shown(untimed)


# ------------------------------------------------------------------------------------------------ jets that are gone, or renamed


@pytest.fixture
def gone(original: Path) -> Iterator[Path]:
    """The jets of the suite, which somebody has moved meanwhile."""
    jets = original.parent / "jets.h5"
    yield jets.rename(jets.with_name("elsewhere.h5"))
    jets.with_name("elsewhere.h5").rename(jets)


WITHOUT_JETS = (
    ("status", "mini"),
    ("results", "mini"),
    ("report", "mini"),
    ("report", "mini", "-o", "OUT/report"),
    ("diff", "scratch", "simclr"),
    ("store", "sync"),
    ("store", "gc"),
    ("inspect", "scratch/n60/s0", "-o", "OUT/inspect"),
    ("compare", "scratch", "simclr", "-o", "OUT/compare"),
    ("predict", "scratch/n60/s0", "GONE", "-o", "OUT/scores.h5"),
    ("model", "register", "scratch/n60/s0", "tagger"),
)


def test_reports_need_no_jets(untimed: Path, original: Path, gone: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for look in WITHOUT_JETS:
        done = call(*spelt(tuple(word.replace("GONE", str(gone)) for word in look), original, out), store=untimed)
        assert done.exit_code == 0, (look, done.output, done.exception)
        assert "Traceback" not in done.output
        if look[0] == "inspect":
            assert "made from stored scores and curves alone" in done.output
    assert {path.name for path in out.iterdir()} == {"report", "inspect", "compare", "scores.h5"}


def test_the_same_jets_by_another_name_are_not_trained_on_again(untimed: Path, original: Path, gone: Path) -> None:
    session, suite = latest_session("mini", store=untimed), original.parent / "mini.yaml"
    again = open_session(suite, dataset=gone, store=untimed, overrides=(*FEW, *LEARNT, *LESS), tracking_uri="local")
    assert again.plan.instance.name == session.plan.instance.name
    assert again.plan.runs.keys() == session.plan.runs.keys()
    before = {path.name for path in (untimed / "work").iterdir()}
    assert {event.kind for event in again.run(jobs=1)} == {"skipped"}
    assert {path.name for path in (untimed / "work").iterdir() if path.is_dir()} == {name for name in before if "." not in name}


@pytest.mark.parametrize("key", ["dataset", "unlabelled", "also_test"])
def test_every_file_of_jets_is_known_by_its_content(key: str, suite_path: Path, toy_jets: Jets, tmp_path: Path) -> None:
    one, same, other = (tmp_path / name for name in ("one.h5", "same.h5", "other.h5"))
    save_jets(one, [toy_jets[:390]])
    shutil.copyfile(one, same)
    save_jets(other, [toy_jets[:389]])
    sessions = [open_session(suite_path, **{key: path}, store=tmp_path / "store") for path in (one, same, other)]  # type: ignore[arg-type]
    names = [session.plan.instance.name for session in sessions]
    keys = [tuple(session.plan.runs) for session in sessions]
    assert names[0] == names[1] != names[2]
    assert keys[0] == keys[1] != keys[2]
