"""Planted searches: trials whose scores are a known function of what they tried."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jetbench.spaces import Space
from jetbench.spec import Component, DatasetRef, Recipe, RunSpec
from jetbench.suites.studies import Aim, Searched, Study
from jetbench.suites.trials import Searching, State, Trial

TEMPLATE = RunSpec(
    dataset=DatasetRef(name="top-vs-qcd", sha256="0" * 64),
    test_jets=100,
    labels=300,
    seed=-1,
    model=Component(name="deep-sets"),
    view=Component(name="constituents"),
    objective=Component(name="supervised"),
    recipe=Recipe(name="supervised-small", learning_rate=1e-3, passes=3000, epochs=5),
)
RATE = Searched(path="recipe.learning_rate", space=Space(low=1e-4, high=1e-1, log=True), own=1e-3)
DROPOUT = Searched(path="model.head_dropout", space=Space(low=0.0, high=0.5), own=0.3)
WIDTHS = Searched(path="model.jet", space=Space(choices=("32-32", "64-64", "128-128")), own="64-64")
AUC, FLOPS = Aim(metric="val/auc", larger_is_better=True), Aim(metric="cost/flops")
FATES: dict[int, State] = {5: "pruned", 9: "pruned", 11: "diverged"}


def planted_loss(rate: float, dropout: float) -> float:
    """Least at a rate of 0.01; the dropout hardly matters."""
    return 0.4 + 0.05 * math.log10(rate / 1e-2) ** 2 + 0.002 * dropout


def planted_trial(number: int, fate: State, several: bool, unlabelled: float) -> Trial:
    rng = np.random.default_rng(number)
    rate, dropout = float(10 ** rng.uniform(-4, -1)), float(rng.uniform(0, 0.5))
    widths = WIDTHS.space.choices[rng.integers(3)]
    if number == 0:
        rate, dropout, widths = 1e-3, 0.3, "64-64"
    loss = planted_loss(rate, dropout)
    flops = {"32-32": 1e4, "64-64": 5e4, "128-128": 3e5}[str(widths)]
    scores = (1 - loss + 0.02 * math.log10(flops), flops) if several else (loss,)
    share = 1.0 if fate == "complete" else 0.4
    passes = np.linspace(0, 3000, 6)[1:][: 5 if share == 1 else 2]
    return Trial(
        number=number,
        values={RATE.path: rate, DROPOUT.path: dropout, WIDTHS.path: widths},
        state=fate,
        scores=scores if fate in ("complete", "pruned") else (),
        labelled_passes=9000 * share,
        unlabelled_passes=unlabelled,
        seconds=12.0 * share,
        curve=tuple((float(x), loss + 0.3 * math.exp(-x / 800)) for x in passes),
        runs=(f"deep-sets/scratch/n300/trial-{number}",),
        keys=(f"{number:064d}",),
        pretrained=unlabelled > 0,
    )


@pytest.fixture
def searching() -> Callable[..., Searching]:
    """`searching(trials=24, several=True)`: a planted search with pruned and diverged trials among them."""

    def make(
        trials: int = 24, *, several: bool = False, ended: int | None = None, arm: str = "scratch", unlabelled: float = 0.0
    ) -> Searching:
        aims: dict[str, Any] = {"aims": (AUC, FLOPS), "sampler": "nsga2"} if several else {"sampler": "tpe"}
        study = Study(template=TEMPLATE, searched=(RATE, DROPOUT, WIDTHS), trials=trials, **aims)
        number = trials if ended is None else ended
        found = tuple(
            planted_trial(i, "complete" if several else FATES.get(i, "complete"), several, unlabelled if i % 3 == 0 else 0.0)
            for i in range(number)
        )
        complete = [trial for trial in found if trial.state == "complete"]
        best = min(complete, key=lambda trial: trial.scores[0], default=None)
        winner = best.number if best and not several and number == trials else None
        front = tuple(t.number for t in complete if not any(dominates(o, t) for o in complete)) if several else ()
        return Searching(f"{arm}/n300", arm, study, found, winner, front)

    return make


def dominates(one: Trial, other: Trial) -> bool:
    """Two aims: the first is maximised, the second minimised."""
    no_worse = one.scores[0] >= other.scores[0] and one.scores[1] <= other.scores[1]
    return no_worse and one.scores != other.scores
