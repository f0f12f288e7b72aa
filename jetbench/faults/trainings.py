"""Faults of how long, at which rate and on what a network is trained."""

from __future__ import annotations

from jetbench.errors import SuiteError
from jetbench.faults.fault import Fault
from jetbench.spec import Recipe, RunSpec

__all__ = ["At1e5", "At1e6", "FrozenEncoder", "NoAugmentation", "TooFewSteps"]

SHORTER = 10


class At1e6(Fault):
    """The encoder has an absolute rate of its own, whatever the recipe's or a study's is."""

    RATE = 1e-6

    def recipe(self, recipe: Recipe) -> Recipe:
        changed: Recipe = recipe.replace(encoder_rate=self.RATE / recipe.learning_rate)
        return changed


class At1e5(At1e6):
    RATE = 1e-5


class FrozenEncoder(Fault):
    def planned(self, spec: RunSpec) -> RunSpec:
        if spec.trains == "head":
            raise SuiteError("the fault 'frozen-encoder' is for an arm that fine-tunes its encoder, and this one does not")
        frozen: RunSpec = spec.replace(trains="head", recipe=spec.recipe.replace(encoder_rate=1.0))
        return frozen


class NoAugmentation(Fault):
    def planned(self, spec: RunSpec) -> RunSpec:
        if not spec.recipe.augmentation:
            raise SuiteError("the fault 'no-augmentation' is for a recipe that augments, and the one of this baseline does not")
        bare: RunSpec = spec.replace(recipe=spec.recipe.replace(augmentation=()))
        return bare


class TooFewSteps(Fault):
    def planned(self, spec: RunSpec) -> RunSpec:
        passes = max(spec.recipe.batch_size, spec.recipe.passes // SHORTER)
        short: RunSpec = spec.replace(recipe=spec.recipe.replace(passes=passes))
        return short
