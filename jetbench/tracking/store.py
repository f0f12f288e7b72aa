"""The results folder: a database for MLflow, artifacts beside it, and the work of every run."""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jetbench.errors import BusyError, StoreError
from jetbench.files import file_lock, is_locked, replacing, write_json
from jetbench.tracking import backend, places
from jetbench.tracking.database import ELSEWHERE, LOST, check_schema, connected, looking

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["PATIENCE", "Store", "refuse_unusable", "store_root"]

PATIENCE = 60.0  # seconds that are waited for what others do in one
log = logging.getLogger(__name__)
_NETWORK = re.compile(r"nfs|lustre|afs|cifs|smb|ceph|gpfs|beegfs|9p|fuse|orangefs|glusterfs")


def store_root(option: str | None = None) -> Path:
    """Return the absolute folder: the `--store` option, else `JETBENCH_STORE`, else `./mlruns`."""
    return Path(option or os.environ.get("JETBENCH_STORE") or "mlruns").expanduser().resolve()


@dataclass(frozen=True)
class Store:
    """Paths below one folder, made absolute.

    With `tracking_uri` (http://…, for several machines) MLflow is reached there and only `work` is used here. With `copy` the
    database is that file, a copy of the folder's own, which cannot be written.
    """

    root: Path
    tracking_uri: str | None = None
    copy: Path | None = None

    def __post_init__(self) -> None:
        # a relative path would mean another folder to MLflow's server, and to a program that changes its own
        object.__setattr__(self, "root", self.root.absolute())

    @property
    def database(self) -> Path:
        return self.copy or self.root / "mlflow.db"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def aside(self) -> Path:
        """Where runs are that were set aside to be trained again."""
        return self.root / "aside"

    @property
    def identity(self) -> str | None:
        """What tells this store from others that publish to the same server; None where nothing was published yet. A copy of the
        folder has the same, and so stands for the same runs. StoreError for a damaged one."""
        try:
            return str(json.loads(self._identity.read_text())["id"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f'{self._identity}: no readable id of the store ({error}); restore it as {{"id": …}}: in MLflow, runs have the '
                "id of their store as the tag jetbench.store"
            ) from error

    def identify(self) -> str:
        """Return the identity, which is made where there is none; any number of processes may ask together."""
        found = self.identity
        if found is None:
            with self._writing(), file_lock(self.root / ".store.lock", patience=PATIENCE, remove=True):
                if self.identity is None:
                    write_json(self._identity, {"id": secrets.token_hex(6)})
            found = self.identify()
        return found

    @property
    def _identity(self) -> Path:
        return self.root / "store.json"

    def lock_of(self, instance: str) -> Path:
        """Return the file that is owned by the process that runs a suite instance."""
        return self.work / f"{instance}.lock"

    def lease_of(self, instance: str) -> Path:
        """Return the file that says so to machines that do not see each other's locks."""
        return self.work / f"{instance}.lease"

    @property
    def uri(self) -> str:
        """What MlflowClient and `mlflow server` are given."""
        return self.tracking_uri or f"sqlite:///{self.database}"

    @property
    def on_network(self) -> bool:
        """Whether the folder lies on a network file system, where SQLite does not promise to work for several machines."""
        return bool(_NETWORK.search(_filesystem(self.root)))

    def prepare(self) -> None:
        """Make the folder fit for use, once, before any worker starts; any number of processes may call it together.

        StoreError for a folder that cannot be written, a store of files, or a database that is damaged or of another version.
        """
        refuse_unusable(self.root)
        if self.copy is not None:
            with self._reading(), looking(self.copy) as connection:
                check_schema(self.copy, connection)
            self.settle()
            return
        with self._locked():
            if self.tracking_uri:
                return
            if not self.database.exists() or self.database.stat().st_size == 0:
                self._create()
            else:
                with self._reading(), closing(connected(self.database)) as connection:
                    check_schema(self.database, connection)
                self._follow()

    def prepare_work(self) -> None:
        """Make the folder fit for trainings alone, of which nothing is published yet; no database is made or opened.

        StoreError for a folder that cannot be written, or a store of files.
        """
        refuse_unusable(self.root)
        with self._writing():
            self.work.mkdir(parents=True, exist_ok=True)

    def settle(self) -> None:
        """Let what the database says of artifacts follow the folder, where that was moved or copied: nothing is written to where
        it was, and MLflow shows what is here. Whoever opens the database for MLflow calls this before.

        Raises `BusyError` where a process works in the folder by another name, StoreError where the database cannot be read or
        written.
        """
        if self.tracking_uri or not self.database.exists():
            return
        with self._reading(), closing(connected(self.database)) as connection:
            moved = places.moved_from(connection, self.root)
        if moved and self.copy is None:
            with self._locked():
                self._follow()
        elif moved:
            with self._reading():
                places.follow(self.database, self.root)

    def _follow(self) -> None:
        with self._reading():
            with closing(connected(self.database)) as connection:
                moved = places.moved_from(connection, self.root)
            if not moved:
                return
            if busy := [path.stem for path in sorted(self.work.glob("*.lock")) if is_locked(path)]:
                raise BusyError(
                    f"{self.root} was {moved[0]}, and a process that knows it by another name runs {busy[0]} there: wait for it, "
                    "or stop it first"
                )
            found = places.follow(self.database, self.root)
        log.warning(
            "%s was %s before: the artifacts of its %d runs are now looked for here, and nothing is written there",
            *(self.root, " and ".join(map(str, found)), sum(found.values())),
        )

    def client(self) -> MlflowClient:
        """Connect to MLflow: to the folder's own database, settled, or to the server. Raises StoreError as `settle` does."""
        self.settle()
        client = backend.client(self.uri)
        backend.forget_places()
        return client

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            if "locked" in str(error):
                raise StoreError(f"{self.database} is locked by another program: try again when it has ended") from error
            if not os.access(self.database, os.W_OK):
                raise StoreError(f"{self.database} cannot be written ({error}); {ELSEWHERE}") from error
            reason = " ".join(str(error).split())
            raise StoreError(f"{self.database} is damaged or not MLflow's ({reason}); {LOST}") from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with ExitStack() as held:
            with self._writing():
                for folder in (self.artifacts, self.work):
                    folder.mkdir(parents=True, exist_ok=True)
                held.enter_context(file_lock(self.root / ".lock", patience=PATIENCE))
            yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"cannot write the results folder {self.root}: {error.strerror}; {ELSEWHERE}") from error

    def _create(self) -> None:
        """Build the database under another name: when a process dies meanwhile, no half a database is left."""
        backend.load()
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        # what a killed creation has left; and SQLite would replay the log of a database that is gone into the new one
        logs = (self.database.with_name(self.database.name + suffix) for suffix in ("-wal", "-shm", "-journal"))
        for left in (*self.root.glob(f".{self.database.name}.*.part*"), *logs):
            left.unlink(missing_ok=True)
        with backend.speaking_plainly(f"cannot create {self.database}"), replacing(self.database) as fresh:
            SqlAlchemyStore(f"sqlite:///{fresh}", str(self.artifacts)).engine.dispose()
            if not self.on_network:
                with closing(sqlite3.connect(fresh)) as connection:
                    connection.execute("pragma journal_mode=wal")


def refuse_unusable(root: Path) -> None:
    """Raise `StoreError` for a folder whose name MLflow misreads, and for a store of MLflow files, which it has given up."""
    if bad := set(str(root)) & set("?%"):
        raise StoreError(f"{root} has {' and '.join(sorted(bad))} in its path, which MLflow misreads; {ELSEWHERE}")
    for meta in root.glob("*/meta.yaml"):
        if meta.parent.name.isdigit():
            raise StoreError(
                f"{root} holds an old MLflow store of files ({meta.parent.name}/meta.yaml), which MLflow no longer writes: move "
                f"it away (`mlflow migrate-filestore --source OLD --target sqlite:////NEW.db` keeps its runs), or {ELSEWHERE}"
            )


def _filesystem(path: Path) -> str:
    """The type of the file system that holds `path`, as the kernel calls it; empty when unknown."""
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return ""
    # the kernel writes a blank as \040
    found = [(point, kind) for point, kind in mounts if path.is_relative_to(point.replace("\\040", " "))]
    return max(found, key=lambda mount: len(mount[0]), default=("", ""))[1]
