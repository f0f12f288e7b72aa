"""Which experiment of MLflow is a store's: the stores that publish to one server have an experiment of a suite each.

An experiment is that of the store whose id it has as the tag `jetbench.store`. The first store has it under the name of the suite
instance, another one under that name and its id. So no store finds, replaces or deletes what another one has published, and each
has a description and a view of its own.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING

from jetbench.errors import StoreError
from jetbench.tracking import backend
from jetbench.tracking.places import STORE
from jetbench.tracking.shared_views import RUNS, view_tag
from jetbench.tracking.store import Store

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

__all__ = ["DESCRIPTION", "experiment_in", "experiment_names", "find_experiment", "open_experiment", "owners"]

DESCRIPTION = "mlflow.note.content"
KIND = {"mlflow.experimentKind": "custom_model_development"}  # else the pages open in their mode for language models

QUERY = """
select experiments.name, experiments.experiment_id, tags.key, tags.value
from experiments left join experiment_tags as tags using (experiment_id)
where experiments.name in (:first, :last) and experiments.lifecycle_stage = 'active'
"""
# what a report has written says more than what an experiment begins with
KEPT = (DESCRIPTION, view_tag(RUNS))


def experiment_names(store: Store, name: str) -> tuple[str, ...]:
    """Return the names that a store's experiment of an instance may have: with its id, then without."""
    return (f"{name} (store {store.identity})", name) if store.identity else (name,)


def owners(store: Store) -> set[str | None]:
    """Return the owners whose experiments are a store's. One without an owner, of an earlier version, is that of the store whose
    database it is in; on a server nobody can tell whose it is."""
    known: set[str | None] = {None} if store.tracking_uri is None else set()
    return known | ({store.identity} if store.identity else set())


def experiment_in(store: Store, name: str) -> tuple[str, dict[str, str]] | None:
    """Read the id and the tags of a local store's experiment without MLflow; None where it is not there or cannot be read."""
    known = experiment_names(store, name)
    found: dict[str, tuple[str, dict[str, str]]] = {}
    try:
        with closing(sqlite3.connect(f"{store.database.as_uri()}?mode=rw", uri=True, timeout=20)) as connection:
            for one, number, tag, value in connection.execute(QUERY, {"first": known[0], "last": known[-1]}):
                tags = found.setdefault(one, (str(number), {}))[1]
                tags |= {tag: value} if tag else {}
    except sqlite3.Error:
        return None
    own = (found[one] for one in known if one in found)
    return next(((number, tags) for number, tags in own if tags.get(STORE) in owners(store)), None)


def find_experiment(client: MlflowClient, store: Store, name: str) -> Experiment | None:
    """Return the experiment of an instance that is the store's, one in MLflow's bin too."""
    found = (client.get_experiment_by_name(one) for one in experiment_names(store, name))
    return next((one for one in found if one is not None and one.tags.get(STORE) in owners(store)), None)


def open_experiment(client: MlflowClient, store: Store, name: str, tags: Mapping[str, str]) -> str:
    """Return MLflow's id of a store's experiment, which is made where there is none, taken out of the bin, and given the tags."""
    tags = {**KIND, STORE: store.identify(), **tags}
    found = find_experiment(client, store, name) or _make(client, store, name, tags)
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    for tag, value in tags.items():
        if found.tags.get(tag) != value and not (tag in KEPT and tag in found.tags):
            client.set_experiment_tag(found.experiment_id, tag, value)
    return str(found.experiment_id)


def _make(client: MlflowClient, store: Store, name: str, tags: dict[str, str]) -> Experiment:
    mlflow = backend.load()
    for one in reversed(experiment_names(store, name)):
        # a server decides for itself where artifacts lie
        location = None if store.tracking_uri else (store.artifacts / re.sub(r"[^\w.-]", "_", one)).as_uri()
        try:
            return client.get_experiment(client.create_experiment(one, location, tags))
        except mlflow.MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        found = find_experiment(client, store, name)  # another process of this store may have made it; else it is another store's
        if found is not None:
            return found
    raise StoreError(f"experiment {name!r} vanished while it was created; run the command again")
