"""How fast trainings are: what is assumed of a model, and what the finished runs of a store say of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from jetbench.errors import StoreError
from jetbench.models import models
from jetbench.models.halvings import halvings
from jetbench.objectives import passes_beside
from jetbench.spec import RunSpec
from jetbench.tracking.ledger import Ledger

__all__ = ["RUN_SECONDS", "Measured", "Remaining", "pace", "run_cost", "run_passes"]

PIXELS = 32 * 32  # of the image that the pace of a model on images is for: its time grows with those that its stages look at
NARROW = 64  # channels of the widest stage with which a network counts as narrow
RUN_SECONDS = 1.5  # of a run beside its passes: process, data, evaluation, pictures
ENOUGH = 1.0  # seconds of training from which on a model counts as measured


def run_passes(spec: RunSpec) -> int:
    """Return the passes of a run, those of the pool beside its budget among them; what is fitted makes none."""
    fitted = models[spec.model.name].kind != "network"
    return 0 if fitted else spec.recipe.passes * (1 + passes_beside(spec.objective))


def run_cost(spec: RunSpec) -> float:
    """Return what a run costs beside others, in seconds at the assumed pace: its passes, and what it takes without any."""
    return run_passes(spec) / pace(spec) + RUN_SECONDS


def pace(spec: RunSpec) -> float:
    """Return the passes per second and core where nothing has been measured yet."""
    model, given, pixels = models[spec.model.name], spec.model.keywords(), _pixels(spec)
    if model.wide and set(model.published) <= set(given.items()):
        return model.wide
    narrow = "stages" in given and max(map(int, given["stages"].split("-"))) <= NARROW
    return (model.narrow if narrow and model.narrow else model.pace) * (PIXELS / pixels if pixels else 1.0)


def _pixels(spec: RunSpec) -> float:
    """How many pixels of an image the model's stages look at, on which nearly all of its time goes: each halving of both sides by
    its stem leaves a quarter of them. Zero of what is no image."""
    view = spec.view.keywords()
    rows, columns = (view["pixels"],) * 2 if "pixels" in view else (view.get("rows", 0), view.get("columns", 0))
    return rows * columns / 4 ** halvings(rows, columns) if models[spec.model.name].halves else rows * columns


@dataclass
class Measured:
    """What finished networks took, by model, in seconds, beside what was assumed of them."""

    took: dict[str, float] = field(default_factory=dict)
    assumed: dict[str, float] = field(default_factory=dict)

    def add(self, finished: Iterable[tuple[str, RunSpec]], ledger: Ledger) -> None:
        """Add finished runs, by their key; one without readable costs says nothing."""
        for key, spec in finished:
            if not (passes := run_passes(spec)):
                continue
            with suppress(StoreError, KeyError):
                seconds, model = ledger.metrics(key)["cost/seconds"], spec.model.name
                self.took[model] = self.took.get(model, 0.0) + seconds
                self.assumed[model] = self.assumed.get(model, 0.0) + passes / pace(spec)

    def slower(self, model: str) -> float:
        """Return how many times as long as assumed the runs of a model take; 1 where too little was measured."""
        return self.took[model] / self.assumed[model] if self.knows(model) else 1.0

    def likely(self, model: str) -> float:
        """Return how many times as long as assumed the runs of a model take, of one that was not measured those of all that
        were."""
        took, assumed = sum(self.took.values()), sum(self.assumed.values())
        return self.slower(model) if self.knows(model) or took <= ENOUGH else took / assumed

    def knows(self, model: str) -> bool:
        return self.took.get(model, 0.0) > ENOUGH

    def seconds(self, spec: RunSpec, passes: float) -> float:
        """Return how long so many passes of a run should take."""
        return passes / pace(spec) * self.slower(spec.model.name)


class Remaining:
    """What of a plan is ahead and what was trained since it was begun, at the assumed pace: the time left is that of what is
    ahead at the rate so far, once finished runs tell how much longer than others each model takes."""

    def __init__(self, specs: Iterable[RunSpec]) -> None:
        self.measured = Measured()
        self.ahead: defaultdict[str, float] = defaultdict(float)  # by model, seconds of passes
        self.behind: defaultdict[str, float] = defaultdict(float)
        self.runs_ahead = self.runs_behind = 0
        for spec in specs:
            self.ahead[spec.model.name] += run_passes(spec) / pace(spec)
            self.runs_ahead += 1

    def book(self, spec: RunSpec, trained: bool) -> None:
        """Take a run that has ended from what is ahead; whether it was `trained` now, or skipped."""
        seconds = run_passes(spec) / pace(spec)
        self.ahead[spec.model.name] -= seconds
        self.runs_ahead -= 1
        if trained:
            self.behind[spec.model.name] += seconds
            self.runs_behind += 1

    def left(self, elapsed: float) -> float | None:
        """Return the seconds left, after so many in which runs were trained; None before the first has ended."""
        ahead, behind = self._cost(self.ahead, self.runs_ahead), self._cost(self.behind, self.runs_behind)
        return elapsed * max(0.0, ahead) / behind if behind else None

    def _cost(self, seconds: Mapping[str, float], runs: int) -> float:
        return sum(self.measured.likely(model) * one for model, one in seconds.items()) + runs * RUN_SECONDS
