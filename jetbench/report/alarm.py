"""Whether labels or compute limit an arm at a label budget: a comparison of arms that stop before they have learnt what their
labels can teach says nothing about labels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from jetbench.models import models
from jetbench.report.pretrained import of_encoders
from jetbench.report.results import Results
from jetbench.report.words import count, gain, is_perfect, number, quantity, signed
from jetbench.statistics.means import Mean
from jetbench.statistics.rounding import with_error
from jetbench.suites.roles import Role
from jetbench.suites.stages import regimes
from jetbench.tasks.task import Metric, Task

__all__ = [
    "Alarm",
    "Estimate",
    "Signs",
    "alarms",
    "change_text",
    "early",
    "falling",
    "frozen",
    "is_head_alone",
    "length_counts",
    "limit_lines",
    "limit_text",
    "limited",
    "over_seeds",
    "saturated",
    "signs",
    "still",
    "times_text",
]

ERRORS = 2.0  # a loss falls, and a longer training gains, where it does by more than so many errors
MARGINS = 10  # of equivalence: where the training metric is ahead by more, a loss that falls is that of jets known by heart
CHANGE = "trained/encoder_change"
EARLY = 0.2  # a best epoch before this share of the passes: what follows has learnt the training jets by heart
FROZEN = 0.05  # an encoder whose weights moved by a smaller share of their length still is what it was drawn as


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its error."""

    value: float
    error: float


@dataclass(frozen=True)
class Signs:
    """What the seeds of an arm at a budget say of the length of their trainings, None where they say nothing: the mean metric on
    the training jets without augmentation and on the test jets, each with both of its errors; the change of the training loss
    over the last tenth of the steps as a share of that loss; the relative change of the encoder's weights in the training on the
    budget, since those that it started with, and in the pretraining before it, since random ones; the gain of a training
    `times` as long; the gain over the next smaller budget, `fewer` labels, where each of those was seen more often; and the test
    metric of the strongest `floor`, which is called so."""

    trained: Estimate | None = None
    tested: Estimate | None = None
    loss_change: Estimate | None = None
    encoder_change: float | None = None
    pretraining_change: float | None = None
    gain: Estimate | None = None
    times: float = 1.0
    more_labels: Estimate | None = None
    fewer: int = 0
    floor: Estimate | None = None
    floor_name: str = ""

    @property
    def unseen(self) -> float | None:
        """The smallest gain by a longer training that calls the alarm: a smaller one stays unseen, be it real or not."""
        return ERRORS * self.gain.error if self.gain else None


class Alarm(NamedTuple):
    """What was seen of a training that may be too short. `tested`: it exceeds its error; else it is a hint."""

    seen: str
    tested: bool


def over_seeds(values: np.ndarray, errors: np.ndarray) -> Estimate | None:
    """Average values (n,) with errors (n,) of their own. The error of the mean is the larger one of what these give and of what
    the spread between the seeds gives: few seeds may agree by luck."""
    n = len(values)
    if not n or len(errors) != n:
        return None
    between = float(values.std(ddof=1)) / math.sqrt(n) if n > 1 else 0.0
    return Estimate(float(values.mean()), max(math.sqrt(float(errors @ errors)) / n, between))


def length_counts(results: Results, arm: str) -> bool:
    """Tell whether the length of an arm's training counts: that of networks that are trained whole on true labels. What trains a
    head alone is limited by its encoder, and a fit ends by itself."""
    chosen = results.plan.instance.settings.arms[arm]
    last = regimes[chosen.regime].stages[-1]
    return models[chosen.model].kind == "network" and last.trains == "all" and last.labels == "true"


def is_head_alone(results: Results, arm: str) -> bool:
    """Tell whether an arm is a network of which a head alone is trained on the budget."""
    chosen = results.plan.instance.settings.arms[arm]
    return models[chosen.model].kind == "network" and regimes[chosen.regime].stages[-1].trains == "head"


def signs(results: Results, arm: str, labels: int) -> Signs:
    """Collect the signs of an arm at a budget from its finished seeds."""

    def values(key: str) -> np.ndarray:
        return results.values(arm, labels, key)

    key, tested = results.metric.key, results.mean(arm, labels)
    more_labels, fewer = _more_labels(results, arm, labels)
    floor, floor_name = _strongest_floor(results, labels)
    return Signs(
        trained=over_seeds(values(f"trained/{key}"), values(f"trained/{key}_se")),
        tested=_estimate(tested) if tested else None,
        loss_change=over_seeds(values("trained/loss_change"), values("trained/loss_change_error")),
        encoder_change=_mean(values(CHANGE)),
        pretraining_change=_mean(of_encoders(results, arm, labels, "encoder_change")),
        gain=_gain(results, arm, labels),
        times=results.plan.instance.settings.longer or 1.0,
        more_labels=more_labels,
        fewer=fewer,
        floor=floor,
        floor_name=floor_name,
    )


def _estimate(mean: Mean) -> Estimate:
    return Estimate(mean.mean, math.hypot(mean.seed_error or 0.0, mean.test_error))


def _strongest_floor(results: Results, labels: int) -> tuple[Estimate | None, str]:
    """The test metric of the best floor at a budget, and its name."""
    floors = [arm for arm, role in results.plan.roles.items() if role is Role.FLOOR]
    found = {arm: _estimate(mean) for arm in floors if (mean := results.mean(arm, labels))}
    best = max(found, key=lambda arm: gain(results.metric, found[arm].value), default="")
    return found.get(best), best


def _more_labels(results: Results, arm: str, labels: int) -> tuple[Estimate | None, int]:
    """What an arm gains over its next smaller budget, and that budget, where it has gone over those labels more often and no
    longer training says what that costs; with the error between seeds, since the test jets are the same."""
    fewer = max((n for n in results.plan.instance.settings.budgets(arm) if n < labels), default=0)
    asked = fewer and (arm, labels) not in results.longer
    if not asked or not _loops(results, arm, labels) < _loops(results, arm, fewer):
        return None, 0
    here, there = results.headlines(arm, labels), results.headlines(arm, fewer)
    if min(len(here), len(there)) < 2:
        return None, 0
    error = math.sqrt(here.var(ddof=1) / len(here) + there.var(ddof=1) / len(there))
    return Estimate(gain(results.metric, float(here.mean() - there.mean())), error), fewer


def _loops(results: Results, arm: str, labels: int) -> float:
    """How often an arm goes over its labels, to two digits, since passes are whole batches; 0 where that is not known."""
    passes = results.values(arm, labels, "cost/labelled_passes")
    return float(f"{passes.mean() / labels:.2g}") if len(passes) else 0.0


def _gain(results: Results, arm: str, labels: int) -> Estimate | None:
    """What a longer training gains on the same labels. Its error is that of the test sample together with that of the difference
    of two trainings, taken from the spread between the arm's seeds. The two share their labels, so that this error is rather too
    large: a gain that is real may stay below twice of it, and the absence of an alarm proves nothing."""
    pair, seeds = results.longer.get((arm, labels)), results.headlines(arm, labels)
    if pair is None or len(seeds) < 2:
        return None
    error = math.hypot(math.sqrt(pair.variance_of_mean), math.sqrt(2) * float(seeds.std(ddof=1)))
    return Estimate(gain(results.metric, float(pair.values[0] - pair.baselines[0])), error)


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def limited(results: Results, arm: str, labels: int) -> tuple[Alarm, ...]:
    """Return the signs that compute limits an arm at a budget; empty where none speaks for it."""
    return tuple(alarms(results.task, results.metric, signs(results, arm, labels))) if length_counts(results, arm) else ()


def alarms(task: Task, metric: Metric, found: Signs) -> Iterator[Alarm]:
    """Apply the rule: each sign that calls the alarm. `metric` is the headline of the task; where the test metric cannot be
    better, none does."""
    if found.tested is not None and is_perfect(metric, found.tested.value):
        return
    if found.gain and found.gain.value > ERRORS * found.gain.error:
        size = signed(metric, found.gain.value if metric.larger_is_better else -found.gain.value)
        yield Alarm(
            f"{times_text(found.times)} as long gives {quantity(metric, f'{size} ± {number(metric, found.gain.error)}')}", True
        )
    if found.more_labels and found.more_labels.value <= ERRORS * found.more_labels.error:
        size = signed(metric, found.more_labels.value if metric.larger_is_better else -found.more_labels.value)
        error = number(metric, found.more_labels.error)
        seen = f"no gain is shown over {count(found.fewer)} labels, each of which it saw more often"
        yield Alarm(f"{seen} ({quantity(metric, f'{size} ± {error}')}: a hint)", False)
    known = False
    if found.trained is not None and found.tested is not None:
        ahead = gain(metric, found.trained.value - found.tested.value)
        known = ahead > MARGINS * task.margin(found.tested.value)
        if ahead <= 0:
            pair = f"{number(metric, found.trained.value)} against {quantity(metric, number(metric, found.tested.value))}"
            error = number(metric, math.hypot(found.trained.error, found.tested.error))
            seen = f"the training {metric.name} is no better than the test {metric.name} ({pair}, ±{error} between them: a hint)"
            yield Alarm(seen, False)
    if seen := _below_floor(metric, found):
        yield Alarm(seen, False)
    if (change := found.loss_change) and change.value < -ERRORS * change.error and not known:
        yield Alarm(f"the training loss still falls, by {falling(change)} in the last tenth", True)


def _below_floor(metric: Metric, found: Signs) -> str:
    """Say that a network tells its own training jets worse than the strongest floor does jets that it has not seen; empty
    where it does not by more than the error of the difference allows."""
    if found.floor is None or found.trained is None:
        return ""
    behind = gain(metric, found.floor.value - found.trained.value)
    if behind <= ERRORS * math.hypot(found.floor.error, found.trained.error):
        return ""
    pair = f"{number(metric, found.trained.value)} against {quantity(metric, number(metric, found.floor.value))}"
    return f"the training {metric.name} is worse than the test {metric.name} of the floor {found.floor_name} ({pair}: a hint)"


def times_text(times: float) -> str:
    """Write a factor as in "twice" or "1.5 times"."""
    return "twice" if times == 2 else f"{times:g} times"


def change_text(found: Estimate | None) -> str:
    """Write the change of a loss with its error: "−12.0 ± 5.0 %"; a dash without any."""
    if found is None:
        return "–"
    told = with_error(100 * abs(found.value), 100 * found.error)
    return f"{'−' if found.value < 0 else '+'}{told} %"


def falling(change: Estimate) -> str:
    """Write by how much a loss falls, with the digits of `change_text`: "12.0 ± 5.0 %"."""
    return f"{with_error(-100 * change.value, 100 * change.error)} %"


def limit_text(found: tuple[Alarm, ...]) -> str:
    """Say what was seen, and that compute limits an arm only where a test stands behind it; empty without an alarm."""
    seen = "; ".join(one.seen for one in found)
    return f"{'' if any(one.tested for one in found) else 'perhaps '}limited by compute: {seen}" if found else ""


def limit_lines(results: Results, arms: tuple[str, ...]) -> Iterator[str]:
    """Write a line for each of the arms and its budgets at which compute limits it, or may."""
    for arm in arms:
        for labels in results.plan.instance.settings.budgets(arm):
            if said := limit_text(limited(results, arm, labels)):
                yield f"{arm} at {count(labels)} labels is {said}"


def saturated(results: Results, arm: str, labels: int) -> str:
    """Say that an arm's test metric is, as it is written, the best that there is; empty where it is not."""
    tested, metric = results.mean(arm, labels), results.metric
    if tested is None or not is_perfect(metric, tested.mean):
        return ""
    best = quantity(metric, number(metric, tested.mean))
    return f"saturated: its test {metric.name} is {best} as it is written, so that no gain can be seen in it"


def early(results: Results, arm: str, labels: int) -> str:
    """Say that an arm was past its best soon after it began, by the median of its seeds; empty where it was not. What such an arm
    keeps is hardly trained: neither its labels nor compute limit it, but its recipe."""
    best, passes = (results.values(arm, labels, f"cost/{name}") for name in ("passes_to_best", "labelled_passes"))
    if not length_counts(results, arm) or not len(best) or len(best) != len(passes):
        return ""
    share = float(np.median(best / passes))
    if share >= EARLY:
        return ""
    cause = "it learns its jets by heart (a lower learning rate, augmentation)"
    return f"past its best after {100 * share:.2g} % of its passes: {cause}"


def frozen(results: Results, arm: str, labels: int) -> str:
    """Say that a training from scratch has hardly moved its encoder from its random weights; empty where it has. An encoder that
    was trained before may stay where it was, and a regime may freeze one."""
    chosen = results.plan.instance.settings.arms[arm]
    stages, change = regimes[chosen.regime].stages, signs(results, arm, labels).encoder_change
    if len(stages) > 1 or stages[0].trains != "all" or stages[0].external or change is None or change >= FROZEN:
        return ""
    return still(change, stages[0].recipe)


def still(change: float, recipe: str) -> str:
    """Say by how little random weights have moved, and which of the suite's recipes could change that."""
    return (
        f"practically frozen: the encoder's random weights moved by {100 * change:.2g} % (a higher learning rate or more "
        f"`passes` in the recipe `{recipe}`)"
    )
