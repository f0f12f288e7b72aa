import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetbench.errors import RunError
from jetbench.statistics.comparison import Verdict, compare
from jetbench.statistics.multiplicity import adjust_secondary, holm


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1, 1]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0.001, 0.2))
def test_holm_rejects_what_stepping_down_rejects(p_values, alpha):
    adjusted = np.array(holm(p_values))
    rejected, left = set(), len(p_values)
    for place in np.argsort(p_values, kind="stable"):
        if p_values[place] * left > alpha:
            break
        rejected.add(int(place))
        left -= 1
    assert set(np.flatnonzero(adjusted <= alpha).tolist()) == rejected
    assert np.all(adjusted >= p_values)


def barely(difference=0.005):
    return compare(0.9 + difference + np.array([-4, -2, 0, 2, 4]) / 1000, np.full(5, 0.9), np.full(5, 2e-6), 0.003)


def test_primary_stands_and_secondaries_are_adjusted():
    assert barely().verdict is Verdict.BETTER
    family = {name: barely() for name in ("primary", "one", "two", "three")}
    adjusted = adjust_secondary(family, "primary")
    assert adjusted["primary"] == family["primary"]
    assert adjusted["one"].adjusted_p_difference == pytest.approx(3 * barely().p_difference)
    assert adjusted["one"].p_difference == barely().p_difference
    assert adjusted["one"].verdict is Verdict.UNDECIDED
    assert adjusted["one"].needed.seeds > 5


def test_equivalence_is_adjusted_as_well():
    close = compare(0.9 + np.array([-2.2, -1.1, 0, 1.1, 2.2]) / 1000, np.full(5, 0.9), np.full(5, 0.8e-6), 0.003)
    assert close.verdict is Verdict.EQUIVALENT
    adjusted = adjust_secondary({"primary": close, **{str(i): close for i in range(6)}}, "primary")
    assert adjusted["0"].verdict is Verdict.UNDECIDED


def test_a_single_unit_takes_no_part():
    lone = compare([0.95], [0.9], [1e-6], 0.003)
    adjusted = adjust_secondary({"primary": barely(), "lone": lone, "other": barely()}, "primary")
    assert adjusted["lone"] == lone
    assert adjusted["other"].adjusted_p_difference == barely().p_difference


def test_unknown_primary_and_impossible_p_are_refused():
    with pytest.raises(RunError, match="primary comparison 'x'"):
        adjust_secondary({"y": barely()}, "x")
    with pytest.raises(RunError, match="lie in"):
        holm([0.5, 1.5])
