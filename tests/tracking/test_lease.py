"""Leases between machines: who lives keeps one, who is silent loses it, and whoever lost it writes no more."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jetbench.errors import LostLeaseError
from jetbench.files import write_json
from jetbench.tracking import lease as lease_module
from jetbench.tracking.journal import Journal
from jetbench.tracking.lease import BEAT, MISSED, Lease


class Watch:
    """A monotonic clock that moves as somebody waits by it; `meanwhile` is what others do each time."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.now, self.meanwhile = 0.0, meanwhile

    def clock(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        self.meanwhile()
        return False


def lease(path: Path, machine: str, watch: Watch | None = None) -> Lease:
    watch = watch or Watch()
    return Lease(path, watch.wait, machine=machine, clock=watch.clock)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".lease"


def test_a_lease_is_had_at_once_and_leaves_nothing(path: Path) -> None:
    watch = Watch()
    one = lease(path, "node1", watch)
    assert one.acquire()
    one.check()
    one.release()
    assert watch.now == 0
    assert list(path.parent.iterdir()) == []


def test_a_file_system_without_links_has_leases_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*paths: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("os.link", refused)
    one = lease(path, "node1")
    assert one.acquire()
    one.check()
    assert not lease(path, "node2", Watch(one.renew)).acquire()
    one.release()
    assert list(path.parent.iterdir()) == []


def test_a_link_whose_answer_was_lost_is_ones_own(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def made_twice(*paths: Path) -> None:
        link(*paths)
        link(*paths)

    monkeypatch.setattr("os.link", made_twice)
    one = lease(path, "node1")
    assert one.acquire()
    one.check()


def test_who_lives_keeps_it(path: Path) -> None:
    one = lease(path, "node1")
    assert one.acquire()
    watch = Watch(one.renew)
    assert not lease(path, "node2", watch).acquire()
    assert watch.now <= BEAT
    one.check()
    assert len(list(path.parent.iterdir())) == 2  # the lease and a sign of its owner


def test_who_is_silent_loses_it_after_a_while_and_notices(path: Path) -> None:
    paused, watch = lease(path, "node1"), Watch()
    assert paused.acquire()
    other = lease(path, "node2", watch)
    assert other.acquire()
    assert watch.now >= MISSED * BEAT
    other.check()
    with pytest.raises(LostLeaseError, match="another process has taken this over"):
        paused.check()
    paused.release()
    other.check()


def test_no_clock_of_the_wall_is_asked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It jumps by a year between any two looks, and files have any time that their server likes."""
    one, jumps = lease(path, "node1"), iter(range(10**9, 10**12, 10**7))
    monkeypatch.setattr(time, "time", lambda: float(next(jumps)))
    assert one.acquire()

    def live() -> None:
        one.renew()
        for file in path.parent.iterdir():
            os.utime(file, (0, 0))

    assert not lease(path, "node2", Watch(live)).acquire()
    watch = Watch()
    assert lease(path, "node2", watch).acquire()
    assert MISSED * BEAT <= watch.now <= (MISSED + 3) * BEAT


def test_a_watcher_that_is_paused_itself_does_not_take_what_lives(path: Path) -> None:
    one, watch = lease(path, "node1"), Watch()
    assert one.acquire()

    def pause() -> None:
        watch.now += 1000
        one.renew()

    watch.meanwhile = pause
    assert not lease(path, "node2", watch).acquire()


def test_of_two_that_have_watched_one_has_it(path: Path) -> None:
    assert lease(path, "node1").acquire()
    late = lease(path, "node3")

    def as_well() -> None:
        if "node2" in path.read_text():
            path.write_bytes(late._text())  # it has watched for as long, and comes last

    assert not lease(path, "node2", Watch(as_well)).acquire()
    late.check()


def test_a_lease_of_the_same_machine_is_of_a_process_that_has_ended(path: Path) -> None:
    watch = Watch()
    assert lease(path, "node1").acquire()
    assert lease(path, "node1", watch).acquire()
    assert watch.now == 0


def test_a_damaged_lease_is_watched_like_another(path: Path) -> None:
    path.write_text("{")
    watch = Watch()
    assert lease(path, "node1", watch).acquire()
    assert watch.now >= MISSED * BEAT


def test_nothing_is_written_once_it_is_lost(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_module, "BEAT", 0.02)
    one, told = lease(path, "node1"), list[bool]()
    assert one.acquire()
    with Journal(path.with_name("metrics.jsonl")) as journal, one.kept(lambda: told.append(True)):
        write_json(path.with_name("a.json"), 1)
        journal.append(0, {"loss": 1.0})
        path.write_bytes(lease(path, "node2")._text())
        with pytest.raises(LostLeaseError):
            write_json(path.with_name("b.json"), 1)
        with pytest.raises(LostLeaseError):
            journal.append(1, {"loss": 1.0})
        end = time.monotonic() + 10
        while not told and time.monotonic() < end:
            time.sleep(0.01)
    write_json(path.with_name("c.json"), 1)  # of a process that has no lease any more
    assert told == [True]
    assert sorted(found.name for found in path.parent.glob("*.json*")) == ["a.json", "c.json", "metrics.jsonl"]
    assert path.exists()  # the other's


OWNER = """
import os, sys, threading, time
from pathlib import Path
from jetbench.tracking import lease
from jetbench.files import write_json
lease.BEAT = 0.1
path = Path(sys.argv[1])
one = lease.Lease(path, threading.Event().wait, machine="node1")
assert one.acquire()
with one.kept(lambda: os._exit(76)):
    for number in range(10**6):
        write_json(path.with_name("written.json"), number)
        print(number, flush=True)
        time.sleep(0.01)
"""


def test_a_paused_owner_comes_back_and_stops_before_it_writes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_module, "BEAT", 0.1)
    command = [sys.executable, "-c", OWNER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline()
        owner.send_signal(signal.SIGSTOP)
        other = Lease(path, lambda seconds: bool(time.sleep(seconds)), machine="node2")
        assert other.acquire()
        written = path.with_name("written.json").read_text()
        owner.send_signal(signal.SIGCONT)
        assert owner.wait(60) != 0
    assert path.with_name("written.json").read_text() == written
    other.check()
