"""What is freed of a store, and that nothing that somebody needs goes with it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from engine.test_rerun import run

from jetbench.api import compare_specs
from jetbench.cli import main
from jetbench.engine.reclaim import Reclaimer, undisturbed
from jetbench.engine.rerun import sharing
from jetbench.engine.survey import survey
from jetbench.errors import BusyError, StoreError
from jetbench.files import file_lock
from jetbench.report.collect import collect
from jetbench.suites.graph import Graph
from jetbench.suites.instances import remember, remembered
from jetbench.suites.plan import Plan
from jetbench.suites.replay import open_round
from jetbench.suites.study_planning import StudyPlan
from jetbench.suites.trials import follow
from jetbench.tracking import backend
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.mlflow_tracker import MlflowTracker
from jetbench.tracking.store import Store


def gc(store: Store, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["store", "gc", "--store", str(store.root), *arguments])


def trained(plan: Plan, root: Path) -> Store:
    """The plan, trained and in MLflow."""
    store = Store(root)
    store.prepare()
    remember(root, plan.instance)
    assert run(plan, store, MlflowTracker(store, plan.instance.name))["done"] >= 1
    return store


def held(plan: Plan, store: Store) -> bool:
    """Whether MLflow has all of every run."""
    tracker, ledger = MlflowTracker(store, plan.instance.name), Ledger(store.work)
    return all(tracker.holds(key, ledger.run(key), sealed=run.kind == "trial") for key, run in plan.runs.items())


def weighty(plan: Plan, store: Store) -> Counter[str]:
    """How many runs of each kind have their weights."""
    ledger = Ledger(store.work)
    return Counter(run.kind for key, run in plan.runs.items() if ledger.run(key).models())


def test_an_instance_goes_without_what_another_store_has_published_of_it(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    """`jetbench ui` on a store is a server to others."""
    plan, store, page = plan_of(), Store(tmp_path / "store"), tmp_path / "page.html"
    name, client = plan.instance.name, backend.client(store.uri)
    store.prepare()
    remember(store.root, plan.instance)
    other = client.create_experiment(name, tags={"jetbench.store": "another"})
    kept = client.create_run(other, tags={"jetbench.key": "report"}).info.run_id
    page.write_text("x" * 5000)
    client.log_artifact(kept, str(page))
    page.write_text("x" * 70)
    MlflowTracker(store, name).log_report([page])
    assert Reclaimer(store).instance_size(name) == 70
    assert gc(store, name).exit_code == 0
    assert not [path for path in store.artifacts.rglob("*.html") if path.stat().st_size == 70]
    assert client.get_experiment(other).lifecycle_stage == "active"
    assert [file.path for file in client.list_artifacts(kept)] == ["page.html"]


@pytest.mark.slow
def test_weights_go_and_what_is_finished_stays_so(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    """Losing trials and a pretraining lose their weights, in folders and in MLflow; nothing is trained or sent again, until a
    run has to start from them."""
    small = ("seeds=1", "tuning.per=seed", "tuning.labels=each")
    plan = plan_of(*small, "labels=[50]")
    store = trained(plan, tmp_path)
    before = collect(plan, store).cells
    assert held(plan, store)
    with undisturbed(store):
        losers = Reclaimer(store).trials()
    assert len(losers) == len(plan.studies)
    copies, disk = len([*store.artifacts.rglob("model.*")]), sum(path.stat().st_size for path in tmp_path.rglob("model.*"))
    told = gc(store, "trials", "pretrainings", "--dry-run").output
    assert len([*store.artifacts.rglob("model.*")]) == copies
    done = gc(store, "trials", "pretrainings")
    assert done.exit_code == 0, done.output
    assert done.output == told.replace("would free", "freed")
    freed = [float(size) * {"k": 1, "M": 1000}[unit] for size, unit in re.findall(r"freed ([\d.]+) (.)B", done.output)]
    left = sum(path.stat().st_size for path in tmp_path.rglob("model.*"))
    assert sum(freed) == pytest.approx((disk - left) / 1000, abs=100)
    assert copies - len([*store.artifacts.rglob("model.*")]) == len(losers) + 1
    assert weighty(plan, store) == {"trial": len(plan.studies)}
    assert collect(plan, store).cells == before
    assert held(plan, store)
    assert run(plan, store)["done"] == 0

    wider = plan_of(*small, "labels=[50,100]")
    (pretraining,) = [key for key, one in wider.runs.items() if one.kind == "pretrain"]
    assert survey(wider, Ledger(store.work)).states[pretraining] == "stale"
    events = run(wider, store)
    assert events["failed"] == 0
    assert events["done"] == len(wider.runs) - len(plan.runs) + 1
    assert Ledger(store.work).has_weights(pretraining)


@pytest.fixture
def store(plan_of: Callable[..., Plan], tmp_path: Path) -> Store:
    store = Store(tmp_path)
    store.work.mkdir()
    return store


def pretend(plan: Graph, store: Store, keys: list[str]) -> None:
    remember(store.root, plan.instance)
    ledger = Ledger(store.work)
    for key in keys:
        folder = ledger.run(key)
        folder.path.mkdir(exist_ok=True)
        folder.weights.write_bytes(b"w" * 1000)
        folder.metrics.write_text("{}")
        np.save(folder.losses, np.array([0.4, 0.6]))
        ledger.finish(key, [folder.weights, folder.metrics, folder.losses])


def test_a_pretraining_keeps_its_weights_while_another_instance_needs_them(plan_of: Callable[..., Plan], store: Store) -> None:
    one, other = plan_of("tuning=null", "labels=[50]"), plan_of("tuning=null", "labels=[50,100]")
    pretend(one, store, list(one.runs))
    assert len(Reclaimer(store).pretrainings()) == 2
    pretend(other, store, [])
    assert Reclaimer(store).pretrainings() == []


def test_the_pretraining_of_every_seed_stays_for_trials_that_a_study_has_yet_to_choose(
    plan_of_study: Callable[..., StudyPlan], store: Store
) -> None:
    """Of the first round one run at the first seed is missing: the encoder of the second seed serves the next round alone."""
    plan = plan_of_study()
    digest = next(digest for digest, (arm, _) in plan.named.items() if arm == "simclr")
    trials = [plan.trial(digest, values) for values in open_round(plan.studies[digest], {}).values()]
    keys = {run.key for trial in trials for chain in trial for run in chain}
    pretend(plan, store, sorted(keys - {trials[-1][0][-1].key}))
    starts = {chain[0].key for chain in trials[0]}
    assert len(starts) == 2
    assert survey(plan, Ledger(store.work)).unknown[digest] == 2
    assert not starts & set(Reclaimer(store).pretrainings())


def test_weights_of_a_trial_that_its_study_has_stopped_go(plan_of_study: Callable[..., StudyPlan], store: Store) -> None:
    """The loss after the first epoch grows with the number of the trial: the last one is behind."""
    plan = plan_of_study("pruner=asha", "sampler=random", "trials=8", "seeds=1", "arms.simclr=null")
    ((digest, study),), ledger = plan.studies.items(), Ledger(store.work)
    for _ in range(2):
        for number, values in open_round(study, follow(plan, digest, ledger)[1]).items():
            ((last,),) = plan.trial(digest, values)
            folder = ledger.run(last.key)
            folder.path.mkdir()
            noted = {"time": 1.0, "step": 0, "metrics": {"train/passes": 64.0, "val/loss": 0.1 * (number + 1)}}
            folder.journal.write_text(json.dumps(noted) + "\n")
            folder.committed.write_text(str(folder.journal.stat().st_size))
            pretend(plan, store, [last.key])
    ledger.declare_open(last.key)
    ledger.prune(last.key, 1, {"cost/labelled_passes": 64.0})
    assert survey(plan, ledger).states[last.key] == "pruned"
    gone = Reclaimer(store).trials()
    assert last.key in gone
    assert len(gone) == 7
    assert gc(store, "trials").exit_code == 0
    assert not folder.models()
    assert ledger.pruned(last.key)
    assert Reclaimer(store).trials() == []


def test_a_trial_that_lost_here_and_counts_elsewhere_keeps_its_weights(plan_of: Callable[..., Plan], store: Store) -> None:
    """A recipe of its own makes the trial at three times the rate the final run of another instance."""
    tuned = plan_of("seeds=1", "labels=[50]", "tuning.per=seed", "tuning.labels=each")
    other = plan_of("seeds=1", "labels=[50]", "tuning=null", "recipes.supervised.learning_rate=0.003")
    pretend(tuned, store, list(tuned.runs))
    lost = set(Reclaimer(store).trials())
    assert len(lost) == 3
    remember(store.root, other.instance)
    shared = {key for key in tuned.runs if key in other.runs and tuned.runs[key].kind == "trial"}
    assert shared
    assert set(Reclaimer(store).trials()) == lost - shared


def test_checkpoints_go_where_nobody_trains(plan_of: Callable[..., Plan], store: Store) -> None:
    plan, ledger = plan_of(), Ledger(store.work)
    stopped, running = (ledger.run(key) for key in list(plan.runs)[:2])
    for folder in (stopped, running):
        folder.path.mkdir()
        folder.checkpoint.write_bytes(b"c" * 2000)
        folder.previous_checkpoint.write_bytes(b"c" * 1000)
    with file_lock(running.lock):
        assert "freed 3.0 kB of 2" in gc(store, "checkpoints").output
    assert not stopped.checkpoint.exists()
    assert running.checkpoint.exists()


def test_an_instance_goes_and_leaves_what_another_one_has(plan_of: Callable[..., Plan], store: Store) -> None:
    one, other = (plan_of("tuning=null", "seeds=1", f"labels={labels}") for labels in ("[50]", "[50,100]"))
    for plan in (one, other):
        pretend(plan, store, list(plan.runs))
    reports = store.root / "reports" / other.instance.name
    reports.mkdir(parents=True)
    refused = gc(store, "mini")
    assert refused.exit_code == 1
    assert "'mini' is a suite" in refused.output
    told = gc(store, other.instance.name).output
    own = len(other.runs.keys() - one.runs.keys())
    assert re.search(rf"freed [\d.]+ kB: {own} of its {len(other.runs)} runs; the other {len(one.runs)} are", told)
    assert {key for key in other.runs if Ledger(store.work).folder(key).exists()} == set(one.runs)
    assert list(remembered(store.root)) == [one.instance.name]
    assert not reports.exists()
    assert not store.lock_of(other.instance.name).exists()
    assert not store.database.exists(), "MLflow is not asked where it has nothing"


def test_nothing_is_freed_while_an_instance_runs(plan_of: Callable[..., Plan], store: Store) -> None:
    plan = plan_of()
    pretend(plan, store, list(plan.runs))
    with file_lock(store.lock_of(plan.instance.name)):
        result = gc(store, "pretrainings")
        assert gc(store, "pretrainings", "--dry-run").exit_code == 0
    assert result.exit_code == 1
    assert f"another jetbench process runs {plan.instance.name}" in result.output
    with file_lock(store.lock_of(plan.instance.name)), pytest.raises(BusyError), undisturbed(store):
        pass


def test_without_a_rule_everything_is_weighed_and_nothing_freed(plan_of: Callable[..., Plan], store: Store) -> None:
    plan = plan_of("tuning=null")
    pretend(plan, store, list(plan.runs))
    (store.aside / "then").mkdir(parents=True)
    (store.aside / "then" / "x").write_bytes(b"x" * 500)
    lines = gc(store).output.splitlines()
    assert [line.split()[0] for line in lines] == [
        *("checkpoints", "trials", "pretrainings", "aside", "plugins"),
        plan.instance.name,
    ]
    assert "aside        would free 500 bytes of 1" in lines[3]
    assert weighty(plan, store).total() == len(plan.runs)
    gc(store, "aside")
    assert not list(store.aside.iterdir())
    unknown = gc(store, "trails")
    assert unknown.exit_code != 0
    assert "'trails' is no rule (checkpoints, trials, pretrainings, aside, plugins) and no instance" in unknown.output
    for rule in ([], ["aside"]):
        missing = CliRunner().invoke(main, ["store", "gc", "--store", str(store.root / "none"), *rule])
        assert "holds no results" in missing.output
    assert not (store.root / "none").exists()


def test_an_instance_that_can_no_longer_be_planned_is_named_and_can_go(plan_of: Callable[..., Plan], store: Store) -> None:
    plan = plan_of("tuning=null")
    pretend(plan, store, list(plan.runs))
    book = store.root / "instances.jsonl"
    with book.open("a") as more:
        more.write(book.read_text().replace('"boosted-trees"', '"gone-model"'))
    lost = list(remembered(store.root))[-1]
    assert lost != plan.instance.name
    assert compare_specs("scratch/n50/s0", "simclr/n50/s0", store=store.root).found[()], "the other instance has them still"
    remedy = f"{lost} can no longer be planned .*; `jetbench store gc {lost}` removes it"
    for refused in (gc(store, "trials"), gc(store, plan.instance.name), gc(store)):
        assert refused.exit_code == 1
        assert re.search(remedy, refused.output)
    with pytest.raises(StoreError, match=remedy):
        sharing(plan, plan.runs.values(), store)
    assert f"{lost} freed 0 bytes: none of its runs" in gc(store, lost).output
    assert list(remembered(store.root)) == [plan.instance.name]
    assert weighty(plan, store).total() == len(plan.runs)
    assert gc(store, "trials").exit_code == 0
