"""The store's registry of models: versions under a name, with aliases, and their files in an experiment of their own."""

from __future__ import annotations

import hashlib
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jetbench.errors import StoreError
from jetbench.tracking import backend
from jetbench.tracking.backend import speaking_plainly
from jetbench.tracking.experiments import open_experiment
from jetbench.tracking.places import CONTENT, STORE
from jetbench.tracking.server import refuse_absent
from jetbench.tracking.store import Store

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["Registered", "register"]

NAME = re.compile(r"[\w.-]+")  # what stands in models:/NAME@ALIAS without a meaning of its own
ALIAS = re.compile(r"[\w-]+")  # MLflow takes no '.' in it
RESERVED = re.compile(r"v\d+|latest", re.IGNORECASE)  # by MLflow, for versions by number and the last one
ARTIFACT = "model"
EXPERIMENT = "jetbench.models"  # whoever reclaims the suite that a model comes from leaves this one alone


class Registered(NamedTuple):
    """The number of a version, and whether it was made now, or held the same content before."""

    version: str
    new: bool


def register(
    store: Store,
    content: Path,
    loader: str,
    name: str,
    alias: str | None,
    requirements: Sequence[str],
    tags: Mapping[str, str],
) -> Registered:
    """Store a folder as a model that MLflow loads by the module `loader`, as a new version of the model `name`, and point the
    `alias` to it. Content that a version holds already makes no other.

    Raises `StoreError` for names that MLflow cannot address, and where the store does not take it.
    """
    _refuse_names(name, alias)
    with speaking_plainly(f"cannot register {name}", "mend that and give the command again"):
        if store.tracking_uri:
            refuse_absent(store.tracking_uri)
        client, digest = store.client(), _digest(content)
        if not any(one.name == name for one in client.search_registered_models(f"name = '{name}'")):
            client.create_registered_model(name)
        versions = client.search_model_versions(f"name = '{name}'")
        held = next((one.version for one in versions if one.tags.get(CONTENT) == digest), None)
        version = held or _add(store, client, content, loader, name, requirements, {**tags, CONTENT: digest})
        if alias is not None:
            client.set_registered_model_alias(name, alias, version)
    return Registered(str(version), held is None)


def _refuse_names(name: str, alias: str | None) -> None:
    """Before anything is stored: MLflow looks at an alias after the version is made."""
    if not NAME.fullmatch(name):
        raise StoreError(f"{name!r} is no name for a model: letters, digits, '.', '-' and '_' make one")
    if alias is None:
        return
    if not ALIAS.fullmatch(alias):
        raise StoreError(f"{alias!r} is no alias: letters, digits, '-' and '_' make one")
    if RESERVED.fullmatch(alias):
        raise StoreError(
            f"MLflow keeps the alias {alias!r} for itself, as all of the form v<number> and 'latest': versions have their number "
            f"without one (models:/{name}/1); choose a word such as 'best'"
        )


def _add(
    store: Store,
    client: MlflowClient,
    content: Path,
    loader: str,
    name: str,
    requirements: Sequence[str],
    tags: Mapping[str, str],
) -> str:
    """The number of a new version, whose files lie with a run of their own."""
    experiment_id = open_experiment(client, store, EXPERIMENT, {})
    with tempfile.TemporaryDirectory() as workplace, warnings.catch_warnings():
        warnings.filterwarnings("ignore", r".*Any type hint is inferred as AnyType", UserWarning)  # of MLflow about itself
        model = Path(workplace) / ARTIFACT
        backend.load().pyfunc.save_model(model, loader_module=loader, data_path=content, pip_requirements=list(requirements))
        own = {STORE: store.identify(), "jetbench.kind": "model"}
        run = client.create_run(experiment_id, tags={**tags, **own}, run_name=f"model {name}")
        with _ended(client, run.info.run_id):
            client.log_artifacts(run.info.run_id, str(model), ARTIFACT)
    source = f"{run.info.artifact_uri}/{ARTIFACT}"
    return str(client.create_model_version(name, source, run.info.run_id, dict(tags)).version)


@contextmanager
def _ended(client: MlflowClient, run_id: str) -> Iterator[None]:
    """End the run as what comes of it: no run stays under way that nobody goes on with."""
    try:
        yield
    except BaseException:
        with suppress(backend.load().MlflowException, OSError):  # the first cause is what is to be told
            client.set_terminated(run_id, "FAILED")
        raise
    client.set_terminated(run_id, "FINISHED")


def _digest(folder: Path) -> str:
    """The sha256 of the files below a folder, by their names and bytes."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(path.relative_to(folder).as_posix().encode() + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()
