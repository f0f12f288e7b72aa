"""The invariance card: what an augmentation does to the physics of a jet, measured before anything is trained.

An augmentation that destroys an observable teaches an encoder to ignore it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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

__all__ = ["Card", "CardRow", "card_text", "make_card", "spread"]

BLOCKS = 20  # of the file that `spread` reads


@dataclass(frozen=True)
class CardRow:
    """What an augmentation does on average: shifts of the mass [GeV] and tau32, of the multiplicity, change of the pT and its
    share outside the frame, and the AUC of trees that were fitted on jets as they are (of many classes the mean over pairs).
    Shifts are those of the signal where there are two classes, else of all jets; None where the jets do not allow the number.
    """

    augmentation: str
    mass: float | None
    pt_percent: float | None
    outside_percent: float | None
    multiplicity: float
    tau32: float | None
    auc: float | None


@dataclass(frozen=True)
class Card:
    """`rows` by augmentation, the first for jets as they are; `skipped` ones with the reason; `left_out`, which columns are
    missing and why; `notes` on jets that have no number for an observable."""

    rows: tuple[CardRow, ...]
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
        pt_percent, outside_percent = self._pt(changed)
        after, before = (_multiplicity(batch)[self.shown].mean() for batch in (changed, self.batch))
        mass = tau32 = area = None
        undefined: dict[str, int] = {}
        if self.table is not None:
            new = measure(_as_jets(self.jets, changed))
            undefined = fill_undefined(new)
            shift = (new - self.table)[self.shown].mean(axis=0)
            mass, tau32 = (float(shift[OBSERVABLES.index(name)]) for name in ("mass", "tau32"))
            if self.trees is not None:
                area = auc(self.jets.targets["label"], self.trees.predict(new))
        return CardRow(augmentation, mass, pt_percent, outside_percent, float(after - before), tau32, area), undefined

    def _pt(self, changed: Batch) -> tuple[float | None, float | None]:
        """Change of the pT, and its share outside the frame [percent]."""
        if unmet(self.jets.meta, ("pt",)):
            return None, None
        pt, (eta, phi) = changed.pt(), half_widths(self.jets.meta)
        outside = (changed.eta.abs() > eta) | (changed.phi.abs() > phi)
        return 100 * float(pt.sum() / self.batch.pt().sum() - 1), 100 * float(pt[outside].sum() / pt.sum())


@threadpool_limits.wrap(limits=1)  # thousands of small trees: on a busy machine several threads wait for each other at each
def make_card(jets: Jets, seed: int = 0) -> Card:
    """Measure every registered augmentation that the jets allow, at its default strength, a row for each.

    Trees are fitted on a random half of the jets (in memory), everything is measured on the other.
    """
    train, test = (jets.take(half) for half in np.array_split(numpy_rng("card", seed).permutation(len(jets)), 2))
    without, classes = unmet(jets.meta, ("GeV",)), min(_classes(half) for half in (train, test))
    told_apart = classes > 1 and classes == len(jets.meta.class_names)
    ruler = Ruler(
        jets=test,
        batch=JetTensors(test).batch(torch.arange(len(test))),
        shown=test.targets["label"] == 1 if told_apart and classes == 2 else np.ones(len(test), bool),
        table=None if without else observables(test),
        trees=_fitted(train, seed) if told_apart and not without else None,
    )
    reasons = {entry.name: unmet(jets.meta, entry.needs) for entry in augmentations}
    found = [ruler.row("none", ruler.batch)]
    for entry in (entry for entry in augmentations if not reasons[entry.name]):
        found.append(ruler.row(entry.name, augment(ruler.batch, (_component(entry, test),), torch_rng("card", seed))))
    left_out = [f"mass, tau32 and trees: {without}"] if without else []
    if not told_apart:
        left_out.append("trees: there are not two jets of each of several classes here; shifts are those of all jets")
    return Card(
        rows=tuple(row for row, _ in found),
        skipped=tuple((name, reason) for name, reason in reasons.items() if reason),
        left_out=tuple(left_out),
        notes=_notes(found, len(test)),
    )


def _notes(found: list[tuple[CardRow, dict[str, int]]], jets: int) -> tuple[str, ...]:
    """What jets as they are do not have, and then where an augmentation changes that."""
    as_they_are = found[0][1]
    told = [found[0], *((row, undefined) for row, undefined in found[1:] if undefined != as_they_are)]
    return tuple(f"{row.augmentation}: {sentence}" for row, undefined in told for sentence in undefined_text(undefined, jets))


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
    return Component(name=entry.name, options=options({"extent": min(half_widths(jets.meta))} if entry.framed else {}))


def _as_jets(jets: Jets, batch: Batch) -> Jets:
    """The deposits of a batch in place of the jets' own."""
    offsets = np.concatenate([[0], np.cumsum(np.bincount(batch.jet.numpy(), minlength=batch.size))])
    return replace(jets, offsets=offsets, eta=batch.eta.numpy(), phi=batch.phi.numpy(), values=batch.values.numpy())


COLUMNS = (
    ("mass", "Δmass/GeV", 10, "+.1f"),
    ("pt_percent", "ΔpT/%", 8, "+.1f"),
    ("outside_percent", "outside/%", 11, ".1f"),
    ("multiplicity", "Δmultiplicity", 15, "+.1f"),
    ("tau32", "Δtau32", 9, "+.3f"),
    ("auc", "trees AUC", 11, ".4f"),
)  # field, heading, width, format


def card_text(card: Card) -> str:
    """Write the card as a plain table, "–" where a number is left out; the AUC is followed by its loss. Below stands what is
    skipped or left out, and why, and which jets have no number for an observable."""
    lines = [f"{'augmentation':<16}{''.join(f'{head:>{width}}' for _, head, width, _ in COLUMNS)}{'loss':>8}"]
    for row in card.rows:
        cells = [_cell(getattr(row, field), width, form) for field, _, width, form in COLUMNS]
        loss = None if row.auc is None or card.rows[0].auc is None else card.rows[0].auc - row.auc
        lines.append(f"{row.augmentation:<16}{''.join(cells)}{_cell(loss, 8, '+.4f')}")
    lines += [f"skipped {name}: {reason}" for name, reason in card.skipped]
    lines += [f"left out: {reason}" for reason in card.left_out]
    return "\n".join([*lines, *(f"note: {note}" for note in card.notes)])


def _cell(value: float | None, width: int, form: str) -> str:
    return f"{'–' if value is None else format(value, form):>{width}}"
