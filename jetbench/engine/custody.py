"""Owning instances, so that nobody runs them meanwhile."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from jetbench.errors import BusyError, StoreError
from jetbench.files import file_lock, lock_owner
from jetbench.tracking.lease import LONGEST, Lease, leased_elsewhere
from jetbench.tracking.store import Store

__all__ = ["idle"]

log = logging.getLogger(__name__)


@contextmanager
def idle(store: Store, instances: Iterable[str]) -> Iterator[None]:
    """Own these instances while inside. Raises `BusyError` where a process runs one of them."""
    with ExitStack() as held:
        for name in instances:
            held.enter_context(_owned(store, name))
        yield


@contextmanager
def _owned(store: Store, name: str) -> Iterator[None]:
    """Own one of them: by its lock, and by a lease, as the lock may be this machine's alone."""
    lock = store.lock_of(name)
    with file_lock(lock, wait=False) as mine:
        if not mine:
            raise _busy(store, name, lock_owner(lock))
        lease = Lease(store.lease_of(name), threading.Event().wait)
        if host := leased_elsewhere(lease.path):
            log.warning("a process on %s has run %s; waiting for a sign of life, %d s at the most", host, name, LONGEST)
        try:
            leased = lease.acquire()
        except OSError as error:
            told = f"{lease.path}: cannot be written ({error}); is the disk full or the folder read-only?"
            raise StoreError(told) from error
        if not leased:
            raise _busy(store, name, f" (on {host})" if host else "")
        with lease.kept():
            yield


def _busy(store: Store, name: str, owner: str) -> BusyError:
    return BusyError(f"another jetbench process runs {name} in {store.root}{owner}; wait for it, or stop it first")
