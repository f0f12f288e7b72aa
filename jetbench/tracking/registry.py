"""The store's registry of models: versions under a name, with aliases, beside the runs that they come from."""

from __future__ import annotations

import hashlib
import re
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jetbench.errors import StoreError
from jetbench.tracking import backend
from jetbench.tracking.backend import speaking_plainly
from jetbench.tracking.holdings import CONTENT
from jetbench.tracking.mlflow_tracker import MlflowTracker

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["register"]

NAME = re.compile(r"[\w.-]+")  # what stands in models:/NAME@ALIAS without a meaning of its own
ARTIFACT = "model"


def register(
    tracker: MlflowTracker,
    content: Path,
    loader: str,
    name: str,
    alias: str | None,
    requirements: Sequence[str],
    tags: Mapping[str, str],
) -> str:
    """Store a folder as a model that MLflow loads by the module `loader`, as a new version of the model `name`, and point the
    `alias` to it; returns the number of the version. Content that a version holds already makes no other.

    Raises `StoreError` for names that MLflow cannot address, and where the store does not take it.
    """
    for word in (name, *([alias] if alias is not None else [])):
        if not NAME.fullmatch(word):
            raise StoreError(f"{word!r} is no name for a model or an alias: letters, digits, '.', '-' and '_' make one")
    with speaking_plainly(f"cannot register {name}"):
        client, digest = backend.client(tracker.store.uri), _digest(content)
        if not any(one.name == name for one in client.search_registered_models(f"name = '{name}'")):
            client.create_registered_model(name)
        versions = client.search_model_versions(f"name = '{name}'")
        held = next((one.version for one in versions if one.tags.get(CONTENT) == digest), None)
        version = held or _add(tracker, client, content, loader, name, requirements, {**tags, CONTENT: digest})
        if alias is not None:
            client.set_registered_model_alias(name, alias, version)
    return str(version)


def _add(
    tracker: MlflowTracker,
    client: MlflowClient,
    content: Path,
    loader: str,
    name: str,
    requirements: Sequence[str],
    tags: Mapping[str, str],
) -> str:
    """The number of a new version, whose files lie with a run of their own in the experiment."""
    run = client.create_run(tracker.experiment_id, tags={**tags, "jetbench.kind": "model"}, run_name=f"model {name}")
    with tempfile.TemporaryDirectory() as workplace, warnings.catch_warnings():
        warnings.filterwarnings("ignore", r".*Any type hint is inferred as AnyType", UserWarning)  # of MLflow about itself
        model = Path(workplace) / ARTIFACT
        backend.load().pyfunc.save_model(model, loader_module=loader, data_path=content, pip_requirements=list(requirements))
        client.log_artifacts(run.info.run_id, str(model), ARTIFACT)
    client.set_terminated(run.info.run_id, "FINISHED")
    source = f"{run.info.artifact_uri}/{ARTIFACT}"
    return str(client.create_model_version(name, source, run.info.run_id, dict(tags)).version)


def _digest(folder: Path) -> str:
    """The sha256 of the files below a folder, by their names and bytes."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(path.relative_to(folder).as_posix().encode() + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()
