"""The journal of a run: append-only lines of metrics, the truth that every tracker is filled from.

The training child writes it, the parent reads it while it grows. A companion file `metrics.committed` holds the offset that
the last checkpoint covers: nothing beyond it is shown to a tracker, since a resumed training cuts it away and does it again.
"""

from __future__ import annotations

import json
import math
import os
import posixpath
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from jetbench.errors import StoreError
from jetbench.files import ask_first, write_atomically
from jetbench.tracking.folder import RunFolder

__all__ = ["Journal", "Record", "committed", "read", "valid_key"]

_KEY = re.compile(r"[\w\-. :/]{1,250}")


@dataclass(frozen=True)
class Record:
    """One line: `time` in unix seconds, `step` (an epoch), finite `metrics`, and `nonfinite` ones as "inf", "-inf" or "nan"."""

    time: float
    step: int
    metrics: Mapping[str, float]
    nonfinite: Mapping[str, str] = field(default_factory=dict)


def valid_key(name: str) -> bool:
    """Tell whether trackers accept a key: word characters and `- . : /` or space, a normal relative path, at most 250
    characters."""
    plain = _KEY.fullmatch(name) and posixpath.normpath(name) == name
    return bool(plain) and not name.startswith(("/", ".."))


class Journal:
    """The writer's side; one process at a time.

    Opening drops a last line torn by a crash. A training that resumes calls `cut` with its checkpoint's offset; one that starts
    anew calls `cut(0)`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)
            self._file.truncate(_whole_lines(path))
        except OSError as error:
            raise StoreError(f"cannot write the journal {path}: {error.strerror}") from error

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def append(self, step: int, metrics: Mapping[str, float]) -> None:
        """Write one line, handed to the operating system at once. ValueError for a name that trackers refuse."""
        for name in metrics:
            if not valid_key(name):
                raise ValueError(f"metric name {name!r}: use letters, digits and _ - . : / or space, as in 'test/auc'")
        values = {name: float(value) for name, value in metrics.items()}
        line: dict[str, object] = {
            "time": time.time(),
            "step": int(step),
            "metrics": {name: value for name, value in values.items() if math.isfinite(value)},
        }
        if nonfinite := {name: str(value) for name, value in values.items() if not math.isfinite(value)}:
            line["nonfinite"] = nonfinite
        self._write(json.dumps(line, separators=(",", ":"), allow_nan=False).encode() + b"\n")

    def _write(self, data: bytes) -> None:
        ask_first()
        start = self.position()
        try:
            written = self._file.write(data)
        except OSError as error:
            raise StoreError(f"cannot write the journal {self.path}: {error.strerror}") from error
        if written != len(data):
            self._file.truncate(start)
            raise StoreError(f"cannot write the journal {self.path}: the disk is full")

    def position(self) -> int:
        """Return the byte offset after the last line: what a checkpoint stores."""
        return os.fstat(self._file.fileno()).st_size

    def sync(self) -> None:
        """Force all lines to the disk; call it before a checkpoint is written."""
        os.fsync(self._file.fileno())

    def commit(self) -> None:
        """Declare that a checkpoint, or the end of the run, covers every line so far: trackers may have them."""
        self.sync()
        self._mark(self.position())

    def cut(self, offset: int) -> None:
        """Go back to a checkpoint's offset, in bytes. Raises `StoreError` when it is not the end of a line of this journal, or a
        line before it is damaged."""
        if offset < 0 or offset > self.position() or not _ends_line(self.path, offset):
            raise StoreError(f"{self.path}: byte {offset} is not the end of a line, so its checkpoint belongs to another journal")
        read(self.path, 0, offset)
        # the mark goes back first: a reader must never be sent beyond the end
        self._mark(offset)
        self._file.truncate(offset)
        self.sync()

    def _mark(self, offset: int) -> None:
        write_atomically(_mark_path(self.path), f"{offset}\n".encode())

    def close(self) -> None:
        self._file.close()


def committed(path: Path) -> int:
    """Return the offset in bytes up to which a tracker may read; 0 before the first checkpoint. Where the number is damaged, it
    may read all of a finished run's journal, and nothing of another's until its next checkpoint."""
    mark = _mark_path(path)
    try:
        return int(mark.read_text())
    except FileNotFoundError:
        return 0
    except ValueError:
        return path.stat().st_size if path.exists() and RunFolder(path.parent).done.exists() else 0


def read(path: Path, since: int = 0, until: int | None = None) -> tuple[list[Record], int]:
    """Read the complete lines from byte `since` (to byte `until`), and the offset after them.

    A last line without its end is left for later. Raises `StoreError` for a line that is not a record, with its byte offset.
    """
    try:
        with path.open("rb") as file:
            file.seek(since)
            data = file.read() if until is None else file.read(max(until - since, 0))
    except FileNotFoundError:
        return [], since
    except OSError as error:
        raise StoreError(f"cannot read the journal {path}: {error.strerror}") from error
    records, offset = [], since
    for line in data.splitlines(keepends=True):
        if not line.endswith(b"\n"):
            break
        records.append(_record(path, offset, line))
        offset += len(line)
    return records, offset


def _record(path: Path, offset: int, line: bytes) -> Record:
    try:
        fields = json.loads(line)
        metrics = {str(name): float(value) for name, value in fields["metrics"].items()}
        return Record(float(fields["time"]), int(fields["step"]), metrics, dict(fields.get("nonfinite", {})))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{path} is damaged at byte {offset}: not a line of metrics: {line[:60]!r}") from error


def _mark_path(path: Path) -> Path:
    return path.with_suffix(".committed")


def _whole_lines(path: Path) -> int:
    data = path.read_bytes()
    return data.rfind(b"\n") + 1


def _ends_line(path: Path, offset: int) -> bool:
    if offset == 0:
        return True
    with path.open("rb") as file:
        file.seek(offset - 1)
        return file.read(1) == b"\n"
