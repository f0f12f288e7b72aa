"""What has been done: the state of a run is read from its folder, and from nothing else.

A run's folder is work/<first 16 digits of its key>/. It is finished when `done.json` stands there and every file that it names
still has the checksum that it names; it failed when `failed.json` stands there.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from jetbench.errors import StoreError
from jetbench.files import write_json
from jetbench.tracking.folder import RunFolder

__all__ = ["Ledger", "RunFolder"]


class Ledger:
    """The runs below a folder `work`."""

    def __init__(self, work: Path) -> None:
        self.work = work

    def folder(self, key: str) -> Path:
        return self.work / key[:16]

    def run(self, key: str) -> RunFolder:
        return RunFolder(self.folder(key))

    def done(self, key: str, *, thorough: bool = False) -> bool:
        """Tell whether the run is finished and whole: its files are what they were, at a glance or on a `thorough` look."""
        folder = self.run(key)
        try:
            record = json.loads(folder.done.read_text())
            return record["key"] == key and folder.whole(dict(record["files"]), thorough=thorough)
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def finished(self, key: str) -> float:
        """When the run was finished, in unix seconds; raises `StoreError` where it is not."""
        path = self.run(key).done
        try:
            return float(json.loads(path.read_text())["finished"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{path}: no readable end of a run ({error}); run the suite again") from error

    def failure(self, key: str, since: float = 0.0) -> str | None:
        """The reason of a failed run; None for one that failed before `since` [unix seconds] or not at all."""
        try:
            record = json.loads(self.run(key).failed.read_text())
            return str(record["reason"]) if float(record["time"]) >= since else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def metrics(self, key: str) -> dict[str, float]:
        """The final metrics of a finished run; raises `StoreError` where there are none."""
        path = self.run(key).metrics
        try:
            return dict(json.loads(path.read_text()))
        except (OSError, ValueError) as error:
            raise StoreError(f"{path}: no readable metrics ({error}); delete the folder and run the suite again") from error

    def finish(self, key: str, files: Sequence[str | Path]) -> None:
        """Declare the run done: the named files of its folder, with checksums. Its checkpoints go."""
        folder = self.run(key)
        names = [Path(file).name for file in files]
        for name in names:
            with open(folder.path / name, "rb") as file:
                os.fsync(file.fileno())
        checksums = {name: seen.sha256 for name, seen in folder.look(names).items()}
        write_json(folder.done, {"key": key, "files": checksums, "finished": time.time()})
        folder.drop_checkpoints()

    def fail(self, key: str, reason: str, traceback: str) -> None:
        """Record a failure. Where even that cannot be written (a full disk), the run is simply not done."""
        folder = self.run(key)
        with suppress(OSError, StoreError):
            folder.path.mkdir(parents=True, exist_ok=True)
            write_json(folder.failed, {"key": key, "reason": reason, "traceback": traceback, "time": time.time()})
