"""A file that one process owns at a time."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jetbench.files import file_lock

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
