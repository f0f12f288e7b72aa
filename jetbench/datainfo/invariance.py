"""The invariance card: what augmentations do to the physics of a jet, measured before anything is trained.

An augmentation that destroys an observable teaches an encoder to ignore it. Its mean shift alone does not tell: one that moves
masses up and down alike has none, and hides the mass all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from jetbench.data.batch import Batch, JetTensors
from jetbench.jets import Jets, concatenate
from jetbench.models.fitted import BoostedTrees
from jetbench.seeds import numpy_rng, torch_rng
from jetbench.spec import Component, options
from jetbench.statistics.placements import auc
from jetbench.views import AugmentationEntry, augment, augmentations
from jetbench.views.frame import half_widths
from jetbench.views.needs import unmet
from jetbench.views.observables import OBSERVABLES, fill_undefined, measure, observables, undefined_text

__all__ = ["DEFAULTS", "Card", "CardPart", "CardRow", "Shift", "Steps", "make_card", "spread"]

BLOCKS = 20  # of the file that `spread` reads
DEFAULTS = "default strengths"  # name of the part that is shown where no other is asked for

Steps = tuple[Component, ...]


class Shift(NamedTuple):
    """Mean and standard deviation over jets of what has changed in each."""

    mean: float
    deviation: float


@dataclass(frozen=True)
class CardRow:
    """What an augmentation does: shifts of the mass [GeV], pT [percent], multiplicity and tau32 of a jet, the share of all pT
    outside the frame, and the AUC of trees that were fitted on jets as they are (of many classes the mean over pairs). None where
    the jets do not allow the number."""

    augmentation: str
    mass: Shift | None
    pt_percent: Shift | None
    outside_percent: float | None
    multiplicity: Shift
    tau32: Shift | None
    auc: float | None


@dataclass(frozen=True)
class CardPart:
    """What is asked about: `rows` of each of the `steps` alone, and where they are a pipeline of several of all one after the
    other."""

    name: str
    steps: Steps
    rows: tuple[CardRow, ...]


@dataclass(frozen=True)
class Card:
    """`none` is the row of jets as they are, `shown` says whose shifts are measured; `skipped` are augmentations with the reason;
    `left_out`, which columns are missing and why; `notes` on jets that have no number for an observable."""

    none: CardRow
    parts: tuple[CardPart, ...]
    shown: str
    skipped: tuple[tuple[str, str], ...] = ()
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Ruler:
    """How n jets are measured: `shown` (n,) are those whose shifts count; `table` (n, observables) is None where these jets have
    no observables, `trees`, fitted on other jets, is None where the jets are not of several classes."""

    jets: Jets
    batch: Batch
    shown: np.ndarray
    table: np.ndarray | None
    trees: BoostedTrees | None

    def row(self, augmentation: str, changed: Batch) -> tuple[CardRow, dict[str, int]]:
        """Measure the changed jets; also return the number of jets without an observable, by its name."""
        pt, outside = self._pt(changed)
        multiplicity = self._shift(_multiplicity(changed) - _multiplicity(self.batch))
        mass = tau32 = area = None
        undefined: dict[str, int] = {}
        if self.table is not None:
            new = measure(_as_jets(self.jets, changed))
            undefined = fill_undefined(new)
            mass, tau32 = (self._shift((new - self.table)[:, OBSERVABLES.index(name)]) for name in ("mass", "tau32"))
            if self.trees is not None:
                area = auc(self.jets.targets["label"], self.trees.predict(new))
        return CardRow(augmentation, mass, pt, outside, multiplicity, tau32, area), undefined

    def augmented(self, steps: Steps, seed: int) -> tuple[CardRow, dict[str, int]]:
        """Measure the jets after these steps, as `row` does."""
        name = "all together" if len(steps) > 1 else steps[0].name
        return self.row(name, augment(self.batch, steps, torch_rng("card", seed)))

    def _shift(self, change: np.ndarray) -> Shift:
        shown = change[self.shown].astype(np.float64)
        return Shift(float(shown.mean()), float(shown.std()))

    def _pt(self, changed: Batch) -> tuple[Shift | None, float | None]:
        """Change of the pT of a jet, where it has any, and the share of all pT outside the frame [percent]."""
        if unmet(self.jets.meta, ("pt",)):
            return None, None
        pt, (eta, phi) = changed.pt(), half_widths(self.jets.meta)
        outside = (changed.eta.abs() > eta) | (changed.phi.abs() > phi)
        before, after = (batch.sum(batch.pt()).double().numpy() for batch in (self.batch, changed))
        change = np.divide(100 * (after - before), before, out=np.zeros_like(before), where=before != 0)
        return self._shift(change), 100 * float(pt[outside].sum() / pt.sum())


@threadpool_limits.wrap(limits=1)  # thousands of small trees: on a busy machine several threads wait for each other at each
def make_card(
    jets: Jets, pipelines: Mapping[str, Steps] | None = None, skipped: Mapping[str, str] | None = None, seed: int = 0
) -> Card:
    """Measure what pipelines of augmentation do to jets, a part for each by its name: every step alone, and all together. They
    are those that the jets allow; `skipped` gives the reason for steps that were taken out of them. Without `pipelines` it is
    every registered augmentation that the jets allow, at its default strength.

    Trees are fitted on a random half of the jets (in memory), everything is measured on the other.
    """
    train, test = (jets.take(half) for half in np.array_split(numpy_rng("card", seed).permutation(len(jets)), 2))
    if pipelines is None:
        skipped = {entry.name: reason for entry in augmentations if (reason := unmet(jets.meta, entry.needs))}
        steps = tuple(_component(entry, jets) for entry in augmentations if entry.name not in skipped)
        pipelines, looks = {DEFAULTS: steps}, {DEFAULTS: _alone(steps)}
    else:
        looks = {name: _looks(steps) for name, steps in pipelines.items()}
    ruler, shown, left_out = _ruler(train, test, seed)
    none = ruler.row("none", ruler.batch)
    told: dict[Steps, str] = {}  # what is measured, once each
    for name, steps in ((name, steps) for name, part in looks.items() for steps in part):
        told.setdefault(steps, f"all of {name}" if len(steps) > 1 else steps[0].name)
    measured = {steps: ruler.augmented(steps, seed) for steps in told}
    return Card(
        none=none[0],
        parts=tuple(CardPart(name, pipelines[name], tuple(measured[steps][0] for steps in part)) for name, part in looks.items()),
        shown=shown,
        skipped=tuple((skipped or {}).items()),
        left_out=left_out,
        notes=tuple(_notes(none[1], [(name, measured[steps][1]) for steps, name in told.items()], len(test))),
    )


def _alone(pipeline: Steps) -> list[Steps]:
    return [(step,) for step in pipeline]


def _looks(pipeline: Steps) -> list[Steps]:
    """Each step alone, and where there are several all of them together."""
    return [*_alone(pipeline), *([pipeline] if len(pipeline) > 1 else [])]


def _ruler(train: Jets, test: Jets, seed: int) -> tuple[Ruler, str, tuple[str, ...]]:
    """How the jets of `test` are measured, which of them are shown, and what is left out."""
    names = test.meta.class_names
    without, classes = unmet(test.meta, ("GeV",)), min(_classes(half) for half in (train, test))
    told_apart = classes > 1 and classes == len(names)
    signal = told_apart and classes == 2
    shown = test.targets["label"] == 1 if signal else np.ones(len(test), bool)
    ruler = Ruler(
        jets=test,
        batch=JetTensors(test).batch(torch.arange(len(test))),
        shown=shown,
        table=None if without else observables(test),
        trees=_fitted(train, seed) if told_apart and not without else None,
    )
    left_out = [f"mass, tau32 and trees: {without}"] if without else []
    if not told_apart:
        left_out.append("trees: there are not two jets of each of several classes here; shifts are those of all jets")
    return ruler, f"{shown.sum()} jets{f' of the class {names[1]}' if signal else ''}", tuple(left_out)


def _notes(as_they_are: dict[str, int], found: list[tuple[str, dict[str, int]]], jets: int) -> Iterator[str]:
    """What jets as they are do not have, and then where an augmentation changes that."""
    for name, undefined in (("none", as_they_are), *found):
        if name == "none" or undefined != as_they_are:
            yield from (f"{name}: {sentence}" for sentence in undefined_text(undefined, jets))


def spread(jets: Jets, number: int) -> Jets:
    """Read about `number` of the jets, in blocks from all over the file, which may hold one class after the other."""
    if number >= len(jets):
        return jets.read()
    size = -(-number // BLOCKS)
    starts = np.linspace(0, len(jets) - size, BLOCKS).astype(int)
    return concatenate([jets[start : start + size] for start in starts])


def _classes(jets: Jets) -> int:
    """How many classes have two jets or more."""
    return int((np.bincount(jets.targets["label"]) > 1).sum()) if "label" in jets.targets else 0


def _multiplicity(batch: Batch) -> np.ndarray:
    """Deposits of each jet (size,) that are not zero in every channel."""
    return batch.sum((batch.values != 0).any(dim=1).float()).numpy()


def _fitted(jets: Jets, seed: int) -> BoostedTrees:
    trees = BoostedTrees()
    trees.fit(observables(jets), OBSERVABLES, jets.targets["label"], seed, 0.1)
    return trees


def _component(entry: AugmentationEntry, jets: Jets) -> Component:
    return entry.component(options({"extent": min(half_widths(jets.meta))} if entry.framed else {}))


def _as_jets(jets: Jets, batch: Batch) -> Jets:
    """The deposits of a batch in place of the jets' own."""
    offsets = np.concatenate([[0], np.cumsum(np.bincount(batch.jet.numpy(), minlength=batch.size))])
    return replace(jets, offsets=offsets, eta=batch.eta.numpy(), phi=batch.phi.numpy(), values=batch.values.numpy())
