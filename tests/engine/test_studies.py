"""Studies of files, with real trainings of tiny networks: pruned, interrupted, shared with a suite, and many at once."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from jetbench.api import StudySession, latest_study, open_study
from jetbench.engine.books import Books
from jetbench.engine.engine import execute
from jetbench.engine.events import Event
from jetbench.engine.prepare import prepare
from jetbench.suites.graph import Graph, PlannedRun
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.replay import open_round
from jetbench.suites.study_planning import StudyPlan
from jetbench.suites.trials import Trial, searchings
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import MemoryTracker

PlanOf = Callable[..., StudyPlan]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path / "cache"))


def run(plan: Graph, root: Path, tracker: MemoryTracker | None = None) -> list[Event]:
    (root / "work").mkdir(parents=True, exist_ok=True)
    prepared = prepare(plan, 2, lambda *told: None)
    events = execute(plan, Store(root), tracker or MemoryTracker(), lambda: [None] * 2, lambda _: prepared)
    return [event for event in events if event.kind != "tick"]


def told(trials: tuple[Trial, ...]) -> list[tuple[object, ...]]:
    """What a study has tried and found, without the time that it took."""
    return [
        (one.number, dict(one.values), one.state, one.scores, one.labelled_passes, one.unlabelled_passes, one.curve, one.keys)
        for one in trials
    ]


def of_arm(plan: Graph, root: Path, arm: str) -> tuple[Trial, ...]:
    return next(one.trials for one in searchings(plan, Ledger(root / "work")) if one.arm == arm)


ASHA = ("pruner=asha", "sampler=random", "trials=8", "seeds=1", "arms.simclr=null")


def test_a_study_runs_and_its_pruned_trials_are_told(plan_of_study: PlanOf, tmp_path: Path) -> None:
    """Random rates in two rounds: of the second one those that are behind the best two of the first after an epoch stop."""
    plan, tracker = plan_of_study(*ASHA), MemoryTracker()
    kinds = Counter(event.kind for event in run(plan, tmp_path, tracker))
    (search,) = searchings(plan, Ledger(tmp_path / "work"))
    states = Counter(trial.state for trial in search.trials)
    assert set(kinds) == {"done", "pruned", "winner"}
    assert (kinds["done"], kinds["pruned"]) == (states["complete"], states["pruned"])
    assert all(trial.state == "complete" for trial in search.trials[:4])
    limit = sorted(trial.curve[0][1] for trial in search.trials[:4])[1]
    for trial in search.trials[4:]:
        assert (trial.state == "pruned") == (trial.curve[0][1] > limit)
        assert trial.labelled_passes == (64 if trial.state == "pruned" else 192)
        assert {"model.safetensors", "spec.yaml"} <= set(tracker.artifacts[trial.keys[0]])
        assert ("pruned.json" in tracker.artifacts[trial.keys[0]]) == (trial.state == "pruned")
    assert set(tracker.status.values()) == {"FINISHED"}
    best = min((trial for trial in search.trials if trial.state == "complete"), key=lambda trial: trial.scores)
    assert search.winner == best.number
    again = Counter(event.kind for event in run(plan, tmp_path))
    assert again == {"skipped": 8, "winner": 1}


def test_a_pruned_run_goes_on_where_another_plan_needs_it_in_full(plan_of_study: PlanOf, tmp_path: Path) -> None:
    """A plan that has the same runs as final ones; the study is judged as before, from runs that are longer now."""
    plan, whole = plan_of_study(*ASHA), plan_of_study(*ASHA)
    run(plan, tmp_path)
    before = of_arm(plan, tmp_path, "scratch")
    pruned = {trial.keys[0] for trial in before if trial.state == "pruned"}
    assert pruned
    (study,) = plan.studies.values()
    whole.studies.clear()
    for trial in before:
        whole.runs[trial.keys[0]] = PlannedRun(study.trial(trial.values), f"whole/{trial.number}", "scratch", "final", 60)
    assert {event.key for event in run(whole, tmp_path) if event.kind == "done"} == pruned
    ledger = Ledger(tmp_path / "work")
    assert all(ledger.done(key) and not ledger.pruned(key) for key in pruned)
    assert told(of_arm(plan, tmp_path, "scratch")) == told(before)
    assert Counter(event.kind for event in run(plan, tmp_path)) == {"skipped": 8, "winner": 1}


def test_pretrainings_of_trials_are_trained_once_and_booked_once(plan_of_study: PlanOf, tmp_path: Path) -> None:
    rates, decays = "pretraining.recipe.learning_rate: {choices: [0.001, 0.003]}", "recipe.weight_decay: {choices: [0.1, 0.2]}"
    grid = f"search={{recipe.learning_rate: null, {rates}, {decays}}}"
    plan = plan_of_study(grid, "sampler=grid", "trials=null", "seeds=2", "arms.scratch=null", "arms.simclr.search=null")
    tracker = MemoryTracker()
    events = run(plan, tmp_path, tracker)
    assert Counter(event.kind for event in events) == {"done": 4 * 2 + 2 * 2, "winner": 1}
    (search,) = searchings(plan, Ledger(tmp_path / "work"))
    assert [trial.unlabelled_passes for trial in search.trials] == [512, 0, 512, 0]
    assert [len(trial.runs) for trial in search.trials] == [2] * 4
    assert len({run.name for run in plan.runs.values()}) == len(plan.runs) == 12


def test_a_pretraining_that_diverges_makes_its_trials_the_worst(plan_of_study: PlanOf, tmp_path: Path) -> None:
    rates = "{choices: [0.001, 1.0e+30]}"
    grid = f"search={{recipe.learning_rate: null, pretraining.recipe.learning_rate: {rates}}}"
    fragile = (
        "sampler=grid",
        "trials=null",
        "seeds=1",
        "arms.scratch=null",
        "arms.simclr.search=null",
        "recipes.simclr.warmup=0",
    )
    plan = plan_of_study(grid, *fragile)
    for kinds in ({"done": 2, "diverged": 2, "winner": 1}, {"skipped": 4, "winner": 1}):
        assert Counter(event.kind for event in run(plan, tmp_path)) == kinds
    (search,) = searchings(plan, Ledger(tmp_path / "work"))
    assert [trial.state for trial in search.trials] == ["complete", "diverged"]
    assert (search.winner, search.trials[1].scores) == (0, ())
    assert search.trials[1].unlabelled_passes > 0


def test_a_trial_that_fails_is_counted_and_the_study_goes_on(plan_of_study: PlanOf, tmp_path: Path) -> None:
    """A network that no memory holds fails in its child; the same command tries it again, with the same end."""
    grid = "search={recipe.learning_rate: null, model.stages: {choices: ['8-16', '9999999999999']}}"
    plan = plan_of_study(grid, "sampler=grid", "trials=null", "seeds=1", "arms.simclr=null")
    for done in ("done", "skipped"):
        kinds = Counter(event.kind for event in run(plan, tmp_path))
        assert kinds == {done: 1, "failed": 1, "winner": 1}
    (search,) = searchings(plan, Ledger(tmp_path / "work"))
    assert [trial.state for trial in search.trials] == ["complete", "failed"]
    assert search.winner == 0


def test_a_study_of_which_no_trial_was_trained_to_its_end_has_failed(plan_of_study: PlanOf, tmp_path: Path) -> None:
    plan, store = plan_of_study("arms.simclr=null", "seeds=1", "trials=4"), Store(tmp_path)
    store.work.mkdir()
    ((digest, study),) = plan.studies.items()
    for values in open_round(study, {}).values():
        ((last,),) = plan.trial(digest, values)
        Ledger(store.work).fail(last.key, "the loss is not finite", "", {"cost/labelled_passes": 3.0})
    *events, failed = Books(plan, store, MemoryTracker()).open()
    assert (failed.kind, failed.name) == ("failed", plan.study_name(digest))
    assert "other ranges under `search`" in failed.text
    assert {event.kind for event in events} == {"skipped"}


def test_several_aims_make_a_front_of_the_costs_that_networks_have(plan_of_study: PlanOf, tmp_path: Path) -> None:
    widths = "search={recipe.learning_rate: null, model.stages: {choices: ['4-8', '8-16', '16-32']}}"
    plan = plan_of_study(widths, "sampler=grid", "trials=null", "seeds=1", "arms.simclr=null", "aims=[val/auc, cost/flops]")
    run(plan, tmp_path)
    (search,) = searchings(plan, Ledger(tmp_path / "work"))
    flops = [trial.scores[1] for trial in search.trials]
    assert flops == sorted(flops)
    assert flops[0] > 1e4
    assert search.winner is None
    assert search.front[0] == 0  # nothing is cheaper
    ledger = Ledger(tmp_path / "work")
    assert [ledger.metrics(trial.keys[0])["cost/flops"] for trial in search.trials] == flops


def test_a_study_for_all_seeds_decides_for_their_pretrainings_too(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    """Pretrainings of the cells wait for it as their last runs do, and are trained with the rate that it has chosen."""
    searched = "pretraining.recipe.learning_rate: {choices: [0.0005, 0.002]}"
    plan = plan_of("labels=[50]", f"tuning={{per: study, factors: [1.0], search: {{{searched}}}}}", "arms.boosted-trees=null")
    assert Counter(run.kind for run in plan.runs.values()) == {"pretrain": 4, "trial": 2, "final": 4}
    events = run(plan, tmp_path)
    assert Counter(event.kind for event in events) == {"done": 10, "winner": 1}
    (search,), ledger = searchings(plan, Ledger(tmp_path / "work")), Ledger(tmp_path / "work")
    assert search.winner is not None
    chosen = search.trials[search.winner].values["pretraining.recipe.learning_rate"]
    for seed in range(2):
        final = plan.runs[plan.cells[CellKey("simclr", 50, seed)]]
        told = YAML(typ="safe").load(ledger.run(str(final.spec.start)).spec)
        assert told["recipe"]["learning_rate"] == chosen
        assert told["seed"] == seed


DRIVER = """
import sys
from pathlib import Path
from jetbench.api import open_study
session = open_study(sys.argv[1], store=sys.argv[2], overrides=tuple(sys.argv[3:]))
for event in session.run(2):
    if event.kind != "tick":
        print(event.kind, event.key, flush=True)
"""


def start(study: Path, root: Path, *overrides: str) -> subprocess.Popen[bytes]:
    script = study.with_name("driver.py")
    script.write_text(DRIVER)
    command = [sys.executable, str(script), str(study), str(root), *overrides]
    return subprocess.Popen(command, cwd=study.parent, stdout=subprocess.PIPE, preexec_fn=hear_ctrl_c)


def hear_ctrl_c() -> None:
    """A shell that runs the tests in the background has its children ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.slow
def test_an_interrupted_study_ends_with_the_same_trials(study_path: Path, plan_of_study: PlanOf, tmp_path: Path) -> None:
    overrides = ("pruner=asha", "trials=9", "seeds=2")
    plan = plan_of_study(*overrides)
    run(plan, tmp_path / "straight")
    broken = tmp_path / "broken"
    for number, sign in enumerate((signal.SIGKILL, signal.SIGINT, signal.SIGKILL)):
        driver = start(study_path, broken, *overrides)
        while driver.poll() is None and len(list(broken.glob("work/*/done.json"))) < 4 + 7 * number:
            time.sleep(0.05)
        driver.send_signal(sign)
        driver.communicate(timeout=120)
    for event in open_study(study_path, store=broken, overrides=overrides).run(2):
        assert event.kind != "failed"
    for arm in ("scratch", "simclr"):
        assert told(of_arm(plan, broken, arm)) == told(of_arm(plan, tmp_path / "straight", arm))
    assert isinstance(latest_study("mini", store=broken), StudySession)


@pytest.mark.slow
def test_studies_at_once_have_exactly_their_trials(study_path: Path, plan_of_study: PlanOf, tmp_path: Path) -> None:
    """Half of them share the trials of their first round with others; nothing is trained twice."""
    sides = [
        ("trials=6", "seeds=1", "arms.simclr=null", f"sampler={sampler}", f"pruner={pruner}")
        for sampler in ("tpe", "random", "qmc", "gp")
        for pruner in ("none", "asha")
    ]
    lines = []
    for four in (sides[::2], sides[1::2]):  # eight take gigabytes
        drivers = [start(study_path, tmp_path / "s", *overrides) for overrides in four]
        lines += [driver.communicate(timeout=900)[0].decode().split("\n") for driver in drivers]
        assert [driver.returncode for driver in drivers] == [0] * 4
    trained = Counter(line.split()[-1] for told in lines for line in told if line.startswith("done"))
    assert set(trained.values()) == {1}
    for overrides in sides:
        plan, alone = plan_of_study(*overrides), tmp_path / "-".join(overrides[-2:])
        (search,) = searchings(plan, Ledger(tmp_path / "s" / "work"))
        assert [trial.number for trial in search.trials] == list(range(6))
        run(plan, alone)
        assert told(search.trials) == told(of_arm(plan, alone, "scratch"))
