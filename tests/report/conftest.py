"""A finished store without any training: a real plan whose run folders hold planted scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from scipy.special import expit, ndtri, softmax

from jetbench.evaluation.artifacts import write_scores
from jetbench.evaluation.classification import evaluate_binary
from jetbench.evaluation.multiclass import evaluate_classes
from jetbench.files import write_json
from jetbench.report.collect import collect
from jetbench.report.results import Results
from jetbench.spec import Variation
from jetbench.suites.graph import PlannedRun
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.sensitivity import GridPlace
from jetbench.suites.suite import Instance, find_suite, instantiate
from jetbench.tracking.folder import also_key
from jetbench.tracking.journal import Journal
from jetbench.tracking.ledger import Ledger, RunFolder
from jetbench.tracking.store import Store

ONE_ENCODER, TWO_ENCODERS = (str(Path(__file__).parent / f"{name}.yaml") for name in ("one-encoder", "two-encoders"))
AREAS = {
    "scratch": 0.87,
    "simclr": 0.92,
    "boosted-trees": 0.93,
    "mass-likelihood": 0.90,
    "class-prior": 0.5,
    "random-frozen": 0.75,
    "supervised-pretrained": 0.94,
    "mass-distance": 0.6,
}
ENVIRONMENT = {"jetbench": "0", "code": "c0de", "packages": {"torch": "2"}, "python": "3", "precision": "fp32"}
SMALL = ("dataset.jets=1200", "test_jets=400", "labels=[50,200]", "tuning.factors=[0.3,1.0,3.0]", "recipes.supervised.epochs=3")


@dataclass
class Fake:
    """What is planted: AUC by arm (and by arm and budget), spread between seeds, what is missing, failed or at its edge."""

    areas: Mapping[str, float] = field(default_factory=dict)
    at: Mapping[tuple[str, int], float] = field(default_factory=dict)
    at_rate: Mapping[tuple[str, float], float] = field(default_factory=dict)  # AUC by arm and rate of trials that do not win
    at_setting: Mapping[tuple[str, float, float], float] = field(default_factory=dict)  # by arm and factors of rate and length
    spread: float = 0.003
    classes: int = 2
    lost: float = 0.0  # of the AUC on other test sets
    lost_by: Mapping[tuple[str, str], float] = field(default_factory=dict)  # the same by arm and test set
    own: float = 0.1  # share of a score's variance that each model has for itself
    missing: Callable[[CellKey], bool] = lambda cell: False
    failed: Mapping[CellKey, str] = field(default_factory=dict)
    edge: tuple[str, ...] = ()
    signs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # by arm, of the length of each of its runs
    best: Mapping[str, float] = field(default_factory=dict)  # by arm, the share of the passes after which the best epoch ends
    environment: Callable[[PlannedRun], Mapping[str, Any]] = lambda run: {}  # what a run notes differently from others

    def set_to(self, cell: CellKey | None, place: GridPlace | None) -> Fake:
        """The same where a training of a grid has an AUC of its own."""
        if place is None or cell is None or (place.arm, place.rate, place.length) not in self.at_setting:
            return self
        area = self.at_setting[place.arm, place.rate, place.length]
        return replace(self, at={**self.at, (cell.arm, cell.labels): area})

    def area(self, cell: CellKey) -> float:
        return self.at.get((cell.arm, cell.labels), {**AREAS, **self.areas}.get(cell.arm, 0.9))


def fake_instance(*overrides: str, scale: str = "quick", suite: str = ONE_ENCODER) -> Instance:
    return instantiate(find_suite(suite), scale, overrides=overrides)


@patch("os.fsync", lambda file: None)  # a thousand of them; what a test writes need not survive a power cut
def fake_store(root: Path, instance: Instance, fake: Fake) -> tuple[Plan, Store]:
    """Write the folders of all runs and the studies of a plan."""
    if fake.classes > 2:
        names = ("QCD", *(f"X→{k} prongs" for k in range(2, fake.classes + 1)))
        instance = instance.replace(meta=instance.meta.replace(class_names=names))
    plan, store = make_plan(instance), Store(root)
    store.work.mkdir(parents=True)
    ledger = Ledger(store.work)
    cells = {key: cell for cell, key in plan.cells.items()}
    for (arm, labels), keys in plan.checks.items():
        cells |= {key: CellKey(name, labels, -1) for key, name in zip(keys, (arm, f"{arm}-longer"), strict=True)}
    beside = {key: place for place, key in plan.grid.items() if key not in cells}
    cells |= {key: CellKey(place.arm, plan.runs[key].budget, place.seed) for key, place in beside.items()}
    tuned = {key: cell for cell, digest in plan.tuned.items() for key in _trials(plan, digest)}
    for key, run in plan.runs.items():
        cell = cells.get(key) or (tuned.get(key) if plan.seeds_tune else None)
        if cell in fake.failed and key in cells:
            ledger.fail(key, fake.failed[cell], "")
        elif cell is None or not fake.missing(cell):
            _write_run(plan, ledger, key, cell, fake.set_to(cell, beside.get(key)))
        assert run.key == key
    return plan, store


def _write_run(plan: Plan, ledger: Ledger, key: str, cell: CellKey | None, fake: Fake) -> None:
    folder, run = ledger.run(key), plan.runs[key]
    folder.path.mkdir()
    files = [folder.environment, folder.split, folder.metrics, folder.journal]
    write_json(folder.environment, {**ENVIRONMENT, **fake.environment(run)})
    test = run.spec.test_jets
    write_json(folder.split, {"pool": {"jets": 800, "sha256": "b" * 64}, "test": {"jets": test, "sha256": "a" * 64}})
    metrics = {f"trained/{name}": value for name, value in fake.signs.get(run.arm, {}).items()}
    metrics |= {"cost/labelled_passes": float(run.spec.recipe.passes), "cost/unlabelled_passes": 0.0, "cost/seconds": 10.0}
    if run.arm in fake.best:
        metrics |= {"cost/passes_to_best": fake.best[run.arm] * run.spec.recipe.passes}
    if not run.labelled:
        metrics |= {"cost/labelled_passes": 0.0, "cost/unlabelled_passes": float(run.spec.recipe.passes)}
    if cell is not None:
        own = key in plan.cells.values()
        if fake.classes == 2:
            labels, scores = planted_scores(*((fake, cell) if own else _tried_beside(fake, run, cell)), test)
            tested = evaluate_binary(labels, scores)
        else:
            labels, scores = planted_probabilities(fake, cell, test)
            tested = evaluate_classes(labels, scores, plan.instance.meta.class_names)
        write_scores(folder.scores, np.arange(test), labels, scores)
        told = {f"test/{name}": value for name, value in tested.items()}
        files += [folder.scores, folder.tested]
        for one in run.spec.variations:
            told |= _write_also(plan, folder, one, cell, fake)
            files.append(folder.also_scores(one.name))
        write_json(folder.tested, told)
    if run.kind == "trial":
        losses = _tried(plan, key, fake)
        metrics |= {"val/auc": 0.9, "val/auc_se": 0.0, "val/loss": float(losses.mean())}
        np.save(folder.losses, losses)
        files.append(folder.losses)
    _write_journal(folder.journal, run.spec.recipe.epochs if run.spec.recipe.passes else 0, run.labelled, metrics)
    write_json(folder.metrics, metrics)
    ledger.finish(key, files)


def _write_also(plan: Plan, folder: RunFolder, one: Variation, cell: CellKey, fake: Fake) -> dict[str, float]:
    """Scores of two classes on another test set, where every arm has `lost` some of its AUC, or as much as `lost_by` says. Own
    test jets have the scores that they have, a little moved, or are every tenth top with all others."""
    lost = fake.lost_by.get((cell.arm, one.name), fake.lost)
    less = replace(fake, areas={}, at={(cell.arm, cell.labels): fake.area(cell) - lost})
    jets = plan.instance.also[one.name].jets if one.dataset else plan.instance.settings.test_jets
    labels, scores = planted_scores(less, cell, jets)
    rows = np.arange(jets)
    if one.shares is not None:
        rows = np.flatnonzero((labels == 0) | (np.cumsum(labels) % 10 == 0))
    write_scores(folder.also_scores(one.name), rows, labels[rows], scores[rows])
    return {also_key(one.name, name): value for name, value in evaluate_binary(labels[rows], scores[rows]).items()}


def planted_scores(fake: Fake, cell: CellKey, jets: int) -> tuple[np.ndarray, np.ndarray]:
    """Binormal scores: what is hard about a jet is partly the same for all models, and partly each model's own."""
    labels = np.arange(jets) % 2
    if fake.area(cell) == 0.5 and cell.arm == "class-prior":
        return labels, np.full(jets, 0.5, np.float32)
    if fake.area(cell) == 1.0:
        return labels, labels.astype(np.float32)
    number = list(AREAS).index(cell.arm) if cell.arm in AREAS else sum(map(ord, cell.arm))
    rng = np.random.default_rng([cell.labels, abs(cell.seed), number])
    area = np.clip(fake.area(cell) + fake.spread * rng.standard_normal(), 0.3, 0.999)
    common = np.random.default_rng(7).standard_normal(jets)
    noise = np.sqrt(1 - fake.own) * common + np.sqrt(fake.own) * rng.standard_normal(jets)
    return labels, expit(noise + labels * np.sqrt(2) * ndtri(area)).astype(np.float32)


def planted_probabilities(fake: Fake, cell: CellKey, jets: int) -> tuple[np.ndarray, np.ndarray]:
    """Class k stands out by the logit that, alone, would give the planted AUC against any other."""
    labels = np.arange(jets) % fake.classes
    if fake.area(cell) == 0.5 and cell.arm == "class-prior":
        return labels, np.full((jets, fake.classes), 1 / fake.classes)
    rng = np.random.default_rng([cell.labels, cell.seed, list(AREAS).index(cell.arm)])
    common = np.random.default_rng(7).standard_normal((jets, fake.classes))
    noise = np.sqrt(1 - fake.own) * common + np.sqrt(fake.own) * rng.standard_normal(common.shape)
    area = np.clip(fake.area(cell) + fake.spread * rng.standard_normal(), 0.3, 0.999)
    return labels, softmax(noise + np.sqrt(2) * ndtri(area) * np.eye(fake.classes)[labels], axis=1)


def _write_journal(path: Path, epochs: int, labelled: bool, metrics: dict[str, float]) -> None:
    with Journal(path) as journal:
        for epoch in range(epochs):
            shape = 1 - np.exp(-(epoch + 1) / 2)
            record = {"train/passes": 320.0 * (epoch + 1), "train/loss": 0.7 - 0.4 * shape if labelled else 5 - 2 * shape}
            if labelled:
                record |= {"val/auc": 0.6 + 0.3 * shape, "val/loss": 0.65 - 0.2 * shape}
            journal.append(epoch, record)
        journal.append(epochs, metrics)
        journal.commit()


def _tried_beside(fake: Fake, run: PlannedRun, cell: CellKey) -> tuple[Fake, CellKey]:
    """Another model of the same arm for each rate that is tried beside the recipe's, with an AUC of its own where one is
    planted."""
    rate = run.spec.recipe.learning_rate
    area = next((area for (arm, at), area in fake.at_rate.items() if arm == cell.arm and np.isclose(at, rate)), fake.area(cell))
    tried = replace(cell, seed=cell.seed + 100 * round(1e4 * rate))
    return replace(fake, at={**fake.at, (cell.arm, cell.labels): area}), tried


def _trials(plan: Plan, digest: str) -> list[str]:
    """The keys of the last runs of a study's first round."""
    study = plan.studies[digest]
    return [study.trial(values).digest() for values in study.known_values()]


def _tried(plan: Plan, key: str, fake: Fake) -> np.ndarray:
    """What a trial came to: the middle of its grid is the best, or the edge where the arm is at its edge."""
    digest = next(digest for digest in plan.studies if key in _trials(plan, digest))
    rates = plan.studies[digest].searched[0].space.choices
    best = 0 if plan.runs[key].arm in fake.edge else len(rates) // 2
    place = rates.index(plan.runs[key].spec.recipe.learning_rate) if rates else best
    return np.array([0.1, 0.5]) + 0.1 * abs(place - best)


@pytest.fixture
def planted(tmp_path: Path) -> Callable[..., Results]:
    """`planted("seeds=3", areas={"simclr": 0.9})`: results of the small suite, or another, with overrides and what `Fake`
    plants."""

    def make(*overrides: str, suite: str = ONE_ENCODER, **content: Any) -> Results:
        root = tmp_path / f"store-{len(list(tmp_path.iterdir()))}"
        return collect(*fake_store(root, fake_instance(*SMALL, *overrides, suite=suite), Fake(**content)))

    return make


@pytest.fixture(scope="session")
def ten_classes(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Three seeds and ten classes."""
    root = tmp_path_factory.mktemp("ten-classes") / "store"
    return collect(*fake_store(root, fake_instance(*SMALL, "seeds=3"), Fake(classes=10)))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Five seeds, two budgets, seven arms, all planted truths in place."""
    root = tmp_path_factory.mktemp("finished") / "store"
    return collect(*fake_store(root, fake_instance(*SMALL), Fake()))
