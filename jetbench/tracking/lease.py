"""Leases: a run has one owner where a file system keeps the locks of one machine from another.

An owner renews a sign of life. Whoever finds a lease takes it over once it has itself seen no other sign for a while, by its own
monotonic clock: no two machines need to agree on the time. An owner that was paused meanwhile finds another name in the lease,
and writes no more.
"""

from __future__ import annotations

import json
import os
import platform
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jetbench.errors import LostLeaseError
from jetbench.files import fenced, replacing

__all__ = ["BEAT", "LONGEST", "MISSED", "Lease", "leased_elsewhere", "this_machine"]

BEAT = 5.0  # seconds between signs of life
MISSED = 6  # beats without one, after which an owner is taken for dead
LONGEST = (MISSED + 2) * BEAT  # seconds that `acquire` may take
BOOT = Path("/proc/sys/kernel/random/boot_id")


def this_machine() -> str:
    """Return what tells this machine from others, and from itself before it was started anew."""
    with suppress(OSError):
        return f"{platform.node()} {BOOT.read_text().strip()}"
    return platform.node()


def leased_elsewhere(path: Path) -> str:
    """Return the host of the other machine that has the lease at `path`, be it alive or not; empty where none has."""
    machine = _holder(path)[1]
    return "" if machine == this_machine() else machine.partition(" ")[0]


class Lease:
    """The lease at `path`, to be asked for by a process that has the run's lock: another one of the same machine has ended then.

    `wait` lets so many seconds pass, and tells whether to give up; `clock` is monotonic, in seconds.
    """

    def __init__(
        self, path: Path, wait: Callable[[float], bool], *, machine: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.path, self._wait, self._clock = path, wait, clock
        self._machine = machine or this_machine()
        self._name = os.urandom(12).hex()
        self._beats = 0

    def acquire(self) -> bool:
        """Own the lease; False where another process shows that it lives, or the waiting is given up."""
        self.renew()  # first: whoever finds the lease is to find a sign
        mine = False
        try:
            mine = self._acquired()
        finally:
            if not mine:
                self._sign(self._name).unlink(missing_ok=True)
        return mine

    def renew(self) -> None:
        """Show that its owner lives, in a file of its own: one that has lost the lease must not touch it."""
        self._beats += 1
        self._sign(self._name).write_text(f"{self._beats}\n")

    def check(self) -> None:
        """Raise `LostLeaseError` where another process has taken the lease over."""
        if self._holder()[0] != self._name:
            raise LostLeaseError(f"{self.path}: another process has taken this over, as no sign of life came from here")

    def release(self) -> None:
        """Give the lease back, where it is still this one's to give."""
        if self._holder()[0] == self._name:
            self.path.unlink(missing_ok=True)
        self._sign(self._name).unlink(missing_ok=True)

    @contextmanager
    def kept(self, lost: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Renew the acquired lease in a thread while inside, and let this process write no file once it is lost; the thread calls
        `lost` as soon as it notices."""
        ended = threading.Event()

        def live() -> None:
            while not ended.wait(BEAT):
                with suppress(OSError):  # of a file system that is away for a moment
                    try:
                        self.check()
                    except LostLeaseError:
                        lost()
                        return
                    self.renew()

        thread = threading.Thread(target=live, daemon=True)
        thread.start()
        try:
            with fenced(self.check):
                yield
        finally:
            ended.set()
            thread.join()
            self.release()

    def _acquired(self) -> bool:
        owner, machine = self._holder()
        if not owner:
            return self._create()
        here = machine == self._machine
        if not here and not self._silent(owner):
            return False
        with replacing(self.path) as temporary:
            temporary.write_bytes(self._text())
        self._sign(owner).unlink(missing_ok=True)
        # another that has watched for as long may do the same: the last one stays, and the other sees it
        return here or not (self._wait(2 * BEAT) or self._holder()[0] != self._name)

    def _silent(self, owner: str) -> bool:
        """Watch an owner; False as soon as it gives a sign."""
        seen, since = (self._holder(), self._read(self._sign(owner))), self._clock()
        while self._clock() - since < MISSED * BEAT:
            if self._wait(BEAT / 2) or (self._holder(), self._read(self._sign(owner))) != seen:
                return False
        return (self._holder(), self._read(self._sign(owner))) == seen

    def _create(self) -> bool:
        """Make the lease where there is none: a link, which one process alone can make and which has its text from the start; a
        file that must be new where the file system knows no links."""
        draft = self._sign(self._name).with_suffix(".part")
        draft.write_bytes(self._text())
        try:
            os.link(draft, self.path)
        except FileExistsError:
            return self._holder()[0] == self._name  # NFS may have made it and lost the answer
        except OSError:
            return self._create_without_links()
        finally:
            draft.unlink()
        return True

    def _create_without_links(self) -> bool:
        try:
            with open(self.path, "xb") as file:
                file.write(self._text())
        except FileExistsError:
            return False
        return True

    def _text(self) -> bytes:
        return json.dumps({"owner": self._name, "machine": self._machine}).encode()

    def _holder(self) -> tuple[str, str]:
        return _holder(self.path)

    def _sign(self, owner: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{owner}")

    @staticmethod
    def _read(path: Path) -> bytes:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return b""


def _holder(path: Path) -> tuple[str, str]:
    """Name and machine of the owner; empty where there is no lease."""
    try:
        found = json.loads(path.read_bytes())
        return str(found["owner"]), str(found["machine"])
    except FileNotFoundError:
        return "", ""
    except (ValueError, KeyError, TypeError):
        return "damaged", ""
