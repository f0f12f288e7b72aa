"""What has been done: the state of a run is read from its folder, and from nothing else.

A run's folder is work/<first 16 digits of its key>/. It is finished when `done.json` stands there and every file that it names
still has the checksum that it names; it failed when `failed.json` stands there.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from jetbench.errors import StoreError
from jetbench.files import write_json

__all__ = ["DONE", "FAILED", "FIGURES", "Ledger"]

DONE, FAILED, FIGURES = "done.json", "failed.json", "figures.json"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Ledger:
    """The runs below a folder `work`."""

    def __init__(self, work: Path) -> None:
        self.work = work

    def folder(self, key: str) -> Path:
        return self.work / key[:16]

    def done(self, key: str) -> bool:
        """Whether the run is finished and whole. A folder whose files have been damaged since is not."""
        folder = self.folder(key)
        try:
            record = json.loads((folder / DONE).read_text())
            return record["key"] == key and all(_sha256(folder / name) == sha for name, sha in record["files"].items())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False

    def failure(self, key: str) -> str | None:
        """The reason of a failed run."""
        reason = self._failure(key).get("reason")
        return None if reason is None else str(reason)

    def diverged(self, key: str) -> bool:
        """Whether the run failed because its loss did not stay finite: training it again would end the same."""
        return bool(self._failure(key).get("diverged"))

    def costs(self, key: str) -> dict[str, float]:
        """Return what a run has cost, finished or diverged, as `cost/…`; empty where it has not ended."""
        metrics = self.figures(key) if self.done(key) else self._failure(key).get("costs", {})
        return {name: value for name, value in metrics.items() if name.startswith("cost/")}

    def _failure(self, key: str) -> dict[str, Any]:
        try:
            return dict(json.loads((self.folder(key) / FAILED).read_text()))
        except (OSError, ValueError):
            return {}

    def figures(self, key: str) -> dict[str, float]:
        """The final metrics of a finished run; raises `StoreError` where there are none."""
        path = self.folder(key) / FIGURES
        try:
            return dict(json.loads(path.read_text()))
        except (OSError, ValueError) as error:
            raise StoreError(f"{path}: no readable figures ({error}); delete the folder and run the suite again") from error

    def finish(self, key: str, files: list[str]) -> None:
        """Declare the run done: the named files of its folder, with checksums."""
        folder = self.folder(key)
        for name in files:
            with open(folder / name, "rb") as file:
                os.fsync(file.fileno())
        write_json(folder / DONE, {"key": key, "files": {n: _sha256(folder / n) for n in files}, "finished": time.time()})

    def fail(self, key: str, reason: str, traceback: str, costs: Mapping[str, float] | None = None) -> None:
        """Record a failure; with the costs of a run that has diverged. Where even that cannot be written (a full disk), the run
        is simply not done."""
        folder = self.folder(key)
        with suppress(OSError, StoreError):
            folder.mkdir(parents=True, exist_ok=True)
            record = {"key": key, "reason": reason, "traceback": traceback, "time": time.time()}
            record |= {} if costs is None else {"diverged": True, "costs": dict(costs)}
            write_json(folder / FAILED, record)
