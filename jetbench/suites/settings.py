"""What a suite file may say."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from jetbench.registry import nearest
from jetbench.values import Value

__all__ = ["Arm", "Primary", "Settings", "SuiteFile", "Tuning"]

Scalar = bool | int | float | str
Budgets = Literal["all", "smallest"] | tuple[int, ...]


def _shares(given: dict[str, float]) -> dict[str, float]:
    if not given or min(given.values()) <= 0 or abs(sum(given.values()) - 1) > 1e-6:
        raise ValueError("the shares of the classes in the pool are positive and add up to 1, as in {qcd: 0.9, top: 0.1}")
    return given


Shares = Annotated[dict[str, float], AfterValidator(_shares)]  # by class name; classes that are not named are absent


class Arm(Value):
    """One model under one regime. `labels` restricts it to some of the suite's budgets; `seed_offset` gives it other seeds
    than its rivals, to compare an arm with itself."""

    model: str
    regime: str
    options: dict[str, Scalar] = {}
    labels: Budgets = "all"
    seed_offset: int = 0
    pool: Shares | None = None


class View(Value):
    """What networks see. Jets that are pixels already are shown on their own grid, `rebin`×`rebin` of its pixels in one. Other
    jets are rendered in `pixels`×`pixels` over ±`extent` around the axis, by default the jets' own extent (their radius), or 0.8
    where they tell none. Each key is without effect on the other kind of jets, but for `rebin`, which constituents refuse."""

    name: Literal["image"] = "image"
    pixels: int = Field(default=32, ge=4, le=256)
    extent: float | None = Field(default=None, gt=0)
    rebin: int = Field(default=1, ge=1)


class Tuning(Value):
    """A study per arm and budget. `factors` multiply the recipe's learning rate, so that all arms search the same grid;
    sampler "tpe" searches the range between the smallest and the largest of them instead."""

    sampler: Literal["grid", "tpe"] = "grid"
    factors: tuple[float, ...] = (1.0,)
    trials: int | None = Field(None, ge=1)  # of "tpe"; a grid has its own number
    labels: Literal["each", "smallest"] = "each"  # with "smallest" one study decides for all budgets

    @model_validator(mode="after")
    def _consistent(self) -> Tuning:
        if not self.factors or min(self.factors) <= 0 or len(set(self.factors)) != len(self.factors):
            raise ValueError("factors are positive and differ from each other")
        if (self.sampler == "tpe") != (self.trials is not None):
            raise ValueError("trials belong to the sampler 'tpe' and are needed there; a grid tries each factor once")
        return self


class Primary(Value):
    """The one comparison that the suite was made for; all others are corrected for their number."""

    arm: str
    baseline: str
    labels: Literal["smallest", "largest"] | int = "smallest"


class RecipeChoice(Value):
    """A named recipe with some values replaced."""

    base: str
    learning_rate: float | None = Field(None, gt=0)
    weight_decay: float | None = Field(None, ge=0)
    passes: int | None = Field(None, ge=1)
    loops: int | None = Field(None, ge=1)  # instead of passes: times through the training jets of the label budget
    batch_size: int | None = Field(None, ge=2)
    epochs: int | None = Field(None, ge=1)
    warmup: float | None = Field(None, ge=0, lt=1)
    clip: float | None = Field(None, gt=0)


class DatasetChoice(Value):
    name: str
    jets: int | None = Field(None, ge=10)
    seed: int = Field(0, ge=0)
    options: dict[str, Scalar] = {}  # of the recipe of a simulated dataset


class Settings(Value):
    """A suite at one scale, resolved: everything that decides what is run."""

    dataset: DatasetChoice
    unlabelled: DatasetChoice | None = None
    test_jets: int = Field(ge=10)
    labels: tuple[int, ...] = Field(min_length=1)
    seeds: int = Field(ge=1)
    pretraining_seeds: int | None = Field(None, ge=1)
    pool: Shares | None = None  # share of each class in the unlabelled pool; None: as the jets come
    view: View = View()
    model_options: dict[str, dict[str, Scalar]] = {}
    objective_options: dict[str, dict[str, Scalar]] = {}
    arms: dict[str, Arm] = Field(min_length=1)
    varies: tuple[Literal["model", "regime", "pool", "seed", "options"], ...]
    recipes: dict[str, RecipeChoice]
    few_labels: int | None = None  # below this budget the supervised stage follows the recipe "supervised-few"
    tuning: Tuning | None = None  # None: the recipe's own learning rate for every arm ("identical" protocol)
    primary: Primary

    @field_validator("labels")
    @classmethod
    def _rising(cls, labels: tuple[int, ...]) -> tuple[int, ...]:
        if list(labels) != sorted(set(labels)) or labels[0] < 10:
            raise ValueError("label budgets rise, and none is below 10")
        return labels

    @model_validator(mode="after")
    def _named_arms_exist(self) -> Settings:
        for name in (self.primary.arm, self.primary.baseline):
            if name not in self.arms:
                raise ValueError(f"the primary comparison names the arm {name!r}; {nearest(name, self.arms)}")
        for name, arm in self.arms.items():
            if not isinstance(arm.labels, str) and (strange := sorted(set(arm.labels) - set(self.labels))):
                raise ValueError(f"the arm {name!r} is at {strange[0]} labels, which is none of the budgets")
        if isinstance(self.primary.labels, int) and self.primary.labels not in self.labels:
            raise ValueError(f"the primary comparison is at {self.primary.labels} labels, which is none of the budgets")
        for name in (self.primary.arm, self.primary.baseline):
            if self.primary_labels() not in self.budgets(name):
                raise ValueError(f"the primary comparison is at {self.primary_labels()} labels, where the arm {name!r} is not")
        if self.pretraining_seeds is not None and self.pretraining_seeds > self.seeds:
            raise ValueError("there cannot be more pretraining seeds than seeds")
        return self

    def budgets(self, arm: str) -> tuple[int, ...]:
        """The label budgets of an arm."""
        chosen = self.arms[arm].labels
        if chosen == "all":
            return self.labels
        if chosen == "smallest":
            return self.labels[:1]
        return tuple(b for b in self.labels if b in chosen)

    def primary_labels(self) -> int:
        labels = self.primary.labels
        return labels if isinstance(labels, int) else self.labels[0 if labels == "smallest" else -1]


class SuiteFile(BaseModel):
    """A suite file: what it asks, what it costs, and settings per scale on top of common ones."""

    model_config = ConfigDict(extra="forbid")

    suite: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    question: str
    source: str = ""
    expected: str = ""
    default_scale: str = "quick"
    common: dict[str, Any]
    scales: dict[str, dict[str, Any]] = Field(min_length=1)
