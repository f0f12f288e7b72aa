"""The generator's early veto, which nothing but its cost would betray if it were lost."""

import numpy as np
import pytest

from jetbench.errors import SimulationError
from jetbench.simulation import TopVsQcd, veto
from jetbench.simulation.generator import start, take_events
from jetbench.simulation.selection import accept
from jetbench.simulation.top_vs_qcd import QCD, TOP
from jetbench.simulation.truth import OUTGOING
from jetbench.simulation.veto import HARD_ROWS, decay_partons

RECIPE = TopVsQcd(jets=2, seed=6)


@pytest.fixture
def accepted_share():
    def share(recipe: TopVsQcd, label: int, events: int) -> float:
        batch = take_events(start(recipe, label, seed=1), events)
        return len(accept(batch, recipe, label, np.random.default_rng(0)).pt) / events

    return share


@pytest.mark.parametrize("label", [QCD, TOP])
def test_early_veto_outlives_the_start(label, accepted_share):
    assert accepted_share(RECIPE, label, events=100) > 0.18  # 0.36 (QCD) and 0.32 (top) expected; without the veto below 0.1


def test_early_veto_of_a_lower_window_follows_it(accepted_share):
    assert accepted_share(RECIPE.replace(pt_min=300.0, pt_max=360.0), QCD, events=60) > 0.15


def test_decay_partons_are_the_three_quarks_of_each_top():
    begun = start(RECIPE, TOP, seed=1)
    take_events(begun, 3)
    event = begun.pythia.event
    for row in HARD_ROWS:
        quarks = decay_partons(event, row)
        assert len(quarks) == 3
        assert all(abs(quark.status()) == OUTGOING and quark.idAbs() <= 5 for quark in quarks)
        total = sum(np.array([quark.px(), quark.py(), quark.pz(), quark.e()]) for quark in quarks)
        assert np.sqrt(total[3] ** 2 - (total[:3] ** 2).sum()) == pytest.approx(172, abs=25)


def test_a_pythia_without_its_data_says_so(monkeypatch):
    monkeypatch.setenv("PYTHIA8DATA", "/nowhere")
    with pytest.raises(SimulationError, match=r"does not find its data: unset PYTHIA8DATA \(it is '/nowhere'\)"):
        start(RECIPE, 0, 1)


def test_a_window_that_no_event_reaches_ends(monkeypatch):
    monkeypatch.setattr(veto, "PATIENCE", 30)
    with pytest.raises(SimulationError, match="next to no event can pass the cuts: the pT window may be out of reach"):
        take_events(start(RECIPE.replace(pt_min=6000.0, pt_max=6400.0), QCD, seed=1), 1)
