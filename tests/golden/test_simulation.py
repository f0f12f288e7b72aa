"""Simulated jets change only with the revision of their recipe: the first jets of every class of every dataset."""

from __future__ import annotations

import pytest
from golden import builders
from golden.numbers import check, sketch

JETS = {"electron-vs-photon": 20}
HERE = [c if c[0] in JETS else pytest.param(*c, marks=pytest.mark.slow) for c in builders.SIMULATED]


@pytest.mark.parametrize(("name", "label"), HERE)
def test_the_first_jets_of_a_class(name: str, label: int) -> None:
    jets = builders.simulated(name, label, JETS.get(name, 4))
    found = {part: value for column, array in jets.columns() for part, value in sketch(column, array).items()}
    check(builders.simulation_key(name, label), found)
