import numpy as np
import pytest
from scipy import stats

from jetbench.seeds import numpy_rng
from jetbench.statistics.calibration import Followed, calibrate, cover, follow
from jetbench.statistics.delong import auc
from jetbench.statistics.scenarios import Binormal, Logistic

NULLS = {
    "same arm": Binormal(jets=600),
    "ten seeds": Binormal(jets=600, seeds=10),
    "equal arms that differ": Binormal(jets=600, same=False),
    "training dominates": Binormal(jets=600, training=0.02, own=0.02),
    "test sample dominates": Binormal(jets=600, training=0.0002, own=0.02, same=False),
    "bad trainings": Binormal(jets=600, skewed=True, training=0.01),
    "logistic": Logistic(jets=600),
}


def within_nominal(interval, replays, nominal=0.025):
    """The count is not above what a rate of `nominal` gives in all but one of 10 000 cases."""
    return round(interval.mean * replays) <= stats.binom.ppf(1 - 1e-4, replays, nominal)


@pytest.mark.parametrize("name", NULLS)
def test_an_arm_rarely_beats_itself(name):
    rates = calibrate(NULLS[name], 100)
    assert within_nominal(rates.better, 100)
    assert within_nominal(rates.worse, 100)


@pytest.mark.slow
@pytest.mark.parametrize("name", NULLS)
def test_an_arm_rarely_beats_itself_in_many_replays(name):
    rates = calibrate(NULLS[name], 2000, seed=1)
    assert within_nominal(rates.better, 2000)
    assert within_nominal(rates.worse, 2000)


def test_planted_effects_are_found_with_their_sign():
    gain = calibrate(Binormal(effect=0.03, jets=1000), 60)
    assert gain.better.mean > 0.9
    assert gain.worse.mean == 0
    assert gain.difference == pytest.approx(0.03, abs=0.004)
    loss = calibrate(Binormal(effect=-0.03, jets=1000), 60)
    assert loss.worse.mean > 0.9


def test_equivalence_is_found_where_the_test_sample_allows_it():
    rates = calibrate(Binormal(jets=20_000, training=0.0005, own=0.02), 20)
    assert rates.equivalent.mean > 0.9


def test_the_claimed_error_is_near_the_truth():
    found = calibrate(Binormal(jets=600, seeds=10, same=False), 150)
    assert 0.9 * found.deviation < found.total_error < 1.3 * found.deviation


class Ignored(Binormal):
    """Nobody says which seeds share an encoder."""

    def clusters(self):
        return None


def test_encoders_that_are_ignored_make_false_winners():
    shared = {"jets": 600, "seeds": 15, "encoders": 5, "encoder": 0.02, "training": 0.001, "own": 0.02}
    known, ignored = calibrate(Binormal(**shared), 60), calibrate(Ignored(**shared), 60)
    assert within_nominal(known.better, 60)
    assert within_nominal(known.worse, 60)
    assert ignored.better.mean + ignored.worse.mean > 0.1  # twice the nominal 5 %


def test_binormal_plants_the_auc_it_names():
    scenario = Binormal(jets=20_000, seeds=20, effect=-0.05, training=0.0)
    labels, arm, baseline = scenario.draw(numpy_rng("plant"))
    assert np.mean([auc(labels, row) for row in arm]) == pytest.approx(0.88, abs=0.01)
    assert np.mean([auc(labels, row) for row in baseline]) == pytest.approx(0.93, abs=0.01)


def test_more_labels_make_a_better_logistic_model():
    rates = calibrate(Logistic(arm_labels=3000, labels=30, jets=2000), 20)
    assert rates.better.mean > 0.9


def test_logistic_fit_is_sklearns():
    from sklearn.linear_model import LogisticRegression

    scenario = Logistic()
    labels, features = scenario._sample(numpy_rng("fit"), 200)
    expected = LogisticRegression(C=1 / scenario.ridge, fit_intercept=False, tol=1e-10).fit(features, labels).coef_[0]
    np.testing.assert_allclose(scenario._fit(labels, features, scenario.ridge), expected, rtol=1e-4, atol=1e-5)


def test_same_seed_same_rates():
    scenario = Binormal(jets=300)
    assert calibrate(scenario, 5, seed=3) == calibrate(scenario, 5, seed=3) != calibrate(scenario, 5, seed=4)


@pytest.mark.parametrize(
    "scenario", [NULLS["same arm"], NULLS["training dominates"], Binormal(jets=600, effect=0.02, same=False)]
)
def test_intervals_cover_the_planted_difference(scenario):
    covered = calibrate(scenario, 100).coverage
    assert round(covered.mean * 100) >= stats.binom.ppf(1e-4, 100, 0.95)


def test_intervals_of_one_arm_cover_its_mean_and_its_rejection():
    found = cover(Binormal(jets=3000, training=0.01), 100)
    for share in (found.auc, found.rejection_50, found.rejection_30):
        assert round(share.mean * 100) >= stats.binom.ppf(1e-4, 100, 0.95)
    assert found.resolved_50.mean > found.resolved_30.mean
    assert cover(Binormal(jets=300), 10) == cover(Binormal(jets=300), 10)


def test_an_interval_that_misses_the_truth_is_counted(monkeypatch):
    monkeypatch.setattr(Binormal, "rejection", lambda self, percent: 1e4)
    found = cover(Binormal(jets=3000), 10)
    assert found.rejection_50.mean == 0
    assert found.auc.mean > 0


def test_the_planted_rejection_is_what_many_scores_show():
    scenario = Binormal(jets=40_000, seeds=40, training=0.02)
    labels, _, scores = scenario.draw(numpy_rng("rejection"))
    signal, background = scores[:, labels == 1], scores[:, labels == 0]
    passed = (background >= np.quantile(signal, 0.5, axis=1)[:, None]).mean(axis=1)
    assert scenario.rejection(50) == pytest.approx(1 / passed.mean(), rel=4 * stats.sem(passed) / passed.mean())
    still = Binormal(training=0.0)  # in closed form
    assert still.rejection(30) == pytest.approx(1 / stats.norm.cdf(stats.norm.ppf(0.3) - np.sqrt(2) * stats.norm.ppf(0.93)))
    encoders = Binormal(training=0.012, encoder=0.016, encoders=5)
    assert encoders.rejection(50) == pytest.approx(Binormal(training=0.02).rejection(50), rel=0.01)


def test_shared_labels_that_are_ignored_make_intervals_too_small():
    pooled = Logistic(jets=4000, pool=224, arm_ridge=30.0)
    assert pooled.shared == pytest.approx(150 / 224)
    found, ignored = (calibrate(pooled, 50, widened=widened) for widened in (True, False))
    assert found.coverage.mean > 0.9
    assert ignored.coverage.mean < found.coverage.mean - 0.05
    assert found.difference == ignored.difference


def test_a_pool_gives_both_arms_the_same_labels_and_nested_ones():
    scenario, rng = Logistic(pool=300, arm_labels=150), numpy_rng("pool")
    arm, baseline = scenario._trained(rng, scenario._sample(rng, 300))
    np.testing.assert_array_equal(arm, baseline)
    apart = scenario._trained(rng, None)
    assert not np.array_equal(*apart)


def test_the_truth_of_logistic_models_is_what_their_replays_measure():
    scenario = Logistic(jets=4000, arm_labels=600)
    found = calibrate(scenario, 60)
    assert scenario.difference > 0
    assert found.difference == pytest.approx(scenario.difference, abs=4 * found.deviation / np.sqrt(60))
    assert Logistic().difference == 0


def test_following_the_number_of_seeds_gives_two_chances_and_the_power_that_it_names():
    """Few scores, whose spread between trainings dominates: what is planted is found by most of those that follow."""
    found = follow(Binormal(seeds=65, jets=200, effect=0.02, training=0.02, own=0.01), 60)
    assert found.followed > 15
    assert found.fresh.mean > found.first.mean
    assert found.fresh_second.mean > 0.55
    nothing = follow(Binormal(seeds=65, jets=200, training=0.02, own=0.01), 60)
    assert nothing.kept.mean >= nothing.first.mean
    assert nothing.fresh.mean == pytest.approx(nothing.first.mean + nothing.fresh_second.mean * nothing.followed / 60)
    assert Followed.model_validate_json(nothing.canonical()) == nothing


def test_nobody_follows_beyond_the_seeds_there_are():
    assert follow(Binormal(seeds=5, jets=200, training=0.02), 20).followed == 0
