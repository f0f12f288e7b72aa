"""The results folder: a database for MLflow, artifacts beside it, and the work of every run."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from jetbench.errors import StoreError
from jetbench.files import file_lock, replacing, write_json
from jetbench.tracking import backend

__all__ = ["ELSEWHERE", "Store", "check_schema", "refuse_unusable", "store_root"]

ELSEWHERE = "choose another folder with --store DIR or JETBENCH_STORE"
# shared memory between processes, which SQLite's write-ahead log needs, does not reach across machines
_NETWORK = re.compile(r"nfs|lustre|afs|cifs|smb|ceph|gpfs|beegfs|9p|fuse|orangefs|glusterfs")


def store_root(option: str | None = None) -> Path:
    """Return the absolute folder: the `--store` option, else `JETBENCH_STORE`, else `./mlruns`."""
    return Path(option or os.environ.get("JETBENCH_STORE") or "mlruns").expanduser().resolve()


@dataclass(frozen=True)
class Store:
    """Paths below one folder, made absolute.

    With `tracking_uri` (http://…, for several machines) MLflow is reached there and only `work` is used here.
    """

    root: Path
    tracking_uri: str | None = None

    def __post_init__(self) -> None:
        # a relative path would mean another folder to MLflow's server, and to a program that changes its own
        object.__setattr__(self, "root", self.root.absolute())

    @property
    def database(self) -> Path:
        return self.root / "mlflow.db"

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
            with self._writing(), file_lock(self.root / ".store.lock", remove=True):
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
        with self._locked():
            if self.tracking_uri:
                return
            if not self.database.exists() or self.database.stat().st_size == 0:
                self._create()
            else:
                check_schema(self.database)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with ExitStack() as held:
            with self._writing():
                for folder in (self.artifacts, self.work):
                    folder.mkdir(parents=True, exist_ok=True)
                held.enter_context(file_lock(self.root / ".lock"))
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


def check_schema(database: Path) -> None:
    """Raise `StoreError` for a database that is damaged or written by another version of MLflow.

    Looked at without MLflow's client, which would migrate an old database at once, without a copy and without a lock.
    """
    found = _revision(database)
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


def _revision(database: Path) -> str:
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=rw", uri=True, timeout=20)) as connection:
            (state,) = connection.execute("pragma quick_check(1)").fetchone()
            if state == "ok":
                (revision,) = connection.execute("select version_num from alembic_version").fetchone()
                return str(revision)
    except (sqlite3.Error, TypeError) as error:
        state = str(error)
        if "locked" in state:
            raise StoreError(f"{database} is locked by another program: try again when it has ended") from error
    reason = " ".join(state.split())
    raise StoreError(
        f"{database} is damaged or not MLflow's ({reason}): move it away; `jetbench run` fills a new one from the folders"
    )


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


def _filesystem(path: Path) -> str:
    """The type of the file system that holds `path`, as the kernel calls it; empty when unknown."""
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return ""
    # the kernel writes a blank as \040
    found = [(point, kind) for point, kind in mounts if path.is_relative_to(point.replace("\\040", " "))]
    return max(found, key=lambda mount: len(mount[0]), default=("", ""))[1]
