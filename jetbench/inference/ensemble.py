"""The runs that a name stands for, one or the seeds of an arm at a budget, which predict together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jetbench.evaluation.artifacts import read_scores
from jetbench.inference.predictor import FittedPredictor, Predictor
from jetbench.inference.sources import JetSource, find_source
from jetbench.jets import Jets, Meta
from jetbench.jets.selection import blocks
from jetbench.spec import Component
from jetbench.tasks.task import Task
from jetbench.tracking.folder import RunFolder

__all__ = ["Ensemble", "Predicted"]


class Predicted(NamedTuple):
    """A block of jets in memory, what each of s members predicts of them, (s, n) or (s, n, K), and what all do together."""

    jets: Jets
    each: np.ndarray
    together: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class Ensemble:
    """`members` are the runs by name, trained on jets with `meta` for one task. Of one member the prediction is its own; that of
    several is the mean of what `task.averaged` says, and has seen the labels of all of them."""

    name: str
    members: Mapping[str, Predictor]
    meta: Meta

    def __repr__(self) -> str:
        """Say what it is in a line: weights and jets would fill pages."""
        spec, runs = next(iter(self.members.values())).spec, len(self.members)
        told = f"{runs} run{'' if runs == 1 else 's'} of {spec.model.name}, view {spec.view.name}"
        what = f"classes {', '.join(self.meta.class_names)}" if self.task.column == "label" else f"predicts {self.task.column}"
        return f"<Ensemble {self.name}: {told}, {what}>"

    @property
    def task(self) -> Task:
        return next(iter(self.members.values())).task

    def predict(self, data: str | Path | Jets) -> np.ndarray:
        """Predict jets, or those of a file that any reader opens, block by block: probabilities of class 1 (n,) of two classes,
        those of all classes (n, K) of more, or numbers (n,) in the target's unit; float64.

        Raises `DataFileError` for jets that a member would see otherwise than those that it was trained on, and for a file that
        is not read; `RunError` for runs without labels.
        """
        return np.concatenate([block.together for block in self.stream(find_source(data))])

    def stream(self, source: JetSource) -> Iterator[Predicted]:
        """Predict the jets of a source in their order, as many at a time as fit a bounded memory. Raises as `predict` does."""
        for member in self.members.values():
            member.refuse(source.meta)
        for part in source.parts():
            for _, jets in blocks(part):
                each = np.stack(list(self._each(jets)))
                yield Predicted(jets, each, each[0] if len(each) == 1 else self.task.together(each))

    def _each(self, jets: Jets) -> Iterator[np.ndarray]:
        """What each member predicts of jets in memory; a table, which is slow to compute, is computed once."""
        tables: dict[Component, np.ndarray] = {}
        for member in self.members.values():
            if isinstance(member, FittedPredictor):
                if member.spec.view not in tables:
                    tables[member.spec.view] = member.table(jets)
                yield member.predict_table(tables[member.spec.view])
            else:
                yield member.predict_block(jets)

    def tested(self) -> dict[str, float]:
        """Return the headline metric on the test jets of the suite and its error, by key, from the scores that the runs have
        stored."""
        runs = [read_scores(RunFolder(member.folder).scores) for member in self.members.values()]
        scores = np.stack([scores for _, _, scores in runs])
        return self.task.choose(runs[0][1], scores[0] if len(scores) == 1 else self.task.together(scores), self.meta)
