"""Every registered component keeps its contract, formats aside, which have samples of their own."""

from __future__ import annotations

import pytest

from jetbench.models import models
from jetbench.spec import Options
from jetbench.testing import contract
from jetbench.testing.kinds import KINDS
from jetbench.testing.network_case import NetworkCase
from jetbench.testing.networks import CONTRACT
from jetbench.testing.properties import Contract

NAMES = [(kind, entry.name) for kind in KINDS if kind != "format" for entry in KINDS[kind].table()]
VARIANTS: dict[str, tuple[str, Options]] = {
    "pairwise features": ("particle-transformer", (("pairwise", True),)),
    "concatenated shortcuts": ("particlenet", (("shortcut", "concatenate"),)),
}


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_a_component_keeps_its_contract(kind: str, name: str) -> None:
    contract(kind, name)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_network_with_other_layers_keeps_the_contract_too(variant: str) -> None:
    name, options = VARIANTS[variant]
    varied: Contract[NetworkCase] = Contract(lambda entry, sample: NetworkCase(entry, options))
    varied.include(CONTRACT.properties.values())
    report = varied.report("model", models[name])
    assert report.passed, report.lines
