"""Every property of a contract can fail: for each there is a component that is broken in that way alone or among others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from contracts.broken_formats import written
from contracts.broken_rows import BROKEN, GOOD, Broken, objective

from jetbench.registry import Entry
from jetbench.testing import check, contract, contract_of
from jetbench.testing.kinds import KINDS
from jetbench.testing.properties import LeftOut

CASES = [(contract, name, broken) for contract, table in BROKEN.items() for name, broken in table.items()]


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a row into the registry of its kind for the time of a test: `register(kind, base, **changes)`."""

    def put(kind: str, base: str, changes: Mapping[str, Any]) -> Entry:
        table = KINDS[kind].table()
        entry = replace(table[base], name="broken", **changes)
        monkeypatch.setitem(table._entries, "broken", entry)
        return entry

    return put


@pytest.mark.parametrize(("module", "name", "broken"), CASES)
def test_a_property_fails_where_it_is_broken(module: str, name: str, broken: Broken, register: Any, tmp_path: Path) -> None:
    register(broken.kind, broken.base, broken.changes)
    entry, found = contract_of("metric", broken.metric) if broken.metric else contract_of(broken.kind, "broken")
    property_, case = found.properties[name], found.prepare(entry, written(tmp_path) if broken.kind == "format" else None)
    with pytest.raises(Exception, match=broken.says) as caught:
        property_(case)
    assert not isinstance(caught.value, LeftOut)


@pytest.mark.parametrize("module", BROKEN)
def test_every_property_of_the_contract_has_a_broken_component(module: str) -> None:
    contracts = {one: found for kind in KINDS.values() for one, found in zip(kind.modules, kind.contracts(), strict=True)}
    assert set(BROKEN[module]) == set(contracts[module].properties)


@pytest.mark.parametrize(("kind", "base", "changes"), GOOD)
def test_what_they_are_made_of_keeps_its_contract(kind: str, base: str, changes: dict[str, Any], register: Any) -> None:
    register(kind, base, changes)
    contract(kind, "broken")


def test_a_small_reader_keeps_its_contract(register: Any, tmp_path: Path) -> None:
    register("format", "energyflow", {"target": "contracts.broken_formats:Good"})
    contract("format", "broken", sample=written(tmp_path))


def test_all_that_fails_is_told_at_once(register: Any) -> None:
    register("model", "deep-sets", {**GOOD[0][2], "target": "contracts.broken_networks:Dropout"})
    report = check("model", "broken")
    assert not report.passed
    told = "failed: evaluation is repeatable: in evaluation the same jets have other features the second time: they differ"
    assert any(line.startswith(told) for line in report.lines)
    assert any(line.startswith("passed: ") for line in report.lines)
    with pytest.raises(AssertionError, match=r"the model 'broken' breaks its contract:\n(.*\n)*failed: in evaluation a jet"):
        contract("model", "broken")


def test_what_fails_for_one_reason_is_told_once(register: Any) -> None:
    register("objective", "supervised", {**GOOD[1][2], "target": "contracts.broken_objectives:Lacking"})
    with pytest.raises(AssertionError, match=r"abstract class Lacking") as caught:
        contract("objective", "broken")
    (line,) = str(caught.value).splitlines()[1:]
    assert line.startswith("failed: the loss is a finite number in fp32, and 13 more for the same reason: TypeError: Can't")


@pytest.mark.parametrize(
    ("code", "base", "says"),
    [
        ("Repeats", "vicreg", "of which 32 passes are counted, trained encoders see 64; count every pass"),
        ("TwoEncoders", "supervised", "of which 16 passes are counted, trained encoders see 48; count every pass"),
        ("Keeps", "supervised", "of which 16 passes are counted, trained encoders see 32; count every pass"),
    ],
)
def test_passes_that_are_not_counted_are_found(code: str, base: str, says: str, register: Any) -> None:
    broken = objective(code, says, base)
    register(broken.kind, broken.base, broken.changes)
    entry, found = contract_of("objective", "broken")
    with pytest.raises(AssertionError, match=says):
        found.properties["it sees no more of jets than is counted"](found.prepare(entry, None))
