"""What a suite file and a study file may say alike: jets, arms, and how these are trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, field_validator, model_validator

from jetbench.data.catalog import datasets
from jetbench.recipes import pipelines
from jetbench.registry import nearest
from jetbench.spec import Component, Scalar, Schedule, options
from jetbench.values import Spec

__all__ = ["NAME", "Arm", "Common", "DatasetChoice", "RecipeChoice", "TaskChoice", "VariationChoice"]

NAME = r"^[a-z0-9][a-z0-9-]*$"  # of a suite, a study or a variation of the test jets

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


def _steps(given: Any) -> Any:
    """The steps of a pipeline by its name: `physics`."""
    return pipelines[given].steps if isinstance(given, str) else given


Step = Annotated[Component, BeforeValidator(_component)]
Augmentation = Annotated[tuple[Step, ...], BeforeValidator(_steps)]


class RecipeChoice(Spec):
    """A named recipe with some values replaced. An arm's choice may leave `base` to the suite's."""

    base: str | None = None
    optimizer: Literal["adamw", "adam"] | None = None
    learning_rate: float | None = Field(None, gt=0)
    encoder_rate: float | None = Field(None, gt=0)
    weight_decay: float | None = Field(None, ge=0)
    schedule: Schedule | None = None
    warmup: float | None = Field(None, ge=0, lt=1)
    first_restart: int | None = Field(None, ge=1)
    passes: int | None = Field(None, ge=1)
    loops: int | None = Field(None, ge=1)  # instead of passes: times through the training jets of the label budget
    most_passes: int | None = Field(None, ge=1)  # that loops may come to: large budgets need fewer loops
    batch_size: int | None = Field(None, ge=2)
    epochs: int | None = Field(None, ge=1)
    clip: float | None = Field(None, gt=0)
    select: Literal["last", "best"] | None = None
    select_by: str | None = None
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
    compare an arm with itself. `pool` and `pool_jets` are the shares of classes and the size of its unlabelled pool. `weights` is
    the folder of the imported weights that it starts from, and `scores` the file of those that it is taught by; which these are,
    the instance's references say."""

    labels_only: ClassVar[frozenset[str]] = frozenset({"weights", "scores"})

    model: str
    regime: str
    view: Given = {}
    model_options: Given = {}
    objective_options: dict[str, Given] = {}
    recipes: dict[str, RecipeChoice] = {}
    labels: Budgets = "all"
    seed_offset: int = Field(default=0, ge=0)
    pool: Shares | None = None
    pool_jets: int | None = Field(None, ge=2)
    weights: str | None = None
    scores: str | None = None


class TaskChoice(Spec):
    name: str = "classification"
    options: Given = {}


class DatasetChoice(Spec):
    """A named dataset or a file. Which jets it is, the instance's reference says; the name of a file decides nothing."""

    labels_only: ClassVar[frozenset[str]] = frozenset({"name"})

    name: str
    jets: int | None = Field(None, ge=10)
    seed: int = Field(0, ge=0)
    options: Given = {}  # of the recipe of a simulated dataset


class VariationChoice(Spec):
    """A test set beside the own one: a named dataset or a file, by default of as many jets as the own test set has; or else
    the own test jets once more, their momenta times `energy_scale`, or thinned to other `shares` of the classes."""

    labels_only: ClassVar[frozenset[str]] = frozenset({"name"})

    name: str | None = None
    jets: int | None = Field(None, ge=10)
    seed: int = Field(0, ge=0)
    options: Given = {}
    energy_scale: float | None = Field(None, ge=0.5, le=2.0)
    shares: Shares | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        given = [key for key in ("name", "energy_scale", "shares") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(
                "a test set is other jets, by their `name`, or the own test jets with an `energy_scale` or with other `shares`: "
                f"give one of the three, not {' and '.join(given) or 'none'}"
            )
        if self.name is None and (self.jets, self.seed, self.options) != (None, 0, {}):
            raise ValueError("jets, seed and options belong to other jets, by their `name`")
        if self.energy_scale == 1.0:
            raise ValueError("at the energy_scale 1 it is the own test set itself; take another scale, as in 1.02")
        return self


def _kind(given: Any) -> str:
    """Whether a single test set is given, by the name of its jets, or several by names of their own."""
    single = isinstance(given, DatasetChoice) or (isinstance(given, dict) and isinstance(given.get("name"), str))
    return "one" if single else "several"


Several = Annotated[dict[Annotated[str, Field(pattern=NAME)], VariationChoice], Field(min_length=1)]
OtherTestChoices = Annotated[
    Annotated[DatasetChoice, Tag("one")] | Annotated[Several, Tag("several")],
    Discriminator(_kind),
]


class Common(Spec):
    """What suites and studies settle alike: jets, arms and their trainings."""

    labels_only: ClassVar[frozenset[str]] = frozenset({"precision"})  # the instance has the resolved one

    dataset: DatasetChoice
    unlabelled: DatasetChoice | None = None
    also_test: OtherTestChoices | None = None  # other test sets, on which every run on a budget is scored as well
    task: TaskChoice = TaskChoice()
    sample_weight: str | None = None  # the target of the dataset's jets that weighs them in the supervised loss; None: all alike
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    test_jets: int = Field(ge=10)
    seeds: int = Field(ge=1)
    pool: Shares | None = None  # share of each class in the unlabelled pool; None: as the jets come
    pool_jets: int | None = Field(None, ge=2)  # how many jets of that pool a pretraining sees; None: all
    view: dict[str, Given] = {}
    model_options: dict[str, Given] = {}
    objective_options: dict[str, Given] = {}
    arms: Mapping[str, Arm]
    recipes: dict[str, RecipeChoice]
    few_labels: int | None = None  # below this budget a stage with recipe "x" follows the recipe "x-few"

    @property
    def variations(self) -> dict[str, VariationChoice]:
        """The test sets beside the own one by name; a single one has none. Other jets are as many as the own test jets where
        nothing else is said."""
        given = self.also_test
        if isinstance(given, DatasetChoice):
            given = {"": VariationChoice.model_validate(dict(given))}
        return {name: self._sized(choice) for name, choice in (given or {}).items()}

    def _sized(self, choice: VariationChoice) -> VariationChoice:
        if choice.name not in datasets or choice.jets is not None:
            return choice
        sized: VariationChoice = choice.replace(jets=self.test_jets)
        return sized

    @property
    def encoders(self) -> int:
        """How many pretrainings of an arm the seeds share."""
        return self.seeds

    @field_validator("recipes")
    @classmethod
    def _based(cls, recipes: dict[str, RecipeChoice]) -> dict[str, RecipeChoice]:
        if without := [name for name, choice in recipes.items() if choice.base is None]:
            others = nearest(without[0], set(recipes) - set(without)) if len(recipes) > len(without) else "give it one"
            raise ValueError(f"the recipe {without[0]!r} has no `base`, the name of a recipe that it starts from; {others}")
        return recipes
