"""A file that one process owns at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jetbench.errors import BusyError, StoreError
from jetbench.files import file_lock, is_locked, lock_owner, replacing

OWNER = """
import sys, time
from pathlib import Path
from jetbench.files import file_lock

with file_lock(Path(sys.argv[1]), remove=True):
    print("mine", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "lock"


@pytest.fixture
def owner(lock: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that owns the lock until it reads a line or dies."""
    command = [sys.executable, "-c", OWNER, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "mine\n"
        yield process
        process.kill()


def test_a_taken_lock_is_not_waited_for_where_one_says_so(lock: Path, owner: subprocess.Popen[str]) -> None:
    with file_lock(lock, wait=False) as mine:
        assert not mine


def test_who_waits_is_told_so_and_owns_the_file_that_then_stands_there(lock: Path, owner: subprocess.Popen[str]) -> None:
    told = []

    def release() -> None:
        print(file=owner.stdin, flush=True)

    def on_wait() -> None:
        told.append(True)
        threading.Timer(0.1, release).start()

    with file_lock(lock, on_wait=on_wait) as mine:
        assert mine
        assert told == [True]
        with file_lock(lock, wait=False) as another:  # the owner has removed the file that was waited for
            assert not another


def test_a_killed_owner_owns_nothing(lock: Path, owner: subprocess.Popen[str]) -> None:
    owner.kill()
    owner.wait()
    with file_lock(lock, wait=False) as mine:
        assert mine


def test_who_writes_the_same_file_at_once_writes_apart(tmp_path: Path) -> None:
    """Processes of other hosts may have the same number."""
    path = tmp_path / "file"
    with replacing(path) as one, replacing(path) as other:
        assert one != other
        one.write_text("one")
        other.write_text("other")
    assert path.read_text() == "one"
    assert list(tmp_path.iterdir()) == [path]


def test_nobody_is_told_of_a_free_lock(lock: Path) -> None:
    with file_lock(lock, on_wait=lambda: pytest.fail("there was nothing to wait for")) as mine:
        assert mine
    assert lock.exists()


def test_the_owner_removes_it_even_after_an_error(lock: Path) -> None:
    with pytest.raises(KeyError), file_lock(lock, remove=True):
        raise KeyError
    assert os.listdir(lock.parent) == []


def test_a_look_at_a_lock_keeps_out_nobody_who_does_not_wait(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock.parent.mkdir()
    look = lock.open("w")
    fcntl.flock(look, fcntl.LOCK_SH)
    monkeypatch.setattr("jetbench.files.time.sleep", lambda seconds: look.close())
    with file_lock(lock, wait=False) as mine:
        assert mine


def test_who_finds_a_lock_taken_is_told_by_whom(
    lock: Path, owner: subprocess.Popen[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jetbench.files.TELL", 0.1)
    told = rf"locked .*lock \(process {owner.pid} on \S+, since 20.* and does not end"
    with pytest.raises(BusyError, match=told), file_lock(lock, patience=0.2):
        pytest.fail("it is taken")
    assert f"waiting for {lock}, which another process has locked (process {owner.pid} on" in caplog.text


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_one_error(number: int, lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: object, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("jetbench.files.fcntl.flock", refuse)
    assert not is_locked(lock)
    with (
        pytest.raises(StoreError, match=rf"lock cannot be locked \({os.strerror(number)}\); choose another folder"),
        file_lock(lock),
    ):
        pytest.fail("it cannot be locked")


@pytest.mark.parametrize("left", [b"", b"4711", b'{"process": 1}', b"\0\xff"])
def test_a_file_that_is_left_is_no_lock(left: bytes, lock: Path) -> None:
    lock.parent.mkdir()
    lock.write_bytes(left)
    assert not is_locked(lock)
    assert lock_owner(lock) == ""
    with file_lock(lock, wait=False) as mine:
        assert mine
        assert f"process {os.getpid()} on" in lock_owner(lock)
