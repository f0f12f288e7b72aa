"""The child process itself: what it imports, and what it survives."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from multiprocessing import forkserver
from pathlib import Path

import pytest

from jetbench.engine.child import FAILURE, start_child
from jetbench.engine.engine import execute
from jetbench.engine.prepare import prepare
from jetbench.plugins import keep, scope, use
from jetbench.runs.job import Job
from jetbench.suites.plan import CellKey, Plan
from jetbench.tracking.journal import committed
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import MemoryTracker


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path / "cache"))


NOTING = """
import sys
from jetbench.tracking.ledger import Ledger
finish = Ledger.finish
def noting(self, *arguments, **keywords):
    finish(self, *arguments, **keywords)
    open({path!r}, "w").write(" ".join(sys.modules))
Ledger.finish = noting
"""


class Spy(str):
    """A text that, where it is unpickled, has the process write down its modules when its run is finished."""

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str, dict[str, object]]]:
        return exec, (NOTING.format(path=str(self)), {})


def test_the_real_child_knows_no_tracker_and_no_cluster(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    plan = plan_of("tuning=null", "seeds=1", "labels=[50]")
    planned = plan.runs[plan.cells[CellKey("scratch", 50, 0)]]
    prepared = prepare(plan, 1, lambda what, done, total: None)
    job = Job(planned.key, Spy(tmp_path / "modules"), planned.spec, tmp_path, prepared.dataset, None, None)
    child = start_child(job)
    child.join(120)
    assert child.exitcode == 0
    assert Ledger(job.work).done(planned.key)
    modules = set((tmp_path / "modules").read_text().split())
    assert {"torch", "jetbench.runs.run", "jetbench.training.loop"} <= modules
    assert modules & {"mlflow", "sqlalchemy", "distributed", "optuna", "click"} == set()


def test_a_training_outlasts_its_fork_server(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    plan = plan_of("tuning=null", "seeds=1", "labels=[50]", "recipes.simclr.passes=10000", "recipes.simclr.epochs=30")
    pretraining = next(key for key, run in plan.runs.items() if run.kind == "pretrain")
    journal = Ledger(tmp_path / "work").run(pretraining).journal
    (tmp_path / "work").mkdir()
    killed, ended = False, {}
    for event in execute(
        plan,
        Store(tmp_path),
        MemoryTracker(),
        lambda: [None] * 2,
        lambda crew: prepare(plan, 2, lambda what, done, total: None),
    ):
        if event.kind == "tick" and not killed and committed(journal):
            os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)  # type: ignore[attr-defined]
            killed = True
        if event.key in plan.runs:
            ended[event.key] = event.kind, event.text
    assert killed
    assert ended == dict.fromkeys(plan.runs, ("done", ""))


NOT_FINITE = """
from jetbench.objectives import ObjectiveEntry
from jetbench.objectives.simclr import SimCLR

class Never(SimCLR):
    def __init__(self, network, task, look):
        super().__init__(network, task, look)

    def forward(self, network, inputs):
        {what}

TRAITS = {{"labelled": False, "trains_head": False, "views": 2}}
JETBENCH = [ObjectiveEntry("never", f"{{__name__}}:Never", "a loss that is no number", **TRAITS)]
"""


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("return {'loss': super().forward(network, inputs)['loss'] * float('nan')}", "the loss is not finite in step 1 of "),
        ("raise IndexError('no such place')", "IndexError: no such place"),
    ],
)
def test_what_fails_with_a_plug_in_says_how_that_is_tried(
    plan_of: Callable[..., Plan], tmp_path: Path, what: str, reason: str
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(NOT_FINITE.format(what=what))
    with scope():
        use(path)
        settings = ("arms.simclr.regime=never", "recipes.never={base: simclr-small, passes: 256, epochs: 2, batch_size: 64}")
        plan = plan_of("tuning=null", "seeds=1", "labels=[50]", *settings)
        key, planned = next((key, run) for key, run in plan.runs.items() if run.kind == "pretrain")
        keep(tmp_path, planned.spec.plugins)
        prepared = prepare(plan, 1, lambda what, done, total: None)
    child = start_child(Job(key, "instance", planned.spec, tmp_path, prepared.dataset, None, None))
    child.join(120)
    assert child.exitcode == FAILURE
    told = Ledger(tmp_path / "work").failure(key) or ""
    assert told.startswith(reason)
    assert told.endswith(
        f"; the objective 'never' is of the plug-in mine.py: `jetbench show never --plugin {path}` tries it by its contract"
    )
    assert "lower learning rate" not in told
