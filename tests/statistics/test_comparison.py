import numpy as np
import pytest
from scipy import stats

from jetbench.errors import RunError
from jetbench.statistics.comparison import Comparison, Verdict, beside, compare, mirrored, seed_weights, unit_mean
from jetbench.statistics.intervals import clopper_pearson

WIGGLE = np.array([-1.0, 0.5, 0.2, -0.6, 0.9, 0.4, -0.8, 0.4, -0.3, 0.3])


PARTS = (slice(0, 5), slice(5, 10), slice(0, 10))


def judged(arm, baseline, test_variance, **options):
    """A comparison of AUCs, with the protocol's margin."""
    margin = 0.03 * (1 - unit_mean(baseline, options.get("clusters")))
    return compare(arm, baseline, test_variance, margin, **options)


def against(difference, seeds=5, spread=0.002, test=0.001, baseline=0.9, **options):
    """A comparison with the given mean difference, spread between seeds and test error."""
    wiggle = WIGGLE[:seeds] - WIGGLE[:seeds].mean()
    wiggle *= spread / wiggle.std(ddof=1) if seeds > 1 else 0
    return judged(baseline + difference + wiggle, np.full(seeds, baseline), test**2, **options)


@pytest.mark.parametrize("seeds", [5, 10])
@pytest.mark.parametrize(
    ("difference", "spread", "test", "verdict"),
    [
        (0.02, 0.002, 0.001, Verdict.BETTER),
        (-0.02, 0.002, 0.001, Verdict.WORSE),
        (0.0, 0.0005, 0.0005, Verdict.EQUIVALENT),
        (0.02, 0.02, 0.01, Verdict.UNDECIDED),
        (0.0, 0.02, 0.0, Verdict.UNDECIDED),
    ],
)
def test_each_verdict_is_reached(seeds, difference, spread, test, verdict):
    found = against(difference, seeds, spread, test)
    assert found.verdict is verdict
    assert (found.needed is not None) == (verdict is Verdict.UNDECIDED)


def test_a_real_difference_within_the_margin_is_equivalent():
    found = against(0.001, spread=0.0002, test=0.0002)
    assert found.p_difference < 0.05
    assert found.low > 0
    assert found.verdict is Verdict.EQUIVALENT


def test_the_test_sample_can_hide_what_the_seeds_agree_on():
    found = against(0.01, spread=0.001, test=0.008)
    assert stats.ttest_1samp(np.ones(5) * 0.01 + WIGGLE[:5] * 0.001, 0).pvalue < 0.001
    assert found.verdict is Verdict.UNDECIDED
    assert found.needed.seeds is None


def test_all_numbers_of_a_comparison():
    arm, baseline = np.array([0.92, 0.93, 0.91, 0.94, 0.93]), np.array([0.90, 0.91, 0.91, 0.90, 0.92])
    found = judged(arm, baseline, 2e-5)
    differences = arm - baseline
    total = np.hypot(stats.sem(differences), np.sqrt(2e-5))
    degrees = 4 * (total / stats.sem(differences)) ** 4
    assert found.difference == pytest.approx(0.018)
    errors = found.seed_error, found.test_error, found.total_error
    assert errors == pytest.approx((stats.sem(differences), np.sqrt(2e-5), total))
    assert found.degrees_of_freedom == pytest.approx(degrees)
    assert (found.low, found.high) == pytest.approx(stats.t.interval(0.95, degrees, 0.018, total))
    assert (found.equivalence_low, found.equivalence_high) == pytest.approx(stats.t.interval(0.90, degrees, 0.018, total))
    assert found.p_t == pytest.approx(2 * stats.t.sf(0.018 / total, degrees))
    assert found.p_difference == found.p_t == found.adjusted_p_difference
    assert found.margin == pytest.approx(0.03 * (1 - baseline.mean()))
    assert (found.units, found.seeds, found.clustered) == (5, 5, False)


@pytest.mark.parametrize("seeds", [2, 3, 4])
def test_fewer_than_five_seeds_decide_nothing(seeds):
    found = against(0.05, seeds, spread=0.0005, test=0.0005)
    assert (found.verdict, found.needed.seeds) == (Verdict.UNDECIDED, 5)
    assert found.low is not None


def test_one_seed_has_no_spread():
    found = against(0.05, 1)
    assert (found.verdict, found.needed, found.spread) == (Verdict.UNDECIDED, None, None)
    assert (found.low, found.seed_error, found.total_error, found.p_difference) == (None, None, None, None)
    assert found.test_error == pytest.approx(0.001)


def test_sign_flip_joins_from_eight_seeds_on():
    outlier = np.array([0.003] * 7 + [-0.004])
    below = judged(0.9 + outlier[1:], np.full(7, 0.9), 0.0)
    assert below.p_difference == below.p_t
    found = judged(0.9 + outlier, np.full(8, 0.9), 0.0)
    assert found.p_difference == max(found.p_t, found.p_sign_flip)
    clear = against(0.02, 8)
    assert clear.p_sign_flip == 2 / 256
    assert clear.p_difference >= 2 / 256


def test_seeds_of_one_encoder_count_once():
    rng = np.random.default_rng(0)
    encoders, clusters = rng.normal(0.02, 0.002, 5), np.repeat(np.arange(5), 2)
    arm = 0.9 + encoders[clusters] + rng.normal(0, 1e-4, 10)
    found = judged(arm, np.full(10, 0.9), 1e-6, clusters=clusters)
    averaged = judged(arm.reshape(5, 2).mean(axis=1), np.full(5, 0.9), 1e-6)
    assert (found.units, found.seeds, found.clustered) == (5, 10, True)
    assert found.replace(seeds=5, clustered=False) == averaged
    assert found.verdict is Verdict.BETTER


def test_one_encoder_never_wins():
    found = against(0.05, 10, clusters=np.zeros(10, int))
    assert (found.verdict, found.units, found.needed) == (Verdict.UNDECIDED, 1, None)


def test_clusters_of_their_own_change_nothing():
    assert against(0.02, clusters=[4, 2, 0, 1, 3]).difference == pytest.approx(against(0.02).difference)
    assert not against(0.02, clusters=[4, 2, 0, 1, 3]).clustered


def test_probability_counts_ties_half_and_its_ends_count_them_worst():
    found = judged([0.91, 0.92, 0.90, 0.90, 0.89], np.full(5, 0.90), 0.0).probability_better
    assert (found.mean, found.n) == (0.6, 5)
    assert (found.low, found.high) == (clopper_pearson(2, 5).low, clopper_pearson(4, 5).high)


def test_equal_arms_are_equivalent_even_without_room():
    assert judged(np.full(5, 0.9), np.full(5, 0.9), 0.0).verdict is Verdict.EQUIVALENT
    assert judged(np.ones(5), np.ones(5), 0.0).verdict is Verdict.EQUIVALENT


def test_shared_labels_widen_errors_and_intervals():
    plain, found = against(0.006, spread=0.004), against(0.006, spread=0.004, shared=0.3)
    assert found.seed_error == pytest.approx(plain.seed_error * np.sqrt(1 + 5 * 0.3 / 0.7))
    assert (found.spread.deviation, found.test_error) == (pytest.approx(0.004), plain.test_error)
    assert found.high - found.low > plain.high - plain.low
    assert found.p_difference > plain.p_difference


def test_fresh_seeds_decide_and_all_stand_beside():
    """Five seeds that happen to agree, and five that do not: the verdict is that of the latter."""
    arm = 0.9 + np.concatenate([0.02 + 0.001 * WIGGLE[:5], 0.03 * WIGGLE[5:]])
    looked, fresh, pooled = (judged(arm[part], np.full(len(arm[part]), 0.9), 0.0) for part in PARTS)
    found = beside(fresh, pooled)
    assert (looked.verdict, found.verdict) == (Verdict.BETTER, Verdict.UNDECIDED)
    assert (found.pooled.mean, found.pooled.low, found.pooled.high, found.pooled.n) == (
        pooled.difference,
        pooled.low,
        pooled.high,
        10,
    )
    assert found.replace(pooled=None) == fresh


def test_seed_weights_give_every_encoder_the_same():
    np.testing.assert_allclose(seed_weights(4), 0.25)
    np.testing.assert_allclose(seed_weights(5, [0, 1, 0, 1, 0]), [1 / 6, 1 / 4, 1 / 6, 1 / 4, 1 / 6])
    with pytest.raises(RunError, match="3 cluster indices for 5 seeds"):
        seed_weights(5, [0, 1, 0])


def test_swapping_the_arms_swaps_the_verdict():
    arm, baseline = 0.9 + 0.02 + 0.001 * WIGGLE, 0.9 - 0.001 * WIGGLE[::-1]
    forth, back = judged(arm, baseline, 1e-6), judged(baseline, arm, 1e-6)
    assert (forth.verdict, back.verdict) == (Verdict.BETTER, Verdict.WORSE)
    assert forth.difference == pytest.approx(-back.difference)
    assert forth.p_difference == pytest.approx(back.p_difference)


RMSE = np.array([6.31, 6.52, 6.18, 6.44, 6.27, 6.39, 6.22, 6.48, 6.35, 6.29])  # GeV


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize(
    ("shift", "spread", "verdict"),
    [(-0.6, 0.05, Verdict.BETTER), (0.6, 0.05, Verdict.WORSE), (-0.02, 0.02, Verdict.EQUIVALENT), (0.1, 0.5, Verdict.UNDECIDED)],
)
def test_a_metric_of_which_less_is_better_is_the_mirror_of_its_negative(seeds, shift, spread, verdict):
    arm, baseline, variance = RMSE[:seeds] + shift + spread * WIGGLE[:seeds], RMSE[:seeds], 1e-4
    found = compare(arm, baseline, variance, 0.03 * baseline.mean(), larger_is_better=False)
    mirrored = compare(-arm, -baseline, variance, 0.03 * baseline.mean())
    assert found.verdict is (verdict if seeds >= 5 else Verdict.UNDECIDED)
    flipped = ("arm", "baseline", "difference", "larger_is_better")
    ends = {"low": -mirrored.high, "high": -mirrored.low}
    ends |= {"equivalence_low": -mirrored.equivalence_high, "equivalence_high": -mirrored.equivalence_low}
    assert mirrored.replace(**{name: getattr(found, name) for name in flipped}, **ends) == found
    assert (found.difference, found.arm.mean) == (-mirrored.difference, -mirrored.arm.mean)


@pytest.mark.parametrize("n", [1, 5, 9])
def test_the_mirror_of_a_comparison_is_that_of_the_swapped_arms(n):
    """Every number, with those of seeds that were looked at, and ties among the wins."""
    rng = np.random.default_rng(n)
    arm, baseline = 0.92 + 0.01 * rng.standard_normal((2, n)) + [[0.03], [0]]
    arm[0] = baseline[0]
    there, back = compare(arm, baseline, 1e-6, 0.002, shared=0.1), compare(baseline, arm, 1e-6, 0.002, shared=0.1)
    found = mirrored(beside(there, there)).model_dump()
    expected = beside(back, back).model_dump()
    assert found.keys() == expected.keys()
    assert {name: value for name, value in found.items() if isinstance(value, float)} == pytest.approx(
        {name: value for name, value in expected.items() if isinstance(value, float)}
    )
    for name in ("verdict", "units", "family"):
        assert found[name] == expected[name]
    for name in ("arm", "baseline", "pooled", "probability_better"):
        assert found[name] == pytest.approx(expected[name])


def test_the_arm_wins_the_seeds_in_which_its_error_is_smaller():
    found = compare([5.0, 6.0, 7.0, 6.0, 5.5], np.full(5, 6.0), 0.0, 0.18, larger_is_better=False).probability_better
    assert (found.mean, found.low, found.high) == (0.6, clopper_pearson(2, 5).low, clopper_pearson(4, 5).high)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e6])
def test_no_number_depends_on_the_unit(scale):
    arm, baseline, variance = RMSE + 0.2 * WIGGLE, RMSE[::-1], 1e-3
    found, scaled = (compare(arm * s, baseline * s, variance * s**2, 0.19 * s) for s in (1.0, scale))
    for name in ("p_t", "p_difference", "p_equivalence", "degrees_of_freedom"):
        assert getattr(scaled, name) == pytest.approx(getattr(found, name))
    assert (scaled.verdict, scaled.needed) == (found.verdict, found.needed)
    assert scaled.high == pytest.approx(found.high * scale)


def test_the_mean_over_units_is_that_of_the_encoders():
    assert unit_mean([1.0, 2.0, 3.0]) == 2.0
    assert unit_mean([1.0, 2.0, 6.0], [0, 0, 1]) == 3.75
    with pytest.raises(RunError, match="2 cluster indices for 3 seeds"):
        unit_mean([1.0, 2.0, 6.0], [0, 1])


def test_a_comparison_survives_its_json():
    found = against(0.02, 10)
    assert Comparison.model_validate_json(found.canonical()) == found


@pytest.mark.parametrize(
    ("arm", "baseline", "variance", "options"),
    [
        ([0.9, 0.9], [0.9], 0.0, {}),
        ([], [], 0.0, {}),
        ([np.nan, 0.9], [0.9, 0.9], 0.0, {}),
        ([0.9, 0.9], [np.inf, 0.9], 0.0, {}),
        ([0.9, 0.9], [0.9, 0.9], 0.0, {"margin": -0.1}),
        ([0.9, 0.9], [0.9, 0.9], 0.0, {"margin": np.nan}),
        ([0.9, 0.9], [0.9, 0.9], -1.0, {}),
        ([0.9, 0.9], [0.9, 0.9], 0.0, {"clusters": [0]}),
        ([0.9, 0.9], [0.9, 0.9], 0.0, {"level": 95}),
        ([0.9, 0.9], [0.9, 0.9], np.nan, {}),
    ],
)
def test_columns_without_sense_are_refused(arm, baseline, variance, options):
    with pytest.raises(RunError):
        compare(arm, baseline, variance, **{"margin": 0.003} | options)
