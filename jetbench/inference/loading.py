"""From a run's folder to what predicts: the files are what they were, and this version computes what the run has computed."""

from __future__ import annotations

import hashlib
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file

from jetbench.errors import DataFileError, MissingPackageError
from jetbench.faults import FAULTY, faults
from jetbench.inference.predictor import FittedPredictor, NetworkPredictor, Predictor
from jetbench.jets import Meta
from jetbench.models import ModelEntry, models
from jetbench.models.fitted import FittedModel
from jetbench.models.network import network_for
from jetbench.plugins import adopt, scope
from jetbench.spec import RunSpec
from jetbench.tasks import build_task, tasks
from jetbench.tracking.folder import RunFolder
from jetbench.tracking.specs import read_spec
from jetbench.training.bundle import load_preprocessing
from jetbench.training.device import device
from jetbench.views import views

__all__ = ["load_predictor"]


def load_predictor(folder: Path, meta: Meta | None = None) -> Predictor:
    """Load the model of a finished run from its folder. `meta` is what the jets share that it was trained on; without it jets
    are predicted unseen, whatever their channels and grid.

    Raises `DataFileError` where the run is faulty on purpose or not finished, its files are damaged or gone, or its components
    compute other numbers in this version; `MissingPackageError` where the model needs a package of an extra; `PluginError` where
    a plug-in that it rests on is gone or has changed.
    """
    run = RunFolder(folder)
    files = _finished(run)
    spec = read_spec(folder)
    if spec.fault is not None:
        raise DataFileError(
            f"{folder}: this run is {FAULTY} ({spec.fault}: {faults[spec.fault].summary}); it shows in its suite what a fault "
            "does, and is not to be used for anything else; take an arm without a fault"
        )
    with scope():  # another run may rest on another form of them, and what is planned next on what was given
        adopt(spec.plugins, folder.parent.parent, folder.parent)  # of a store, or of runs that were packed together
        return _load(run, spec, meta, files)


def _load(run: RunFolder, spec: RunSpec, meta: Meta | None, files: dict[str, str]) -> Predictor:
    entry = models[spec.model.name]
    _refuse_other_numbers(run, spec)
    _refuse_missing_package(entry)
    kind: Any = entry.load()
    _refuse_damaged(files, (run.spec, run.weights, run.bundle) if entry.kind == "network" else (run.spec, run.path / kind.FILE))
    return _network(run, spec, meta) if entry.kind == "network" else _fitted(run, spec, meta, kind)


def _finished(run: RunFolder) -> dict[str, str]:
    """The checksums of the files that the finished run has left."""
    if not run.path.is_dir():
        raise DataFileError(f"{run.path}: there is no such folder of a run")
    try:
        record = json.loads(run.done.read_text())
        files, reclaimed = dict(record["files"]), record.get("reclaimed")
    except FileNotFoundError:
        raise DataFileError(f"{run.path}: the run is not finished; run its suite to the end") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataFileError(f"{run.done}: no readable end of a run ({error}); run the suite again") from error
    if reclaimed:
        raise DataFileError(f"{run.path}: its weights were removed to free the disk; train it again with jetbench run --rerun")
    return files


def _refuse_other_numbers(run: RunFolder, spec: RunSpec) -> None:
    for table, component in ((models, spec.model), (views, spec.view), (tasks, spec.task)):
        entry = table[component.name]
        then, now = (one.text if one else "jetbench itself" for one in (component.plugin, entry.plugin))
        if (component.plugin and component.plugin.sha256) != (entry.plugin and entry.plugin.sha256):
            raise DataFileError(f"{run.path}: trained with the {component.name!r} of {then}, and here it is that of {now}")
        here = entry.revision
        if here != component.revision:
            raise DataFileError(
                f"{run.path}: trained with revision {component.revision} of {component.name!r}, and this version of jetbench "
                f"computes revision {here}; train it again, or use the version that {run.environment.name} names"
            )


def _refuse_missing_package(entry: ModelEntry) -> None:
    if entry.extra and find_spec(entry.extra) is None:
        raise MissingPackageError(
            f"the model {entry.name!r} needs the package {entry.extra}; pip install 'jetbench[{entry.extra}]' installs it"
        )


def _refuse_damaged(files: dict[str, str], needed: tuple[Path, ...]) -> None:
    """Each file is read: nothing is written beside it, where a cache of checksums would be."""
    for path in needed:
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise DataFileError(f"{path}: cannot be read ({error}); train the run again") from error
        if found != files.get(path.name):
            raise DataFileError(f"{path}: is not what the run has written; train it again with jetbench run --rerun")


def _network(run: RunFolder, spec: RunSpec, meta: Meta | None) -> NetworkPredictor:
    preprocessing = load_preprocessing(run.path)
    classes = Meta(channels=preprocessing.channels, class_names=preprocessing.class_names)
    task, learnt = build_task(spec.task), _learnt(run)
    task = task.restored(learnt) if learnt else task  # a pretraining has seen no labels
    network = network_for(spec.model, preprocessing.fitted, task.outputs(classes), spec.seed)
    try:
        network.load_state_dict(load_file(run.weights))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise DataFileError(f"{run.weights}: does not hold the weights of {spec.model.name} ({error})") from error
    return NetworkPredictor(run.path, spec, views[spec.view.name], task, meta, network.to(device()).eval(), preprocessing)


def _learnt(run: RunFolder) -> dict[str, Any]:
    try:
        return dict(json.loads(run.bundle.read_text())["labels"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataFileError(f"{run.bundle}: not a readable bundle ({error})") from error


def _fitted(run: RunFolder, spec: RunSpec, meta: Meta | None, kind: type[FittedModel]) -> FittedPredictor:
    return FittedPredictor(run.path, spec, views[spec.view.name], build_task(spec.task), meta, kind.load(run.path))
