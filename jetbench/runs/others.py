"""The test sets of a run beside its own: other jets, or its own test jets varied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jetbench.data.composition import compose
from jetbench.jets import Jets
from jetbench.jets.scaling import scaled
from jetbench.runs.job import Job
from jetbench.seeds import numpy_rng
from jetbench.spec import Variation

__all__ = ["OtherTest", "open_other"]


@dataclass(frozen=True, eq=False)
class OtherTest:
    """`rows` (n,) are places in the jets of another file, where it `is_other`, and else in the dataset. `jets` are its n jets;
    None where these are the dataset's at the rows, as they are."""

    rows: np.ndarray
    jets: Jets | None
    is_other: bool


def open_other(job: Job, one: Variation, own: Jets, labels: np.ndarray, test: np.ndarray) -> OtherTest:
    """Open another test set of a run on the jets `own`, with labels (n,), of which those at the rows `test` are tested.

    Scaled momenta are computed once for all jets. Which jets are left of a class that is thinned depends on the dataset alone.
    """
    if one.dataset is not None:
        jets = job.also[one.name].jets.open()
        return OtherTest(np.arange(len(jets)), jets, True)
    if one.shares is not None:
        rng = numpy_rng("class-shares", job.spec.dataset.sha256)
        return OtherTest(compose(test, labels[test], own.meta.class_names, one.shares, rng), None, False)
    return OtherTest(test, scaled(own.take(test), one.energy_scale), False)
