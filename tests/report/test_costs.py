"""What an arm costs: parameters, memory and speeds of its last stage beside passes and seconds of all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from jetbench.files import write_json
from jetbench.report.collect import collect
from jetbench.report.sections.costs import HEADINGS, render
from jetbench.suites.plan import Plan
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store

MEASURED = {
    "cost/inference_jets_per_second": 5000.0,
    "cost/parameters": 1234.0,
    "cost/peak_device_memory": 2100.0,
    "cost/peak_memory": 800.0,
    "cost/training_jets_per_second": 450.0,
}


def test_what_was_measured_stands_beside_what_was_spent(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    """Of two seeds, the mean speed and the largest memory; nothing of runs that have measured nothing."""
    plan, ledger = plan_of("labels=[50]", "tuning=null"), Ledger(tmp_path / "work")
    for run in plan.runs.values():
        folder = ledger.run(run.key)
        folder.path.mkdir(parents=True)
        costs = {"cost/labelled_passes": 320.0 * run.labelled, "cost/unlabelled_passes": 512.0 * (not run.labelled)}
        factor = 1.2 if run.spec.seed else 1.0
        measured = {name: factor * value for name, value in MEASURED.items()} if run.arm == "scratch" else {}
        write_json(folder.metrics, costs | {"cost/seconds": 15.0} | measured)
        np.save(folder.losses, np.array([0.4, 0.6]))
        ledger.finish(run.key, [folder.metrics, folder.losses])
    page = render(collect(plan, Store(tmp_path)))
    assert page is not None
    rows = {
        cells[0]: dict(zip(HEADINGS, cells, strict=True))
        for line in page.body.split("<tr")[2:]
        if (cells := [cell.split(">")[1].split("<")[0] for cell in line.split("<td")[1:]])
    }
    last = ("training time", "parameters", "peak memory", "jets/s, training", "jets/s, inference")
    assert [rows["scratch"][name] for name in last] == ["15 s", "1234", "960 MB + 2520 MB", "495", "5500"]
    assert [rows["simclr"][name] for name in last] == ["30 s", "–", "–", "–", "–"]
