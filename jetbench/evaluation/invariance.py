"""The invariance card: what a view does to the physics of a jet, measured before anything is trained.

A view that destroys an observable teaches an encoder to ignore it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from jetbench.data.batch import Batch, JetTensors
from jetbench.jets import Jets
from jetbench.models.fitted import BoostedTrees
from jetbench.seeds import torch_rng
from jetbench.spec import Component, options
from jetbench.statistics.delong import auc
from jetbench.views import augment, augmentations
from jetbench.views.observables import OBSERVABLES, observables

__all__ = ["CardRow", "card_rows", "card_text"]

FRAME = 0.8  # half width of the image's frame


@dataclass(frozen=True)
class CardRow:
    """What a view does on average: shifts of the signal's mass [GeV] and tau32, of the multiplicity, share of the pT outside
    the frame, and the AUC of trees that were fitted on jets as they are."""

    view: str
    mass: float
    pt_percent: float
    outside_percent: float
    multiplicity: float
    tau32: float
    auc: float


def card_rows(jets: Jets, seed: int = 0) -> list[CardRow]:
    """One row per registered augmentation at its default strength, after one for jets as they are.

    Trees are fitted on the first half of the jets (in memory) and tested on the second.
    """
    half = len(jets) // 2
    train, test = jets[:half], jets[half:]
    trees = BoostedTrees()
    trees.fit(observables(train), OBSERVABLES, train.targets["label"], seed, 0.1)
    batch = JetTensors(test).batch(torch.arange(len(test)))
    before = observables(test)
    rows = [_row("none", test, before, before, batch, batch, trees)]
    for entry in augmentations:
        changed = augment(batch, (Component(name=entry.name, options=options({})),), torch_rng("card", seed))
        rows.append(_row(entry.name, test, before, observables(_as_jets(test, changed)), batch, changed, trees))
    return rows


def _as_jets(jets: Jets, batch: Batch) -> Jets:
    """The deposits of a batch in place of the jets' own."""
    offsets = np.concatenate([[0], np.cumsum(np.bincount(batch.jet.numpy(), minlength=batch.size))])
    return replace(jets, offsets=offsets, eta=batch.eta.numpy(), phi=batch.phi.numpy(), values=batch.values.numpy())


def _row(view: str, jets: Jets, before: np.ndarray, after: np.ndarray, old: Batch, new: Batch, trees: BoostedTrees) -> CardRow:
    labels = np.asarray(jets.targets["label"])

    def shift(name: str) -> float:
        column = OBSERVABLES.index(name)
        return float((after - before)[labels == 1, column].mean())

    pt, outside = new.pt(), (new.eta.abs() > FRAME) | (new.phi.abs() > FRAME)
    return CardRow(
        view=view,
        mass=shift("mass"),
        pt_percent=100 * float(pt.sum() / old.pt().sum() - 1),
        outside_percent=100 * float(pt[outside].sum() / pt.sum()),
        multiplicity=shift("multiplicity"),
        tau32=shift("tau32"),
        auc=auc(labels, trees.scores(after)),
    )


def card_text(rows: list[CardRow]) -> str:
    """A plain table; the AUC is followed by its loss."""
    heads = (f"{'Δmass/GeV':>10}", f"{'ΔpT/%':>8}", f"{'outside/%':>11}", f"{'Δmultiplicity':>15}", f"{'Δtau32':>9}")
    lines = [f"{'view':<16}{''.join(heads)}{'trees AUC':>11}{'loss':>8}"]
    for row in rows:
        lines.append(
            f"{row.view:<16}{row.mass:>+10.1f}{row.pt_percent:>+8.1f}{row.outside_percent:>11.1f}{row.multiplicity:>+15.1f}"
            f"{row.tau32:>+9.3f}{row.auc:>11.4f}{rows[0].auc - row.auc:>+8.4f}"
        )
    return "\n".join(lines)
