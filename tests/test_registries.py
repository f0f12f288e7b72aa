"""Tables of names, and the rows that no code stands behind; the others have contracts, in tests/contracts."""

from __future__ import annotations

import pytest

from jetbench.errors import UnknownNameError
from jetbench.models import models
from jetbench.recipes import PipelineEntry, RecipeEntry, pipelines, recipes
from jetbench.registry import Entry, Registry
from jetbench.spaces import WIDTHS, Allowed, check_given
from jetbench.views import augmentations


@pytest.mark.parametrize("entry", [*recipes, *pipelines], ids=lambda entry: entry.name)
def test_the_strengths_of_a_recipe_are_allowed(entry: RecipeEntry | PipelineEntry) -> None:
    assert entry.summary
    assert entry.revision >= 1
    for step in entry.steps if isinstance(entry, PipelineEntry) else entry.recipe.augmentation:
        check_given(f"{entry.name}.{step.name}", step.keywords(), augmentations[step.name])


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
