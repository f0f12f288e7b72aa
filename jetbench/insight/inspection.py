"""A subject under inspection: the run that is shown, the other seeds of its arm, and the jets that are looked at one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from jetbench.errors import DataFileError
from jetbench.evaluation.likelihood import likelihood
from jetbench.insight.evidence import Evidence
from jetbench.insight.explanations import Explainer, Explanation
from jetbench.insight.frames import frame_of
from jetbench.jets import Grid, Meta
from jetbench.report.subjects import Subject
from jetbench.tasks.regression import Regression
from jetbench.views.constituents import ConstituentsView
from jetbench.views.image import ImageView

__all__ = ["MOST_SEEDS", "Inspection"]

EXPLAINED = 150  # jets of a class whose attributions are averaged
MOST_SEEDS = 5  # of an arm, whose networks are explained
TYPICAL = 5  # jets of a class that are shown one by one


@dataclass(frozen=True, eq=False)
class Inspection:
    """`seeds` are what can be read of the runs of the subject, and the first of them is shown. `layers` are those of the encoder
    that are looked at, its stages where none is named."""

    subject: Subject
    seeds: Sequence[Evidence]
    layers: tuple[str, ...] = ()

    @property
    def shown(self) -> Evidence:
        return self.seeds[0]

    @property
    def meta(self) -> Meta:
        return self.subject.plan.instance.meta

    @property
    def simulated(self) -> bool:
        """Whether the jets come from a generator."""
        return bool(self.meta.provenance.generator)

    @property
    def regression(self) -> bool:
        return isinstance(self.shown.task, Regression)

    @property
    def no_jets(self) -> str:
        """Why the jets cannot be shown; empty where they can."""
        return self.shown.dataset.reason

    @property
    def no_maps(self) -> str:
        """Why there are no maps of what the network looks at; empty where there are."""
        return self.no_places or ("" if self.shown.tested else "a pretraining has no score that could be explained")

    @property
    def no_places(self) -> str:
        """Why what the network sees has no place in the plane of a jet; empty where it has."""
        if reason := self.no_jets or self.shown.no_model:
            return reason
        known = self.shown.predictor.preprocessing
        assert known is not None
        placed = isinstance(known.fitted, ImageView | ConstituentsView)
        return "" if placed else f"maps are of images and of constituents, and this network sees {known.view.name}"

    @cached_property
    def labels(self) -> np.ndarray:
        """The classes of the sampled jets (k,), zeros where they have none."""
        jets = self.shown.jets
        return np.asarray(jets.targets["label"]) if "label" in jets.targets else np.zeros(len(jets), np.int32)

    @cached_property
    def groups(self) -> dict[int, str]:
        """The classes that the sampled jets have, by number; one group for jets without classes."""
        names = self.meta.class_names
        return {k: names[k] if k < len(names) else "all jets" for k in np.unique(self.labels).tolist()}

    @cached_property
    def explainer(self) -> Explainer:
        return Explainer(self.shown.predictor, self.shown.jets)

    @cached_property
    def explanations(self) -> dict[int, Explanation]:
        """Attributions of up to `EXPLAINED` sampled jets of each group, by its number."""
        return {k: self.explainer.explain(self.shown.jets.take(self.rows(k)), self.speaks_for(k)) for k in self.groups}

    def rows(self, group: int) -> np.ndarray:
        """Return the places in the sample of the jets of a group whose attributions are averaged."""
        return np.flatnonzero(self.labels == group)[:EXPLAINED]

    def speaks_for(self, group: int) -> int:
        """Return the class that the score of a group's jets speaks for: of two classes always the second."""
        return group if len(self.meta.class_names) > 2 and not self.regression else 1

    def score_text(self, group: int) -> str:
        """Say what a score is, with its unit."""
        if self.regression:
            return f"predicted {self.shown.task.column} [GeV]"
        name = self.meta.class_names[self.speaks_for(group)]
        return f"log-odds of {name}" if len(self.meta.class_names) == 2 else f"score of {name}"

    @cached_property
    def frame(self) -> Grid:
        """The frame that jets are drawn in."""
        known = None if self.shown.no_model else self.shown.predictor.preprocessing
        return frame_of(known.fitted if known else None, self.meta)

    @cached_property
    def typical(self) -> dict[int, np.ndarray]:
        """By group the places in the sample of jets whose scores lie in the middle of it. Raises `DataFileError` without jets."""
        if self.no_jets:
            raise DataFileError(self.no_jets)
        _, truth, predicted = (column[self.shown.sample] for column in self.shown.scores)
        own = np.abs(predicted - truth) if self.regression else likelihood(truth, predicted)
        found = {}
        for k in self.groups:
            rows = np.flatnonzero(self.labels == k)
            order = np.argsort(np.abs(own[rows] - np.median(own[rows])), kind="stable")
            found[k] = rows[order[:TYPICAL]]
        return found
