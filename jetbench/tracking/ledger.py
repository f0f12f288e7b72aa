"""What has been done: the state of a run is read from its folder, and from nothing else.

A run's folder is work/<first 16 digits of its key>/. It is finished when `done.json` stands there and every file that it names
still has the checksum that it names; it failed when `failed.json` stands there.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from jetbench.errors import StoreError
from jetbench.files import write_json
from jetbench.tracking.folder import RunFolder, noted

__all__ = ["Ledger", "RunFolder"]


class Ledger:
    """The runs below a folder `work`. Whoever goes on with them `notes` the checksums of files that it has read; whoever only
    looks writes nothing."""

    def __init__(self, work: Path, *, notes: bool = False) -> None:
        self.work, self.notes = work, notes

    def folder(self, key: str) -> Path:
        return self.work / key[:16]

    def run(self, key: str) -> RunFolder:
        return RunFolder(self.folder(key))

    def done(self, key: str, *, thorough: bool = False) -> bool:
        """Tell whether the run is finished and whole: its files are what they were, at a glance or on a `thorough` look."""
        folder = self.run(key)
        try:
            record = json.loads(folder.done.read_text())
            return record["key"] == key and folder.whole(dict(record["files"]), thorough=thorough, note=self.notes)
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def finished(self, key: str) -> float:
        """Return when the run was finished, in unix seconds; raises `StoreError` where it is not."""
        path = self.run(key).done
        try:
            return float(json.loads(path.read_text())["finished"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{path}: no readable end of a run ({error}); run the suite again") from error

    def failure(self, key: str, since: float = 0.0) -> str | None:
        """Return the reason of a failed run; None for one that failed before `since` [unix seconds] or not at all."""
        try:
            record = self._failure(key)
            return str(record["reason"]) if float(record["time"]) >= since else None
        except (ValueError, KeyError, TypeError):
            return None

    def diverged(self, key: str) -> bool:
        """Tell whether the run failed because its loss did not stay finite: training it again would end the same."""
        return bool(self._failure(key).get("diverged"))

    def sealed(self, key: str) -> bool:
        """Tell whether the run failed by what it says of test jets alone."""
        return bool(self._failure(key).get("sealed"))

    def pruned(self, key: str) -> bool:
        """Tell whether a study has stopped the training before its end. It can go on from its checkpoint."""
        return not self.done(key) and bool(_ended(self.run(key).pruned))

    def costs(self, key: str) -> dict[str, float]:
        """Return what a run has cost, finished, failed or stopped by a study, as `cost/…`; empty where it has not ended."""
        ended = self._failure(key) or _ended(self.run(key).pruned)
        metrics = self.metrics(key) if self.done(key) else ended.get("costs", {})
        return {name: value for name, value in metrics.items() if name.startswith("cost/")}

    def _failure(self, key: str) -> dict[str, Any]:
        return _ended(self.run(key).failed)

    def metrics(self, key: str) -> dict[str, float]:
        """Return the final metrics of a finished run; raises `StoreError` where there are none."""
        path = self.run(key).metrics
        try:
            return dict(json.loads(path.read_text()))
        except (OSError, ValueError) as error:
            raise StoreError(f"{path}: no readable metrics ({error}); run the suite again, which makes them anew") from error

    def tested(self, key: str) -> dict[str, float]:
        """Return the metrics on the test jets of a finished run, as `test/…`; empty where it was not tested."""
        return noted(self.run(key).tested)

    def losses(self, key: str) -> np.ndarray:
        """Return what each validation jet of a finished run adds to the loss (n,); raises `StoreError` where there is nothing."""
        path = self.run(key).losses
        try:
            return np.load(path, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise StoreError(f"{path}: no readable losses ({error}); run the suite again, which makes them anew") from error

    def has_weights(self, key: str) -> bool:
        """Tell whether a finished run still has its weights: they may have been reclaimed."""
        try:
            return not json.loads(self.run(key).done.read_text()).get("reclaimed")
        except (OSError, ValueError, AttributeError):
            return False

    def reclaim(self, key: str) -> list[str]:
        """Remove the weights of a finished run, which stays finished without them; returns the names of their files."""
        folder = self.run(key)
        gone = folder.models()
        record = json.loads(folder.done.read_text())
        names = {path.name for path in gone}
        record["files"] = {name: sha for name, sha in record["files"].items() if name not in names}
        record["reclaimed"] = sorted({*record.get("reclaimed", ()), *names})
        write_json(folder.done, record)  # first: a process that dies now leaves files that nobody asks for
        for path in gone:
            path.unlink()
        return sorted(names)

    def declare_open(self, key: str) -> None:
        """Declare a finished run not done, so that it is trained again."""
        self.run(key).done.unlink(missing_ok=True)

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

    def fail(
        self,
        key: str,
        reason: str,
        traceback: str,
        costs: Mapping[str, float] | None = None,
        *,
        so_far: Mapping[str, float] | None = None,
        sealed: bool = False,
    ) -> None:
        """Record a failure; with the `costs` of a run that has diverged, or what another one has cost `so_far`, and as `sealed`
        where test jets alone have caused it. Where even that cannot be written (a full disk), the run is simply not done."""
        folder = self.run(key)
        record = {"key": key, "reason": reason, "traceback": traceback, "time": time.time()}
        record |= {} if costs is None else {"diverged": True, "costs": dict(costs)}
        record |= {} if so_far is None else {"costs": dict(so_far)}
        record |= {"sealed": True} if sealed else {}
        with suppress(OSError, StoreError):
            folder.path.mkdir(parents=True, exist_ok=True)
            write_json(folder.failed, record)

    def prune(self, key: str, epoch: int, costs: Mapping[str, float]) -> None:
        """Record that a study has stopped the training after an epoch, counted from 1, with what it has cost. Its checkpoints
        stay."""
        write_json(self.run(key).pruned, {"key": key, "epoch": epoch, "costs": dict(costs), "time": time.time()})

    def reopen(self, key: str) -> None:
        """Forget how an earlier attempt at the run has ended."""
        for path in (self.run(key).failed, self.run(key).pruned):
            path.unlink(missing_ok=True)


def _ended(path: Path) -> dict[str, Any]:
    """Read how a run has ended; empty where nothing, or nothing readable, is said of it: then it goes on."""
    try:
        return dict(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return {}
