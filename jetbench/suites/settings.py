"""What a suite file may say."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from jetbench.registry import nearest
from jetbench.spaces import Space
from jetbench.spec import Component, Scalar, options
from jetbench.values import Spec

__all__ = ["Arm", "DatasetChoice", "Primary", "RecipeChoice", "Settings", "SuiteFile", "TaskChoice", "Tuning"]

Given = dict[str, Scalar]  # options of one component
Budgets = Literal["all", "smallest"] | tuple[int, ...]


def _shares(given: dict[str, float]) -> dict[str, float]:
    if not given or min(given.values()) <= 0 or abs(sum(given.values()) - 1) > 1e-6:
        raise ValueError("the shares of the classes in the pool are positive and add up to 1, as in {qcd: 0.9, top: 0.1}")
    return given


Shares = Annotated[dict[str, float], AfterValidator(_shares)]  # by class name; classes that are not named are absent


def _component(step: Any) -> Any:
    """A name, or a mapping of one name to its options: `rotation`, `translation: {distance: 0.1}`."""
    if isinstance(step, str):
        return Component(name=step)
    if isinstance(step, dict) and len(step) == 1:
        ((name, given),) = step.items()
        if isinstance(given, dict):
            return Component(name=name, options=options(given))
    return step


Augmentation = tuple[Annotated[Component, BeforeValidator(_component)], ...]


class RecipeChoice(Spec):
    """A named recipe with some values replaced. An arm's choice may leave `base` to the suite's."""

    base: str | None = None
    optimizer: Literal["adamw", "adam"] | None = None
    learning_rate: float | None = Field(None, gt=0)
    weight_decay: float | None = Field(None, ge=0)
    schedule: Literal["constant", "cosine", "plateau"] | None = None
    warmup: float | None = Field(None, ge=0, lt=1)
    passes: int | None = Field(None, ge=1)
    loops: int | None = Field(None, ge=1)  # instead of passes: times through the training jets of the label budget
    most_passes: int | None = Field(None, ge=1)  # that loops may come to: large budgets need fewer loops
    batch_size: int | None = Field(None, ge=2)
    epochs: int | None = Field(None, ge=1)
    clip: float | None = Field(None, gt=0)
    select: Literal["last", "best"] | None = None
    patience: int | None = Field(None, ge=1)
    augmentation: Augmentation | None = None

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if self.passes is not None and self.loops is not None:
            raise ValueError(
                "passes and loops both give the length of a training; keep one of them, and remove the other with null"
            )
        if self.passes is not None and self.most_passes is not None:
            raise ValueError("most_passes limits loops, and this recipe gives its length by passes; remove one with null")
        return self

    def over(self, other: RecipeChoice) -> RecipeChoice:
        """Return these values on top of another choice's; passes and loops replace each other."""
        mine = {name: value for name in type(self).model_fields if (value := getattr(self, name)) is not None}
        below = {name: getattr(other, name) for name in type(self).model_fields}
        if "passes" in mine or "loops" in mine:
            below |= {"passes": None, "loops": None}
        if "passes" in mine:
            below["most_passes"] = None
        return RecipeChoice.model_validate(below | mine)


class Arm(Spec):
    """One model under one regime. `view`, `model_options`, `objective_options` and `recipes` are laid over those of the suite,
    key by key. `labels` restricts it to some of the suite's budgets; `seed_offset` gives it other seeds than its rivals, to
    compare an arm with itself."""

    model: str
    regime: str
    view: Given = {}
    model_options: Given = {}
    objective_options: dict[str, Given] = {}
    recipes: dict[str, RecipeChoice] = {}
    labels: Budgets = "all"
    seed_offset: int = Field(default=0, ge=0)
    pool: Shares | None = None


class TaskChoice(Spec):
    name: str = "classification"
    options: Given = {}


class Tuning(Spec):
    """How arms are tuned. `per` "seed": each seed of an arm has a study of its own at each budget, of trainings on its own
    labels, and the trial that wins is its final run; "study": a study per arm and budget, with labels of its own, decides
    for all seeds, whose final runs are trained afterwards. `factors` multiply the recipe's learning rate, so that all arms search
    the same grid; sampler "tpe" searches the range between the smallest and the largest of them instead, and with it all
    parameters of `search`: dotted paths with a range or choices, or null for the default range beside the component."""

    per: Literal["seed", "study"] = "seed"
    sampler: Literal["grid", "tpe"] = "grid"
    factors: tuple[float, ...] = (1.0,)
    search: dict[str, Space | None] = {}
    trials: int | None = Field(None, ge=1)  # of "tpe"; a grid has its own number
    labels: Literal["each", "smallest"] = "each"  # per study: with "smallest" one decides for all budgets

    @model_validator(mode="after")
    def _consistent(self) -> Tuning:
        if not self.factors or min(self.factors) <= 0 or len(set(self.factors)) != len(self.factors):
            raise ValueError("factors are positive and differ from each other")
        if (self.sampler == "tpe") != (self.trials is not None):
            raise ValueError("trials belong to the sampler 'tpe' and are needed there; a grid tries each factor once")
        if self.per == "seed" and self.labels == "smallest":
            raise ValueError("with `labels: smallest` one study decides for all budgets, which is of the kind `per: study`")
        if self.search and self.sampler == "grid":
            raise ValueError("a grid has learning rates alone, by `factors`; search other parameters with the sampler 'tpe'")
        if "recipe.learning_rate" in self.search:
            raise ValueError("the learning rate is searched by `factors`, which give every arm the same range around its recipe")
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


class DatasetChoice(Spec):
    """A named dataset or a file. Which jets it is, the instance's reference says; the name of a file decides nothing."""

    labels_only: ClassVar[frozenset[str]] = frozenset({"name"})

    name: str
    jets: int | None = Field(None, ge=10)
    seed: int = Field(0, ge=0)
    options: Given = {}  # of the recipe of a simulated dataset


class Settings(Spec):
    """A suite at one scale, resolved: everything that decides what is run."""

    labels_only: ClassVar[frozenset[str]] = frozenset({"precision"})  # the instance has the resolved one

    dataset: DatasetChoice
    unlabelled: DatasetChoice | None = None
    also_test: DatasetChoice | None = None  # a second test set, on which every run on a budget is scored as well
    task: TaskChoice = TaskChoice()
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    test_jets: int = Field(ge=10)
    labels: tuple[int, ...] = Field(min_length=1)
    seeds: int = Field(ge=1)
    pretraining_seeds: int | None = Field(None, ge=1)
    fresh_from: int | None = Field(None, ge=1)  # seeds below this one were looked at before; the verdict rests on the others
    pool: Shares | None = None  # share of each class in the unlabelled pool; None: as the jets come
    view: dict[str, Given] = {}
    model_options: dict[str, Given] = {}
    objective_options: dict[str, Given] = {}
    arms: dict[str, Arm] = Field(min_length=1)
    varies: tuple[str, ...]
    recipes: dict[str, RecipeChoice]
    few_labels: int | None = None  # below this budget a stage with recipe "x" follows the recipe "x-few"
    longer: float | None = Field(None, gt=1)  # train the primary arms so many times as long at their largest budget, as a check
    tuning: Tuning | None = None  # None: the recipe's own learning rate for every arm ("identical" protocol)
    primary: Primaries  # one for each encoder that the suite asks about

    @field_validator("labels")
    @classmethod
    def _rising(cls, labels: tuple[int, ...]) -> tuple[int, ...]:
        if list(labels) != sorted(set(labels)) or labels[0] < 10:
            raise ValueError("label budgets rise, and none is below 10")
        return labels

    @field_validator("recipes")
    @classmethod
    def _based(cls, recipes: dict[str, RecipeChoice]) -> dict[str, RecipeChoice]:
        if without := [name for name, choice in recipes.items() if choice.base is None]:
            others = nearest(without[0], set(recipes) - set(without)) if len(recipes) > len(without) else "give it one"
            raise ValueError(f"the recipe {without[0]!r} has no `base`, the name of a recipe that it starts from; {others}")
        return recipes

    @model_validator(mode="after")
    def _named_arms_exist(self) -> Settings:
        for name in (name for one in self.primary for name in (one.arm, one.baseline)):
            if name not in self.arms:
                raise ValueError(f"the primary comparison names the arm {name!r}; {nearest(name, self.arms)}")
        for name, arm in self.arms.items():
            if not isinstance(arm.labels, str) and (strange := sorted(set(arm.labels) - set(self.labels))):
                raise ValueError(f"the arm {name!r} is at {strange[0]} labels, which is none of the budgets")
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
        labels = one.labels
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
