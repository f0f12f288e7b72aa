"""Tables of constituents that a card describes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.agreement import Agreement
from jetbench.formats.card import ConstituentCard
from jetbench.formats.fourvectors import Axis, Constituents, labels, with_rapidity
from jetbench.formats.particles import ENERGY, PT
from jetbench.formats.reader import Reader
from jetbench.formats.sources import ArraySource, Columns, ListSource
from jetbench.jets import Jets, Meta
from jetbench.jets.guard import guarded
from jetbench.jets.ragged import owner_of, owners

__all__ = ["ConstituentTable"]

TOLERANCES = {"pt": 1e-3, "eta": 1e-3, "mass": 1e-2, "constituents": 0.0}  # relative, but for eta and the number


class ConstituentTable(Reader):
    """A file of constituents with its `ConstituentCard`. Padding is where the mask is zero or, without one, where all of a
    constituent's momentum is zero."""

    def __init__(self, path: Path, card: ConstituentCard) -> None:
        self.path, self.card = path, card
        self.meta = Meta(
            channels=(PT, ENERGY, *(channel.channel() for channel in card.channels)),
            class_names=card.class_names,
            extent=card.radius,
            unknown=("jet_phi",) if card.axis == "given" and card.jet_phi is None else (),
            provenance=card.provenance(),
        )
        self._source = (ListSource if card.format == "parquet" else ArraySource)(path, card)
        self.jets, self.block = self._source.jets, self._source.block
        self._agreement = Agreement()

    def read(self, start: int, stop: int) -> tuple[Jets, dict[str, int]]:
        card = self.card
        with guarded(self.path):
            offsets, inner, outer = self._source.read(start, stop)
            targets = {name: outer[place] for name, place in card.targets.items()}
            if card.label is not None:
                targets["label"] = labels(outer[card.label], len(card.class_names), start, self.path)
            channels = {channel.name: inner[channel.place] for channel in card.channels}
            self._check(inner, offsets, start)
            axis = self._axis(outer, stop - start)
            read = Constituents(offsets, self._momentum(inner, offsets, axis), channels, targets, axis)
            jets, repairs = read.jets(self.meta, start, self.path)
            self._compare(jets, outer)
            return jets, repairs

    def close(self) -> None:
        self._source.close()

    def _check(self, inner: Columns, offsets: np.ndarray, start: int) -> None:
        for name, place in self.card.momentum.items():
            if name in ("pt", "mass") and (fault := inner[place] < 0).any():
                row = start + int(owner_of(offsets, fault.argmax()))
                raise DataFileError(f"{self.path}: jet {row} has a constituent of negative {name} in {place!r}")

    def _axis(self, outer: Columns, jets: int) -> Axis:
        if self.card.axis != "given":
            return self.card.axis
        assert self.card.jet_eta is not None  # or it would be no valid card
        return outer[self.card.jet_eta], outer[self.card.jet_phi] if self.card.jet_phi else np.zeros(jets)

    def _momentum(self, inner: Columns, offsets: np.ndarray, axis: Axis) -> np.ndarray:
        scale = 1e-3 if self.card.unit == "MeV" else 1.0
        q: dict[str, np.ndarray] = {name: inner[place] for name, place in self.card.momentum.items()}
        for name in set(q) - {"eta", "rapidity", "phi"}:
            q[name] = q[name] * scale
        if "px" in q:
            momentum = np.column_stack([q["px"], q["py"], q["pz"], q["px"]])
        else:
            if self.card.relative and isinstance(axis, tuple):
                jet = owners(offsets)
                q["eta"], q["phi"] = q["eta"] + axis[0][jet], q["phi"] + axis[1][jet]
            massive = "rapidity" in q and "mass" in q
            rapidity = q["rapidity"] if "rapidity" in q else q["eta"]
            momentum = with_rapidity(q["pt"], rapidity, q["phi"], q["mass"] if massive else np.zeros(1))
        if "energy" in q:
            momentum[:, 3] = q["energy"]
        elif "rapidity" not in q:
            with np.errstate(all="ignore"):  # what overflows is not finite, which is checked
                momentum[:, 3] = np.sqrt((momentum[:, :3] ** 2).sum(axis=1) + q.get("mass", np.zeros(1)) ** 2)
        return momentum

    def _compare(self, jets: Jets, outer: Columns) -> None:
        mine = {"pt": jets.jet_pt, "eta": jets.jet_eta, "mass": jets.targets["mass"], "constituents": np.diff(jets.offsets)}
        for name, place in self.card.checks.items():
            scale = 1e-3 if self.card.unit == "MeV" and name in ("pt", "mass") else 1.0
            relative = name in ("pt", "mass")
            self._agreement.compare(place, mine[name], outer[place] * scale, TOLERANCES[name], relative=relative)
        self.remarks = self._agreement.remarks()
