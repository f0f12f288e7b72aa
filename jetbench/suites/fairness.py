"""Arms may differ only in what the suite declares: their runs are compared field by field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from jetbench.errors import SuiteError
from jetbench.models import HEAD_OPTIONS, models
from jetbench.objectives import objectives
from jetbench.plugins import OpenRegistry
from jetbench.registry import nearest
from jetbench.spaces import Configured
from jetbench.spec import COMPONENTS, Recipe, RunSpec, ScoresRef, WeightsRef
from jetbench.suites.choices import Arm
from jetbench.suites.plugged import named_entries
from jetbench.suites.settings import Settings
from jetbench.suites.stages import regimes
from jetbench.tasks import tasks
from jetbench.views import views
from jetbench.views.frame import GRID

__all__ = ["Difference", "check_varies", "compare_chains", "flat", "refuse_unfair"]

GROUPS = ("model", "regime", "pool", "seed")
# a difference of stages, as their regimes define them, shows at these places of the runs
SHOWN = {
    "objective": ("objective",),
    "data": ("data", "labels", "pool", "pool_jets", "unlabelled"),
    "labels": ("targets", "task", "scores", "sample_weight"),  # without labels there is no task, and no weight
    "trains_head": tuple(f"model.{name}" for name in HEAD_OPTIONS),
    "trains": ("trains",),
    "takes": ("takes",),
    "recipe": ("recipe",),
    "external": ("weights",),
    "stretched": ("recipe.passes", "recipe.epochs", "recipe.select", "recipe.patience"),
}
ASIDE = {"start", "chosen"}  # who starts from whom is compared run by run, and what is searched at its own path

Difference = tuple[str, Any, Any]  # dotted path, with "pretraining." in front for a run before the last; both values


def compare_chains(mine: Sequence[RunSpec], theirs: Sequence[RunSpec]) -> Iterator[Difference]:
    """Yield every difference between the runs of two arms at one cell; the last runs are compared with each other, then those
    before them."""
    if len(mine) != len(theirs):
        yield "stages", len(mine), len(theirs)
    for back, (one, other) in enumerate(zip(reversed(mine), reversed(theirs), strict=False)):
        left, right = flat(one), flat(other)
        for path in sorted(left.keys() | right.keys(), key=_place):
            if left.get(path) != right.get(path):
                yield "pretraining." * back + path, left.get(path), right.get(path)


def _place(path: str) -> tuple[str, bool, str]:
    """Where a path stands among others: the name of a component before its options, which may differ on its account alone."""
    part, _, option = path.partition(".")
    return part, option != "name", path


def flat(spec: RunSpec) -> dict[str, Any]:
    """Return the fields of a run by dotted path; options of components and values of the recipe one by one. A scalar that is
    searched differs from one that is not, whatever its value."""
    found = {name: getattr(spec, name) for name in RunSpec.model_fields if name not in {*COMPONENTS, "recipe", *ASIDE}}
    for part in COMPONENTS:
        component = getattr(spec, part)
        found[f"{part}.name"] = component.name
        found |= {f"{part}.{name}": value for name, value in component.options}
        if component.plugin is not None:
            found[f"{part}.plugin"] = component.plugin.text
    found |= {f"recipe.{name}": getattr(spec.recipe, name) for name in Recipe.model_fields if name != "name"}
    searched = [one.path.replace("pretraining.", "") for one in spec.chosen]
    return found | {path: f"{found.get(path, 'its default')}, searched" for path in searched}


def check_varies(settings: Settings) -> None:
    """Raise `SuiteError` for a word under `varies` that is neither a group nor a dotted path of a run."""
    known = _paths(settings)
    for word in settings.varies:
        path = word.replace("pretraining.", "")
        if word in GROUPS or path in known:
            continue
        if beside := {one for one in known if one.startswith(f"{path.split('.')[0]}.")}:
            raise SuiteError(f"varies: there is nothing at {word!r} in a run; {nearest(path, beside)}")
        paths = "a dotted path as in recipe.learning_rate, view.pixels or model.dropout"
        raise SuiteError(f"varies: {word!r} is neither {', '.join(GROUPS)} nor {paths}; {nearest(word, GROUPS)}")


def _paths(settings: Settings) -> set[str]:
    """All dotted paths at which runs may differ, whatever their jets, and the parts that stand for all below them. Of plug-ins
    those that the settings name count: others are not even imported."""
    tables: dict[str, OpenRegistry[Any]] = {"task": tasks, "model": models, "view": views, "objective": objectives}
    entries = [entry for table in tables.values() for entry in table.own]
    entries += [entry for entry in named_entries(settings) if entry.plugin is not None and isinstance(entry, Configured)]
    parts = {table.table: part for part, table in tables.items()}
    found = {f"{parts[entry.table]}.{name}" for entry in entries if entry.table in parts for name, _ in entry.defaults}
    found |= {f"view.{name}" for name in GRID}  # of jets that are pixels
    found |= {f"recipe.{name}" for name in Recipe.model_fields if name != "name"}
    return found | {f"{part}.name" for part in tables} | {*tables, "pool_jets", "recipe", "pretraining", "scores", "weights"}


def refuse_unfair(settings: Settings, names: tuple[str, str], found: Iterator[Difference]) -> None:
    """Raise `SuiteError`, which prints both sides, for the first difference between two arms that the suite does not declare."""
    one, other = (settings.arms[name] for name in names)
    explained = {path for word in settings.varies for path in _explained(word, one, other)}
    for path, left, right in found:
        if not any(path == known or path.startswith(f"{known}.") for known in explained):
            raise SuiteError(
                f"arms {names[0]!r} and {names[1]!r} differ in {path} ({_shown(left)} against {_shown(right)}), "
                "which the suite does not declare under `varies`"
            )


def _explained(word: str, one: Arm, other: Arm) -> Iterator[str]:
    """The paths at which two arms may differ by a word under `varies`; what is not of their regimes, in any of their runs."""
    if word == "regime":
        yield from _regimes_explain(one, other)
        return
    stages = max(len(regimes[arm.regime].stages) for arm in (one, other))
    yield from ("pretraining." * back + path for back in range(stages) for path in _alike_in_all_runs(word, one, other))


def _alike_in_all_runs(word: str, one: Arm, other: Arm) -> Iterator[str]:
    """Options of one and the same model are no difference of models: they are declared by their own path."""
    if word == "model" and one.model != other.model:
        yield from ("model", "view")
        if "fitted" in {models[arm.model].kind for arm in (one, other)}:
            yield "recipe"  # a fitted model has one of its own
    elif word == "pool" and one.pool != other.pool:
        yield "pool"
    elif word == "seed" and one.seed_offset != other.seed_offset:
        yield "seed"
    elif word not in GROUPS:
        yield word


def _regimes_explain(one: Arm, other: Arm) -> Iterator[str]:
    mine, theirs = (regimes[arm.regime].stages for arm in (one, other))
    if len(mine) != len(theirs):
        yield "stages"
    for back, (left, right) in enumerate(zip(reversed(mine), reversed(theirs), strict=False)):
        for field, paths in SHOWN.items():
            both_long = field == "stretched" and left.stretched and right.stretched  # each as long as its own primary arm
            if both_long or getattr(left, field) != getattr(right, field):
                yield from ("pretraining." * back + path for path in paths)


def _shown(value: Any) -> str:
    """A side of a difference as the suite file has it."""
    return "nothing" if value is None else repr(value.name if isinstance(value, ScoresRef | WeightsRef) else value)
