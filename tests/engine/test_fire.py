"""Whatever happens to a suite, started again it comes to the same bits, and MLflow has each of its points once."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from engine.far_workers import cluster

from jetbench.files import is_locked
from jetbench.suites.plan import Plan
from jetbench.tracking.ledger import Ledger, RunFolder

HERE = ("driver", "child", "driver", "server", "child")  # whom kills meet; the server is what starts the children
FAR = ("driver", "worker", "child", "worker", "server", "worker")
SMALL = ("tuning=null", "seeds=1", "labels=[50]", "recipes.simclr.passes=2560", "recipes.simclr.epochs=10")
COMMAND = (sys.executable, "-c", "from jetbench.cli import main; main()")
FILES = ("model.safetensors", "scores.h5", "split.json", "spec.yaml", "roc.png", "confusion.png", "losses.npy", "test.json")


ACTIVE = "WHERE lifecycle_stage = 'active'"  # what was begun and not ended is in the bin
POINTS = f"SELECT run_uuid, key, step, count(*) FROM metrics JOIN runs USING (run_uuid) {ACTIVE} GROUP BY 1, 2, 3"


class Blow(NamedTuple):
    """Whom a kill meets, and when: as soon as `when` holds of the folder of a run that is under way, and a while after that."""

    whom: str
    when: Callable[[RunFolder], bool]
    after: float


def trains(folder: RunFolder) -> bool:
    return folder.journal.exists()


def flushes(folder: RunFolder) -> bool:
    return any(folder.path.glob(f".{folder.committed.name}.*.part"))


def writes_checkpoint(folder: RunFolder) -> bool:
    return any(folder.path.glob(".*checkpoint*.part"))


def has_checkpoint(folder: RunFolder) -> bool:
    return folder.checkpoint.exists()


def evaluates(folder: RunFolder) -> bool:
    return folder.weights.exists()


def starts(folder: RunFolder) -> bool:
    return True


LINEAGE = (b"forkserver", b"forkserver", b"spawn")  # what the commands of a child, its server and a Dask worker have in them
MOMENTS = (starts, trains, flushes, has_checkpoint, writes_checkpoint, evaluates)


def blows(rng: np.random.Generator, whom: tuple[str, ...]) -> Iterator[Blow]:
    """Kills without end, in an order that is drawn."""
    while True:
        for one in rng.permutation(whom):
            when = MOMENTS[rng.integers(len(MOMENTS))]
            yield Blow(str(one), when, 0.0 if when in (flushes, writes_checkpoint) else float(rng.uniform(0, 0.6)))


def command(suite: Path, root: Path, scheduler: str = "") -> list[str]:
    settings = [part for one in SMALL for part in ("--set", one)]
    where = ["--scheduler", scheduler] if scheduler else ["--jobs", "2"]
    return [*COMMAND, "run", "--suite", str(suite), "--store", str(root), *where, *settings]


def under_way(root: Path) -> list[RunFolder]:
    return [RunFolder(lock.parent) for lock in root.glob("work/*/.lock") if is_locked(lock)]


def victim(blow: Blow, driver: subprocess.Popen[bytes], folder: RunFolder) -> int:
    if blow.whom == "driver":
        return driver.pid
    process = int(json.loads(folder.lock.read_bytes())["process"])
    for started_by in LINEAGE[: 1 + ("child", "server", "worker").index(blow.whom)]:
        # whoever looks whether a run is free owns it for an instant, and an orphan's parent is nobody of ours
        if started_by not in Path(f"/proc/{process}/cmdline").read_bytes():
            raise ProcessLookupError(process)
        found, process = process, int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return found


def struck(blow: Blow, driver: subprocess.Popen[bytes], root: Path) -> bool:
    """Wait for the moment and kill; False where the driver has ended before it came."""
    while driver.poll() is None:
        for folder in under_way(root):
            if not blow.when(folder):
                continue
            time.sleep(blow.after)
            with suppress(OSError, ValueError, KeyError):  # it has just ended by itself
                os.kill(victim(blow, driver, folder), signal.SIGKILL)
                return True
        time.sleep(0.0005)
    return False


def content(plan: Plan, root: Path) -> dict[str, object]:
    """What the runs have come to, but for what tells the time."""
    ledger = Ledger(root / "work")
    found: dict[str, object] = {}
    for key in plan.runs:
        assert ledger.done(key, thorough=True)
        found |= {f"{key} {name}": path.read_bytes() for name in FILES if (path := ledger.folder(key) / name).exists()}
        found[key] = {name: value for name, value in ledger.metrics(key).items() if not name.startswith("cost/")}
    return found


def rows(root: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(root / "mlflow.db")) as database:
        return database.execute(query).fetchall()


@pytest.fixture
def straight(suite_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store of a run that nothing happened to."""
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path / "cache"))
    subprocess.run(command(suite_path, tmp_path / "straight"), check=True, capture_output=True)
    return tmp_path / "straight"


def assert_equal(plan: Plan, root: Path, straight: Path) -> None:
    """The files of all runs, and their points in MLflow."""
    expected, after = content(plan, straight), content(plan, root)
    assert [name for name in expected if after.get(name) != expected[name]] == []
    assert after.keys() == expected.keys()
    assert {state for (state,) in rows(root, f"SELECT status FROM runs {ACTIVE}")} == {"FINISHED"}
    assert [point for point in rows(root, POINTS) if point[3] != 1] == []
    assert Counter(key for _, key, _, _ in rows(root, POINTS)) == Counter(key for _, key, _, _ in rows(straight, POINTS))


@pytest.mark.slow
@pytest.mark.parametrize(("whom", "kills"), [(HERE, 30), (FAR, 6)], ids=["here", "far"])
def test_kills_change_no_bit(
    plan_of: Callable[..., Plan], suite_path: Path, straight: Path, tmp_path: Path, whom: tuple[str, ...], kills: int
) -> None:
    """Of all processes, at all moments; a worker that is killed is started again by its nanny."""
    met: Counter[tuple[str, str]] = Counter()
    dealt, starts_left = blows(np.random.default_rng(14), whom), 10 * kills
    with cluster(tmp_path / "dask", "w1", "w2") if "worker" in whom else nullcontext() as workers:
        while met.total() < kills or {when.__name__ for when in MOMENTS} > {when for _, when in met}:
            root, status = tmp_path / f"broken-{met.total()}", 1
            while status:
                starts_left -= 1
                assert starts_left, f"it never comes to an end: {met}"
                run = command(suite_path, root, workers.address if workers else "")
                driver = subprocess.Popen(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                blow = next(dealt)
                if struck(blow, driver, root):
                    met[blow.whom, blow.when.__name__] += 1
                status = driver.wait(300)
            assert_equal(plan_of(*SMALL), root, straight)
    assert {one for one, _ in met} == set(whom)


JUMPING = """
import time
_time, _time_ns = time.time, time.time_ns
def _jump():
    return 86400 * (int(time.monotonic() * 3) % 3 - 1)  # a day ahead, or behind, three times a second
time.time = lambda: _time() + _jump()
time.time_ns = lambda: _time_ns() + 10**9 * _jump()
"""


@pytest.mark.slow
def test_a_clock_that_jumps_changes_nothing(
    plan_of: Callable[..., Plan], suite_path: Path, straight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, root = tmp_path / "site", tmp_path / "jumping"
    site.mkdir()
    (site / "sitecustomize.py").write_text(JUMPING)  # each process of the run imports it when it starts
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH")))))
    driver = subprocess.Popen(command(suite_path, root), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert struck(Blow("driver", has_checkpoint, 0.0), driver, root)
    driver.wait()
    subprocess.run(command(suite_path, root), check=True, capture_output=True)
    assert_equal(plan_of(*SMALL), root, straight)


SMALL_DISK = """
mount -t tmpfs -o size=3m none "$0" && "$@"
echo $? > "$0.status"
mount -o remount,size=300m "$0" && "$@" && cp -a "$0" "$0.whole"
"""


@pytest.mark.slow
def test_a_disk_that_is_full_is_one_sentence_and_the_rest_is_trained_later(
    plan_of: Callable[..., Plan], suite_path: Path, straight: Path, tmp_path: Path
) -> None:
    root = tmp_path / "full"
    root.mkdir()
    around = ["unshare", "--mount", "sh", "-c", SMALL_DISK, str(root)]
    if subprocess.run([*around[:4], "mount -t tmpfs none $0", str(root)], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    done = subprocess.run([*around, *command(suite_path, root)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Path(f"{root}.status").read_text().strip() == "1"
    assert "Traceback" not in done.stdout + done.stderr
    assert "is the disk full" in done.stdout + done.stderr
    assert_equal(plan_of(*SMALL), Path(f"{root}.whole"), straight)
