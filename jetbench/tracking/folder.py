"""A run's folder: what its files are called, and whether they are still what they were."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from jetbench.errors import StoreError
from jetbench.files import is_locked
from jetbench.tracking.lease import leased_elsewhere

__all__ = ["RunFolder", "also_key", "noted"]


def also_key(name: str, key: str) -> str:
    """Return under which key a metric of another test set of this name stands; the only one has none."""
    return f"also/{name}/{key}" if name else f"also/{key}"


class Seen(NamedTuple):
    """A file as it was last read: size [bytes], time of change [ns], and the sha256 of its content."""

    size: int
    changed: int
    sha256: str


@dataclass(frozen=True)
class RunFolder:
    """The files of a run by what they hold, whether they are there or not."""

    path: Path

    @property
    def spec(self) -> Path:
        """The resolved spec, for people."""
        return self.path / "spec.yaml"

    @property
    def environment(self) -> Path:
        """Code, packages and machine that trained it, and for which suite instance."""
        return self.path / "environment.json"

    @property
    def split(self) -> Path:
        return self.path / "split.json"

    @property
    def journal(self) -> Path:
        """The metrics of every epoch, a line each."""
        return self.path / "metrics.jsonl"

    @property
    def committed(self) -> Path:
        """How much of the journal the last checkpoint covers."""
        return self.path / "metrics.committed"

    @property
    def checkpoint(self) -> Path:
        return self.path / "checkpoint.safetensors"

    @property
    def previous_checkpoint(self) -> Path:
        """The one before, which a damaged checkpoint falls back to."""
        return self.path / "checkpoint.previous.safetensors"

    @property
    def metrics(self) -> Path:
        """The final metrics."""
        return self.path / "metrics.json"

    @property
    def losses(self) -> Path:
        """What each validation jet adds to the loss, by which trials are compared."""
        return self.path / "losses.npy"

    @property
    def tested(self) -> Path:
        """The metrics of the test jets, apart from all others."""
        return self.path / "test.json"

    @property
    def weights(self) -> Path:
        return self.path / "model.safetensors"

    @property
    def last_weights(self) -> Path:
        """Those of the last epoch, where others are kept."""
        return self.path / "model.last.safetensors"

    @property
    def bundle(self) -> Path:
        """What the weights expect to see."""
        return self.path / "bundle.json"

    @property
    def scores(self) -> Path:
        """What the run predicts for every test jet."""
        return self.path / "scores.h5"

    def also_scores(self, name: str) -> Path:
        """Return the file of what the run predicts for every jet of another test set of this name, empty for the only one."""
        return self.path / f"also_scores{f'_{name}' if name else ''}.h5"

    @property
    def done(self) -> Path:
        return self.path / "done.json"

    @property
    def failed(self) -> Path:
        return self.path / "failed.json"

    @property
    def pruned(self) -> Path:
        """After which epoch a study has stopped the training, and what it had cost."""
        return self.path / "pruned.json"

    @property
    def lock(self) -> Path:
        """Owned by the process that trains the run."""
        return self.path / ".lock"

    @property
    def lease(self) -> Path:
        """The same, for machines that do not see each other's locks."""
        return self.path / ".lease"

    def under_way(self) -> bool:
        """Tell whether a process has the run: one of this machine by its lock, one of another by its lease."""
        return is_locked(self.lock) or bool(leased_elsewhere(self.lease))

    @property
    def checksums(self) -> Path:
        """Checksums of the files as they were last read, with size and time of change: a cache, which may be deleted."""
        return self.path / ".checksums.json"

    def artifacts(self, *, sealed: bool = False) -> list[Path]:
        """List the files that a tracker gets: all but the journal, checkpoints, and what begins with a dot; of a `sealed` run
        those alone that say nothing of the test jets."""
        kept = {self.journal, self.committed, self.checkpoint, self.previous_checkpoint, self.done}
        found = sorted(path for path in self.path.glob("[!.]*") if path.is_file() and path not in kept)
        shown = {self.spec, self.environment, self.split, self.losses, self.metrics, self.bundle, self.failed, self.pruned}
        return [path for path in found if path in shown or path in self.models()] if sealed else found

    def models(self) -> list[Path]:
        """List the files of weights: a network's, kept and last ones, or a fitted model's."""
        return sorted(self.path.glob(f"{self.weights.stem}.*"))

    def checkpoints(self) -> list[Path]:
        """List what only a training that goes on would need, and what a killed one has left half-written."""
        kept = (self.checkpoint, self.previous_checkpoint)
        return [*(path for path in kept if path.exists()), *self.path.glob(".*.part")]

    def drop_checkpoints(self) -> None:
        for path in self.checkpoints():
            path.unlink(missing_ok=True)

    def checksum(self, name: str) -> str:
        """Return the sha256 of a file; one that has not changed since it was last read is not read again."""
        known = self._known().get(name)
        return known.sha256 if known and known[:2] == _stamp(self.path / name) else _look(self.path / name).sha256

    def whole(self, files: Mapping[str, str], *, thorough: bool = False, note: bool = False) -> bool:
        """Tell whether the files have these checksums, by name. Raises OSError for one that is missing.

        A file that has the size and the time of change that it had when it was last read is not read again, except where
        the look is `thorough`: that finds what changes neither. With `note` the checksums of what was read are kept in the
        folder for the next time; without it nothing is written.
        """
        known = {} if thorough else self._known()
        changed = [name for name in files if name not in known or known[name][:2] != _stamp(self.path / name)]
        if changed and note:
            known |= self.look(changed)
        elif changed:
            known |= {name: _look(path) if thorough else _looked(path, *_stamp(path)) for name, path in self._named(changed)}
        return all(known[name].sha256 == sha for name, sha in files.items())

    def look(self, names: Sequence[str]) -> dict[str, Seen]:
        """Read the files and keep their checksums for the next time."""
        seen = {name: _look(path) for name, path in self._named(names)}
        # not synced: a cache that is torn or cannot be written costs a second reading
        with suppress(OSError):
            self.checksums.write_text(json.dumps(self._known() | seen))
        return seen

    def _named(self, names: Sequence[str]) -> list[tuple[str, Path]]:
        return [(name, self.path / name) for name in names]

    def _known(self) -> dict[str, Seen]:
        try:
            return {name: Seen(*seen) for name, seen in json.loads(self.checksums.read_text()).items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}


def noted(path: Path) -> dict[str, Any]:
    """Read a JSON file that a run has left, "environment.json"; empty where it has left none. Raises `StoreError` for a damaged
    one."""
    try:
        return dict(json.loads(path.read_bytes())) if path.is_file() else {}
    except (OSError, ValueError, TypeError) as error:
        raise StoreError(f"{path}: damaged ({error}); run the suite again, which makes it anew") from error


def _stamp(path: Path) -> tuple[int, int]:
    state = path.stat()
    return state.st_size, state.st_mtime_ns


@lru_cache(maxsize=1 << 16)
def _looked(path: Path, size: int, changed: int) -> Seen:
    """Read a file once in a process, as long as it looks the same."""
    return _look(path)


def _look(path: Path) -> Seen:
    stamp = _stamp(path)  # taken first: a change meanwhile is then noticed the next time
    with path.open("rb") as file:
        return Seen(*stamp, hashlib.file_digest(file, "sha256").hexdigest())
