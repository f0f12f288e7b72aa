"""Folders of runs as trainings leave them, with losses and curves that a test can choose."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from jetbench.files import write_json
from jetbench.suites.graph import PlannedRun
from jetbench.tracking.ledger import Ledger

__all__ = ["note_epochs", "write_run"]


def note_epochs(ledger: Ledger, run: PlannedRun, curve: Sequence[float]) -> None:
    """Write the committed journal of a run with these validation losses, epoch by epoch."""
    folder, passes = ledger.run(run.key), run.spec.recipe.passes / run.spec.recipe.epochs
    folder.path.mkdir(parents=True, exist_ok=True)
    epochs = [{"train/passes": passes * (epoch + 1), "val/loss": loss} for epoch, loss in enumerate(curve)]
    lines = "".join(json.dumps({"time": 1.0, "step": step, "metrics": epoch}) + "\n" for step, epoch in enumerate(epochs))
    folder.journal.write_text(lines)
    folder.committed.write_text(str(len(lines)))


def write_run(ledger: Ledger, run: PlannedRun, losses: Sequence[float] = (0.4, 0.6), curve: Sequence[float] = ()) -> None:
    """Write a finished run with the losses of its validation jets; it has cost its passes, and a second."""
    note_epochs(ledger, run, curve)
    folder, passes = ledger.run(run.key), float(run.spec.recipe.passes)
    kinds = {"cost/labelled_passes": passes * run.labelled, "cost/unlabelled_passes": passes * (not run.labelled)}
    write_json(folder.metrics, kinds | {"cost/seconds": 1.0})
    np.save(folder.losses, np.array(losses))
    folder.weights.write_bytes(b"weights")
    ledger.finish(run.key, [folder.metrics, folder.losses, folder.weights])
