"""What a fault can do to a run: at each of these places a run without one goes on as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.faults import faults

if TYPE_CHECKING:
    import numpy as np

    from jetbench.data.splits import Split
    from jetbench.spec import Recipe, RunSpec
    from jetbench.training.bundle import Preprocessing

__all__ = ["Fault", "fault_of"]


class Fault:
    """No fault at all: every method gives back what it is given. A fault overrides the places at which it acts."""

    def planned(self, spec: RunSpec) -> RunSpec:
        """Return the run as it is planned with the fault. Raises `SuiteError` where it would change nothing."""
        return spec

    def recipe(self, recipe: Recipe) -> Recipe:
        """Return the recipe that is trained by, once nothing of it waits for a study."""
        return recipe

    def split(self, split: Split, labels: np.ndarray, events: np.ndarray, spec: RunSpec) -> Split:
        """Return the split of the dataset's n jets, with labels (n,) and event ids (n,), that the run has."""
        return split

    def watched(self, split: Split) -> np.ndarray:
        """Return the rows that each epoch is validated on."""
        return split.validation

    def pool(self, rows: np.ndarray, split: Split) -> np.ndarray:
        """Return the rows of the unlabelled pool that a pretraining sees, from those that it should see."""
        return rows

    def preprocessing(self, preprocessing: Preprocessing) -> Preprocessing:
        """Return what the jets are shown through."""
        return preprocessing


def fault_of(spec: RunSpec) -> Fault:
    """Return what spoils a run, which is nothing for an honest one."""
    if spec.fault is None:
        return Fault()
    code: type[Fault] = faults[spec.fault].load()
    return code()
