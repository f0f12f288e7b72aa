"""What suites and studies have in common once scale, jets and overrides are settled."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeVar

from pydantic import model_validator

from jetbench.data.catalog import Dataset, datasets, find_dataset
from jetbench.errors import SuiteError, UnknownNameError
from jetbench.evaluation.teacher import TransferSet, find_scores
from jetbench.jets import Meta
from jetbench.models.folders import find_weights
from jetbench.registry import nearest
from jetbench.runs.environment import best_precision
from jetbench.spec import DatasetRef, OtherTests, PluginRef, ScoresRef, Variation, WeightsRef, variations
from jetbench.strict import parse, read_yaml
from jetbench.suites.choices import Common, DatasetChoice, VariationChoice
from jetbench.suites.plugged import plugins_of
from jetbench.suites.settings import ScaledFile
from jetbench.values import Spec

__all__ = ["AnyInstance", "OtherJets", "called", "merge", "parse_override", "resolved"]


class OtherJets(Spec):
    """What a plan and a report need to know of the jets of another test set."""

    meta: Meta
    targets: tuple[str, ...]
    jets: int


class AnyInstance(Spec):
    """A suite or study with scale, dataset and overrides: what an experiment, a report and a status belong to.

    It keeps what a plan and a report need to know of its data: what all jets share (`meta`, `pool_meta`), the names of their
    targets and their number; `also` are those of the other test sets by name, the own test jets varied apart. `weights` are
    the imported ones of its arms, in their order, `scores` those that arms are taught by, and `plugins` those of the components
    that it names. `file` is where the suite or study came from, as it was given, and empty for a shipped one. `precision` is
    that of the machine that planned it first.
    """

    labels_only: ClassVar[frozenset[str]] = frozenset(
        {"file", "question", "source", "expected", "remarks", "meta", "pool_meta", "targets", "jets", "also"}
    )

    file: str = ""
    scale: str
    question: str
    source: str = ""
    expected: str = ""
    remarks: tuple[str, ...] = ()
    settings: Common
    dataset: DatasetRef
    unlabelled: DatasetRef | None = None
    also_test: OtherTests = None
    weights: tuple[WeightsRef, ...] = ()
    scores: tuple[ScoresRef, ...] = ()
    plugins: tuple[PluginRef, ...] = ()
    precision: Literal["fp32", "bf16"] = "fp32"
    meta: Meta
    pool_meta: Meta | None = None
    targets: tuple[str, ...]
    jets: int
    also: dict[str, OtherJets] = {}

    @model_validator(mode="before")
    @classmethod
    def _of_one_test_set(cls, given: Any) -> Any:
        """Read what a store has kept since there could be one other test set alone."""
        if not isinstance(given, dict) or "also_meta" not in given:
            return given
        kept = {key: value for key, value in given.items() if key not in ("also_meta", "also_targets", "also_jets")}
        one = {"meta": given["also_meta"], "targets": given.get("also_targets", ()), "jets": given.get("also_jets", 0)}
        return kept | ({"also": {"": one}} if given["also_meta"] else {})

    @property
    @abstractmethod
    def title(self) -> str:
        """The name of the suite or study."""

    @property
    @abstractmethod
    def kind(self) -> Literal["suite", "study"]:
        """What it is."""

    @cached_property
    def name(self) -> str:
        """Suite or study, scale and eight digits of a digest of the settings and of the data."""
        return f"{self.title}.{self.scale}.{self.digest()[:8]}"

    @property
    @abstractmethod
    def budgets(self) -> tuple[int, ...]:
        """The numbers of labels that runs have, rising."""

    def anew(self) -> Self:
        """Return it with jets and plug-ins as its settings name them by what counts now."""
        jets = _jets(self.settings) | {"precision": self.precision}
        found: Self = self.replace(plugins=plugins_of(self.settings), **jets)
        return found

    def find_dataset(self) -> Dataset:
        return _find(self.settings.dataset)

    def find_unlabelled(self) -> Dataset | None:
        return _find(self.settings.unlabelled) if self.settings.unlabelled else None

    @property
    def variations(self) -> tuple[Variation, ...]:
        """The test sets beside the own one."""
        return variations(self.also_test)

    def find_also(self, simulated: bool = False) -> dict[str, Dataset]:
        """Find the other test sets that are not the own test jets, or those of them that are `simulated`, by name."""
        return _also(self.settings, simulated)


S = TypeVar("S", bound=Common)


def resolved(
    kind: type[S], file: ScaledFile, scale: str | None, given: dict[str, str | None], overrides: tuple[str, ...]
) -> dict[str, Any]:
    """Return the fields of an instance of a file at a scale, with settings of a `kind`, other datasets than the file's where some
    are `given` by key, and `key=value` overrides (dots descend)."""
    scale = scale or (next(iter(file.scales)) if len(file.scales) == 1 else file.default_scale)
    if scale not in file.scales:
        raise UnknownNameError(f"{file.title} has no scale {scale!r}; {nearest(scale, file.scales)}")
    values = own = merge(file.common, file.scales[scale])
    for key, name in given.items():
        if name is not None:
            values = {**values, key: _dataset_choice(name, values, key)}
    for override in overrides:
        values = merge(values, parse_override(override))
    settings = parse(kind, values, f"{file.title} at scale {scale!r}", SuiteError)
    remarks = file.remarks if _sample(values) == _sample(own) else ()
    described = {"scale": scale, "question": file.question, "source": file.source, "expected": file.expected, "remarks": remarks}
    weights = tuple(find_weights(arm.weights) for arm in settings.arms.values() if arm.weights is not None)
    jets = _jets(settings)
    rests_on = {"weights": weights, "scores": _scores(settings, jets), "plugins": plugins_of(settings)}
    return described | {"settings": settings} | rests_on | jets


def _sample(values: dict[str, Any]) -> dict[str, Any]:
    """What decides which jets a suite is about: more or fewer of them are of the same sample."""
    return {key: value for key, value in values.get("dataset", {}).items() if key != "jets"}


def _scores(settings: Common, jets: dict[str, Any]) -> tuple[ScoresRef, ...]:
    """The scores that arms are taught by, which are of the dataset's jets."""
    transfer = TransferSet(jets["dataset"], jets["jets"], jets["meta"].class_names, settings.test_jets)
    return tuple(find_scores(arm.scores, transfer) for arm in settings.arms.values() if arm.scores is not None)


def _jets(settings: Common) -> dict[str, Any]:
    """The fields of an instance that tell of its jets."""
    labelled = _find(settings.dataset)
    pool = _find(settings.unlabelled) if settings.unlabelled else None
    also = _also(settings)
    _refuse_itself(settings, labelled, pool, also)
    return {
        "dataset": labelled.ref,
        "unlabelled": pool.ref if pool else None,
        "also_test": _tests(settings, also),
        "precision": best_precision() if settings.precision == "auto" else settings.precision,
        "meta": labelled.meta(),
        "pool_meta": pool.meta() if pool else None,
        "targets": labelled.targets(),
        "jets": labelled.jets,
        "also": {name: OtherJets(meta=one.meta(), targets=one.targets(), jets=one.jets) for name, one in also.items()},
    }


def _also(settings: Common, simulated: bool = False) -> dict[str, Dataset]:
    """The other test sets by name; files that somebody brought are looked for only where they are wanted."""
    choices = {name: choice for name, choice in settings.variations.items() if choice.name is not None}
    return {name: _find(choice) for name, choice in choices.items() if choice.name in datasets or not simulated}


def _tests(settings: Common, also: dict[str, Dataset]) -> OtherTests:
    """A single one stands for itself, and so has the digest that it has always had."""
    if isinstance(settings.also_test, DatasetChoice):
        return also[""].ref
    return tuple(_variation(name, choice, also.get(name)) for name, choice in settings.variations.items()) or None


def _variation(name: str, choice: VariationChoice, other: Dataset | None) -> Variation:
    shares = None if choice.shares is None else tuple(sorted(choice.shares.items()))
    return Variation(name=name, dataset=other.ref if other else None, energy_scale=choice.energy_scale or 1.0, shares=shares)


def _refuse_itself(settings: Common, dataset: Dataset, pool: Dataset | None, also: dict[str, Dataset]) -> None:
    """What is trained on is no test set, and what is tested no pool."""
    if pool is not None and pool.ref.sha256 == dataset.ref.sha256:
        raise SuiteError(f"the unlabelled jets are the dataset itself, test jets included; {_others('unlabelled', pool)}")
    for trained_on, what in ((dataset, "dataset"), (pool, "unlabelled pool")):
        for name, one in also.items():
            if trained_on is not None and one.ref.sha256 == trained_on.ref.sha256:
                remedy = _others(f"also_test.{name}".rstrip("."), one)
                raise SuiteError(f"the {called(name)} is the {what} itself, which is trained on; {remedy}")


def called(name: str) -> str:
    """Say which of the other test sets is meant."""
    return f"test set {name!r}" if name else "second test set"


def _others(key: str, found: Dataset) -> str:
    """How to have other jets than those that the suite has under `key`."""
    return f"--set {key}.seed=1 makes others" if found.recipe is not None else "name another file"


def _find(choice: DatasetChoice | VariationChoice) -> Dataset:
    assert choice.name is not None
    return find_dataset(choice.name, choice.jets, choice.seed, choice.options)


def merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Lay `over` on top of `base`, mapping by mapping; lists and scalars replace, None removes a key."""
    merged = dict(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = merge(merged[key], value)
        elif value is None and key in merged:
            del merged[key]
        else:
            merged[key] = value
    return merged


def _dataset_choice(name: str, values: dict[str, Any], key: str) -> dict[str, Any]:
    """A named dataset keeps the scale's number of jets, a file has its own; files are known by absolute path and content. Seed
    and options that the suite gives under `key` are those of the dataset that it names there."""
    if name in datasets:
        own = values.get(key) or {}
        return {"jets": values["dataset"].get("jets"), **(own if own.get("name") == name else {}), "name": name}
    path = Path(name).expanduser()
    return {"name": str(path.absolute()) if path.exists() else name}


def parse_override(text: str) -> dict[str, Any]:
    """Return the nested mapping that `key=value` means: dots descend, the value is YAML. Raises `SuiteError` for anything
    else."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise SuiteError(f"--set takes key=value, as in seeds=3 or recipes.NAME.passes=1000, not {text!r}")
    nested: Any = read_yaml(value, f"--set {key}", SuiteError)
    for part in reversed(key.split(".")):
        nested = {part: nested}
    return nested
