"""Reads what is finished of a plan from the folders of its runs, and says why the rest is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jetbench.evaluation.artifacts import read_scores
from jetbench.evaluation.metrics import metrics
from jetbench.report.results import FAILED, NOT_RUN, Results
from jetbench.suites.graph import Links, PlannedRun
from jetbench.suites.outcomes import look
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.replay import walk
from jetbench.suites.winner import Winner, winner
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store

__all__ = ["collect"]


def collect(plan: Plan, store: Store) -> Results:
    """Read what is finished of a plan. Of trials that did not win, what the test jets say is not looked at."""
    ledger = Ledger(store.work)
    walked = {digest: walk(study, look(study, ledger, _mendable)) for digest, study in plan.studies.items()}
    chains = {digest: [plan.trial(digest, one)[0] for one in values.values()] for digest, (values, _) in walked.items()}
    asked = {digest: [chain[-1] for chain in tried] for digest, tried in chains.items()}
    found = {digest: winner(plan.studies[digest], results) for digest, (_, results) in walked.items()}
    winners = {digest: decided for digest, decided in found.items() if decided is not None}
    trials = {digest: [run.key for run in runs] for digest, runs in asked.items()}
    runs = {run.key: run for tried in chains.values() for chain in tried for run in chain} | plan.runs
    keys = {cell: key for cell in plan.cells if (key := _last_run(plan, winners, cell)) is not None}
    done = {cell: key for cell, key in keys.items() if ledger.done(key)}
    cells = {cell: ledger.metrics(key) | ledger.tested(key) | _judged(plan, ledger, key) for cell, key in done.items()}
    missing = {cell: _why_missing(plan, ledger, chains, cell) for cell in plan.cells if cell not in cells}
    return Results(plan, ledger, cells, missing, plan.cells | keys, winners, trials, runs)


def _judged(plan: Plan, ledger: Ledger, key: str) -> dict[str, float]:
    """The metrics of a finished run that the suite asks for beside its task's, of the stored scores of its test jets."""
    asked = plan.instance.settings.metrics
    if not asked:
        return {}
    _, truth, predictions = read_scores(ledger.run(key).scores)
    return {f"test/{name}": metrics[name].judge(truth, predictions) for name in asked}


def _last_run(plan: Plan, winners: Mapping[str, Winner], cell: CellKey) -> str | None:
    """The key of a cell's last run; where the cell has a study of its own, the trial that won, and None before."""
    if cell not in plan.tuned or not plan.seeds_tune:
        return plan.cells[cell]
    won = winners.get(plan.tuned[cell])
    return won.key if won else None


def _why_missing(plan: Plan, ledger: Ledger, asked: Mapping[str, list[Links]], cell: CellKey) -> str:
    """Say why a cell is not finished: its run failed, it needs one that failed or a study that has no winner, or neither."""
    own, waits = plan.runs[plan.cells[cell]], plan.tuned.get(cell, "")
    if own.kind == "final" and (reason := ledger.failure(own.key)):
        return reason
    chains = asked.get(waits, [])
    for run in (own, *(run for chain in chains for run in chain)):
        for needed in (run, *_starts(plan, run)):
            reason = ledger.failure(needed.key)
            if reason and not ledger.done(needed.key) and not (needed.kind == "trial" and ledger.diverged(needed.key)):
                return f"needs {needed.name}{FAILED}{' '.join(reason.split())}"
    if chains and all(ledger.diverged(chain[-1].key) and not ledger.done(chain[-1].key) for chain in chains):
        return f"needs the study of {plan.study_name(waits)}, whose trials so far have all diverged"
    return NOT_RUN


def _starts(plan: Plan, run: PlannedRun) -> Iterator[PlannedRun]:
    """The runs of the plan before a run, from whose weights it starts."""
    while run.spec.start in plan.runs:
        run = plan.runs[run.spec.start]
        yield run


def _mendable(key: str) -> bool:
    """No failure decides a study of a suite: the same command tries it again."""
    return False
