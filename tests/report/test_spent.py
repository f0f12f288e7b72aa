"""What tuning was given stands beside each arm: trials, passes of both kinds, and pretrainings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from run_folders import write_run

from jetbench.files import write_json
from jetbench.report.collect import collect
from jetbench.report.results import Results
from jetbench.report.sections.tuning import render
from jetbench.report.tuned import spent
from jetbench.suites.graph import PlannedRun
from jetbench.suites.plan import Plan
from jetbench.suites.trials import follow
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store

SEARCH = (
    "seeds=2",
    "labels=[50]",
    "tuning={per: seed, factors: [1.0, 3.0], labels: each, search: "
    "{pretraining.recipe.learning_rate: {choices: [0.001, 0.003]}}}",
)


def write(ledger: Ledger, run: PlannedRun) -> None:
    """A run whose costs are its passes; one of two rates is pruned, or diverges, after a half of them."""
    folder, passes = ledger.run(run.key), float(run.spec.recipe.passes)
    costs = {"cost/labelled_passes": passes * run.labelled, "cost/unlabelled_passes": passes * (not run.labelled)}
    folder.path.mkdir(parents=True)
    if run.kind == "trial" and run.spec.recipe.learning_rate > 0.001:
        ledger.fail(run.key, "not finite", "", {name: cost / 2 for name, cost in costs.items()})
        return
    write_json(folder.metrics, costs | {"cost/seconds": 1.0})
    np.save(folder.losses, np.array([0.4, 0.6]))
    ledger.finish(run.key, [folder.metrics, folder.losses])


def test_an_arm_is_shown_with_what_its_trials_have_cost(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    """Two seeds: two rates each from scratch, and with two rates of a pretraining four. Diverged trials cost a half."""
    plan, ledger = plan_of(*SEARCH), Ledger(tmp_path / "work")
    for run in plan.runs.values():
        write(ledger, run)
    results = collect(plan, Store(tmp_path))
    scratch, simclr = spent(results, "scratch", 50), spent(results, "simclr", 50)
    assert (scratch.labelled, scratch.unlabelled, scratch.pretrained) == (2 * (320 + 160), 0, 0)
    assert (simclr.labelled, simclr.unlabelled, simclr.pretrained) == (2 * (2 * 320 + 2 * 160), 2 * 2 * 512, 4)
    page = render(results)
    assert page is not None
    rows = [line.split("<td") for line in page.body.split("<tr") if "simclr" in line]
    assert len(rows) == 1
    assert "pretraining learning rate 0.001, 0.003" in rows[0][3]
    assert [cell.split(">")[1].split("<")[0] for cell in rows[0][4:8]] == ["4", "1920", "2048", "4"]


def test_passes_beside_the_labels_are_no_pretraining(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    """An arm that sees the pool in its one training has unlabelled passes, and trains no encoder before."""
    both = "arms.both={model: resnet15, regime: labels+ssl}"
    plan, ledger = (
        plan_of("seeds=2", "labels=[50]", both, "tuning={per: seed, labels: each, factors: [1.0, 3.0]}"),
        Ledger(tmp_path),
    )
    for run in plan.runs.values():
        folder = ledger.run(run.key)
        folder.path.mkdir(parents=True)
        beside = 640.0 if run.arm == "both" else 0.0
        write_json(folder.metrics, {"cost/labelled_passes": 320.0, "cost/unlabelled_passes": beside, "cost/seconds": 1.0})
        np.save(folder.losses, np.array([0.4, 0.6]))
        ledger.finish(run.key, [folder.metrics, folder.losses])
    found = spent(Results(plan, ledger, {}, {}, {}, {}, {}, {}), "both", 50)
    assert (found.labelled, found.unlabelled, found.pretrained) == (4 * 320, 4 * 640, 0)


def test_a_run_that_went_on_for_another_suite_costs_what_its_trial_used(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    """Both tables of the report show the same passes: trials that were stopped have cost the epochs that count."""
    search = "tuning={per: seed, labels: each, factors: [0.3, 3.0], sampler: random, trials: 8, pruner: asha}"
    plan, ledger = plan_of("seeds=1", "labels=[50]", "recipes.supervised.epochs=4", search), Ledger(tmp_path / "work")
    (digest,) = [digest for digest, (arm, _) in plan.named.items() if arm == "scratch"]
    rng = np.random.default_rng(1)
    for _ in range(2):
        for values in follow(plan, digest, ledger)[0].values():
            ((run,),) = plan.trial(digest, values)
            loss = rng.random()
            if not ledger.done(run.key):
                write_run(ledger, run, [loss, loss + 0.1], [loss] * 4)
    results = collect(plan, Store(tmp_path))
    trials = results.searchings[digest].trials
    stopped = sum(trial.state == "pruned" for trial in trials)
    assert stopped
    assert spent(results, "scratch", 50).labelled == sum(trial.labelled_passes for trial in trials) == 8 * 320 - stopped * 240
