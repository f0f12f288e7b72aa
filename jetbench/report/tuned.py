"""What tuning did to an arm: how often it left the recipe, and what had come out without it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from jetbench.report.results import Results
from jetbench.report.study import spent as account
from jetbench.report.study.spent import Spent
from jetbench.suites.plan import CellKey
from jetbench.suites.winner import Winner

__all__ = ["decisions", "oracle", "spent", "untuned"]


def decisions(results: Results, arm: str, labels: int) -> list[Winner]:
    """List what the studies of an arm at a budget have decided, each study once."""
    settings = results.plan.instance.settings
    digests = dict.fromkeys(results.plan.tuned.get(CellKey(arm, labels, seed), "") for seed in range(settings.seeds))
    return [results.winners[digest] for digest in digests if digest in results.winners]


def spent(results: Results, arm: str, labels: int) -> Spent:
    """Return what the trials of an arm at a budget have cost, of all its studies together. What they share counts once."""
    digests = dict.fromkeys(digest for cell, digest in results.plan.tuned.items() if (cell.arm, cell.labels) == (arm, labels))
    return account.spent([trial for digest in digests for trial in account.ended(results.searchings[digest])])


def untuned(results: Results, arm: str, labels: int) -> np.ndarray:
    """Return the headline metric (n,) of the trials without any search, of the finished seeds whose such trial has not diverged:
    had nobody tuned."""
    return np.array([tested[0] for tested in _tested(results, arm, labels) if tested[0] is not None])


def oracle(results: Results, arm: str, labels: int) -> np.ndarray:
    """Return the best headline metric (n,) among the trials of each finished seed: had one chosen on the test jets."""
    best = max if results.metric.larger_is_better else min
    found = ([value for value in tested if value is not None] for tested in _tested(results, arm, labels))
    return np.array([best(values) for values in found if values])


def _tested(results: Results, arm: str, labels: int) -> Iterator[list[float | None]]:
    """The headline metric of each finished seed's trials, that without any search first and None for one that has diverged;
    nothing where seeds share a study, whose trials have other labels."""
    for seed in results.seeds(arm, labels) if results.plan.seeds_tune else ():
        cell, key = CellKey(arm, labels, seed), f"test/{results.metric.key}"
        own = results.plan.cells[cell]
        trials = results.trials.get(results.plan.tuned.get(cell, ""), [])
        if trials:
            yield [results.ledger.tested(trial).get(key) for trial in sorted(trials, key=lambda trial: trial != own)]
