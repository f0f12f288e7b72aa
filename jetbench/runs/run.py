"""One run, inside its child process: data, training, evaluation, and the files that prove it."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

from jetbench.data.splits import write_split
from jetbench.errors import DivergenceError, RunError, SealedError
from jetbench.evaluation.plots import watermarked
from jetbench.faults import watermark_text
from jetbench.files import write_atomically, write_json
from jetbench.runs.costs import peak_memory, run_costs
from jetbench.runs.data import RunData, open_data
from jetbench.runs.environment import environment
from jetbench.runs.job import Job
from jetbench.runs.learners import build_learner
from jetbench.spec import RunSpec
from jetbench.tracking.folder import also_key
from jetbench.tracking.journal import Journal, read
from jetbench.tracking.ledger import Ledger, RunFolder
from jetbench.training.learner import Learner
from jetbench.training.stops import Flag, Pruned

__all__ = ["run"]


def run(job: Job, stop: Flag) -> None:
    """Train and evaluate a run in its folder, from wherever an earlier attempt came to.

    Raises `Stopped` on request, `Pruned`, with the model saved as it then is, where a study stops it, and `JetbenchError` where
    something is wrong with the data or the training.
    """
    if job.spec.chosen:
        raise RunError(f"{job.spec.chosen[0].path} of this run waits for its study; resolve it before training")
    ledger = Ledger(job.work)
    folder = ledger.run(job.key)
    write_atomically(folder.spec, _yaml(job.spec).encode())
    told = {"instance": job.instance, **environment(job.spec.precision)}
    write_json(folder.environment, told)
    data = open_data(job)
    write_json(folder.split, {"file": write_split(job.store / "splits", data.split), **data.split.summary()})
    if job.spec.targets != "none" and (short := data.task.shortage("train", data.strata[data.counting], data.jets.meta)):
        raise RunError(f"{short}{' of a weight above zero' if job.spec.sample_weight else ''}; raise the label budget")
    learner = build_learner(job, data)
    write_json(folder.environment, told | {"network": learner.network_told})
    with Journal(folder.journal) as journal:
        try:
            trained = learner.train(journal, folder.path, stop)
        except Pruned:
            learner.save(folder.path)
            raise
        saved = learner.save(folder.path)
        metrics = run_costs(job.spec, trained.costs)
        metrics |= {"cost/parameters": float(learner.parameters), "train/jets": float(len(learner.rows))}
        metrics |= {"cost/flops": float(learner.flops)} if learner.flops else {}
        metrics |= {f"trained/{sign}": value for sign, value in trained.signs.items()}
        try:
            metrics |= _remembered(job.spec, data, learner)
            with watermarked(watermark_text(job.spec.fault) if job.spec.fault else ""):
                files = [*saved, *_evaluate(job.spec, data, learner, folder, metrics)]
        except DivergenceError as error:
            raise DivergenceError(str(error), trained.costs) from error
        metrics |= peak_memory()
        curves = {name for record in read(folder.journal)[0] for name in record.metrics}
        # at step 0: MLflow then compares them as bars; what has a curve would get another point there
        journal.append(0, {name: value for name, value in metrics.items() if name not in curves})
        journal.commit()
    write_json(folder.metrics, metrics)
    ledger.finish(job.key, [*files, folder.spec, folder.environment, folder.split, folder.metrics, folder.journal])


def _remembered(spec: RunSpec, data: RunData, learner: Learner) -> dict[str, float]:
    """Return the metrics of a budget's training jets without augmentation: what the test's are held against."""
    if not spec.on_budget:
        return {}
    found, _ = data.judged(data.split.train, learner.predict(data.split.train))
    return {f"trained/{key}": value for key, value in found.items()}


def _evaluate(spec: RunSpec, data: RunData, learner: Learner, folder: RunFolder, metrics: dict[str, float]) -> tuple[Path, ...]:
    """Add the metrics on the validation labels of a budget and the speed of predictions, write what the test jets say to files
    of its own, which stay sealed as long as the run is a trial, and return the files. A run on the pool is judged by those that
    start from it."""
    task, split = data.task, data.split
    if not spec.on_budget:
        return ()
    found, losses = data.judged(split.validation, learner.predict(split.validation))
    metrics |= {f"val/{key}": value for key, value in found.items()}
    write_atomically(folder.losses, _npy(losses))
    try:
        started = time.monotonic()
        predictions = learner.predict(split.test)
        metrics["cost/inference_jets_per_second"] = len(split.test) / (time.monotonic() - started)
        tested, files = task.evaluate(data.truth[split.test], predictions, split.test, data.jets, folder.path)
        also, scores = _evaluate_others(data, learner, folder)
    except DivergenceError as error:  # no trial is to win or lose by what it says of test jets
        raise SealedError(f"{error}, of test jets alone; look at what sets them apart") from error
    except Exception as error:
        raise SealedError(f"{type(error).__name__}: {error}; it came of test jets alone, after the training") from error
    write_json(folder.tested, tested | also)
    return (folder.losses, folder.tested, *files, *scores)


def _evaluate_others(data: RunData, learner: Learner, folder: RunFolder) -> tuple[dict[str, float], tuple[Path, ...]]:
    """Return the metrics on the other test sets, `also/<key>` or `also/<name>/<key>`, and the files of their scores."""
    metrics, files = dict[str, float](), list[Path]()
    for name, one in data.also.items():
        predictions = learner.predict(one.rows) if one.jets is None else learner.predict_other(name)
        truth = data.task.target(one.jets) if one.is_other and one.jets is not None else data.truth[one.rows]
        path = folder.also_scores(name)
        scored = data.task.score(truth, predictions, one.rows, data.jets.meta, path)
        metrics |= {also_key(name, key): value for key, value in scored.items()}
        files.append(path)
    return metrics, tuple(files)


def _npy(values: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, values, allow_pickle=False)
    return content.getvalue()


def _yaml(spec: RunSpec) -> str:
    """All that a run is; an honest one has no word of faults."""
    text = io.StringIO()
    YAML(typ="safe", pure=True).dump(json.loads(spec.model_dump_json(exclude=None if spec.fault else {"fault"})), text)
    return text.getvalue()
