"""Owning instances, so that nobody runs them meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from jetbench.errors import BusyError
from jetbench.files import file_lock, lock_owner
from jetbench.tracking.store import Store

__all__ = ["idle"]


@contextmanager
def idle(store: Store, instances: Iterable[str]) -> Iterator[None]:
    """Own these instances while inside. Raises `BusyError` where a process runs one of them."""
    with ExitStack() as held:
        for name in instances:
            lock = store.lock_of(name)
            if not held.enter_context(file_lock(lock, wait=False)):
                owner = lock_owner(lock)
                raise BusyError(f"another jetbench process runs {name} in {store.root}{owner}; wait for it, or stop it first")
        yield
