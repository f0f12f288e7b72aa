"""What MLflow holds of a local store, so that it can follow when files of the runs are reclaimed."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from jetbench.errors import StoreError
from jetbench.tracking import backend
from jetbench.tracking.database import looking
from jetbench.tracking.experiments import find_experiment, owners
from jetbench.tracking.folder import RunFolder
from jetbench.tracking.holdings import KEY, digest
from jetbench.tracking.places import CONTENT, STORE, moved_from, place_here
from jetbench.tracking.store import Store

__all__ = ["Row", "Shown", "drop_experiment", "drop_files", "rows", "shown"]

QUERY = """
select runs.run_uuid, experiments.name, runs.artifact_uri, tags.value, content.value, owner.value
from experiments join runs using (experiment_id) join tags using (run_uuid)
left join tags as content on content.run_uuid = runs.run_uuid and content.key = :content
left join experiment_tags as owner on owner.experiment_id = runs.experiment_id and owner.key = :store
where tags.key = :key
"""


class Row(NamedTuple):
    """A run of MLflow, in its bin too: its id and experiment, the folder of its artifacts, None for one that is not below the
    store, and which run of what content it shows."""

    run_id: str
    experiment: str
    artifacts: Path | None
    key: str
    content: str

    def copies(self, names: Collection[str]) -> list[Path]:
        """List the artifacts of these names that are there."""
        folder = self.artifacts
        return [] if folder is None else [path for name in names if (path := folder / name).is_file()]


def rows(store: Store) -> list[Row]:
    """Read all rows of the store without MLflow, in a hundredth of the time, and none of another store that was published to it;
    none where there is no database. Raises `StoreError` where it cannot be read."""
    if not store.database.exists():
        return []
    try:
        with looking(store.database) as connection:
            before = moved_from(connection, store.root)
            found = connection.execute(QUERY, {"key": KEY, "content": CONTENT, "store": STORE}).fetchall()
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{store.database} cannot be read ({error}); try again when nothing else uses it") from error
    own = owners(store)
    return [
        Row(run_id, name, place_here(uri, before, store.root), key, content or "")
        for run_id, name, uri, key, content, owner in found
        if owner in own
    ]


class Shown(NamedTuple):
    """The digests of what trackers get of a run: all, or what a sealed run shows."""

    whole: str
    sealed: str


def shown(folder: RunFolder) -> Shown:
    """Return the digests of what trackers get of the files as they are now."""
    return Shown(digest(folder.artifacts()), digest(folder.artifacts(sealed=True)))


def drop_files(store: Store, among: Iterable[Row], names: Collection[str], before: Shown, after: Shown) -> None:
    """Remove artifacts of these names from rows of one run, which then hold all of it as they did before."""
    tags: list[tuple[str, str]] = []
    for row in among:
        for path in row.copies(names):
            path.unlink()
        if row.content in before:
            tags.append((row.run_id, after[before.index(row.content)]))
    if not tags:
        return
    with backend.speaking_plainly("cannot tell MLflow what was reclaimed"):
        client = store.client()
        for run_id, content in tags:
            client.set_tag(run_id, CONTENT, content)


def drop_experiment(store: Store, name: str) -> None:
    """Move an experiment and its runs to MLflow's bin, under another name, and remove its artifacts; a later run of the same name
    begins anew."""
    if not store.database.exists():
        return
    with backend.speaking_plainly(f"cannot delete {name} in MLflow"):
        client = store.client()
        found = find_experiment(client, store, name)
        if found is None:
            return
        # restored experiments get all their runs back, which have no artifacts any more
        client.rename_experiment(found.experiment_id, f"{name} (reclaimed {time.strftime('%Y-%m-%d %H:%M:%S')})")
        client.delete_experiment(found.experiment_id)
        if (place := place_here(found.artifact_location, [], store.root)) is not None:
            shutil.rmtree(place, ignore_errors=True)
