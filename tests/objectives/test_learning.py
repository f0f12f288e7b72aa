"""Each objective that trains no head, or that a teacher stands behind, teaches deep sets something: a linear probe ranks jets
better than on random weights."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from jetbench.data.batch import JetTensors
from jetbench.data.batches import Batches
from jetbench.jets import open_jets
from jetbench.models.network import Network, build_network
from jetbench.objectives import objectives
from jetbench.objectives.base import Look, build_objective
from jetbench.objectives.distilled import PROBABILITIES
from jetbench.recipes import SUPERVISED_AUGMENTATION, recipes
from jetbench.report.collapse import COLLAPSED
from jetbench.simulation import TopVsQcd, simulate
from jetbench.spec import Component, Recipe, options
from jetbench.statistics.delong import auc
from jetbench.tasks import build_task
from jetbench.tracking.journal import Journal, read
from jetbench.training.bundle import fit_preprocessing
from jetbench.training.features import diagnoser
from jetbench.training.loop import fit
from jetbench.views.view import FittedView

ON_POOL = [entry.name for entry in objectives if entry.taught or not entry.trains_head]
MORE = ("barlow-twins", "byol", "moco", "obow", "supcon")  # each has a near relative that the gate tries
TASK = build_task(Component(name="classification"))
RECIPE = recipes["simclr-small"].recipe.replace(learning_rate=0.003, passes=30_000, epochs=3)
# what follows a teacher needs longer, and weaker translations: by 0.1, as in the recipe, BYOL leaves a seed behind random weights
# and OBoW two. SimCLR is lifted by either
WEAKER = tuple(
    step.replace(options=options({"distance": 0.01})) if step.name == "translation" else step for step in RECIPE.augmentation
)
LONGER = RECIPE.replace(passes=60_000, augmentation=WEAKER)
# more steps for the queue of MoCo; temperatures as in the suites, and of MoCo's first version, arXiv:1911.05722
SETTINGS: dict[str, tuple[Recipe, dict[str, float]]] = {
    "simclr": (LONGER, {"temperature": 0.2}),
    "byol": (LONGER, {}),
    "obow": (LONGER, {}),
    # what hides a part of each jet disturbs it enough; with the recipe's effects of a detector too, two seeds are lifted by 0.01
    "masked": (RECIPE.replace(augmentation=SUPERVISED_AUGMENTATION), {}),
    "moco": (LONGER.replace(learning_rate=0.001, batch_size=64), {"temperature": 0.07}),
}
TOP_MASS = 172.5  # [GeV]
TEST, SEEDS, PROBES = 2000, 3, 10  # jets, pretrainings, and probes of 100 labels each on every encoder
FEW = 20  # labels of a training that sees the pool beside them: of 100, it adds to two seeds of three next to nothing


@dataclass(frozen=True)
class Ground:
    """Jets, and how deep sets see them."""

    jets: JetTensors
    view: FittedView

    @property
    def pool(self) -> np.ndarray:
        return np.arange(TEST, len(self.jets))

    def areas(self, network: Network) -> np.ndarray:
        """AUC on the test jets of logistic regressions on the features (10,), each fitted on 100 labels of its own."""
        network.eval()
        with torch.inference_mode():
            parts = [network.encoder(self.view(self.jets.batch(torch.arange(i, i + 1000)))) for i in (0, 1000, 2000)]
        features, labels = torch.cat(parts).numpy(), self.jets.targets["label"].numpy()[:3000]
        features = (features - features.mean(axis=0)) / features.std(axis=0).clip(1e-6)
        found = []
        for rows in np.arange(TEST, TEST + 1000).reshape(PROBES, -1):
            probe = LogisticRegression(max_iter=2000).fit(features[rows], labels[rows])
            found.append(auc(labels[:TEST], probe.decision_function(features[:TEST])))
        return np.array(found)

    def pretrain(
        self, objective: Component, recipe: Recipe, network: Network, seed: int, folder: Path, told: np.ndarray | None = None
    ) -> float:
        """Train an encoder in place, on the pool, or on the jets that are `told` with the pool beside; returns the standard
        deviation of its features at the end."""
        folder = folder / f"s{seed}"
        folder.mkdir(parents=True)
        look = Look(self.view, recipe.augmentation)
        goal = build_objective(objective, network, TASK, look, seed)
        pool, beside = Batches(self.jets, self.pool, recipe.batch_size, seed), None
        batches = pool if told is None else Batches(self.jets, told, recipe.batch_size, seed)
        if told is not None:
            unlabelled = JetTensors(self.jets.jets)
            unlabelled.targets = {}
            beside = Batches(unlabelled, self.pool, recipe.batch_size, seed)
        diagnose = diagnoser(network, look, self.jets, self.pool, "fp32")
        with Journal(folder / "metrics.jsonl") as journal:
            settings = {"seed": seed, "precision": "fp32", "diagnose": diagnose}
            fit(recipe, network, goal, batches, journal, folder, threading.Event(), pool=beside, **settings)
        return read(folder / "metrics.jsonl")[0][-1].metrics["features/standard_deviation"]


def by_mass(jets: JetTensors) -> torch.Tensor:
    """A teacher that has seen the masses and labels of 100 jets: its probabilities (n, 2)."""
    distance, labels = (jets.targets["mass"] - TOP_MASS).abs()[:, None].numpy(), jets.targets["label"].numpy()
    told = slice(TEST, TEST + 100)
    return torch.from_numpy(LogisticRegression().fit(distance[told], labels[told]).predict_proba(distance)).float()


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    path = tmp_path_factory.mktemp("learning") / "jets.h5"
    simulate(TopVsQcd(jets=6000, seed=0), path, workers=2)
    jets = JetTensors(open_jets(path)[:])
    jets.targets[PROBABILITIES] = by_mass(jets)
    return Ground(jets, fit_preprocessing(Component(name="constituents"), jets, np.arange(TEST, 6000)).fitted)


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=pytest.mark.soak if one in MORE else pytest.mark.slow) for one in ON_POOL]
)
def test_an_objective_lifts_a_linear_probe_over_random_weights(name: str, ground: Ground, tmp_path: Path) -> None:
    """At each of three seeds, label set by label set; and no encoder collapses."""
    recipe, given = SETTINGS.get(name, (RECIPE, {}))
    objective, lifts = Component(name=name, options=options(given)), []
    for seed in range(SEEDS):
        network = build_network(Component(name="deep-sets"), ground.view.shapes, 2, seed)
        before = ground.areas(network)
        assert ground.pretrain(objective, recipe, network, seed, tmp_path) > 0.03
        lifts.append(ground.areas(network.cpu()) - before)
    found = np.array(lifts)
    assert (found.mean(axis=1) > 0).all(), found.mean(axis=1)
    assert found.mean() > 3 * found.std() / found.size**0.5, found.mean(axis=1)


@pytest.mark.slow
def test_the_pool_beside_few_labels_lifts_a_linear_probe_over_them_alone(ground: Ground, tmp_path: Path) -> None:
    """`labels+ssl` with 20 labels of its own at each of three seeds, against random weights, and against the same training whose
    loss on the pool has no weight: what labels alone teach is no proof of the objective. The probes know neither's labels."""
    recipe, lifts, gains = LONGER.replace(passes=20_000, epochs=2), [], []
    for seed in range(SEEDS):
        told = TEST + 1000 + np.arange(FEW * seed, FEW * (seed + 1))
        found = {}
        for weight in (1.0, 0.0):
            network = build_network(Component(name="deep-sets"), ground.view.shapes, 2, seed)
            before = ground.areas(network)
            both = Component(name="labels+ssl", options=options({"weight": weight}))
            assert ground.pretrain(both, recipe, network, seed, tmp_path / f"weight-{weight}", told) > 0.03
            found[weight] = ground.areas(network.cpu())
        lifts.append(found[1.0] - before)
        gains.append(found[1.0] - found[0.0])
    for gained in map(np.array, (lifts, gains)):
        assert (gained.mean(axis=1) > 0).all(), gained.mean(axis=1)
        assert gained.mean() > 3 * gained.std() / gained.size**0.5, gained.mean(axis=1)


@pytest.mark.slow
def test_an_encoder_that_collapses_in_training_is_seen(ground: Ground, tmp_path: Path) -> None:
    """Keys of a teacher that follows at once are no longer consistent (MoCo, arXiv:1911.05722, section 4.1: without momentum its
    loss oscillates); at this rate all features become one, and the report says so."""
    network = build_network(Component(name="deep-sets"), ground.view.shapes, 2, 0)
    before = ground.areas(network).mean()
    at_once = Component(name="moco", options=options({"momentum": 0.0, "temperature": 0.07}))
    assert ground.pretrain(at_once, LONGER.replace(learning_rate=0.01), network, 0, tmp_path) < COLLAPSED
    assert ground.areas(network.cpu()).mean() < before - 0.1
