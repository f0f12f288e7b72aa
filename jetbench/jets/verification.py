"""Whether files of jets still hold what they were written with: a digest beside the data is a claim until it is computed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jetbench.errors import DataFileError, StoreError
from jetbench.files import write_json
from jetbench.jets.file import open_file
from jetbench.jets.shards import Source, joint_digest, shard_paths

__all__ = ["verify"]

Progress = Callable[[int, int], None]
SETTLED = 2_000_000_000  # ns: within the clock tick of its last change a file can change again and look the same


def verify(source: Source, *, cache: Path | None = None, progress: Progress | None = None) -> str:
    """Compute the digest of the jets that `open_jets(source)` opens, from their content, and return it.

    The files are read once, in blocks of bounded memory; `progress(done, total)` counts jets. With a folder `cache` a file that
    was verified before and has not changed since (by its size, inode and times) is not read again.
    Raises `DataFileError` where a file is missing, damaged, or holds other jets than it says, since somebody has changed it.
    """
    digests = []
    shards = [(path, _state(path), open_file(path)) for path in shard_paths(source)]
    done, total = 0, sum(len(jets) for _, _, jets in shards)

    def told(read: int) -> None:
        if progress is not None:
            progress(done + read, total)

    for path, state, jets in shards:
        claim = {**state, "digest": jets.digest}
        if cache is None or not _is_noted(claim, cache):
            found = jets.content_digest(told)
            if found != jets.digest:
                raise DataFileError(
                    f"{path}: its content has the digest {found[:16]}…, and the file says {jets.digest[:16]}…: it was changed "
                    "after it was written; make or convert it again, or write the changed jets anew with jetbench.jets.save_jets"
                )
            if cache is not None:
                _note(claim, cache)
        done += len(jets)
        told(0)
        digests.append(jets.digest)
    return joint_digest(digests)


def _state(path: Path) -> dict[str, Any]:
    """What tells that a file is still the one that was read, without reading it."""
    state, resolved = path.stat(), path.resolve()
    return {
        "path": str(resolved),
        "size": state.st_size,
        "inode": state.st_ino,
        "modified": state.st_mtime_ns,
        "changed": state.st_ctime_ns,
    }


def _note_path(claim: dict[str, Any], cache: Path) -> Path:
    return cache / "verified" / f"{hashlib.sha256(claim['path'].encode()).hexdigest()[:16]}.json"


def _is_noted(claim: dict[str, Any], cache: Path) -> bool:
    try:
        noted = json.loads(_note_path(claim, cache).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(noted == claim)


def _note(claim: dict[str, Any], cache: Path) -> None:
    """Remember a verified file, unless it was changed a moment ago."""
    if time.time_ns() - max(claim["modified"], claim["changed"]) > SETTLED:
        with contextlib.suppress(StoreError):  # without a note the file is read again, which costs time alone
            write_json(_note_path(claim, cache), claim)
