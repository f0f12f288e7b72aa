"""What an experiment holds of every run, asked at once, so that a finished suite costs no request per run."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jetbench.tracking.experiments import experiment_in
from jetbench.tracking.folder import RunFolder
from jetbench.tracking.journal import committed
from jetbench.tracking.places import CONTENT, OVERVIEW
from jetbench.tracking.store import Store

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["KEY", "SHIPPED", "Holding", "digest", "from_client", "from_database", "prefix", "shipped"]

KEY, SHIPPED = "jetbench.key", "jetbench.shipped"

QUERY = """
select tags.value, runs.status, shipped.value, content.value, overview.value
from runs join tags using (run_uuid)
left join tags as shipped on shipped.run_uuid = runs.run_uuid and shipped.key = :shipped
left join tags as content on content.run_uuid = runs.run_uuid and content.key = :content
left join tags as overview on overview.run_uuid = runs.run_uuid and overview.key = :overview
where runs.experiment_id = :experiment and runs.lifecycle_stage = 'active' and tags.key = :key
order by runs.start_time
"""


class Holding(NamedTuple):
    """What a run in MLflow says of itself: its status, how much of which journal it has, the digest of its files, and, of a
    report, which overview stands beside it."""

    status: str
    shipped: str
    content: str
    overview: str

    def all_of(self, folder: RunFolder, *, sealed: bool = False, status: str = "FINISHED") -> bool:
        """Tell whether that is the whole of a run that has ended so, or at least what a `sealed` one shows."""
        if self.status != status or shipped(folder.journal, self.shipped) != committed(folder.journal):
            return False
        whole = self.content == digest(folder.artifacts())
        return whole or (sealed and self.content == digest(folder.artifacts(sealed=True)))


def from_database(store: Store, experiment: str) -> dict[str, Holding]:
    """Read the holdings of a local store by the run's key, without MLflow, whose import alone would take longer than all else.

    Of a database that cannot be read there are none: MLflow, which is asked next, says what is wrong with it.
    """
    known = experiment_in(store, experiment)
    if known is None:
        return {}
    values = {"experiment": int(known[0]), "key": KEY, "shipped": SHIPPED, "content": CONTENT, "overview": OVERVIEW}
    try:
        with closing(sqlite3.connect(f"{store.database.as_uri()}?mode=rw", uri=True, timeout=20)) as connection:
            rows = connection.execute(QUERY, values).fetchall()
    except sqlite3.Error:
        return {}
    return {key: Holding(status, *(value or "" for value in told)) for key, status, *told in rows}


def from_client(client: MlflowClient, experiment_id: str) -> dict[str, Holding]:
    """Read the holdings of an experiment by the run's key from a server, a thousand runs a request."""
    found: dict[str, Holding] = {}
    page: str | None = ""
    while page is not None:
        runs = client.search_runs([experiment_id], max_results=1000, order_by=["attributes.start_time"], page_token=page or None)
        found |= {run.data.tags.get(KEY, ""): _holding(run.info.status, run.data.tags) for run in runs}
        page = runs.token or None
    return found


def _holding(status: str, tags: Mapping[str, str]) -> Holding:
    return Holding(status, *(tags.get(name, "") for name in (SHIPPED, CONTENT, OVERVIEW)))


def prefix(journal: Path, offset: int) -> str:
    """Name the first `offset` bytes of a journal: "offset:digest"."""
    with journal.open("rb") as file:
        return f"{offset}:{hashlib.sha256(file.read(offset)).hexdigest()[:32]}"


def shipped(journal: Path, claim: str | None) -> int | None:
    """Return the offset that a run claims to hold; None where the journal does not begin with what it holds."""
    if not claim:
        return 0
    offset = int(claim.partition(":")[0])
    if offset > committed(journal) or prefix(journal, offset) != claim:
        return None
    return offset


def digest(files: Iterable[Path]) -> str:
    """Return the digest of the files' names and bytes; files of a run's folder that have not changed are not read again."""
    parts = [(path.name, RunFolder(path.parent).checksum(path.name)) for path in sorted(files)]
    return hashlib.sha256(repr(parts).encode()).hexdigest()
