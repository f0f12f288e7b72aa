"""Where results and jets lie: can they be written, and is there room?"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from jetbench.data.catalog import cache_folder
from jetbench.doctor.finding import Finding
from jetbench.errors import StoreError
from jetbench.suites.instances import remembered
from jetbench.tracking.database import ELSEWHERE, check_schema, looking
from jetbench.tracking.places import moved_from
from jetbench.tracking.store import Store, refuse_unusable

__all__ = ["look_at_cache", "look_at_store"]

FEW, SHORT = 1e9, 5e9  # bytes free: a suite at `quick` takes some hundred MB, at `standard` a few GB


def look_at_store(store: Store) -> Iterator[Finding]:
    """Look at the results folder and its database. Raises `StoreError` for what MLflow cannot use."""
    refuse_unusable(store.root)
    yield from _room("store", store.root, ELSEWHERE)
    if store.on_network:
        told = "lies on a network file system, where SQLite does not promise to work for several machines"
        yield Finding(state="note", what="store", told=told, remedy="run on one machine at a time, or name an MLflow server")
    if not store.database.exists():
        yield Finding(state="ok", what="store", told=f"{store.root} has no results yet; `jetbench run` makes it")
        return
    try:
        with looking(store.database) as connection:
            check_schema(store.database, connection)
            moved = moved_from(connection, store.root)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{store.database} cannot be read ({error}); try again when nothing else uses it") from error
    if moved:
        told = f"{store.root} was {moved[0]}, where MLflow's database still looks for artifacts"
        yield Finding(state="note", what="store", told=told, remedy="`jetbench ui`, `run` and `report` find them here")
    count = len(remembered(store.root))
    yield Finding(
        state="ok", what="store", told=f"{store.root}, {count} instance{'' if count == 1 else 's'} of suites and studies"
    )


def look_at_cache() -> Iterator[Finding]:
    """Look at the folder of simulated jets."""
    yield from _room("cache", cache_folder(), "name another folder in JETBENCH_CACHE")


def _room(what: str, folder: Path, elsewhere: str) -> Iterator[Finding]:
    """Whether a folder, or the one that it would be made in, can be written, and how much is free there."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield Finding(state="mend", what=what, told=f"{folder} cannot be written", remedy=elsewhere)
        return
    free = shutil.disk_usage(there).free
    told = f"{free / 1e9:.1f} GB are free for {folder}"
    remedy = f"free some space (`jetbench store gc` tells what takes it), or {elsewhere}"
    if free < SHORT:
        yield Finding(state="mend" if free < FEW else "note", what="disk", told=told, remedy=remedy)
    else:
        yield Finding(state="ok", what="disk", told=told)
