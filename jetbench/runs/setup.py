"""A run before its first step: its data, preprocessing, network and objective."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from jetbench.data.batch import JetTensors
from jetbench.data.composition import compose
from jetbench.data.splits import Split
from jetbench.jets import Jets, open_jets
from jetbench.models.network import Network, build_network
from jetbench.objectives import objectives
from jetbench.objectives.base import Objective
from jetbench.runs.job import Job
from jetbench.seeds import numpy_rng
from jetbench.spec import RunSpec
from jetbench.tracking.ledger import Ledger
from jetbench.training.bundle import FIT_JETS, Preprocessing, fit_preprocessing, load_encoder, load_preprocessing
from jetbench.training.validation import validator

__all__ = ["Setup", "prepare_network"]


@dataclass(frozen=True, eq=False)
class Setup:
    """A network and all that its training needs. `jets` and `rows` are what it is trained on."""

    network: Network
    objective: Objective
    preprocessing: Preprocessing
    jets: JetTensors
    rows: np.ndarray
    labelled: JetTensors
    validate: Callable[[], dict[str, float]] | None


def prepare_network(job: Job, jets: Jets, split: Split) -> Setup:
    """Data, preprocessing, network and objective of a run, before its first step."""
    spec = job.spec
    labelled = JetTensors(jets)
    supervised = objectives[spec.objective.name].labelled
    pool, rows = (labelled, split.pool) if job.unlabelled is None else _foreign_pool(job.unlabelled)
    if spec.start is None:
        # the dataset's own pool, whatever the pretraining sees: all arms have the same preprocessing
        preprocessing = fit_preprocessing(spec.view, labelled.batch(torch.from_numpy(_sample(split.pool))))
    else:
        preprocessing = load_preprocessing(Ledger(job.work).folder(spec.start))
    network = build_network(spec.model, len(jets.meta.channels), len(jets.meta.class_names), spec.seed)
    if spec.start is not None:
        load_encoder(Ledger(job.work).folder(spec.start), network)
    objective = _objective(spec, network, preprocessing, len(jets.meta.class_names))
    render = preprocessing.renderer()
    if not supervised:
        return Setup(network, objective, preprocessing, pool, _compose(pool, rows, spec), labelled, None)
    if dict(spec.objective.options).get("shuffled"):
        _shuffle_labels(labelled, split, spec.seed)
    validate = validator(network, render, labelled, split.validation)
    return Setup(network, objective, preprocessing, labelled, split.train, labelled, validate)


def _sample(rows: np.ndarray) -> np.ndarray:
    """Evenly spread rows for fitting the preprocessing: the same for every run on a pool."""
    return rows[:: max(1, len(rows) // FIT_JETS)][:FIT_JETS]


def _objective(spec: RunSpec, network: Network, preprocessing: Preprocessing, classes: int) -> Objective:
    keywords = {k: v for k, v in spec.objective.keywords().items() if k != "shuffled"}
    entry = objectives[spec.objective.name]
    if not entry.labelled:
        keywords |= {"features": network.encoder.features, "seed": spec.seed}
    return entry.load()(preprocessing.renderer(), spec.recipe.augmentation, classes, **keywords)


def _foreign_pool(path: Path) -> tuple[JetTensors, np.ndarray]:
    pool = open_jets(path)
    return JetTensors(pool), np.arange(len(pool))


def _compose(pool: JetTensors, rows: np.ndarray, spec: RunSpec) -> np.ndarray:
    """The rows of the pool with the shares of classes that the run asks for: classes in excess are thinned at random."""
    if spec.pool is None:
        return rows
    labels = pool.targets["label"].numpy()[rows]
    return compose(rows, labels, pool.meta.class_names, spec.pool, numpy_rng("pool", spec.seed))


def _shuffle_labels(labelled: JetTensors, split: Split, seed: int) -> None:
    """Permute the labels within the budget; the test jets keep theirs."""
    rows = torch.from_numpy(np.concatenate([split.train, split.validation]))
    labels = labelled.targets["label"].clone()
    labels[rows] = labels[rows[torch.from_numpy(numpy_rng("shuffle", seed).permutation(len(rows)))]]
    labelled.targets["label"] = labels
