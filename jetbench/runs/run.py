"""One run, inside its child process: data, training, evaluation, and the files that prove it."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

from jetbench.data.batches import Batches
from jetbench.data.splits import Split, split_jets, write_split
from jetbench.errors import DivergenceError, RunError
from jetbench.evaluation.artifacts import write_evaluation
from jetbench.evaluation.multiclass import likelihood
from jetbench.files import write_json
from jetbench.jets import Jets, open_jets
from jetbench.models import models
from jetbench.objectives import objectives
from jetbench.runs.environment import environment
from jetbench.runs.job import Job
from jetbench.runs.setup import prepare_network
from jetbench.seeds import derive
from jetbench.spec import RunSpec
from jetbench.statistics.delong import delong
from jetbench.tracking.journal import Journal
from jetbench.tracking.ledger import Ledger, RunFolder
from jetbench.training.bundle import save_bundle
from jetbench.training.loop import Flag, fit
from jetbench.training.validation import class_scores, logits
from jetbench.views.observables import OBSERVABLES, no_observables

__all__ = ["run_cell"]

FEW_VALIDATION = "fewer than two validation labels of a class, so nothing can be tuned on them; raise the label budget"
DIVERGED = dict.fromkeys(("val/auc", "val/auc_se", "cost/seconds", "cost/labelled_passes", "cost/unlabelled_passes"), 0.0) | {
    "val/loss": 1e30
}
EVALUATION = ["roc.json", "roc.png", "confusion.png", "confusion.json"]


def run_cell(job: Job, stop: Flag) -> None:
    """Train and evaluate a run in its folder, from wherever an earlier attempt came to.

    Raises `Stopped` on request and `JetbenchError` where something is wrong with the data or the training.
    """
    ledger = Ledger(job.work)
    folder = ledger.run(job.key)
    folder.spec.write_text(_yaml(job.spec))
    write_json(folder.environment, {"instance": job.instance, **environment()})
    jets = open_jets(job.dataset)
    spec = job.spec
    split = split_jets(jets.targets["label"][:], jets.event[:], spec.test_jets, spec.labels, spec.seed, spec.dataset.sha256)
    write_json(folder.split, {"file": write_split(job.store / "splits", split), **split.summary()})
    _check_training(jets.targets["label"][:][split.train], jets.meta.class_names)
    try:
        if models[spec.model.name].kind == "fitted":
            figures, files = _run_fitted(job, folder, jets, split)
        else:
            figures, files = _run_network(job, folder, jets, split, stop)
    except DivergenceError:
        if spec.stage != "trial":
            raise
        figures, files = DIVERGED, []  # in a search, that is the worst score and no reason to give up the arm
    write_json(folder.metrics, figures)
    ledger.finish(job.key, [*files, folder.spec, folder.environment, folder.split, folder.metrics, folder.journal])


def _run_network(job: Job, folder: RunFolder, jets: Jets, split: Split, stop: Flag) -> tuple[dict[str, float], list[str | Path]]:
    setup = prepare_network(job, jets, split)
    with Journal(folder.journal) as journal:
        costs = fit(
            job.spec.recipe,
            setup.network,
            setup.objective,
            Batches(setup.jets, setup.rows, job.spec.recipe.batch_size, job.spec.seed),
            journal,
            folder.path,
            stop,
            seed=job.spec.seed,
            validate=setup.validate,
            frozen=job.spec.frozen,
        )
        save_bundle(folder.path, setup.network, job.spec.model, setup.preprocessing)
        figures = _costs(job.spec, costs, sum(p.numel() for p in setup.network.parameters()))
        figures["train/jets"] = float(len(setup.rows))
        files: list[str | Path] = [folder.weights, folder.bundle]
        render = setup.preprocessing.renderer()
        if job.spec.stage == "trial":
            scores = class_scores(logits(setup.network, render, setup.labelled, split.validation))
            labels = setup.labelled.targets["label"].numpy()[split.validation]
            figures |= _validation(labels, scores, len(jets.meta.class_names))
        if job.spec.stage == "final":
            scores = class_scores(logits(setup.network, render, setup.labelled, split.test))
            figures |= _evaluate(job, folder, jets, split, scores)
            files += [folder.scores, *EVALUATION]
        _close(journal, figures)
    return figures, files


def _run_fitted(job: Job, folder: RunFolder, jets: Jets, split: Split) -> tuple[dict[str, float], list[str | Path]]:
    table = _table(job, jets)
    labels = jets.targets["label"][:]
    model = models[job.spec.model.name].load()(**job.spec.model.keywords())
    started = time.monotonic()
    rate = job.spec.recipe.learning_rate
    assert isinstance(rate, float)
    model.fit(table[split.train], OBSERVABLES, labels[split.train], derive("init", "encoder", job.spec.seed), rate)
    figures = _costs(job.spec, {"passes": float(len(split.train)), "seconds": time.monotonic() - started}, 0)
    model.save(folder.path)
    files: list[str | Path] = [model.FILE]
    with Journal(folder.journal) as journal:
        journal.cut(0)
        if job.spec.stage == "trial":
            scores = model.scores(table[split.validation])
            figures |= _validation(labels[split.validation], scores, len(jets.meta.class_names))
        else:
            figures |= _evaluate(job, folder, jets, split, model.scores(table[split.test]))
            files += [folder.scores, *EVALUATION]
        _close(journal, figures)
    return figures, files


def _table(job: Job, jets: Jets) -> np.ndarray:
    """What the view of a fitted model shows of all jets (n, columns)."""
    if job.spec.view.name != "observables":
        return no_observables(jets)
    assert job.observables is not None
    return np.load(job.observables, mmap_mode="r", allow_pickle=False)


def _validation(labels: np.ndarray, scores: np.ndarray, classes: int) -> dict[str, float]:
    if np.bincount(labels, minlength=classes).min() < 2:
        raise RunError(FEW_VALIDATION)
    areas, covariance = delong(labels, scores[None])
    return {
        "val/auc": float(areas[0]),
        "val/auc_se": float(np.sqrt(covariance[0, 0])),
        "val/loss": float(-np.log(likelihood(labels, scores).clip(1e-12)).mean()),
    }


def _check_training(labels: np.ndarray, class_names: tuple[str, ...]) -> None:
    missing = [name for one, name in enumerate(class_names) if one not in labels]
    if missing:
        raise RunError(f"no training label of {', '.join(missing)}; raise the label budget")


def _evaluate(job: Job, folder: RunFolder, jets: Jets, split: Split, scores: np.ndarray) -> dict[str, float]:
    labels = jets.targets["label"][:][split.test]
    return write_evaluation(folder.path, labels, scores, split.test, jets.meta.class_names)


def _costs(spec: RunSpec, costs: dict[str, float], parameters: int) -> dict[str, float]:
    labelled = objectives[spec.objective.name].labelled
    return {
        "cost/labelled_passes": costs["passes"] if labelled else 0.0,
        "cost/unlabelled_passes": 0.0 if labelled else costs["passes"],
        "cost/seconds": costs["seconds"],
        "cost/parameters": float(parameters),
    }


def _close(journal: Journal, figures: dict[str, float]) -> None:
    """The last line of the journal holds the final figures, at step 0: MLflow then compares them as bars."""
    journal.append(0, figures)
    journal.commit()


def _yaml(spec: RunSpec) -> str:
    text = io.StringIO()
    YAML(typ="safe", pure=True).dump(json.loads(spec.canonical()), text)
    return text.getvalue()
