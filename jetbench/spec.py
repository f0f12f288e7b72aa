"""What a training is, as frozen values: equal specs have equal digests, and a digest names a run's folder.

Nothing here imports torch. A spec holds tuples, never dicts, so that it can be hashed and cannot be changed in passing.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from jetbench.errors import SuiteError
from jetbench.values import Spec

__all__ = [
    "AUGMENTATION",
    "Chosen",
    "Component",
    "DatasetRef",
    "Options",
    "OtherTests",
    "PluginRef",
    "Recipe",
    "RunSpec",
    "Scalar",
    "Schedule",
    "ScoresRef",
    "Variation",
    "WeightsRef",
    "normalised",
    "options",
    "variations",
]

Scalar = bool | int | float | str | None
Schedule = Literal["constant", "cosine", "one-cycle", "plateau", "warm-restarts"]  # of learning rates
Options = tuple[tuple[str, Scalar], ...]


def options(values: Mapping[str, Any]) -> Options:
    """Sort keyword options into their canonical order."""
    return tuple(sorted(values.items()))


def normalised(given: Mapping[str, Any], defaults: Options) -> Options:
    """Sort options and leave out those that say what the default says; 1 is written 1.0 where the default is a float."""
    usual = dict(defaults)
    values = {
        name: float(value) if isinstance(usual.get(name), float) and type(value) is int else value
        for name, value in given.items()
    }
    return options({name: value for name, value in values.items() if name not in usual or usual[name] != value})


class PluginRef(Spec):
    """A plug-in by the sha256 of its source: of a local file its own, of what is installed that of all Python files of the
    package that an entry point names. For people `file` is the path as it was given, `distribution` and `version` what is
    installed."""

    labels_only: ClassVar[frozenset[str]] = frozenset({"file", "distribution", "version"})

    sha256: str
    file: str = ""
    distribution: str = ""
    version: str = ""

    @property
    def name(self) -> str:
        """The name of the file, or of the distribution with its version."""
        return Path(self.file).name if self.file else f"{self.distribution} {self.version}"

    @property
    def option(self) -> str:
        """What a command needs besides for the names that it adds, " --plugin FILE"; nothing for what is installed."""
        return f" --plugin {shlex.quote(self.file)}" if self.file else ""

    @property
    def text(self) -> str:
        """The name with the first digits of the digest."""
        return f"{self.name} ({self.sha256[:12]})"


class Component(Spec):
    """A registered component at a revision, with its options, and the plug-in that it comes from; None for a built-in one."""

    name: str
    revision: int = 1
    options: Options = ()
    plugin: PluginRef | None = None

    def keywords(self) -> dict[str, Any]:
        return dict(self.options)


class DatasetRef(Spec):
    """A dataset by the seed key of its recipe (simulated) or the sha256 of its content (a file). The name is for people: the same
    jets in a file of another name are the same dataset."""

    labels_only: ClassVar[frozenset[str]] = frozenset({"name"})

    name: str
    sha256: str


class Variation(Spec):
    """A test set beside the own one, under the `name` that the suite gives it, empty where it is the only one: the jets of
    another `dataset`, or else the own test jets once more, with every momentum times `energy_scale`, or thinned at random until
    the classes have these `shares`."""

    name: str
    dataset: DatasetRef | None = None
    energy_scale: float = 1.0
    shares: tuple[tuple[str, float], ...] | None = None


OtherTests = DatasetRef | tuple[Variation, ...] | None  # a single one stands for itself


class WeightsRef(Spec):
    """Imported weights by the sha256 of their file. The name is the folder that holds them, for people."""

    labels_only: ClassVar[frozenset[str]] = frozenset({"name"})

    name: str
    sha256: str


class ScoresRef(Spec):
    """Stored scores of a teacher by the sha256 of its probabilities. The name is the file that holds them, and `teacher` says who
    that is and what labels it was told, both for people."""

    labels_only: ClassVar[frozenset[str]] = frozenset({"name", "teacher"})

    name: str
    teacher: str
    sha256: str


class Chosen(Spec):
    """A scalar of a run that a study decides: the place of the scalar in the spec, as in "recipe.learning_rate" or
    "model.dropout", with "pretraining." in front in a run that another one starts from, and the study's digest, which is known
    before anything has run."""

    path: str
    study: str


class Recipe(Spec):
    """Optimiser, schedule, length and augmentation of one training. Lengths are passes: one jet seen once (or one augmented view
    of it, in self-supervised training) is one pass; an epoch is 1/`epochs` of all passes, not a loop over the data."""

    labels_only: ClassVar[frozenset[str]] = frozenset({"name"})

    name: str
    learning_rate: float
    encoder_rate: float = 1.0  # factor on the learning rate for an encoder that was trained before
    optimizer: Literal["adamw", "adam"] = "adamw"
    weight_decay: float = 0.0
    schedule: Schedule = "cosine"
    warmup: float = 0.0  # share of all steps in which the rate rises: linear from zero, half a cosine in one cycle
    first_restart: int = 10  # epochs from the warm-up to the first warm restart; each later stretch is twice the one before
    passes: int = 0
    batch_size: int = 64
    epochs: int = 1
    clip: float | None = None  # largest norm of the gradient
    select: Literal["last", "best"] = "last"  # which epoch's weights are kept
    select_by: str = "loss"  # the task's metric of the validation that tells the best epoch
    patience: int | None = None  # epochs without a better validation before the training stops
    augmentation: tuple[Component, ...] = ()


COMPONENTS = ("task", "model", "view", "objective")
AUGMENTATION = "recipe.augmentation."  # before the name of a step and of its option, in the path of a strength


class RunSpec(Spec):
    """One training and its evaluation.

    `data` is what it is trained on: the pool of unlabelled jets, the pool with its labels, a label budget, or a budget and the
    pool together. `labels` is the size of that budget, validation labels included, and None for the pools. `also_test` are the
    test sets beside the own one on which a run on a budget is scored as well. `targets` says which labels it sees, or that it
    sees the `scores` of a teacher in their place; `trains` what of the network is trained. `sample_weight` is the target of the
    jets that weighs them in its loss. `start` is the digest of the run that this one starts from: it has the preprocessing of
    that run, and `takes` its encoder alone or its head as well; `weights` are imported ones, which it starts from instead. The
    values at the paths of `chosen` are placeholders until their studies have decided. `fault` is the name of what is done wrong
    on purpose, in it or in what it starts from: such a run is nobody's but a suite's that declares the fault.
    """

    protocol: int = 2  # raised by hand when splits, batches or evaluation change their numbers
    dataset: DatasetRef
    unlabelled: DatasetRef | None = None
    test_jets: int
    also_test: OtherTests = None
    pool: tuple[tuple[str, float], ...] | None = None  # share of each class in the unlabelled pool; None: as the jets come
    pool_jets: int | None = None  # how many jets of the unlabelled pool are seen; None: all
    data: Literal["pool", "pool-labelled", "budget", "budget+pool"] = "budget"
    labels: int | None = None
    targets: Literal["none", "true", "shuffled", "scores"] = "true"
    scores: ScoresRef | None = None
    sample_weight: str | None = None
    seed: int
    task: Component = Component(name="classification")
    model: Component
    view: Component
    objective: Component
    trains: Literal["all", "head"] = "all"
    recipe: Recipe
    start: str | None = None
    takes: Literal["encoder", "network"] = "encoder"
    weights: WeightsRef | None = None
    precision: Literal["fp32", "bf16"] = "fp32"
    chosen: tuple[Chosen, ...] = ()
    fault: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.on_budget != (self.labels is not None) or (self.data == "pool") != (self.targets == "none"):
            raise ValueError("a budget has a number of labels, pools have none; only the pool is trained on without labels")
        if (self.targets == "scores") != (self.scores is not None):
            raise ValueError("scores are the targets of a run that names whose they are, and of no other")
        return self

    @property
    def on_budget(self) -> bool:
        """Whether it is trained on a label budget, with the pool or without, so that it is validated and tested."""
        return self.data in ("budget", "budget+pool")

    @property
    def plugins(self) -> tuple[PluginRef, ...]:
        """The plug-ins that its components come from, each once, in the order of their digests."""
        found = {plugin.sha256: plugin for _, _, plugin in self.plugged}
        return tuple(found[digest] for digest in sorted(found))

    @property
    def plugged(self) -> tuple[tuple[str, str, PluginRef], ...]:
        """Its components that come from plug-ins: the kind of each, its name, and the plug-in."""
        parts = [
            *((part, getattr(self, part)) for part in COMPONENTS),
            *(("augmentation", one) for one in self.recipe.augmentation),
        ]
        return tuple((kind, part.name, part.plugin) for kind, part in parts if part.plugin is not None)

    @property
    def variations(self) -> tuple[Variation, ...]:
        """The test sets beside the own one, in the order of the suite."""
        return variations(self.also_test)

    def with_values(self, values: Iterable[tuple[str, Scalar]]) -> RunSpec:
        """Return the run with these scalars at their paths, which are then chosen no more."""
        spec, decided = self, dict(values)
        for path, value in decided.items():
            part, name = path.split(".", 1)
            if part in COMPONENTS:
                component: Component = getattr(spec, part)
                changed: Any = component.replace(options=options({**component.keywords(), name: value}))
            elif path.startswith(AUGMENTATION):
                changed = spec.recipe.replace(augmentation=_strengthened(spec.recipe.augmentation, path, value))
            elif part == "recipe" and name in Recipe.model_fields:
                changed = spec.recipe.replace(**{name: value})
            else:
                raise SuiteError(f"no scalar of a run is at {path!r}; paths look like recipe.learning_rate or model.dropout")
            spec = spec.replace(**{part: changed})
        return spec.replace(chosen=tuple(one for one in spec.chosen if one.path not in decided))


def variations(also_test: OtherTests) -> tuple[Variation, ...]:
    """Return test sets one by one; a single one has no name."""
    if isinstance(also_test, DatasetRef):
        return (Variation(name="", dataset=also_test),)
    return also_test or ()


def _strengthened(steps: tuple[Component, ...], path: str, value: Scalar) -> tuple[Component, ...]:
    """The steps of an augmentation with another value at the path of a strength."""
    name, option = path.removeprefix(AUGMENTATION).split(".")
    if name not in {step.name for step in steps}:
        raise SuiteError(f"no step {name!r} is in the augmentation of the run, so that nothing is at {path!r}")
    return tuple(
        step.replace(options=options({**step.keywords(), option: value})) if step.name == name else step for step in steps
    )
