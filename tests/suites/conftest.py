from __future__ import annotations

from collections.abc import Callable

import pytest

from jetbench.spaces import Space
from jetbench.suites.plan import Plan
from jetbench.suites.studies import Study


@pytest.fixture
def study(plan_of: Callable[..., Plan]) -> Study:
    """The learning rates 0.001, which is the recipe's, and 0.003."""
    return next(iter(plan_of().studies.values()))


@pytest.fixture
def grid(study: Study) -> Callable[..., Study]:
    """Return the study with other learning rates: `grid(0.001, 0.01)`."""

    def make(*rates: float) -> Study:
        searched = study.searched[0].replace(space=Space(choices=rates))
        found: Study = study.replace(searched=(searched,), trials=len(rates))
        return found

    return make
