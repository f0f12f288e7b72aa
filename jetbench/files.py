"""Files that appear whole or not at all, and files that one process owns at a time."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from jetbench.errors import BusyError, StoreError

__all__ = [
    "ask_first",
    "fenced",
    "file_lock",
    "is_locked",
    "lock_owner",
    "move_aside",
    "refuse_output",
    "replacing",
    "write_atomically",
    "write_json",
]

log = logging.getLogger(__name__)
LOOK = 0.001  # seconds, longer than a look at a lock takes
POLL, TELL = 0.02, 30.0  # seconds between tries of who waits, and before people are told of it

_checks: list[Callable[[], None]] = []


@contextmanager
def fenced(check: Callable[[], None]) -> Iterator[None]:
    """Have `check` asked before this process replaces any file while inside: it raises where nothing may be written any more."""
    _checks.append(check)
    try:
        yield
    finally:
        _checks.remove(check)


def ask_first() -> None:
    """Raise where this process may not write any more."""
    for check in _checks:
        check()


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
    # a name by chance: processes of several hosts, or of containers, have the same numbers
    temporary = (workplace or path.parent) / f".{path.name}.{os.urandom(6).hex()}.part"
    ask_first()
    try:
        yield temporary
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        ask_first()
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
    path: Path,
    *,
    wait: bool = True,
    on_wait: Callable[[], None] | None = None,
    patience: float | None = None,
    remove: bool = False,
) -> Iterator[bool]:
    """Own the file at `path` while inside; the system frees it at once when its owner dies, and a file that is left over means
    nothing. Yield False where it is taken.

    With `wait` a taken file is waited for, after a call of `on_wait`; without such a call people are told after a while who has
    taken it. Without `wait` it is asked for twice, since a look of `is_locked` shares it for an instant. With `remove` its owner
    removes it at the end.
    Raises `BusyError` where it is still taken after `patience` seconds, and `StoreError` where it cannot be made or locked.
    """
    while True:
        with _opened(path) as file:
            if not _lock(file, path, wait, on_wait, patience):
                yield False
                return
            if _is_at(file, path):
                _sign(file)
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


def lock_owner(path: Path) -> str:
    """Say who has taken a lock, as it has written down there: " (process 4711 on node7, since 12:30:05)"; empty where nobody
    has."""
    try:
        owner = json.loads(path.read_bytes())
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(owner["since"]))
        return f" (process {owner['process']} on {owner['host']}, since {since})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _sign(file: IO[str]) -> None:
    """Write down who owns the file, for those who find it taken."""
    with contextlib.suppress(OSError):  # of a full disk: it is owned all the same
        file.truncate(0)
        file.write(json.dumps({"process": os.getpid(), "host": platform.node(), "since": time.time()}))
        file.flush()


def _opened(path: Path) -> IO[str]:
    """The file of a lock as it is: what its owner has written there stays."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return open(path, "a")
    except OSError as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: OSError) -> StoreError:
    remedy = "choose another folder, one that can be written and whose file system has locks"
    return StoreError(f"{path} cannot be locked ({error.strerror}); {remedy}")


def _lock(file: IO[str], path: Path, wait: bool, on_wait: Callable[[], None] | None, patience: float | None) -> bool:
    """Lock an open file, or say that it is taken and not to be waited for."""
    if _try_lock(file, path):
        return True
    time.sleep(LOOK)
    free = _try_lock(file, path)
    if free or not wait:
        return free
    began, told = time.monotonic(), on_wait is not None
    if on_wait is not None:
        on_wait()
    while not _try_lock(file, path):
        waited = time.monotonic() - began
        if patience is not None and waited > patience:
            owner = lock_owner(path)
            raise BusyError(f"another process has locked {path}{owner} and does not end; wait for it, or stop it first")
        if not told and waited > TELL:
            log.warning("waiting for %s, which another process has locked%s", path, lock_owner(path))
            told = True
        time.sleep(POLL)
    return True


def _try_lock(file: IO[str], path: Path) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:  # of a file system that knows no locks, or whose server of locks is away
        raise _unusable(path, error) from error
    return True


def _is_at(file: IO[str], path: Path) -> bool:
    """Whether the open file still has its name: where its last owner has removed it, a lock on it keeps nobody out."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False
