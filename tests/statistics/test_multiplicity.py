import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetbench.errors import RunError
from jetbench.statistics.comparison import Verdict, compare
from jetbench.statistics.multiplicity import adjust, holm


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
    return compare(0.9 + difference + np.array([-4, -2, 0, 2, 4]) / 1000, np.full(5, 0.9), 2e-6, 0.003)


def test_primary_stands_and_secondaries_are_adjusted():
    assert barely().verdict is Verdict.BETTER
    family = {name: barely() for name in ("primary", "one", "two", "three")}
    adjusted = adjust(family, ["primary"])
    assert adjusted["primary"] == family["primary"]
    assert adjusted["one"].adjusted_p_difference == pytest.approx(3 * barely().p_difference)
    assert adjusted["one"].p_difference == barely().p_difference
    assert adjusted["one"].verdict is Verdict.UNDECIDED
    assert adjusted["one"].needed.seeds > 5


def test_equivalence_is_adjusted_as_well():
    close = compare(0.9 + np.array([-2.2, -1.1, 0, 1.1, 2.2]) / 1000, np.full(5, 0.9), 0.8e-6, 0.003)
    assert close.verdict is Verdict.EQUIVALENT
    adjusted = adjust({"primary": close, **{str(i): close for i in range(6)}}, ["primary"])
    assert adjusted["0"].verdict is Verdict.UNDECIDED


def test_a_single_unit_takes_no_part():
    lone = compare([0.95], [0.9], 1e-6, 0.003)
    adjusted = adjust({"primary": barely(), "lone": lone, "other": barely()}, ["primary"])
    assert adjusted["lone"] == lone
    assert adjusted["other"].adjusted_p_difference == barely().p_difference


def test_a_primary_of_one_unit_counts_as_one_that_is_missing():
    lone = compare([0.95], [0.9], 1e-6, 0.003)
    for family in ({"one": barely()}, {"one": barely(), "other": lone}):
        found = adjust(family, ["one", "other"])["one"]
        assert found.adjusted_p_difference == pytest.approx(2 * barely().p_difference)


def test_primaries_are_adjusted_for_their_own_number():
    """Two primaries and three others: factors of two and one for the former, of three for the first of the latter."""
    strong, weak = barely(0.006), barely(0.005)
    family = {"strong": strong, "weak": weak, **{name: barely() for name in ("one", "two", "three")}}
    adjusted = adjust(family, ["strong", "weak"])
    assert adjusted["strong"].adjusted_p_difference == pytest.approx(2 * strong.p_difference)
    assert adjusted["weak"].adjusted_p_difference == pytest.approx(max(weak.p_difference, 2 * strong.p_difference))
    assert adjusted["one"].adjusted_p_difference == pytest.approx(3 * barely().p_difference)


def test_a_primary_that_is_missing_yet_counts():
    adjusted = adjust({"one": barely(), "other": barely()}, ["one", "missing"])
    assert adjusted["one"].adjusted_p_difference == pytest.approx(2 * barely().p_difference)
    assert adjusted["other"] == barely()


def test_impossible_p_values_are_refused():
    with pytest.raises(RunError, match="lie in"):
        holm([0.5, 1.5])
