"""A study for optuna-dashboard: a journal file that Optuna reads."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from jetbench.files import write_atomically
from jetbench.report.study.rebuilt import rebuilt
from jetbench.suites.trials import Searching

__all__ = ["write_journal"]


def write_journal(searchings: Sequence[Searching], path: Path) -> None:
    """Write the Optuna study of each search into a new journal file at `path`, in place of an older one: a study cannot take
    trials back. Raises `StoreError` where the disk does not let us."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / path.name
        storage = JournalStorage(JournalFileBackend(str(journal)))
        for searching in searchings:
            rebuilt(searching, storage)
        write_atomically(path, journal.read_bytes())
