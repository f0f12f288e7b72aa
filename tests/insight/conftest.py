"""A store of tiny runs that were really trained, two seeds of every kind of model, once for all tests of this room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from jetbench.insight import drawing, inspection, prong_shares
from jetbench.insight.evidence import Evidence, gather
from jetbench.insight.inspection import Inspection
from jetbench.insight.subjects import Subject, find_subject
from jetbench.jets import Jets, open_jets, save_jets
from jetbench.runs.job import JetFiles, Job
from jetbench.runs.run import run
from jetbench.suites.instances import remember
from jetbench.suites.planning import make_plan
from jetbench.suites.suite import find_suite, instantiate
from jetbench.tracking.store import Store
from jetbench.views.observables import observables

SUITE = """
suite: tiny
question: What do tiny networks look at?
common:
  dataset: {{name: {dataset}}}
  view: {{image: {{pixels: 8}}}}
  varies: [model, regime]
  primary: {{arm: simclr, baseline: scratch}}
  model_options: {{resnet15: {{stages: 8-16, dropout: 0.0}}, boosted-trees: {{trees: 10}}}}
  arms:
    scratch: {{model: resnet15, regime: scratch}}
    simclr: {{model: resnet15, regime: simclr}}
    sets: {{model: deep-sets, regime: scratch}}
    trees: {{model: boosted-trees, regime: fit}}
  recipes:
    supervised: {{base: supervised-small, passes: 640, epochs: 4, learning_rate: 0.003}}
    simclr: {{base: simclr-small, passes: 512, epochs: 2, batch_size: 64}}
scales:
  quick:
    test_jets: 100
    labels: [60]
    seeds: 2
"""
REGRESSION = "task={name: regression, options: {target: gen_sdmass}}"


@pytest.fixture(autouse=True, scope="session")
def coarse() -> Iterator[None]:
    """Plots of a fifth of their resolution, and few jets for each map."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "DPI", 30)
        for module in (inspection, prong_shares):
            patch.setattr(module, "EXPLAINED", 30)
        yield


@dataclass(frozen=True)
class Trained:
    """The store of a suite that was run on the jets of a file."""

    store: Store
    file: Path

    def subject(self, what: str) -> Subject:
        return find_subject(what, self.store)

    def evidence(self, what: str) -> list[Evidence]:
        return gather(self.subject(what), self.store.root)

    def inspection(self, what: str) -> Inspection:
        subject = self.subject(what)
        return Inspection(subject, gather(subject, self.store.root))


@pytest.fixture(scope="session")
def trained(
    tmp_path_factory: pytest.TempPathFactory, toy_jets: Jets, pronged_jets: Callable[[int, int], Jets]
) -> Callable[..., Trained]:
    """`trained(classes, *overrides)`: all runs of the suite, made once for the same arguments."""
    made: dict[tuple[object, ...], Trained] = {}

    def make(classes: int = 2, *overrides: str) -> Trained:
        if (classes, *overrides) not in made:
            jets = toy_jets[:240] if classes == 2 else pronged_jets(240, classes)
            made[classes, *overrides] = _train(tmp_path_factory.mktemp("trained"), jets, overrides)
        return made[classes, *overrides]

    return make


def _train(folder: Path, jets: Jets, overrides: tuple[str, ...]) -> Trained:
    file, table, store = folder / "jets.h5", folder / "observables.npy", Store(folder / "store")
    save_jets(file, [jets])
    np.save(table, observables(jets))
    (folder / "tiny.yaml").write_text(SUITE.format(dataset=file))
    plan = make_plan(instantiate(find_suite(str(folder / "tiny.yaml")), overrides=overrides))
    store.work.mkdir(parents=True)
    remember(store.root, plan.instance)
    files = JetFiles(file, open_jets(file).digest)
    for one in plan.runs.values():
        shown = table if one.spec.view.name == "observables" else None
        job = Job(one.key, plan.instance.name, one.spec, store.root, files, None, shown)
        (job.work / one.key[:16]).mkdir()
        run(job, Event())
    return Trained(store, file)
