"""Files that appear whole or not at all, and files that one process owns at a time."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from jetbench.errors import StoreError

__all__ = ["file_lock", "is_locked", "move_aside", "refuse_output", "replacing", "write_atomically", "write_json"]

LOOK = 0.001  # seconds, longer than a look at a lock takes


def refuse_output(path: Path) -> None:
    """Raise `StoreError` for a file that a user has named to be written and that is there already, or whose folder is not: the
    name may be misspelt."""
    if path.exists():
        raise StoreError(f"{path} is there already; name another output, or remove it")
    if not path.parent.is_dir():
        raise StoreError(f"{path}: there is no folder {path.parent}; make it, or name another output")


@contextmanager
def replacing(path: Path, workplace: Path | None = None) -> Iterator[Path]:
    """Yield a name beside `path`; the file that is written there replaces `path` at the end, synced to the disk.

    Where the writing fails nothing is left and `path` stays as it was; the error passes on. A killed process leaves its file
    behind, which `workplace`, a folder of the same file system, keeps out of sight.
    """
    temporary = (workplace or path.parent) / f".{path.name}.{os.getpid()}.part"
    try:
        yield temporary
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):  # what stopped the writing may stop this too, and is the error to show
            temporary.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file, and its folder where there is none; raises `StoreError` where the disk does not let us."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error}); is the disk full or the folder read-only?") from error


def write_json(path: Path, values: Any) -> None:
    """Write values as JSON, numbers finite; raises `StoreError` as `write_atomically` does."""
    write_atomically(path, (json.dumps(values, indent=1, allow_nan=False) + "\n").encode())


@contextmanager
def file_lock(
    path: Path, *, wait: bool = True, on_wait: Callable[[], None] | None = None, remove: bool = False
) -> Iterator[bool]:
    """Own the file at `path` while inside; the system frees it at once when its owner dies. Yield False where it is taken.

    With `wait` a taken file is waited for, after a call of `on_wait`; without it is asked for twice, since a look of `is_locked`
    shares it for an instant. With `remove` its owner removes it at the end.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with open(path, "w") as file:
            if not _lock(file, wait, on_wait):
                yield False
                return
            if _is_at(file, path):
                try:
                    yield True
                finally:
                    if remove:
                        path.unlink(missing_ok=True)
                return


def is_locked(path: Path) -> bool:
    """Tell whether a process owns the file at `path`. Nothing is made where there is none. The look shares the file for an
    instant, which keeps out no other look, and an owner for no longer than that."""
    try:
        with open(path) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def move_aside(path: Path, folder: Path) -> Path:
    """Move a file or folder into `folder` of the same file system, under its own name; returns where it is now."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / path.name
    os.replace(path, target)
    return target


def _lock(file: IO[str], wait: bool, on_wait: Callable[[], None] | None) -> bool:
    """Lock an open file, or say that it is taken and not to be waited for."""
    if _try_lock(file):
        return True
    time.sleep(LOOK)
    free = _try_lock(file)
    if free or not wait:
        return free
    if on_wait is not None:
        on_wait()
    fcntl.flock(file, fcntl.LOCK_EX)
    return True


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(file: IO[str], path: Path) -> bool:
    """Whether the open file still has its name: where its last owner has removed it, a lock on it keeps nobody out."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False
