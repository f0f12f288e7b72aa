"""The jets that an arm is most wrong about, with what each of its seeds says."""

from __future__ import annotations

from collections import Counter

import numpy as np

from jetbench.evaluation.wrongest import wrongest
from jetbench.report.results import Results
from jetbench.suites.plan import CellKey
from jetbench.tracking.arm_card import Table

__all__ = ["FILE", "wrongest_table"]

FILE = "wrongest_jets.json"
JETS = 10  # of each class, or twice as many where there are no classes
DIGITS = 5


def wrongest_table(results: Results, arm: str, labels: int) -> Table:
    """List the test jets with the largest loss, mean over the finished seeds, worst first and class by class where jets have
    classes: its rank, by which pages align the tables of several arms, mean prediction, row in the dataset, truth, loss, and the
    prediction of each seed. Of many classes the predictions are the probabilities of the true one.
    """
    seeds = results.seeds(arm, labels)
    read = [results.scores(CellKey(arm, labels, seed)) for seed in seeds]
    rows, truth, _ = read[0]
    loss = np.mean([results.task.losses(truth, scores) for _, _, scores in read], axis=0)
    classes = truth if results.task.column == "label" else None
    kept = np.concatenate(list(wrongest(loss, JETS if classes is not None else 2 * JETS, classes).values()))
    given = np.array([_of_truth(scores, truth)[kept] for _, _, scores in read])
    named = _named(results, truth[kept])
    return {
        "rank": _ranks(named),
        "mean": _rounded(given.mean(axis=0)),
        "row": rows[kept].tolist(),
        "truth": named,
        "loss": _rounded(loss[kept]),
        **{f"seed {seed}": _rounded(one) for seed, one in zip(seeds, given, strict=True)},
    }


def _of_truth(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return scores if scores.ndim == 1 else scores[np.arange(len(truth)), truth]


def _named(results: Results, truth: np.ndarray) -> list[str] | list[float]:
    names = results.plan.instance.meta.class_names
    return [names[int(one)] for one in truth] if results.task.column == "label" else _rounded(truth)


def _ranks(named: list[str] | list[float]) -> list[str]:
    """Number the jets, those of each class for themselves."""
    seen: Counter[str] = Counter()
    found = []
    for one in named:
        name = f"{one} " if isinstance(one, str) else ""
        seen[name] += 1
        found.append(f"{name}{seen[name]:02d}")
    return found


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(value), DIGITS) for value in values]
