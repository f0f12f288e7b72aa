import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_curve as sklearn_roc

from jetbench.errors import RunError
from jetbench.seeds import numpy_rng
from jetbench.statistics.delong import auc
from jetbench.statistics.roc import roc_curve


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=2, max_size=40))
def test_small_curves_are_exact_with_ties(jets):
    labels, scores = np.array([*jets, (0, 3), (1, 3)]).T
    signal, background = roc_curve(labels, scores)
    assert np.trapezoid(signal, background) == pytest.approx(auc(labels, scores), abs=1e-12)
    false_positive, true_positive, _ = sklearn_roc(labels, scores, drop_intermediate=False)
    known = set(zip(np.round(true_positive, 12), np.round(false_positive, 12), strict=True))
    assert set(zip(np.round(signal, 12), np.round(background, 12), strict=True)) <= known


def test_long_curves_are_thinned_and_keep_ends_and_area():
    rng = numpy_rng("roc")
    labels = rng.integers(0, 2, 60_000)
    scores = rng.normal(size=60_000) + 2.1 * labels
    signal, background = roc_curve(labels, scores)
    assert 200 < len(signal) <= 500
    assert (signal[0], background[0], signal[-1], background[-1]) == (0, 0, 1, 1)
    assert np.all(np.diff(signal) >= 0)
    assert np.all(np.diff(background) >= 0)
    assert np.trapezoid(signal, background) == pytest.approx(auc(labels, scores), abs=1e-3)
    again = roc_curve(labels, scores)
    np.testing.assert_array_equal(again, (signal, background))


def test_a_perfect_and_a_constant_score():
    np.testing.assert_array_equal(roc_curve([0, 0, 1, 1], [0, 1, 2, 3]), [[0, 1, 1], [0, 0, 1]])
    np.testing.assert_array_equal(roc_curve([0, 1, 0, 1], [5, 5, 5, 5]), [[0, 1], [0, 1]])


@pytest.mark.parametrize(("scores", "points", "words"), [([[0, 1]], 500, "one score per jet"), ([0, 1], 3, "four are the least")])
def test_what_is_no_curve_is_refused(scores, points, words):
    with pytest.raises(RunError, match=words):
        roc_curve([0, 1], scores, points)
