"""What a tracker is: a sink that is filled from a run's folder, and may be filled again without harm."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import field_validator

from jetbench.tracking.arm_card import Overview, Pairs
from jetbench.tracking.folder import RunFolder, noted
from jetbench.tracking.journal import Record, committed, read, valid_key
from jetbench.values import Value

__all__ = ["Kind", "MemoryTracker", "Pairs", "RunCard", "Status", "Tracker"]

Kind = Literal["pretrain", "trial", "final", "check", "report", "arm", "comparison"]
Status = Literal["FINISHED", "FAILED", "KILLED"]


class RunCard(Value):
    """How a run presents itself to a tracker.

    `key` is the run's digest (64 hexadecimal digits), `name` what people read ("resnet15/simclr/n100/s0"), `params` the flat
    resolved configuration, `datasets` pairs of name and digest, `note` Markdown, `folder` the run's folder with its journal.
    """

    key: str
    name: str
    kind: Kind
    folder: Path
    tags: Pairs = ()
    params: Pairs = ()
    datasets: Pairs = ()
    note: str = ""

    @field_validator("tags", "params")
    @classmethod
    def _names_are_valid(cls, pairs: Pairs) -> Pairs:
        names = [name for name, _ in pairs]
        for name in names:
            if not valid_key(name):
                raise ValueError(f"{name!r}: use letters, digits and _ - . : / or space")
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"given twice: {', '.join(sorted(twice))}")
        return pairs

    @property
    def journal(self) -> Path:
        return RunFolder(self.folder).journal

    @property
    def sealed(self) -> bool:
        """Whether a tracker gets nothing of what the test jets say: nobody is to choose among trials by it."""
        return self.kind == "trial"

    def artifacts(self) -> list[Path]:
        """List the files of the run that a tracker gets."""
        return RunFolder(self.folder).artifacts(sealed=self.sealed)

    @property
    def state(self) -> Pairs:
        """Whether a trial has ended by itself or was stopped by its study; empty until it has."""
        folder = RunFolder(self.folder)
        ends = (("pruned", folder.pruned), ("complete", folder.done)) if self.kind == "trial" else ()
        return tuple(("jetbench.state", state) for state, path in ends if path.exists())[:1]

    @property
    def origin(self) -> Pairs:
        """Code, packages and machine of the process that trains the run, and size and shapes of its network, as it has written
        them down; empty until it has."""
        found = noted(RunFolder(self.folder).environment)
        told = {
            "jetbench.version": found.get("jetbench", ""),
            "jetbench.code": found.get("code", ""),
            "jetbench.packages": " ".join(f"{name}=={version}" for name, version in found.get("packages", {}).items()),
            "jetbench.host": found.get("host", ""),
            "jetbench.machine": f"{found['processor']}, {found['cores']} cores" if {"processor", "cores"} <= found.keys() else "",
            **{f"jetbench.{name}": value for name, value in found.get("network", {}).items()},
        }
        return tuple((name, value) for name, value in told.items() if value)


class Tracker:
    """Does nothing: the base of every tracker, and what runs without one.

    All methods are idempotent, may be called from several threads, and raise StoreError when the sink cannot be reached:
    the folder still holds everything, so the caller reports it, goes on, and ships again later.
    """

    def connect(self) -> None:
        """Pay for imports and connections now, and learn now what is wrong with the store."""

    def awake(self) -> None:
        """Raise StoreError at once where nobody can be reached, without the patience that a transfer deserves."""

    def holds(self, key: str, folder: RunFolder, *, sealed: bool = False, status: Status = "FINISHED") -> bool:
        """Tell whether the sink has all of a run that has ended so, or all that it gets of a `sealed` one: then nothing need be
        sent. Asks once for all runs."""
        return True

    def publish(self, run: RunCard, since: int = 0) -> int:
        """Ship the committed lines of the run's journal from byte `since`; returns the offset reached.

        The first call of an attempt passes 0: the run is found or created, reopened if it had failed, and what an earlier
        attempt shipped is not sent again.
        """
        return committed(run.journal)

    def finish(self, run: RunCard, status: Status, artifacts: Sequence[Path] = ()) -> None:
        """Upload the files under their own names, with the metrics on the test jets unless the run is sealed, and close it."""

    def log_report(self, files: Iterable[Path], name: str = "report", kind: Kind = "report") -> bool:
        """Put the files into the one run that holds the experiment's report, or another page of this name and kind, in place of
        the last ones; tells whether they were not there already."""
        return False

    def log_overview(self, digest: str, make: Callable[[], Overview], page: str, name: str = "report") -> int:
        """Show the comparison that `make` gives, in place of the last one; not asked for one whose `digest` is there already.
        `page` is the file of the report that the run `name` holds. Returns how many arms were sent."""
        return 0


class MemoryTracker(Tracker):
    """Keeps what it is given, for tests: `records`, `status` and `artifacts` by run key, the `report` and the `overview`."""

    def __init__(self) -> None:
        self.records: dict[str, list[Record]] = {}
        self.status: dict[str, str] = {}
        self.artifacts: dict[str, dict[str, bytes]] = {}
        self.report: dict[str, bytes] = {}
        self.overview: Overview | None = None
        self._lock = threading.Lock()

    def holds(self, key: str, folder: RunFolder, *, sealed: bool = False, status: Status = "FINISHED") -> bool:
        shown = {path.name for path in folder.artifacts(sealed=sealed)}
        return self.status.get(key) == status and shown <= set(self.artifacts.get(key, {}))

    def publish(self, run: RunCard, since: int = 0) -> int:
        records, offset = read(run.journal, since, committed(run.journal))
        with self._lock:
            before = self.records.get(run.key, []) if since else []
            self.records[run.key] = [*before, *records]
            self.status[run.key] = "RUNNING"
        return offset

    def finish(self, run: RunCard, status: Status, artifacts: Sequence[Path] = ()) -> None:
        with self._lock:
            self.artifacts[run.key] = {path.name: path.read_bytes() for path in artifacts}
            self.status[run.key] = status

    def log_report(self, files: Iterable[Path], name: str = "report", kind: Kind = "report") -> bool:
        with self._lock:
            before, self.report = self.report, {path.name: path.read_bytes() for path in files}
        return self.report != before

    def log_overview(self, digest: str, make: Callable[[], Overview], page: str, name: str = "report") -> int:
        self.overview = make()
        return len(self.overview.arms)
