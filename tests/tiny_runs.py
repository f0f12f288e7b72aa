"""Tiny finished runs of every kind of model, trained in this process once for all tests of a room: `toys_of`, some of them, each
when it is asked for; `finished_toys_of`, all of a suite, whose networks have learnt something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from jetbench.inference import Ensemble, Predictor, load_predictor
from jetbench.jets import Jets, open_jets, save_jets
from jetbench.runs.job import JetFiles, Job
from jetbench.runs.run import run
from jetbench.spec import RunSpec
from jetbench.suites.instances import remember
from jetbench.suites.plan import Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.suite import find_suite, instantiate
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store
from jetbench.views.observables import observables

__all__ = ["Toys", "finished_toys_of", "toys_of"]

ARMS = """
    sets: {{model: deep-sets, regime: scratch}}
    mass-likelihood: {{model: mass-likelihood, regime: fit}}
"""
FEW = ("labels=[60]", "seeds=3", "recipes.supervised.passes=96", "model_options.boosted-trees.trees=10")
LEARNT = (
    *("tuning=null", "seeds=2", "recipes.supervised.passes=640", "recipes.supervised.epochs=4"),
    "recipes.supervised.learning_rate=0.003",
)


@dataclass(frozen=True)
class Toys:
    """Runs of one suite: its plan, and the folder of jets and store."""

    plan: Plan
    folder: Path

    @property
    def jets(self) -> Jets:
        return open_jets(self.folder / "jets.h5")

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def run(self, arm: str, kind: str = "final", seed: int = 0) -> Path:
        """The folder of an arm's first run of a kind at a seed, trained where it is not there yet."""
        wanted = (arm, kind, seed)
        planned = next(one for one in self.plan.runs.values() if (one.arm, one.kind, one.spec.seed) == wanted)
        return self._train(planned.key, planned.spec.with_values([("recipe.learning_rate", 0.01)]))

    def finish(self) -> None:
        """Train all that is not there yet, as it is planned."""
        for key, planned in self.plan.runs.items():
            self._train(key, planned.spec)

    def _train(self, key: str, spec: RunSpec) -> Path:
        path, table = self.folder / "jets.h5", self.folder / "observables.npy"
        files = JetFiles(path, open_jets(path).digest)
        job = Job(key, "mini", spec, self.store, files, None, table if spec.view.name == "observables" else None)
        ledger = Ledger(job.work)
        if not ledger.done(job.key):
            ledger.folder(job.key).mkdir(parents=True)
            run(job, Event())
        return ledger.folder(job.key)

    def predictor(self, arm: str, seed: int = 0) -> Predictor:
        return load_predictor(self.run(arm, seed=seed), self.jets.meta)

    def ensemble(self, arm: str, *seeds: int) -> Ensemble:
        return Ensemble(arm, {f"s{seed}": self.predictor(arm, seed) for seed in seeds}, self.jets.meta)


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
            plan = make_plan(instantiate(find_suite(str(folder / "mini.yaml")), overrides=(*FEW, *overrides)))
            Store(folder / "store").prepare()
            remember(folder / "store", plan.instance)
            made[classes, *overrides] = Toys(plan, folder)
        return made[classes, *overrides]

    return make


@pytest.fixture(scope="session")
def finished_toys_of(toys_of: Callable[..., Toys]) -> Callable[..., Toys]:
    """`finished_toys_of(classes, *overrides)`: two seeds of every arm, without a search."""

    def make(classes: int = 2, *overrides: str) -> Toys:
        toys = toys_of(classes, *LEARNT, *overrides)
        toys.finish()
        return toys

    return make
