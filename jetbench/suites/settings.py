"""What a suite file may say."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from jetbench.faults import faults
from jetbench.registry import nearest
from jetbench.spaces import Space
from jetbench.suites.choices import NAME, Arm, Common
from jetbench.suites.studies import Sampler
from jetbench.values import Spec

__all__ = ["NAME", "Asked", "Primary", "ScaledFile", "Sensitivity", "Settings", "SuiteFile", "Tuning"]


class Tuning(Spec):
    """How arms are tuned. `per` "seed": each seed of an arm has a study of its own at each budget, of trainings on its own
    labels, and the trial that wins is its final run; "study": a study per arm and budget, with labels of its own, decides
    for all seeds, whose final runs are trained afterwards. `factors` multiply the recipe's learning rate, so that all arms search
    the same grid, or the range between the smallest and the largest of them, and with it all parameters of `search`: dotted paths
    with a range or choices, or null for the default range beside the component. A grid tries all combinations of choices; every
    other sampler makes as many `trials` as it is told. The pruner "asha" stops trials early that are behind."""

    per: Literal["seed", "study"] = "seed"
    sampler: Sampler = "grid"
    factors: tuple[float, ...] = (1.0,)
    search: dict[str, Space | None] = {}
    trials: int | None = Field(None, ge=1)  # a grid has its own number
    pruner: Literal["none", "asha"] = "none"
    labels: Literal["each", "smallest"] = "each"  # per study: with "smallest" one decides for all budgets

    @model_validator(mode="after")
    def _consistent(self) -> Tuning:
        if not self.factors or min(self.factors) <= 0 or len(set(self.factors)) != len(self.factors):
            raise ValueError("factors are positive and differ from each other")
        if (self.sampler != "grid") != (self.trials is not None):
            raise ValueError("trials belong to every sampler but a grid, which tries each combination once, and are needed there")
        if self.per == "seed" and self.labels == "smallest":
            raise ValueError("with `labels: smallest` one study decides for all budgets, which is of the kind `per: study`")
        if "recipe.learning_rate" in self.search:
            raise ValueError("the learning rate is searched by `factors`, which give every arm the same range around its recipe")
        return self


class Sensitivity(Spec):
    """A grid of trainings beside the comparison: each of the `arms` at one label budget, with all seeds of the suite, at every
    combination of factors on the learning rate and on the length of its last stage. The factors 1 and 1 are the arm's own run.
    Nothing is chosen by it."""

    arms: tuple[str, ...] = Field(min_length=1)
    labels: Literal["smallest", "largest"] | int = "smallest"
    learning_rate: tuple[float, ...] = (1.0,)
    length: tuple[float, ...] = (1.0,)

    @model_validator(mode="after")
    def _consistent(self) -> Sensitivity:
        for name in ("learning_rate", "length"):
            factors = getattr(self, name)
            if list(factors) != sorted(set(factors)) or factors[0] <= 0 or 1.0 not in factors:
                raise ValueError(f"the factors of {name} are positive, rise, and have 1 among them, which is the arm's own run")
        if len(self.learning_rate) * len(self.length) == 1:
            raise ValueError("a grid of one point says nothing; give more factors of learning_rate or length")
        if len(set(self.arms)) != len(self.arms):
            raise ValueError("an arm stands there twice")
        return self


class Primary(Spec):
    """A comparison that the suite was made for; the others are corrected for their number, apart from these."""

    arm: str
    baseline: str
    labels: Literal["smallest", "largest"] | int = "smallest"


def _several(given: Any) -> Any:
    """One comparison alone is written as itself, several as a list."""
    return (given,) if isinstance(given, dict | Primary) else given


Primaries = Annotated[tuple[Primary, ...], BeforeValidator(_several), Field(min_length=1)]


class Settings(Common):
    """A suite at one scale, resolved: everything that decides what is run."""

    labels: tuple[int, ...] = Field(min_length=1)
    pretraining_seeds: int | None = Field(None, ge=1)
    fresh_from: int | None = Field(None, ge=1)  # seeds below this one were looked at before; the verdict rests on the others
    arms: dict[str, Arm] = Field(min_length=1)
    varies: tuple[str, ...]
    metrics: tuple[str, ...] = ()  # beside those of the task: what plug-ins add, computed of the stored scores of the test jets
    longer: float | None = Field(None, gt=1)  # train the primary arms so many times as long at their largest budget, as a check
    sensitivity: Sensitivity | None = None  # how far the result of arms hangs on rate and length, beside the comparison
    tuning: Tuning | None = None  # None: the recipe's own learning rate for every arm ("identical" protocol)
    primary: Primaries  # one for each encoder that the suite asks about
    faults: tuple[str, ...] = ()  # that its primary comparisons are made with once more each, on purpose

    @property
    def encoders(self) -> int:
        return self.pretraining_seeds or self.seeds

    @field_validator("labels")
    @classmethod
    def _rising(cls, labels: tuple[int, ...]) -> tuple[int, ...]:
        if list(labels) != sorted(set(labels)) or labels[0] < 10:
            raise ValueError("label budgets rise, and none is below 10")
        return labels

    @field_validator("metrics")
    @classmethod
    def _each_once(cls, metrics: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(metrics)) < len(metrics):
            raise ValueError("each metric stands there once")
        return metrics

    @model_validator(mode="after")
    def _named_arms_exist(self) -> Settings:
        for name in (name for one in self.primary for name in (one.arm, one.baseline)):
            if name not in self.arms:
                raise ValueError(f"the primary comparison names the arm {name!r}; {nearest(name, self.arms)}")
        for name, arm in self.arms.items():
            if not isinstance(arm.labels, str) and (strange := sorted(set(arm.labels) - set(self.labels))):
                told = f"the arm {name!r} is at {strange[0]} labels, which is none of the budgets"
                raise ValueError(f"{told} ({', '.join(map(str, self.labels))}); --set arms.{name}.labels=all takes these")
        for one in self.primary:
            self._check_primary(one)
        if self.pretraining_seeds is not None and self.pretraining_seeds > self.seeds:
            raise ValueError("there cannot be more pretraining seeds than seeds")
        return self

    @model_validator(mode="after")
    def _fresh_seeds_are_fresh(self) -> Settings:
        if self.fresh_from is not None and self.fresh_from >= self.seeds:
            raise ValueError(
                f"no seed is fresh: seeds are numbered from 0 to {self.seeds - 1}, and `fresh_from` is {self.fresh_from}"
            )
        if self.fresh_from is not None and self.pretraining_seeds not in (None, self.seeds):
            raise ValueError("fresh seeds have encoders of their own; leave out `pretraining_seeds` where `fresh_from` is given")
        return self

    @model_validator(mode="after")
    def _faults_are_known(self) -> Settings:
        for name in self.faults:
            if name not in faults:
                raise ValueError(f"there is no fault {name!r}; {nearest(name, (one.name for one in faults))}")
        if len(set(self.faults)) < len(self.faults):
            raise ValueError("faults: each is switched on once, alone")
        if self.faults and self.tuning is not None and self.tuning.per == "study":
            raise ValueError("faults: arms with a fault are tuned by each seed for itself (tuning: per: seed), or not at all")
        return self

    @model_validator(mode="after")
    def _grid_is_of_arms(self) -> Settings:
        if self.sensitivity is None:
            return self
        if self.tuning is not None:
            raise ValueError("sensitivity is a grid around the recipe's own values, which tuning replaces; leave out one of them")
        labels = self.labels_at(self.sensitivity.labels)
        for name in self.sensitivity.arms:
            if name not in self.arms:
                raise ValueError(f"sensitivity names the arm {name!r}; {nearest(name, self.arms)}")
            if labels not in self.budgets(name):
                raise ValueError(f"sensitivity is at {labels} labels, where the arm {name!r} is not")
        return self

    def _check_primary(self, one: Primary) -> None:
        """It is at a budget that both of its arms have; each arm is compared with one baseline, which is compared with none."""
        labels = self.primary_labels(one)
        if labels not in self.labels:
            raise ValueError(f"the primary comparison is at {labels} labels, which is none of the budgets")
        for name in (one.arm, one.baseline):
            if labels not in self.budgets(name):
                raise ValueError(f"the primary comparison is at {labels} labels, where the arm {name!r} is not")
        if one.arm in {other.baseline for other in self.primary}:
            raise ValueError(f"primary: {one.arm!r} is the baseline of a comparison, and so no arm that is compared with another")
        if len(others := {other.baseline for other in self.primary if other.arm == one.arm}) > 1:
            raise ValueError(f"primary: the arm {one.arm!r} has more than one baseline: {', '.join(sorted(others))}")
        if sum((other.arm, self.primary_labels(other)) == (one.arm, labels) for other in self.primary) > 1:
            raise ValueError(f"primary: the comparison of {one.arm!r} at {labels} labels stands there twice")

    def budgets(self, arm: str) -> tuple[int, ...]:
        """Return the label budgets of an arm of this name."""
        return self.budgets_of(self.arms[arm])

    def budgets_of(self, arm: Arm) -> tuple[int, ...]:
        """Return the label budgets of an arm."""
        chosen = arm.labels
        if chosen == "all":
            return self.labels
        if chosen == "smallest":
            return self.labels[:1]
        return tuple(b for b in self.labels if b in chosen)

    def primary_labels(self, one: Primary) -> int:
        """Return the label budget of a primary comparison."""
        return self.labels_at(one.labels)

    def labels_at(self, place: Literal["smallest", "largest"] | int) -> int:
        """Return the label budget that is meant."""
        return place if isinstance(place, int) else self.labels[0 if place == "smallest" else -1]


Asked = Literal["verdicts", "losses", "stability"]


class ScaledFile(BaseModel):
    """What a suite or study file asks, and settings per scale on top of common ones. `remarks` are what was found out about its
    own jets, and are said of no others."""

    model_config = ConfigDict(extra="forbid")

    question: str
    source: str = ""
    expected: str = ""
    remarks: tuple[str, ...] = ()
    default_scale: str = "quick"
    common: dict[str, Any]
    scales: dict[str, dict[str, Any]] = Field(min_length=1)

    @property
    @abstractmethod
    def title(self) -> str:
        """What errors call it."""


class SuiteFile(ScaledFile):
    """`asks` is what its question is about, and its answer begins with: the verdicts on its own test jets, what is lost on other
    ones, or the stability of its arms."""

    suite: str = Field(pattern=NAME)
    asks: Asked = "verdicts"

    @property
    def title(self) -> str:
        return f"suite {self.suite!r}"
