from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jetbench.harness.plan import Plan, make_plan
from jetbench.harness.suite import find_suite, instantiate


@pytest.fixture
def plan_of(suite_path: Path) -> Callable[..., Plan]:
    def make(*overrides: str) -> Plan:
        return make_plan(instantiate(find_suite(str(suite_path)), overrides=overrides))

    return make
