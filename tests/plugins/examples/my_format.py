"""An npz file of `jets` (n, 30, 3), pT, eta and phi of constituents with zeros as padding, and of `is_top` (n,)."""

import numpy as np

from jetbench.formats import FormatEntry
from jetbench.formats.fourvectors import Constituents, massless, padded
from jetbench.formats.particles import PT
from jetbench.formats.reader import Reader
from jetbench.jets import Meta, Provenance
from jetbench.jets.guard import guarded


class Lab(Reader):
    meta = Meta(channels=(PT,), class_names=("qcd", "top"), extent=0.8, provenance=Provenance(source="our lab"))
    block = 10_000

    def __init__(self, path):
        with guarded(path), path.open("rb") as file:
            found = np.load(file)
            self.path, self.constituents, self.label = path, found["jets"].astype(float), found["is_top"].astype("i4")
        self.jets = len(self.label)

    @classmethod
    def looks_right(cls, path):
        with path.open("rb") as file:
            return set(np.load(file)) == {"jets", "is_top"}

    def blocks(self, start=0):
        for first in range(start, self.jets, self.block):
            x = self.constituents[first : first + self.block]
            momentum = massless(*(padded(x[:, :, i], x[:, :, 0] > 0) for i in range(3)))
            targets = {"label": self.label[first : first + self.block]}
            yield Constituents(momentum, {}, targets).jets(self.meta, first, self.path)

    def close(self):
        del self.constituents


JETBENCH = [FormatEntry("lab-npz", f"{__name__}:Lab", "npz files of our lab")]
