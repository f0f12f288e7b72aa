"""What an experiment holds of every run, asked at once, so that a finished suite costs no request per run."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jetbench.tracking.folder import RunFolder
from jetbench.tracking.journal import committed

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["CONTENT", "KEY", "SHIPPED", "Holding", "digest", "from_client", "from_database", "place_in", "prefix", "shipped"]

KEY, SHIPPED, CONTENT = "jetbench.key", "jetbench.shipped", "jetbench.content"

QUERY = """
select tags.value, runs.status, shipped.value, content.value
from experiments join runs using (experiment_id) join tags using (run_uuid)
left join tags as shipped on shipped.run_uuid = runs.run_uuid and shipped.key = :shipped
left join tags as content on content.run_uuid = runs.run_uuid and content.key = :content
where experiments.name = :experiment and experiments.lifecycle_stage = 'active'
and runs.lifecycle_stage = 'active' and tags.key = :key
order by runs.start_time
"""

PLACE = """
select experiments.experiment_id, tags.key
from experiments left join experiment_tags as tags on tags.experiment_id = experiments.experiment_id and tags.key = :tag
where experiments.name = :experiment and experiments.lifecycle_stage = 'active'
"""


class Holding(NamedTuple):
    """What a run in MLflow says of itself: its status, how much of which journal it has, and the digest of its files."""

    status: str
    shipped: str
    content: str

    def all_of(self, folder: RunFolder, *, sealed: bool = False, status: str = "FINISHED") -> bool:
        """Tell whether that is the whole of a run that has ended so, or at least what a `sealed` one shows."""
        if self.status != status or shipped(folder.journal, self.shipped) != committed(folder.journal):
            return False
        whole = self.content == digest(folder.artifacts())
        return whole or (sealed and self.content == digest(folder.artifacts(sealed=True)))


def from_database(database: Path, experiment: str) -> dict[str, Holding]:
    """Read the holdings by the run's key, without MLflow, whose import alone would take longer than all else.

    Of a database that cannot be read there are none: MLflow, which is asked next, says what is wrong with it.
    """
    values = {"experiment": experiment, "key": KEY, "shipped": SHIPPED, "content": CONTENT}
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=rw", uri=True, timeout=20)) as connection:
            rows = connection.execute(QUERY, values).fetchall()
    except sqlite3.Error:
        return {}
    return {key: Holding(status, shipped or "", content or "") for key, status, shipped, content in rows}


def place_in(database: Path, experiment: str, tag: str) -> tuple[str, bool] | None:
    """Read the id of an experiment, and whether it has the tag, without MLflow; None where it is not there or cannot be read."""
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=rw", uri=True, timeout=20)) as connection:
            found = connection.execute(PLACE, {"experiment": experiment, "tag": tag}).fetchone()
    except sqlite3.Error:
        return None
    return (str(found[0]), found[1] is not None) if found else None


def from_client(client: MlflowClient, experiment: str) -> dict[str, Holding]:
    """Read the holdings by the run's key from a server, a thousand runs a request."""
    found: dict[str, Holding] = {}
    known = client.get_experiment_by_name(experiment)
    page: str | None = ""
    while known is not None and page is not None:
        runs = client.search_runs(
            [known.experiment_id], max_results=1000, order_by=["attributes.start_time"], page_token=page or None
        )
        found |= {run.data.tags.get(KEY, ""): _holding(run.info.status, run.data.tags) for run in runs}
        page = runs.token or None
    return found


def _holding(status: str, tags: Mapping[str, str]) -> Holding:
    return Holding(status, tags.get(SHIPPED, ""), tags.get(CONTENT, ""))


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
