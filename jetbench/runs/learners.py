"""A run before its first step: its preprocessing, model and objective."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from jetbench.data.batch import JetTensors
from jetbench.data.composition import compose, take_jets
from jetbench.errors import RunError
from jetbench.faults import FAULTY
from jetbench.faults.fault import fault_of
from jetbench.jets import Jets
from jetbench.models import models
from jetbench.models.network import network_for
from jetbench.objectives import objectives
from jetbench.objectives.base import Look, build_objective
from jetbench.objectives.distilled import PROBABILITIES
from jetbench.runs.data import RunData
from jetbench.runs.external import load_imported
from jetbench.runs.job import Job
from jetbench.runs.others import OtherTest
from jetbench.seeds import numpy_rng
from jetbench.spec import Options, RunSpec
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.specs import read_spec
from jetbench.training.bundle import Preprocessing, fit_preprocessing, load_encoder, load_network, load_preprocessing
from jetbench.training.features import diagnoser
from jetbench.training.learner import FittedLearner, Learner, NetworkLearner
from jetbench.training.validation import validator
from jetbench.views import views
from jetbench.views.table import Table

__all__ = ["build_learner"]


def build_learner(job: Job, data: RunData) -> Learner:
    """Build what the run trains, by the kind of its model."""
    kind = models[job.spec.model.name].kind
    return _fitted(job, data) if kind == "fitted" else _network(job, data)


def _fitted(job: Job, data: RunData) -> FittedLearner:
    view: type[Table] = views[job.spec.view.name].load()
    options = job.spec.view.options
    table = _table(view, options, data.jets, job.table)
    others = {name: partial(_other_table, job, view, name, one) for name, one in data.also.items()}
    model = models[job.spec.model.name].load()(**job.spec.model.keywords())
    return FittedLearner(job.spec, data.task, model, table, view.columns, data.seen, data.split.train, others, data.weights)


def _table(view: type[Table], options: Options, jets: Jets, path: Path | None) -> np.ndarray:
    """What the view shows of jets: read where it was computed before."""
    found: np.ndarray = view.rows(jets, options) if path is None else np.load(path, mmap_mode="r", allow_pickle=False)
    return found


def _other_table(job: Job, view: type[Table], name: str, one: OtherTest) -> np.ndarray:
    """The table of another test set whose jets are not the dataset's as they are."""
    assert one.jets is not None
    stored = job.also[name].table if one.is_other else None
    return np.asarray(_table(view, job.spec.view.options, one.jets, stored), np.float32)  # as tables are stored


def _network(job: Job, data: RunData) -> NetworkLearner:
    fault, split = fault_of(job.spec), data.split
    spec: RunSpec = job.spec.replace(recipe=fault.recipe(job.spec.recipe))
    labelled = JetTensors(data.jets)
    preprocessing = fault.preprocessing(_preprocessing(job, labelled, split.pool))
    network = network_for(spec.model, preprocessing.fitted, data.task.outputs(data.jets.meta), spec.seed)
    if spec.start is not None:
        _refuse_faulty(job, spec.start)
        load = load_network if spec.takes == "network" else load_encoder
        load(Ledger(job.work).folder(spec.start), network)
    if spec.weights is not None:
        assert job.weights is not None
        load_imported(network, job.weights, spec.weights.sha256)
    view = preprocessing.fitted
    look = Look(view, spec.recipe.augmentation)
    objective = build_objective(spec.objective, network, data.task, look, spec.seed)
    if not objectives[spec.objective.name].trains_head:
        pool, rows = _pool(data, labelled) if spec.data == "pool" else (labelled, split.train)
        diagnose = diagnoser(network, look, pool, rows, spec.precision)
        chosen = fault.pool(_seen(pool, rows, spec), split)
        if spec.targets == "none":
            pool.targets = {}  # what is trained cannot reach one
        given = (spec, data.task, network, objective, preprocessing, pool, chosen, labelled, None)
        return NetworkLearner(*given, diagnose=diagnose)
    labelled.targets |= _told(spec, data)
    labelled.weight = None if data.weights is None else torch.from_numpy(data.weights.astype(np.float32))
    validate = validator(network, view, data.task, labelled, fault.watched(split), spec.precision)
    others = {name: partial(JetTensors, one.jets) for name, one in data.also.items() if one.jets is not None}
    seen = (labelled, split.train, labelled, validate, others, dict(job.limits))
    return NetworkLearner(spec, data.task, network, objective, preprocessing, *seen, pool=_beside(spec, data))


def _refuse_faulty(job: Job, start: str) -> None:
    """Raise `RunError` where an honest run would start from a faulty one, or from one of another fault."""
    before = read_spec(Ledger(job.work).folder(start)).fault
    if before not in (None, job.spec.fault):
        raise RunError(f"it would start from the run {start[:8]}, which is {FAULTY} ({before}); only a run of that fault may")


def _told(spec: RunSpec, data: RunData) -> dict[str, Tensor]:
    """What stands in place of the true labels of the dataset's jets, which the training then cannot reach."""
    told = {} if spec.targets == "true" else {data.task.column: torch.from_numpy(data.seen)}
    if data.probabilities is not None:
        told[PROBABILITIES] = torch.from_numpy(data.probabilities.astype(np.float32))
    return told


def _preprocessing(job: Job, labelled: JetTensors, pool: np.ndarray) -> Preprocessing:
    """That of the run which this one starts from; else fitted on the dataset's own pool, whatever a pretraining sees, so that
    all arms have the same."""
    if job.spec.start is not None:
        return load_preprocessing(Ledger(job.work).folder(job.spec.start))
    return fit_preprocessing(job.spec.view, labelled, pool)


def _pool(data: RunData, labelled: JetTensors) -> tuple[JetTensors, np.ndarray]:
    if data.pool is None:
        return labelled, data.split.pool
    foreign = JetTensors(data.pool.open())
    return foreign, np.arange(len(foreign))


def _beside(spec: RunSpec, data: RunData) -> tuple[JetTensors, np.ndarray] | None:
    """The jets of the pool that are looked at beside a label budget, and their rows. They have no targets: what is trained cannot
    reach one."""
    if spec.data != "budget+pool":
        return None
    pool, rows = _pool(data, JetTensors(data.jets))
    chosen = _seen(pool, rows, spec)
    pool.targets = {}
    return pool, chosen


def _seen(pool: JetTensors, rows: np.ndarray, spec: RunSpec) -> np.ndarray:
    """The rows of the pool with the shares of classes that the run asks for, classes in excess being thinned at random, and of
    these as many as it asks for."""
    labels = None
    if spec.pool is not None:
        known = pool.targets["label"].numpy()
        rows = compose(rows, known[rows], pool.meta.class_names, spec.pool, numpy_rng("pool", spec.seed))
        labels = known[rows]
    return rows if spec.pool_jets is None else take_jets(rows, labels, spec.pool_jets, numpy_rng("pool-jets", spec.seed))
