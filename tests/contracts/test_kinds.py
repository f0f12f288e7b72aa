"""No kind of component is without a contract, and no registered component."""

from __future__ import annotations

import importlib
import pkgutil
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import jetbench
from jetbench.errors import UnknownNameError
from jetbench.models import models
from jetbench.registry import Entry, Registry
from jetbench.testing import check, contract_of
from jetbench.testing.kinds import KINDS

# registries whose rows are data that no code stands behind, sections of the report, which no run depends on, and faults, which
# plug-ins do not add and whose code has tests of its own, in tests/faults
WITHOUT = {"recipe", "augmentation pipeline", "section of a report", "fault"}


def registries() -> dict[str, Registry]:
    """Every registry in the package, by its kind."""
    found: dict[str, Registry] = {}
    for module in pkgutil.walk_packages(jetbench.__path__, "jetbench."):
        members = vars(importlib.import_module(module.name)).values()
        found |= {table.kind: table for table in members if isinstance(table, Registry)}
    return found


def without_contract(tables: dict[str, Registry]) -> set[str]:
    """Kinds, and components of the others, that no contract covers."""
    kinds, found = set(tables) - WITHOUT, set[str]()
    for kind in kinds:
        if kind not in KINDS:
            found.add(kind)
            continue
        contracts = KINDS[kind].contracts()
        found |= {f"{kind} {entry.name}" for entry in tables[kind] if sum(one.covers(entry) for one in contracts) != 1}
    return found


def test_every_registered_component_has_a_contract() -> None:
    tables = registries()
    assert set(KINDS) <= set(tables)
    assert not without_contract(tables)
    assert not WITHOUT - set(tables), "a registry that there is no more needs no excuse"


def test_a_component_without_a_contract_is_found() -> None:
    """A model of a kind that no contract covers, and a whole registry without one."""
    odd = replace(models["deep-sets"], name="odd", kind="oracle")  # type: ignore[arg-type]
    more = {"model": Registry("model", [*models, odd]), "loss": Registry("loss", [Entry("l1", "m:L1", "a loss")])}
    assert without_contract(more) == {"model odd", "loss"}


@pytest.mark.parametrize("name", ["external", "distilled"])
def test_a_regime_that_needs_something_of_elsewhere_is_planned_too(name: str) -> None:
    report = check("regime", name)
    assert report.passed
    assert "passed: it becomes the runs of a plan" in report.lines


def test_what_is_not_there_is_told() -> None:
    with pytest.raises(UnknownNameError, match=r"no contract for the kind 'modle'; did you mean 'model'\?"):
        contract_of("modle", "deep-sets")
    with pytest.raises(UnknownNameError, match=r"no model 'deepsets'; did you mean 'deep-sets'\?"):
        check("model", "deepsets")


def test_the_three_lines_that_are_shown_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """As they stand in the documents, on a model that keeps its contract and on one that does not."""
    text = (Path(__file__).parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```python\n(.*?)```", text, re.S)
    scope: dict[str, Any] = {}
    exec(shown, scope)
    own = replace(models["deep-sets"], name="my-model")
    monkeypatch.setitem(models._entries, "my-model", own)
    scope["test_my_model"]()
    monkeypatch.setitem(models._entries, "my-model", replace(own, recipe="none"))
    with pytest.raises(AssertionError, match="breaks its contract:\nfailed: what the row names is registered: no recipe 'none'"):
        scope["test_my_model"]()
