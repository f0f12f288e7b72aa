"""What the torch-free tables say of the code behind them is true."""

from __future__ import annotations

import inspect

import pytest

from jetbench.data.catalog import datasets
from jetbench.errors import UnknownNameError
from jetbench.formats import formats
from jetbench.models import HEAD, models
from jetbench.objectives import objectives
from jetbench.recipes import recipes
from jetbench.registry import Entry, Registry
from jetbench.suites.regimes import regimes
from jetbench.views import augmentations, views

TABLES = [models, objectives, regimes, recipes, augmentations, views, datasets, formats]
ENTRIES = [pytest.param(entry, id=f"{table.kind}-{entry.name}") for table in TABLES for entry in table]
GIVEN = {"channels", "features", "seed", "args", "keywords"}  # what the harness fills in


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_code_behind_a_name_is_there_and_explained(entry: Entry) -> None:
    assert entry.load() is not None
    assert entry.summary
    assert entry.revision >= 1


@pytest.mark.parametrize("entry", [*models, *objectives], ids=lambda entry: entry.name)
def test_options_are_the_keywords_of_the_constructor(entry: Entry) -> None:
    code = entry.load()
    keywords = set(inspect.signature(code).parameters) - GIVEN if "__init__" in vars(code) else set()
    if getattr(entry, "kind", "") == "network":
        keywords |= set(HEAD)
    assert set(entry.options) == keywords  # type: ignore[attr-defined]


def test_a_name_can_be_taken_once() -> None:
    with pytest.raises(ValueError, match=r"'a' is registered twice: x:y and x:z"):
        Registry("thing", [Entry("a", "x:y", "s"), Entry("a", "x:z", "s")])


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean 'resnet15'.*boosted-trees"):
        models["resnet51"]
