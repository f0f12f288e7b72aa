"""Whether pretrainings are long enough: a loss that still falls at the end says that there was more to learn from the pool, and
an encoder that hardly moved that it has learnt next to nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from jetbench.report.alarm import ERRORS, FROZEN, Estimate, falling, over_seeds, saturated, still
from jetbench.report.pretrained import Pretrained, noted_by, pretrained
from jetbench.report.results import Results
from jetbench.report.words import count, joined
from jetbench.suites.stages import regimes

__all__ = ["Ending", "endings", "short_pretrainings", "unmoved"]


@dataclass(frozen=True)
class Ending:
    """How the pretrainings of a kind ended: the change of their loss over the last tenth of the steps as a share of it, the mean
    over their encoders, None where they have noted none; and whether validation had seen the best epoch before the last, in the
    median of the encoders."""

    of: Pretrained
    change: Estimate | None
    past_best: bool

    @property
    def short(self) -> bool:
        """Whether they may be too short: the rule of trainings, a loss that falls by more than `ERRORS` errors. Where labels of
        the pool are validated, what falls beyond the best epoch is the loss of jets known by heart."""
        return not self.past_best and self.change is not None and self.change.value < -ERRORS * self.change.error


def endings(results: Results) -> list[Ending]:
    """List how each kind of pretraining behind a finished cell ended."""
    return [_ending(kind, [results.metrics(key) for key in kind.runs]) for kind in pretrained(results)]


def _ending(kind: Pretrained, noted: list[dict[str, float]]) -> Ending:
    told = [one for one in noted if "trained/loss_change" in one]
    change, error = (np.array([one[f"trained/{key}"] for one in told]) for key in ("loss_change", "loss_change_error"))
    kept = [one["cost/passes_to_best"] / one["cost/labelled_passes"] for one in noted if "cost/passes_to_best" in one]
    return Ending(kind, over_seeds(change, error), bool(kept) and float(np.median(kept)) < 1)


def short_pretrainings(results: Results, of: Collection[str] = ()) -> Iterator[str]:
    """Write for each kind of pretraining, or for those that one `of` these arms starts from, that it may be too short, what was
    seen, and what to do."""
    for one in endings(results):
        encoders, arms = count(len(one.of.runs), "encoder"), one.of.arms(list(one.of.runs))
        if one.change and one.short and (not of or set(of) & set(arms)) and _may_gain(results, arms):
            yield (
                f"{one.of.name} may be too short: its loss still falls at the end, by {falling(one.change)} in the last tenth of "
                f"the steps, mean of {encoders}; more `passes` in the recipe `{_recipe(results, arms[0])}` would tell whether "
                f"{joined(arms)} {'gains' if len(arms) == 1 else 'gain'} by it"
            )


def unmoved(results: Results) -> Iterator[str]:
    """Write for each kind of pretraining that has hardly moved its encoders from their random weights what could change that, and
    which arms start from them."""
    for kind in pretrained(results):
        noted = [noted_by(results, key) for key in kind.runs]
        changes = [one["encoder_change"] for one in noted if "encoder_change" in one]
        arms = kind.arms(list(kind.runs))
        if changes and (change := float(np.mean(changes))) < FROZEN and _may_gain(results, arms):
            yield (
                f"{kind.name} is {still(change, _recipe(results, arms[0]))}, mean of {count(len(changes), 'encoder')}: what "
                f"{joined(arms)} {'starts' if len(arms) == 1 else 'start'} from is little more than random"
            )


def _may_gain(results: Results, arms: Collection[str]) -> bool:
    """Tell whether one of these arms could be better at one of its budgets."""
    budgets = results.plan.instance.settings.budgets
    return not all(saturated(results, arm, labels) for arm in arms for labels in budgets(arm) if results.seeds(arm, labels))


def _recipe(results: Results, arm: str) -> str:
    """The key of the suite's recipe that the pretraining of an arm has."""
    stages = regimes[results.plan.instance.settings.arms[arm].regime].stages
    return next(stage.recipe for stage in stages if not stage.on_budget)
