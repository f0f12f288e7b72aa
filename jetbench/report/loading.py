"""Runs that a name stands for, loaded with what their instance knows of the jets that they were trained on."""

from __future__ import annotations

from jetbench.inference import Ensemble, load_predictor
from jetbench.report.subjects import Subject
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store

__all__ = ["load_subject"]


def load_subject(found: Subject, store: Store) -> Ensemble:
    """Load the runs. Raises errors as `load_predictor` does."""
    ledger, meta = Ledger(store.work), found.instance.meta
    return Ensemble(found.name, {name: load_predictor(ledger.folder(key), meta) for name, key in found.keys.items()}, meta)
