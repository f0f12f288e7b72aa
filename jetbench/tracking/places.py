"""Where MLflow's database says that artifacts lie. Its places are absolute: they follow the results folder here, which may have
been moved or copied since they were written.

The database itself tells where the folder was: an experiment of jetbench has its artifacts in `artifacts/` of it. A place in a
folder that is this one under another name (a link, a bind mount) stays as it is, and so does what never lay in the folder: in an
object store, behind a server, or where somebody else has put an experiment.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlparse

from jetbench.tracking.database import connected

__all__ = ["CONTENT", "OVERVIEW", "STORE", "follow", "local", "moved_from", "place_here"]

STORE, CONTENT, OVERVIEW = "jetbench.store", "jetbench.content", "jetbench.overview"
COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("trace_tags", "value"),
)

# those of jetbench, and MLflow's own first one where there is no other: elsewhere it may be somebody's
EXPERIMENTS = """
select distinct artifact_location from experiments
where experiment_id in (select experiment_id from experiment_tags where key like 'jetbench.%')
or (select count(*) from experiments) = 1
"""
FILLED = """
select runs.run_uuid, runs.experiment_id, runs.artifact_uri, kind.value = 'arm'
from runs join tags on tags.run_uuid = runs.run_uuid and tags.key = :content
left join tags as kind on kind.run_uuid = runs.run_uuid and kind.key = 'jetbench.kind'
"""
FORGET = "delete from tags where run_uuid = :run and key = :content"
FORGET_OVERVIEW = """
delete from tags where key = :overview and run_uuid in (select run_uuid from runs where experiment_id = :experiment)
"""


def local(uri: str | None) -> Path | None:
    """Return the path of a place on this machine, None for any other."""
    parts = urlparse(uri or "")
    return Path(unquote(parts.path)) if parts.scheme in ("", "file") and parts.path.startswith("/") else None


def moved_from(connection: sqlite3.Connection, root: Path) -> list[Path]:
    """Return the folders that the results folder `root` was before, by what its database says; none where it has stayed."""
    found: dict[Path, None] = {}
    for (uri,) in connection.execute(EXPERIMENTS):
        place = local(uri)
        if place is not None and place.parent.name == "artifacts" and not _same(place.parents[1], root):
            found[place.parents[1]] = None
    return sorted(found, key=lambda old: len(old.parts), reverse=True)  # of two, one may lie in the other


def place_here(uri: str, before: Sequence[Path], root: Path) -> Path | None:
    """Return where artifacts lie below `root` that the database has below it or below one of the folders that it was before;
    None for what lies elsewhere."""
    place = local(uri)
    if place is None:
        return None
    if place.is_relative_to(root):
        return place
    old = next((one for one in before if place.is_relative_to(one)), None)
    if old is not None:
        return root / place.relative_to(old)
    other = next((one for one in place.parents if _same(one, root)), None)
    return None if other is None else root / place.relative_to(other)


def follow(database: Path, root: Path) -> dict[Path, int]:
    """Let all places of artifacts follow the results folder to `root`, in one transaction; returns the folders that it was, each
    with the number of runs that were there.

    A run whose artifacts have not come along is no longer said to be complete, so that the next shipping sends them again.
    Raises sqlite3.Error.
    """
    with closing(connected(database)) as connection:
        with connection:
            connection.execute("begin immediate")
            found = {old: _rewrite(connection, old, root) for old in moved_from(connection, root)}
            _forget_lost(connection, root / "artifacts")
        return found


def _rewrite(connection: sqlite3.Connection, old: Path, root: Path) -> int:
    """Rewrite what begins with an old folder, and not with the new one, which may lie in it; returns how many runs did."""
    runs = 0
    for table, column in COLUMNS:
        begins = f"substr({column}, 1, ?) = ?"
        statement = f"update {table} set {column} = ? || substr({column}, ?) where {begins} and not {begins}"
        for before, after in ((f"{old}/", f"{root}/"), (f"{old.as_uri()}/", f"{root.as_uri()}/")):
            values = (after, len(before) + 1, len(before), before, len(after), after)
            changed = connection.execute(statement, values).rowcount
            runs += changed if table == "runs" else 0
    return runs


def _forget_lost(connection: sqlite3.Connection, artifacts: Path) -> None:
    """Take back that MLflow has all of a run where nothing of it is there. An arm may have no files at all: of one it is taken
    back where the experiment has lost others."""
    lost: dict[int, list[str]] = {}
    experiments: set[int] = set()
    for run, experiment, uri, is_arm in connection.execute(FILLED, {"content": CONTENT}):
        place = local(uri)
        if place is not None and place.is_relative_to(artifacts) and not _has_files(place):
            lost.setdefault(experiment, []).append(run)
            experiments |= set() if is_arm else {experiment}
    for experiment in experiments:
        connection.executemany(FORGET, [{"run": run, "content": CONTENT} for run in lost[experiment]])
        connection.execute(FORGET_OVERVIEW, {"experiment": experiment, "overview": OVERVIEW})


def _has_files(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _same(one: Path, other: Path) -> bool:
    try:
        return one == other or os.path.samefile(one, other)
    except OSError:
        return False
