from __future__ import annotations

import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import h5py
import pytest
from ruamel.yaml import YAML

from jetbench.api import Session, latest_session, open_session
from jetbench.engine.engine import Event, execute
from jetbench.engine.prepare import prepare
from jetbench.errors import BusyError, DataFileError
from jetbench.files import file_lock
from jetbench.report.collect import collect
from jetbench.suites.instances import remember
from jetbench.suites.plan import CellKey, Plan
from jetbench.tracking.journal import committed, read
from jetbench.tracking.ledger import Ledger, RunFolder
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import MemoryTracker, Status


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path / "cache"))


def generate(plan: Plan, root: Path, tracker: MemoryTracker | None = None, workers: int = 2) -> Iterator[Event]:
    (root / "work").mkdir(parents=True, exist_ok=True)
    return execute(
        plan,
        Store(root),
        tracker or MemoryTracker(),
        lambda: [None] * workers,
        lambda crew: prepare(plan, workers, lambda what, done, total: None),
    )


def run(plan: Plan, root: Path, tracker: MemoryTracker | None = None, workers: int = 2) -> list[Event]:
    return [event for event in generate(plan, root, tracker, workers) if event.kind != "tick"]


def weights(plan: Plan, root: Path) -> dict[str, bytes]:
    """Every file of a finished run that does not tell the time (a stored tree model does)."""
    ledger = Ledger(root / "work")
    names = ("model.safetensors", "scores.h5", "split.json", "spec.yaml", "roc.png", "confusion.png")
    return {
        f"{key} {name}": (ledger.folder(key) / name).read_bytes()
        for key in plan.runs
        for name in names
        if (ledger.folder(key) / name).exists()
    }


def test_a_suite_runs_and_is_then_skipped(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    plan, tracker = plan_of(), MemoryTracker()
    events = run(plan, tmp_path, tracker)
    assert Counter(e.kind for e in events) == {"done": len(plan.runs), "winner": len(plan.studies)}
    assert set(tracker.status.values()) == {"FINISHED"}
    ledger = Ledger(tmp_path / "work")
    metrics = ledger.metrics(plan.cells[CellKey("scratch", 100, 0)])
    assert 0.5 < ledger.tested(plan.cells[CellKey("scratch", 100, 0)])["test/auc"] <= 1
    assert metrics["cost/labelled_passes"] == 320
    final = tracker.artifacts[plan.cells[CellKey("scratch", 100, 0)]]
    assert {"roc.png", "roc.json", "confusion.png", "scores.h5", "model.safetensors", "bundle.json", "spec.yaml"} <= set(final)
    pretraining = next(key for key, r in plan.runs.items() if r.kind == "pretrain")
    assert Ledger(tmp_path / "work").metrics(pretraining)["cost/unlabelled_passes"] == 512
    for key in plan.runs:
        records = read(Ledger(tmp_path / "work").run(key).journal)[0]
        points = Counter((name, record.step) for record in records for name in record.metrics)
        assert set(points.values()) == {1}  # two values of one metric at a step would be a broken curve
    again = Counter(e.kind for e in run(plan, tmp_path))
    assert again == {"skipped": len(plan.runs), "winner": len(plan.studies)}


def test_equal_plans_give_equal_bits_whatever_happens_in_between(
    plan_of: Callable[..., Plan], suite_path: Path, tmp_path: Path
) -> None:
    """Killed without warning in the middle, stopped with Ctrl-C, continued: the same files as in one go."""
    plan = plan_of()
    run(plan, tmp_path / "straight")
    broken = tmp_path / "broken"
    for number, sign in enumerate((signal.SIGKILL, signal.SIGINT)):
        driver = start_driver(suite_path, broken, tmp_path)
        wait_for(lambda least=3 + 5 * number: len(list(broken.glob("work/*/done.json"))) >= least, driver)
        driver.send_signal(sign)
        assert driver.wait(60) != 0
        wait_for(lambda: not children_of(broken), None)
        for left in broken.glob("work/*/done.json"):
            assert Ledger(broken / "work").done(json.loads(left.read_text())["key"])
    run(plan, broken)
    straight, after = weights(plan, tmp_path / "straight"), weights(plan, broken)
    assert straight.keys() == after.keys()
    assert [name for name in straight if straight[name] != after[name]] == []


DRIVER = """
import sys
from pathlib import Path
from jetbench.engine.engine import execute
from jetbench.suites.planning import make_plan
from jetbench.engine.prepare import prepare
from jetbench.suites.suite import find_suite, instantiate
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import MemoryTracker
plan = make_plan(instantiate(find_suite(sys.argv[1]), overrides=tuple(sys.argv[3:])))
root = Path(sys.argv[2])
for event in execute(plan, Store(root), MemoryTracker(), lambda: [None] * 2, lambda crew: prepare(plan, 2, lambda *a: None)):
    if event.kind != "tick":
        print(event.kind, event.name, event.key, flush=True)
"""


def hear_ctrl_c() -> None:
    """A shell that runs the tests in the background has its children ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def start_driver(
    suite: Path, root: Path, folder: Path, *overrides: str, stdout: int | None = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """A plain script without a main guard, as a user would write it."""
    (root / "work").mkdir(parents=True, exist_ok=True)
    script = folder / "driver.py"
    script.write_text(DRIVER)
    return subprocess.Popen(
        [sys.executable, str(script), str(suite), str(root), *overrides],
        cwd=folder,
        stdout=stdout,
        stderr=subprocess.DEVNULL,
        preexec_fn=hear_ctrl_c,
    )


def children_of(root: Path) -> list[int]:
    """Processes that hold a run's lock below a store."""
    found = []
    for lock in root.glob("work/*/.lock"):
        with file_lock(lock, wait=False) as free:
            if not free:
                found.append(lock)
    return found


def wait_for(condition: Callable[[], bool], driver: subprocess.Popen[bytes] | None) -> None:
    for _ in range(600):
        if condition():
            return
        assert driver is None or driver.poll() is None, "the driver ended by itself"
        time.sleep(0.1)
    raise AssertionError("waited a minute in vain")


def test_a_failure_is_recorded_and_the_others_go_on(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    plan = plan_of("tuning=null", "recipes.simclr.learning_rate=1e30", "recipes.simclr.warmup=0.01")
    events = run(plan, tmp_path)
    failed = {e.name: e.text for e in events if e.kind == "failed"}
    assert "not finite" in failed["resnet15/simclr-pretraining/s0"]
    assert failed["resnet15/simclr/n50/s0"] == "it needs resnet15/simclr-pretraining/s0, which has failed"
    assert sum(e.kind == "done" for e in events) == 8
    key = next(key for key, r in plan.runs.items() if r.name == "resnet15/simclr-pretraining/s0")
    ledger = Ledger(tmp_path / "work")
    assert "not finite" in str(ledger.failure(key))
    assert "; its batch has the jets in rows " in str(ledger.failure(key))
    assert ledger.diverged(key)
    assert 0 < ledger.costs(key)["cost/unlabelled_passes"] <= 512
    again = run(plan, tmp_path)
    assert {e.name for e in again if e.kind == "failed"} == set(failed)


DIVERGING = ("seeds=1", "labels=[50]", "tuning.factors=[1.0,1e30]", "arms.simclr.regime=mixup")


# at the end of an epoch of one step the loss is finite yet, and the weights are not
@pytest.mark.parametrize("length", ["passes=320", "passes=64"])
def test_a_trial_that_diverges_is_the_worst_of_its_search_and_no_failure(
    plan_of: Callable[..., Plan], tmp_path: Path, length: str
) -> None:
    plan, tracker = plan_of(*DIVERGING, f"recipes.supervised.{length}"), MemoryTracker()
    events = run(plan, tmp_path, tracker)
    diverged = {e.name: e for e in events if e.kind == "diverged"}
    assert set(diverged) == {f"resnet15/{arm}/n50/trial-lr1e+27" for arm in ("scratch", "simclr")}
    assert all("not finite" in e.text for e in diverged.values())
    assert Counter(e.kind for e in events) == {"done": len(plan.runs) - 2, "diverged": 2, "winner": len(plan.studies)}
    (winner,) = [e.text for e in events if e.kind == "winner" and e.name == "scratch/n50"]
    assert winner == "learning rate 0.001, the recipe's own"
    ledger = Ledger(tmp_path / "work")
    costs = [ledger.costs(e.key)["cost/labelled_passes"] for e in diverged.values()]
    assert all(0 < cost <= 320 for cost in costs)
    assert {tracker.status[e.key] for e in diverged.values()} == {"FAILED"}

    record = (ledger.folder(diverged["resnet15/scratch/n50/trial-lr1e+27"].key) / "failed.json").read_bytes()
    assert Counter(e.kind for e in run(plan, tmp_path)) == {"skipped": len(plan.runs), "winner": len(plan.studies)}
    assert (ledger.folder(diverged["resnet15/scratch/n50/trial-lr1e+27"].key) / "failed.json").read_bytes() == record


def test_a_study_whose_trials_all_diverge_says_so_and_the_others_go_on(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    plan = plan_of(*DIVERGING, "tuning.factors=[1e29,1e30]", "recipes.supervised.passes=64")
    for events in (run(plan, tmp_path), run(plan, tmp_path)):
        failed = {e.name: e.text for e in events if e.kind == "failed"}
        why = "whose trials have all diverged; smaller `tuning.factors` may help unless their reasons say otherwise"
        assert failed == {f"resnet15/{arm}/n50/s0": f"it needs the study of {arm}/n50, {why}" for arm in ("scratch", "simclr")}
        assert [e.name for e in events if e.kind == "winner"] == ["boosted-trees/n50"]


def test_a_search_is_planned_as_it_goes_and_published_later_where_it_was_not(
    plan_of: Callable[..., Plan], tmp_path: Path
) -> None:
    """Two rounds of four trials, each with a learning rate and a choice."""
    search = ("tuning.sampler=tpe", "tuning.trials=6", "tuning.search={model.norm: null}", "recipes.supervised.passes=64")
    plan = plan_of("seeds=1", "labels=[50]", "tuning.factors=[0.1,10.0]", "arms.simclr.regime=mixup", *search)
    assert len([r for r in plan.runs.values() if r.kind == "trial"]) == 3
    events = run(plan, tmp_path)
    trials = {e.key: e.name for e in events if "/trial-" in e.name}
    assert Counter(e.kind for e in events) == {"done": len(plan.runs) + 3 * 5, "winner": 3}
    assert len(trials) == 3 * 6
    assert {name.rsplit("-", 1)[1] for name in trials.values() if "resnet15" in name} == {"normgroup", "normbatch"}
    tracker = MemoryTracker()
    assert Counter(e.kind for e in run(plan, tmp_path, tracker)) == {"skipped": len(plan.runs) + 3 * 5, "winner": 3}
    assert set(trials) <= set(tracker.status)
    final = plan.runs[plan.cells[CellKey("scratch", 50, 0)]]
    decided = next(e.text for e in events if e.kind == "winner" and e.name == "scratch/n50")
    told = YAML(typ="safe").load(Ledger(tmp_path / "work").folder(final.key) / "spec.yaml")
    chosen = f"learning rate {told['recipe']['learning_rate']:.3g}, norm {dict(told['model']['options']).get('norm', 'group')}"
    assert decided.startswith(f"{chosen}, ")


SEEDS = ("tuning.per=seed", "tuning.labels=each")


def test_the_trial_that_wins_is_the_final_run_of_its_seed(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    """Trials show nothing of the test jets, except for the one that won; nothing is trained twice."""
    plan, tracker = plan_of(*SEEDS, "labels=[100]"), MemoryTracker()
    events = run(plan, tmp_path, tracker)
    assert Counter(e.kind for e in events if e.kind != "winner") == {"done": len(plan.runs)}
    results = collect(plan, Store(tmp_path))
    assert len(results.cells) == len(plan.studies) == 6
    finals = {results.last[cell] for cell in plan.cells}
    trials = {key for key, planned in plan.runs.items() if planned.kind == "trial"}
    assert len(finals) == 6
    assert len(trials) == 12
    assert {key for key in trials if "scores.h5" in tracker.artifacts[key]} == finals
    for cell in plan.cells:
        losses = {key: results.ledger.losses(key).mean() for key in results.trials[plan.tuned[cell]]}
        own = plan.cells[cell]
        assert results.last[cell] in (own, min(losses, key=losses.get))  # type: ignore[arg-type]
        assert results.cells[cell]["test/auc"] == results.ledger.tested(results.last[cell])["test/auc"]
    left = {e.name for e in events if e.kind == "winner"}
    assert left == {f"{cell.arm}/n100/s{cell.seed}" for cell in plan.cells if results.last[cell] != plan.cells[cell]}
    again, second = MemoryTracker(), run(plan, tmp_path)
    assert Counter(e.kind for e in second if e.kind != "winner") == {"skipped": len(plan.runs)}
    run(plan, tmp_path, again)
    assert {key for key in trials if "scores.h5" in again.artifacts[key]} == finals


def test_a_seed_whose_trials_all_diverge_has_failed(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    plan = plan_of(*DIVERGING, *SEEDS, "tuning.factors=[1e29,1e30]", "recipes.supervised.passes=64")
    for events in (run(plan, tmp_path), run(plan, tmp_path)):
        failed = {e.name: e.text for e in events if e.kind == "failed"}
        why = "it needs its study, whose trials have all diverged; smaller `tuning.factors` may help"
        why = f"{why} unless their reasons say otherwise"
        assert failed == {f"{arm}/n50/s0": why for arm in ("scratch", "simclr")}
    missing = collect(plan, Store(tmp_path)).missing
    assert {cell.arm: reason for cell, reason in missing.items()} == {
        arm: f"needs the study of {arm}/n50/s0, whose trials so far have all diverged" for arm in ("scratch", "simclr")
    }


def test_a_damaged_result_is_made_again(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    plan = plan_of("tuning=null", "seeds=1")
    run(plan, tmp_path)
    before = weights(plan, tmp_path)
    key = plan.cells[CellKey("scratch", 50, 0)]
    path = Ledger(tmp_path / "work").folder(key) / "scores.h5"
    path.write_bytes(path.read_bytes()[:-10])
    assert [e.key for e in run(plan, tmp_path) if e.kind == "done"] == [key]
    assert weights(plan, tmp_path) == before


class Unsure(MemoryTracker):
    def holds(self, key: str, folder: RunFolder, *, sealed: bool = False, status: Status = "FINISHED") -> bool:
        return bool(committed(folder.journal))


def test_a_damaged_mark_of_a_finished_run_keeps_nothing_back(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    plan = plan_of("tuning=null", "seeds=1", "labels=[50]", "arms.simclr.regime=mixup")
    run(plan, tmp_path)
    key = plan.cells[CellKey("scratch", 50, 0)]
    folder = Ledger(tmp_path / "work").run(key)
    folder.committed.write_text("damaged")
    assert Counter(e.kind for e in run(plan, tmp_path, Unsure())) == {"skipped": len(plan.runs)}
    assert committed(folder.journal) == folder.journal.stat().st_size


def test_labels_that_change_after_the_end_are_noticed(suite_path: Path, toy_file: Path, tmp_path: Path) -> None:
    """The same command would have nothing left to run, and old results for new labels. What only looks goes on."""
    jets, store = tmp_path / "jets.h5", tmp_path / "s"
    shutil.copy(toy_file, jets)

    def session() -> Session:
        small = ("tuning=null", "seeds=1", "labels=[50]")
        return open_session(suite_path, dataset=jets, overrides=small, store=store)

    plan = session().plan
    events = run(plan, store)
    assert {e.kind for e in events} == {"done"}
    remember(store, plan.instance)
    before = latest_session("mini", store=store).results().cells
    assert before
    with h5py.File(jets, "r+") as file:
        file["targets/label"][7] = 1 - file["targets/label"][7]
    with pytest.raises(DataFileError, match=r"jets\.h5: its content .* was changed after it was written"):
        session()
    jets.rename(tmp_path / "moved.h5")
    moved = latest_session("mini", store=store)
    assert moved.results().cells == before
    assert re.search(r"final +3 +0 +3", moved.forecast())  # runs, planned, done


def test_a_longer_training_is_compared_with_its_pair(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    """Both are trained, tested and shipped like any other run, and no cell is one of them."""
    plan = plan_of("tuning=null", "seeds=1", "labels=[50]", "arms.simclr.regime=mixup", "longer=1.5")
    tracker = MemoryTracker()
    events = run(plan, tmp_path / "s", tracker)
    assert {event.kind for event in events} == {"done"}
    keys = plan.checks["scratch", 50]
    assert set(keys) <= set(tracker.status)
    results = collect(plan, Store(tmp_path / "s"))
    usual, longer = (results.metrics(key) | results.ledger.tested(key) for key in keys)
    pair = results.longer["scratch", 50]
    assert (pair.baselines[0], pair.values[0]) == (usual["test/auc"], longer["test/auc"])
    assert longer["cost/labelled_passes"] == 1.5 * usual["cost/labelled_passes"]
    assert not set(keys) & set(plan.cells.values())


def test_two_at_once_is_one_clear_error(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    plan = plan_of()
    with file_lock(tmp_path / "work" / f"{plan.instance.name}.lock") as mine:
        assert mine
        with pytest.raises(BusyError, match="another jetbench process"):
            run(plan, tmp_path)


def test_children_die_with_their_driver(suite_path: Path, tmp_path: Path) -> None:
    driver = start_driver(suite_path, tmp_path / "s", tmp_path)
    wait_for(lambda: bool(children_of(tmp_path / "s")), driver)
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    wait_for(lambda: not children_of(tmp_path / "s"), None)
    assert not children_of(tmp_path / "s")


def test_one_worker_and_two_give_equal_bits(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    plan = plan_of("tuning=null", "seeds=1", "labels=[50]")
    for workers in (1, 2):
        run(plan, tmp_path / str(workers), workers=workers)
    one, two = (weights(plan, tmp_path / str(workers)) for workers in (1, 2))
    assert len(one) > 2 * len(plan.runs)
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []


def test_two_instances_at_once_train_nothing_twice(plan_of: Callable[..., Plan], suite_path: Path, tmp_path: Path) -> None:
    """They share pretrainings, studies and the runs on 50 labels."""
    sides = [("labels=[50]", "seeds=2"), ("labels=[50,100]", "seeds=2")]
    drivers = [start_driver(suite_path, tmp_path / "s", tmp_path, *overrides, stdout=subprocess.PIPE) for overrides in sides]
    told = [[tuple(line.split()) for line in driver.communicate(timeout=300)[0].decode().splitlines()] for driver in drivers]
    plans = [plan_of(*overrides) for overrides in sides]
    assert len(plans[0].runs.keys() & plans[1].runs.keys()) > 8
    trained = Counter(line[-1] for lines in told for line in lines if line[0] == "done")
    assert trained == Counter(plans[0].runs.keys() | plans[1].runs.keys())
    for plan, lines in zip(plans, told, strict=True):
        assert {line[-1] for line in lines if line[0] in ("done", "skipped")} == plan.runs.keys()
        assert sum(line[0] == "winner" for line in lines) == len(plan.studies)
        assert not [line for line in lines if line[0] == "failed"]


def test_a_run_that_another_process_gives_up_is_trained_here(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    plan = plan_of("tuning=null", "seeds=1", "labels=[50]")
    ledger = Ledger(tmp_path / "work")
    key, failing = plan.cells[CellKey("scratch", 50, 0)], plan.cells[CellKey("boosted-trees", 50, 0)]
    events = []
    with ExitStack() as locks:
        for one in (key, failing):
            locks.enter_context(file_lock(ledger.run(one).lock))
        for event in generate(plan, tmp_path):
            events.append(event)
            if sum(e.kind == "elsewhere" for e in events) == 2:
                time.sleep(0.01)
                ledger.fail(failing, "it failed there", "")
                locks.close()
    ended = {event.key: (event.kind, event.text) for event in events if event.kind in ("done", "failed", "skipped")}
    assert ended.pop(failing) == ("failed", "it failed there")
    assert set(ended.values()) == {("done", "")}


def test_a_child_that_is_told_to_stop_is_killed_in_the_tracker_and_goes_on_later(
    plan_of: Callable[..., Plan], tmp_path: Path
) -> None:
    plan = plan_of("tuning=null", "seeds=1", "labels=[50]", "recipes.simclr.passes=20000", "recipes.simclr.epochs=60")
    pretraining = next(key for key, r in plan.runs.items() if r.kind == "pretrain")
    tracker, ledger = MemoryTracker(), Ledger(tmp_path / "work")
    failed = {}
    for event in generate(plan, tmp_path, tracker):
        if event.kind == "tick" and committed(ledger.run(pretraining).journal):
            for child in multiprocessing.active_children():
                child.terminate()
        if event.kind == "failed":
            failed[event.name] = event.text
    assert "was told to stop" in failed["resnet15/simclr-pretraining/s0"]
    assert "it needs resnet15/simclr-pretraining/s0" in failed["resnet15/simclr/n50/s0"]
    assert tracker.status[pretraining] == "KILLED"
    assert ledger.run(pretraining).checkpoint.exists()
    assert ledger.failure(pretraining) is None
    before = read(ledger.run(pretraining).journal)[0]
    assert [e for e in run(plan, tmp_path, tracker) if e.kind == "failed"] == []
    assert read(ledger.run(pretraining).journal)[0][: len(before)] == before
    assert tracker.status[pretraining] == "FINISHED"


def test_weights_that_were_damaged_in_silence_are_noticed_by_who_starts_from_them(
    plan_of: Callable[..., Plan], tmp_path: Path
) -> None:
    plan = plan_of("tuning=null", "seeds=1", "labels=[50]")
    run(plan, tmp_path)
    before, ledger = weights(plan, tmp_path), Ledger(tmp_path / "work")
    key = plan.cells[CellKey("simclr", 50, 0)]
    (start,) = {r.spec.start for r in plan.runs.values()} - {None}
    path = ledger.run(start).weights
    state, data = path.stat(), path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    ledger.run(key).done.unlink()
    assert [(e.kind, e.key) for e in run(plan, tmp_path) if e.kind != "skipped"] == [("failed", key)]
    assert "weights that it starts from are damaged" in str(ledger.failure(key))
    assert {e.key for e in run(plan, tmp_path) if e.kind == "done"} == {start, key}
    assert weights(plan, tmp_path) == before
