"""Losses between two samples of jets: the error from the test jets is DeLong's where both are the same, and covers where not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import binom

from jetbench.errors import RunError
from jetbench.evaluation.regression import rmse, rmse_influences
from jetbench.seeds import numpy_rng
from jetbench.statistics.comparison import Verdict
from jetbench.statistics.delong import auc, auc_influences, delong, mean_difference_variance
from jetbench.statistics.losses import Judged, compare_losses, loss_of, mean_loss, sample_variance


def judged(labels: np.ndarray, scores: np.ndarray, rows: np.ndarray | None = None) -> Judged:
    return (*auc_influences(labels, scores), np.arange(len(labels)) if rows is None else rows)


def sample(jets: int, seeds: int, name: str, number: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = numpy_rng("test-losses", name, number)
    labels = np.arange(jets) % 2
    shared = rng.normal(size=jets) + 1.5 * labels
    return labels, np.round(shared + 0.7 * rng.normal(size=(seeds, jets)), 1)  # rounded: with ties


@pytest.mark.parametrize("classes", [2, 4])
def test_influences_sum_to_delongs_covariance(classes: int) -> None:
    rng = numpy_rng("test-losses", classes)
    labels = rng.permutation(np.arange(90) % classes)
    scores = rng.random((3, 90)) if classes == 2 else rng.dirichlet(np.ones(classes), (3, 90))
    areas, moved = auc_influences(labels, scores)
    known, covariance = delong(labels, scores)
    np.testing.assert_allclose(areas, known)
    np.testing.assert_allclose(moved @ moved.T, covariance, rtol=1e-12)
    np.testing.assert_allclose(moved.sum(axis=1), 0, atol=1e-12)


def test_a_jet_moves_the_auc_by_its_influence() -> None:
    """The jackknife, which leaves out one jet at a time, finds the same."""
    labels, scores = sample(400, 1, "jackknife")
    _, moved = auc_influences(labels, scores)
    without = np.array([auc(np.delete(labels, i), np.delete(scores[0], i)) for i in range(400)])
    jackknife = np.array([(199 * (w.mean() - w)) / 200 for w in (without[labels == 0], without[labels == 1])])
    slow = np.empty(400)
    slow[labels == 0], slow[labels == 1] = jackknife
    np.testing.assert_allclose(moved[0], slow * np.sqrt(200 / 199), rtol=1e-6, atol=1e-9)


def test_the_influences_of_an_rmse_sum_to_its_variance_over_samples() -> None:
    rng = numpy_rng("test-losses", "rmse")
    drawn = [(rng.normal(size=500), rng.normal(0.3, 1.2, 500)) for _ in range(600)]
    wanted = np.var([rmse(truth, found) for truth, found in drawn])
    found = np.mean([np.square(rmse_influences(truth, predicted[None])[1]).sum() for truth, predicted in drawn])
    assert found == pytest.approx(wanted, rel=0.15)
    value, moved = rmse_influences(*drawn[0][:1], drawn[0][1][None])
    assert value[0] == rmse(*drawn[0])
    assert moved.sum() == pytest.approx(0, abs=1e-12)


def test_the_same_jets_are_paired_and_others_are_not() -> None:
    labels, scores = sample(300, 3, "own")
    moved = np.round(scores + 0.05 * numpy_rng("test-losses", "moved").normal(size=scores.shape), 1)
    own, there = judged(labels, scores), judged(labels, moved)
    same = loss_of(own, there, same_jets=True, larger_is_better=True)
    apart = loss_of(own, there, same_jets=False, larger_is_better=True)
    paired = mean_difference_variance(labels, scores, moved)
    assert mean_loss(same).test_error == pytest.approx(np.sqrt(paired))
    sides = [delong(labels, one)[1].mean() for one in (scores, moved)]
    assert mean_loss(apart).test_error == pytest.approx(np.sqrt(sum(sides)))
    assert mean_loss(same).test_error < mean_loss(apart).test_error / 3
    np.testing.assert_allclose(same.values, delong(labels, scores)[0] - delong(labels, moved)[0])


def test_some_of_the_same_jets_have_the_error_of_a_draw_among_them() -> None:
    """Of the signal a tenth is drawn: over many draws the AUC spreads as the influences say."""
    labels, scores = sample(4000, 1, "thinned")
    rng, found = numpy_rng("test-losses", "draws"), []
    own, signal, background = judged(labels, scores), np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    errors = []
    for _ in range(300):
        rows = np.sort(np.concatenate([rng.permutation(signal)[:200], background]))
        loss = loss_of(own, judged(labels[rows], scores[:, rows], rows), same_jets=True, larger_is_better=True)
        found.append(loss.values[0])
        errors.append(mean_loss(loss).test_error)
    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.12)
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(300)


def test_a_jet_that_is_none_of_the_own_ones_is_refused() -> None:
    labels, scores = sample(40, 1, "own")
    with pytest.raises(RunError, match="no part of the own ones"):
        loss_of(judged(labels, scores), judged(labels, scores, np.arange(40) + 1), same_jets=True, larger_is_better=True)


def planted(number: int, lost: tuple[float, float], seeds: int = 5) -> list[tuple[Judged, Judged]]:
    """Two arms on 300 own and 200 other jets: seeds differ, models of a seed share the hardness of a jet, and both arms lose."""
    rng, arms = numpy_rng("test-losses", "planted", number), []
    hard = [rng.normal(size=jets) for jets in (300, 200)]
    for less in lost:
        both = []
        shift = rng.normal(0, 0.05, (2, seeds, 1))  # what a training does to a model on either sample
        for place, (easy, jets) in enumerate(((1.5, 300), (1.5 - less, 200))):
            labels = np.arange(jets) % 2
            signal = (easy + shift[0] + (shift[1] if place else 0)) * labels
            both.append(judged(labels, hard[place] + 0.5 * rng.normal(size=(seeds, jets)) + signal))
        arms.append((both[0], both[1]))
    return arms


def true_loss(less: float) -> float:
    """Binormal scores of the variance 1.25, the seeds' shifts apart, which are small."""
    return float(ndtr(1.5 / np.sqrt(2.5)) - ndtr((1.5 - less) / np.sqrt(2.5)))


def test_intervals_cover_at_their_level() -> None:
    """A share of 95 % of 400 intervals, to within what chance leaves of that, contains what is planted; Student's with few
    degrees of freedom and Welch's are a little wide at the most."""
    covered = np.zeros(2)
    for number in range(400):
        (own, there), (own_other, there_other) = planted(number, (0.3, 0.1))
        arm = loss_of(own, there, same_jets=False, larger_is_better=True)
        other = loss_of(own_other, there_other, same_jets=False, larger_is_better=True)
        mean, difference = mean_loss(arm), compare_losses(arm, other, 0.0)
        assert mean.low is not None and mean.high is not None  # noqa: PT018
        assert difference.low is not None and difference.high is not None  # noqa: PT018
        covered += mean.low <= true_loss(0.3) <= mean.high, difference.low <= true_loss(0.3) - true_loss(0.1) <= difference.high
    least = binom.ppf(0.001, 400, 0.95)
    assert (covered >= least).all()
    assert (covered < 400).all()


def test_the_arm_that_loses_less_is_better() -> None:
    (own, there), (own_other, there_other) = planted(0, (0.1, 0.9), seeds=8)
    arm = loss_of(own, there, same_jets=False, larger_is_better=True)
    other = loss_of(own_other, there_other, same_jets=False, larger_is_better=True)
    assert compare_losses(arm, other, 0.001).verdict is Verdict.BETTER
    assert compare_losses(other, arm, 0.001).verdict is Verdict.WORSE
    assert compare_losses(arm, arm, 0.001).verdict is Verdict.EQUIVALENT
    assert compare_losses(arm, arm, 0.001).total_error == 0
    with pytest.raises(RunError, match="same jets"):
        compare_losses(arm, loss_of(own, own, same_jets=True, larger_is_better=True), 0.001)


def test_seeds_of_one_encoder_are_one_unit() -> None:
    labels, scores = sample(200, 4, "own")
    other = judged(*sample(200, 4, "other"))
    loss = loss_of(judged(labels, scores), other, same_jets=False, larger_is_better=True, clusters=[0, 0, 1, 1])
    assert mean_loss(loss).n == 2
    assert mean_loss(loss).mean == pytest.approx(loss.values.reshape(2, 2).mean(axis=1).mean())


def test_what_is_lost_of_a_metric_that_is_better_when_small_is_what_it_grows_by() -> None:
    own = (np.array([5.0, 6.0]), np.zeros((2, 3)), np.arange(3))
    there = (np.array([7.0, 6.5]), np.zeros((2, 3)), np.arange(3))
    assert loss_of(own, there, same_jets=True, larger_is_better=False).values.tolist() == [2.0, 0.5]


def test_the_variance_of_two_samples_counts_a_common_jet_once() -> None:
    own, there = np.array([1.0, -2.0, 1.0]), np.array([-2.0, 2.0])
    assert sample_variance(own, there, None) == 6 + 8
    assert sample_variance(own, there, np.array([1, 2])) == 1 + 0 + 1
