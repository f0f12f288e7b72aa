"""MLflow's database as a file: which MLflow wrote it, and looking at it without writing a byte beside it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from jetbench.errors import StoreError

__all__ = ["ELSEWHERE", "LOST", "check_schema", "connected", "copy_database", "looking"]

LOST = "move it away; `jetbench run` fills a new one from the folders"
ELSEWHERE = "choose another folder with --store DIR or JETBENCH_STORE"

LOGS = ("-wal", "-journal")  # what a process that has the database open, or was killed with it, keeps beside it
TRIES, PAUSE = 20, 0.1  # of a copy, while somebody writes; seconds between them


def connected(database: Path) -> sqlite3.Connection:
    """Open a database that is there, to write to it."""
    return sqlite3.connect(f"{database.as_uri()}?mode=rw", uri=True, timeout=20)


@contextmanager
def looking(database: Path) -> Iterator[sqlite3.Connection]:
    """Open a database as it is now. SQLite would make or use files beside one with a log, and finish what a killed process has
    left in it: such a database is looked at in a copy. Raises sqlite3.Error for what is no database."""
    if not any(_size(log) for log in _logs(database)):
        with closing(sqlite3.connect(f"{database.as_uri()}?immutable=1", uri=True)) as connection:
            yield connection
        return
    with TemporaryDirectory() as folder:
        copy = copy_database(database, Path(folder))
        with closing(sqlite3.connect(copy)) as connection:
            yield connection


def copy_database(database: Path, folder: Path) -> Path:
    """Copy a database with its logs into a folder, all of one moment; returns where it is. Raises `OSError` where it cannot be
    read, and sqlite3.OperationalError where somebody writes all the time."""
    for _ in range(TRIES):
        before = _states(database)
        for path in (database, *_logs(database)):
            target = folder / path.name
            target.unlink(missing_ok=True)
            if path.exists():
                shutil.copyfile(path, target)
        if _states(database) == before:
            return folder / database.name
        time.sleep(PAUSE)
    raise sqlite3.OperationalError(f"{database} is locked: it changes all the time")


def check_schema(database: Path, connection: sqlite3.Connection) -> None:
    """Raise `StoreError` for a database that is damaged or written by another version of MLflow.

    Looked at without MLflow's client, which would migrate an old database at once, without a copy and without a lock.
    """
    found = _revision(database, connection)
    head, known = _known_revisions()
    if found == head:
        return
    version = importlib.metadata.version("mlflow")
    if found in known:
        raise StoreError(
            f"{database} was written by an older MLflow than {version}: copy it aside, then `mlflow db upgrade sqlite:///{database}`"
        )
    raise StoreError(
        f"{database} was written by a newer MLflow than {version} (schema {found}), and `mlflow db upgrade` cannot go back: "
        f"install that MLflow, or {ELSEWHERE}"
    )


def _revision(database: Path, connection: sqlite3.Connection) -> str:
    try:
        (state,) = connection.execute("pragma quick_check(1)").fetchone()
        if state == "ok":
            (revision,) = connection.execute("select version_num from alembic_version").fetchone()
            return str(revision)
    except (sqlite3.Error, TypeError) as error:
        state = str(error)
        if "locked" in state:
            raise StoreError(f"{database} is locked by another program: try again when it has ended") from error
    reason = " ".join(state.split())
    raise StoreError(f"{database} is damaged or not MLflow's ({reason}); {LOST}")


def _known_revisions() -> tuple[str, set[str]]:
    """The newest schema revision of the installed MLflow, and all of them.

    Read from the text of its migrations: importing them through alembic would cost every command a second.
    """
    package = importlib.util.find_spec("mlflow")
    folders = package.submodule_search_locations if package else None
    texts = [file.read_text() for folder in folders or [] for file in Path(folder, "store/db_migrations/versions").glob("*.py")]
    known = {revision for text in texts for revision in re.findall(r"""^revision = ["'](\w+)""", text, re.MULTILINE)}
    older = {revision for text in texts for revision in re.findall(r"""^down_revision = ["'](\w+)""", text, re.MULTILINE)}
    (head,) = known - older
    return head, known


def _logs(database: Path) -> list[Path]:
    return [database.with_name(database.name + suffix) for suffix in LOGS]


def _states(database: Path) -> list[tuple[int, int]]:
    paths = [path for path in (database, *_logs(database)) if path.exists()]
    return [(state.st_size, state.st_mtime_ns) for state in (path.stat() for path in paths)]


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
