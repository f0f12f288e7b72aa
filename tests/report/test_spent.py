"""What tuning was given stands beside each arm: trials, passes of both kinds, and pretrainings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from jetbench.files import write_json
from jetbench.report.collect import collect
from jetbench.report.sections.tuning import render
from jetbench.report.tuned import spent
from jetbench.suites.graph import PlannedRun
from jetbench.suites.plan import Plan
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
    assert spent(results, "scratch", 50) == (2 * (320 + 160), 0, 0)
    assert spent(results, "simclr", 50) == (2 * (2 * 320 + 2 * 160), 2 * 2 * 512, 4)
    page = render(results)
    assert page is not None
    rows = [line.split("<td") for line in page.body.split("<tr") if "simclr" in line]
    assert len(rows) == 1
    assert "pretraining learning rate 0.001, 0.003" in rows[0][3]
    assert [cell.split(">")[1].split("<")[0] for cell in rows[0][4:8]] == ["4", "1920", "2048", "4"]
