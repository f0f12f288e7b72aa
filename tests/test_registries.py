"""What the torch-free tables say of the code behind them is true."""

from __future__ import annotations

import inspect

import pytest

from jetbench.data.catalog import datasets
from jetbench.errors import UnknownNameError
from jetbench.faults import FaultEntry, faults
from jetbench.formats import formats
from jetbench.models import HEAD_OPTIONS, models
from jetbench.objectives import objectives
from jetbench.recipes import PipelineEntry, RecipeEntry, pipelines, recipes
from jetbench.registry import Entry, Registry
from jetbench.spaces import WIDTHS, Allowed, Configured, check_given
from jetbench.suites.stages import RegimeEntry, regimes
from jetbench.tasks import tasks
from jetbench.views import AugmentationEntry, augmentations, views

TABLES = [tasks, models, views, objectives, regimes, recipes, pipelines, augmentations, datasets, formats, faults]
ENTRIES = [pytest.param(entry, id=f"{table.kind}-{entry.name}") for table in TABLES for entry in table]
GIVEN = {"shapes", "network", "task", "look"}  # what the one who builds it fills in


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_code_behind_a_name_is_there_and_explained(entry: Entry) -> None:
    assert entry.load() is not None if entry.target else isinstance(entry, RecipeEntry | RegimeEntry | PipelineEntry | FaultEntry)
    assert entry.summary
    assert entry.revision >= 1


@pytest.mark.parametrize("entry", [*tasks, *models, *objectives], ids=lambda entry: entry.name)
def test_defaults_are_those_of_the_constructor(entry: Entry) -> None:
    code, defaults = entry.load(), dict(entry.defaults)  # type: ignore[attr-defined]
    parameters = inspect.signature(code).parameters if code.__init__ is not object.__init__ else {}
    keywords = {name: parameter.default for name, parameter in parameters.items() if name not in GIVEN}
    if getattr(entry, "kind", "") == "network":
        keywords |= {name: defaults[name] for name in HEAD_OPTIONS}
    assert defaults == keywords
    assert {type(value) for value in keywords.values()} <= {bool, int, float, str}


@pytest.mark.parametrize("entry", [*augmentations], ids=lambda entry: entry.name)
def test_strengths_are_those_of_the_function(entry: AugmentationEntry) -> None:
    parameters = inspect.signature(entry.load()).parameters
    keywords = {name: one.default for name, one in parameters.items() if name not in {"batch", "rng", "extent"}}
    assert len(keywords) == len(parameters) - 2 - entry.framed
    assert dict(entry.defaults) == keywords


@pytest.mark.parametrize("entry", [*recipes, *pipelines], ids=lambda entry: entry.name)
def test_the_strengths_of_a_recipe_are_allowed(entry: RecipeEntry | PipelineEntry) -> None:
    for step in entry.steps if isinstance(entry, PipelineEntry) else entry.recipe.augmentation:
        check_given(f"{entry.name}.{step.name}", step.keywords(), augmentations[step.name])


@pytest.mark.parametrize("entry", [*models, *objectives, *views, *augmentations], ids=lambda entry: entry.name)
def test_spaces_are_of_options_and_hold_their_defaults(entry: Entry) -> None:
    defaults = dict(entry.defaults)  # type: ignore[attr-defined]
    for name, space in entry.spaces:  # type: ignore[attr-defined]
        own = defaults[name]
        assert own in space.choices if space.choices else space.low <= own <= space.high


@pytest.mark.parametrize("entry", [*tasks, *models, *objectives, *views, *augmentations], ids=lambda entry: entry.name)
def test_what_is_allowed_of_an_option_holds_its_default_and_its_space(entry: Configured) -> None:
    allowed, spaces = dict(entry.allowed), dict(getattr(entry, "spaces", ()))
    columns = {"target"}  # which a dataset decides
    flags = {name for name, default in entry.defaults if isinstance(default, bool)}
    assert set(allowed) == set(dict(entry.defaults)) - columns - flags
    for name, default in entry.defaults:
        tried = spaces[name].choices or (spaces[name].low, spaces[name].high) if name in spaces else ()
        own = () if default is None or name in columns | flags else (default,)
        assert all(value in allowed[name] for value in (*own, *tried)), name
        assert str(allowed.get(name, "any"))


@pytest.mark.parametrize(
    ("allowed", "inside", "outside", "text"),
    [
        (Allowed(choices=("group", "batch")), ("batch",), ("foo", 1, None), "'group' or 'batch'"),
        (Allowed(least=0, below=1), (0, 0.5), (-0.1, 1, "0.5", None, True, float("nan")), "at least 0 and below 1"),
        (Allowed(above=0, most=9), (1e-9, 9), (0, 9.1, float("inf")), "above 0 and at most 9"),
        (WIDTHS, ("16", "16-32-64"), ("abc", "", "16-", "0-4", "-1", "16-32 ", 16), "a list of widths such as '64-64-128'"),
    ],
)
def test_what_is_allowed_is_told_and_tested(
    allowed: Allowed, inside: tuple[object, ...], outside: tuple[object, ...], text: str
) -> None:
    assert all(value in allowed for value in inside)
    assert not any(value in allowed for value in outside)
    assert str(allowed) == text


def test_a_name_can_be_taken_once() -> None:
    with pytest.raises(ValueError, match=r"'a' is registered twice: x:y and x:z"):
        Registry("thing", [Entry("a", "x:y", "s"), Entry("a", "x:z", "s")])


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean 'resnet15'.*boosted-trees"):
        models["resnet51"]


def test_the_recipe_that_a_model_names_is_there() -> None:
    named = {entry.recipe for entry in models if entry.recipe}
    assert {"electron-photon", "se-vgg"} <= named
    assert named <= {entry.name for entry in recipes}
