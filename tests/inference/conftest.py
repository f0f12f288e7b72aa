"""Tiny runs of every kind of model, trained in this process once for all tests of this room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from jetbench.inference import Predictor, load_predictor
from jetbench.jets import Jets, open_jets, save_jets
from jetbench.runs.job import JetFiles, Job
from jetbench.runs.run import run
from jetbench.suites.plan import Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.suite import find_suite, instantiate
from jetbench.tracking.ledger import Ledger
from jetbench.views.observables import observables

ARMS = """
    sets: {{model: deep-sets, regime: scratch}}
    mass-likelihood: {{model: mass-likelihood, regime: fit}}
"""
REGRESSION = ("task={name: regression, options: {target: gen_sdmass}}",)
BCE = ("task={name: classification, options: {loss: bce}}",)


@dataclass(frozen=True)
class Toys:
    """Runs of one suite: its plan, and the folder of jets and store."""

    plan: Plan
    folder: Path

    @property
    def jets(self) -> Jets:
        return open_jets(self.folder / "jets.h5")

    def run(self, arm: str, kind: str = "final") -> Path:
        """The folder of an arm's first run of a kind, trained where it is not there yet."""
        planned = next(one for one in self.plan.runs.values() if (one.arm, one.kind) == (arm, kind))
        spec = planned.spec.with_values([("recipe.learning_rate", 0.01)])
        path = self.folder / "jets.h5"
        job = Job(
            planned.key,
            "mini",
            spec,
            self.folder / "store",
            JetFiles(path, open_jets(path).digest),
            None,
            self.folder / "observables.npy" if spec.view.name == "observables" else None,
        )
        ledger = Ledger(job.work)
        if not ledger.done(job.key):
            ledger.folder(job.key).mkdir(parents=True)
            run(job, Event())
        return ledger.folder(job.key)

    def predictor(self, arm: str) -> Predictor:
        return load_predictor(self.run(arm))


@pytest.fixture(scope="session")
def toys_of(
    tmp_path_factory: pytest.TempPathFactory, suite_text: str, toy_jets: Jets, pronged_jets: Callable[[int, int], Jets]
) -> Callable[..., Toys]:
    """`toys_of(classes, *overrides)`: runs of 60 labels on 240 jets, made once for the same arguments."""
    made: dict[tuple[object, ...], Toys] = {}

    def make(classes: int = 2, *overrides: str) -> Toys:
        if (classes, *overrides) not in made:
            folder, jets = tmp_path_factory.mktemp("toys"), toy_jets[:240] if classes == 2 else pronged_jets(240, classes)
            save_jets(folder / "jets.h5", [jets])
            np.save(folder / "observables.npy", observables(jets))
            text = suite_text.replace("\n  recipes:", f"{ARMS}  recipes:", 1).format(dataset=folder / "jets.h5")
            (folder / "mini.yaml").write_text(text)
            few = ("labels=[60]", "seeds=1", "recipes.supervised.passes=96", "model_options.boosted-trees.trees=10")
            plan = make_plan(instantiate(find_suite(str(folder / "mini.yaml")), overrides=(*few, *overrides)))
            made[classes, *overrides] = Toys(plan, folder)
        return made[classes, *overrides]

    return make
