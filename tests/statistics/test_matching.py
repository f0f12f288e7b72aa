import numpy as np
import pytest
from scipy import stats

from jetbench.errors import RunError
from jetbench.seeds import numpy_rng
from jetbench.statistics.matching import ending_labels, matching_labels

# five seeds of four means that do not move together: orthogonal columns with mean 0 and a standard deviation of 1
WIGGLES = 2 * np.linalg.qr(np.column_stack([np.ones(5), np.vander(np.arange(5), 5)[:, :4]]))[0][:, 1:]
CURVE = {100: 0.93, 300: 0.95, 1000: 0.96}


def seeds(mean, spread=0.001, column=0):
    return mean + spread * WIGGLES[:, column % 4]


def match(target, curve=CURVE, spread=0.001, **options):
    means = {n: seeds(mean, spread, column) for column, (n, mean) in enumerate(curve.items(), 1)}
    return matching_labels(means, seeds(target, spread), **options)


def test_the_curve_is_read_backwards_in_the_logarithm_of_the_labels():
    assert match(0.95).labels == pytest.approx(300)
    assert match(0.94).labels == pytest.approx(np.sqrt(100 * 300))
    assert match(0.9525).labels == pytest.approx(300 * (1000 / 300) ** 0.25)


def test_of_two_budgets_the_interval_is_that_of_the_ratio_in_closed_form():
    """With a curve that is known well, the labels' logarithm is linear in the target, and its interval is Student's."""
    curve = {100: seeds(0.90, 1e-9), 10_000: seeds(1.00, 1e-9)}
    found = matching_labels(curve, seeds(0.95, 0.005))
    half = stats.t.ppf(0.975, 4) * 0.005 / np.sqrt(5) * np.log(100) / 0.1
    assert found.labels == pytest.approx(1000)
    assert np.log([found.low, found.high]) == pytest.approx([np.log(1000) - half, np.log(1000) + half], abs=0.08 * half)


def test_what_seeds_do_to_curve_and_target_alike_cancels():
    """A seed with good labels helps both arms: the number of labels is known better than either mean."""
    alike = {100: seeds(0.90, 0.005), 10_000: seeds(1.00, 0.005)}
    found = matching_labels(alike, seeds(0.95, 0.005))
    assert (found.low, found.high) == pytest.approx((1000, 1000), rel=1e-6)
    apart = matching_labels(
        {n: seeds(m, 0.005, column) for column, (n, m) in enumerate({100: 0.9, 10_000: 1.0}.items(), 1)}, alike[100] + 0.05
    )
    assert apart.high > 1.5 * apart.low


def test_labels_that_seeds_share_widen_the_interval():
    curve = {100: seeds(0.90, 1e-9), 10_000: seeds(1.00, 1e-9)}
    plain, wide = (matching_labels(curve, seeds(0.95, 0.005), shared=[0.0, 0.0, share]) for share in (0.0, 0.2))
    widths = [np.log(found.high / found.low) for found in (plain, wide)]
    assert widths[1] == pytest.approx(np.sqrt(1 + 5 * 0.25) * widths[0], rel=1e-6)


def test_the_test_samples_error_widens_it_and_what_all_share_cancels():
    curve = {100: seeds(0.90, 1e-9), 10_000: seeds(1.00, 1e-9)}
    own, common = np.diag([0.0, 0.0, 0.004**2]), np.full((3, 3), 0.01**2)
    found, shared = (matching_labels(curve, seeds(0.95, 1e-9), test_covariance=c) for c in (own, common))
    half = stats.norm.ppf(0.975) * 0.004 * np.log(100) / 0.1
    assert np.log([found.low, found.high]) == pytest.approx([np.log(1000) - half, np.log(1000) + half], abs=0.06 * half)
    assert (shared.low, shared.high) == pytest.approx((1000, 1000), rel=1e-3)


def test_beyond_the_largest_budget_there_is_no_number():
    found = match(0.97)
    assert (found.labels, found.high, found.largest) == (None, None, 1000)
    assert found.beyond > 0.99
    assert match(0.9599).labels < 1000
    assert match(0.9599).high is None  # the target may well lie beyond
    assert 0.2 < match(0.9599).beyond < 0.8


def test_at_the_smallest_budget_or_below():
    found = match(0.92)
    assert (found.labels, found.low, found.smallest) == (pytest.approx(100), pytest.approx(100), 100)
    assert found.below > 0.99


@pytest.mark.parametrize("smallest", [10, 30, 50, 100, 5000, 10000])
def test_a_budget_is_told_exactly(smallest):
    """exp(log(100)) is more than 100, and nothing would be there or below."""
    curve = {smallest: [0.9, 0.9], 3 * smallest: [0.92, 0.92]}
    assert matching_labels(curve, [0.8, 0.8]).labels == smallest
    assert matching_labels(curve, [0.92, 0.92]).labels == 3 * smallest


def test_a_dip_is_levelled_out():
    dipped = {100: 0.93, 300: 0.96, 1000: 0.94, 3000: 0.97}
    assert match(0.95, dipped).labels == pytest.approx(300)
    assert match(0.96, dipped).labels == pytest.approx(1000 * np.sqrt(3))


def test_a_flat_curve_tells_nothing():
    found = match(0.95, {100: 0.95, 300: 0.95, 1000: 0.95})
    assert (found.low, found.high) == (pytest.approx(100), None)


def test_a_metric_of_which_less_is_better_is_mirrored():
    curve = {n: -seeds(mean, column=column) for column, (n, mean) in enumerate(CURVE.items(), 1)}
    mirrored = matching_labels(curve, -seeds(0.95), larger_is_better=False)
    assert mirrored == match(0.95)


def test_the_interval_covers():
    rng, covered, replays = numpy_rng("matching-coverage"), 0, 60
    for _ in range(replays):
        curve = {n: mean + 0.003 * rng.normal(size=5) for n, mean in CURVE.items()}
        found = matching_labels(curve, 0.945 + 0.003 * rng.normal(size=5))
        truth = 100 * 3**0.75
        covered += (found.low or np.inf) <= truth <= (found.high or np.inf)
    assert covered / replays > 0.88


BUDGETS = (50, 100, 200, 400)
FADES = {n: 0.03 - 0.005 * np.log(n / 50) for n in BUDGETS}  # through 0.0231 at 200 labels, by 0.0035 with each doubling
MARGINS = dict.fromkeys(BUDGETS, 0.03 - 0.005 * np.log(3))  # of what the gain is at 150 labels


def test_a_gain_that_falls_with_the_logarithm_ends_where_it_meets_its_margin():
    """In closed form: what moves the gain alike at all budgets moves the logarithm of its end by as much over the slope."""
    found = ending_labels({n: seeds(mean, 0.001) for n, mean in FADES.items()}, MARGINS)
    assert found.labels == pytest.approx(150)
    half = stats.t.ppf(0.975, 4) * 0.001 / np.sqrt(5) / 0.005
    assert np.log([found.low, found.high]) == pytest.approx([np.log(150) - half, np.log(150) + half], abs=0.08 * half)
    assert (found.smallest, found.largest) == (50, 400)


def test_the_test_sample_moves_the_end_of_a_gain_too():
    exact, common = {n: seeds(mean, 1e-9) for n, mean in FADES.items()}, np.full((4, 4), 0.001**2)
    found = ending_labels(exact, MARGINS, test_covariance=common)
    half = stats.norm.ppf(0.975) * 0.001 / 0.005
    assert np.log([found.low, found.high]) == pytest.approx([np.log(150) - half, np.log(150) + half], abs=0.06 * half)
    assert ending_labels(exact, MARGINS).low == pytest.approx(150, rel=1e-4)


def test_each_budget_has_a_margin_of_its_own():
    """On a line of its own between 100 and 200 labels: at the middle of their logarithms."""
    own = {50: 0.028, 100: FADES[100] - 0.001, 200: FADES[200] + 0.001, 400: 0.03}
    found = ending_labels({n: seeds(mean, 1e-9) for n, mean in FADES.items()}, own)
    assert found.labels == pytest.approx(np.sqrt(100 * 200))


@pytest.mark.parametrize(
    ("margin", "labels", "low", "high"),
    [(0.0, None, None, None), (0.0197, pytest.approx(392, abs=1), 200, None), (0.05, 50, 50, 50), (0.029, 61, 50, 100)],
)
def test_a_gain_that_ends_beyond_the_budgets_is_bracketed(margin, labels, low, high):
    """Beyond the largest budget there is no number, at the smallest it is that one; between them the ends have room."""
    found = ending_labels({n: seeds(mean, 0.001) for n, mean in FADES.items()}, dict.fromkeys(BUDGETS, margin))
    assert found.labels == (labels if labels is None else pytest.approx(labels, abs=1) if isinstance(labels, int) else labels)
    assert (found.low is None) == (low is None)
    assert (found.high is None) == (high is None)
    if low is not None:
        assert found.low >= low - 1e-6
    if high is not None:
        assert found.high <= high + 1e-6


def test_a_gain_that_nobody_knows_leaves_out_no_budget():
    found = ending_labels({n: seeds(mean, 0.2, column) for column, (n, mean) in enumerate(FADES.items())}, MARGINS)
    assert (found.low, found.high) == (pytest.approx(50), None)


def test_the_interval_of_an_end_covers():
    """Gains of five seeds that share a part of what moves them; of 30 trials 95 % are 28 or 29, and 25 are three errors below."""
    rng, covered, replays = numpy_rng("ending-coverage"), 0, 30
    for _ in range(replays):
        own = 0.002 * rng.normal(size=(5, 1))
        gains = {n: mean + (own + 0.002 * rng.normal(size=(5, 1)))[:, 0] for n, mean in FADES.items()}
        found = ending_labels(gains, MARGINS)
        covered += (found.low or np.inf) <= 150 <= (found.high or np.inf)
    assert covered >= 25


@pytest.mark.parametrize("gains", [{100: [0.1, 0.2]}, {100: [0.1], 200: [0.1]}, {}])
def test_an_end_of_too_little_is_refused(gains):
    with pytest.raises(RunError, match="two of each are the least"):
        ending_labels(gains, dict.fromkeys(gains, 0.01))


@pytest.mark.parametrize(
    ("curve", "target"), [({100: [0.9, 0.91]}, [0.9, 0.9]), (CURVE, [0.9]), ({1: [0.9], 2: [0.9, 0.8]}, [1, 1])]
)
def test_too_little_to_read_is_refused(curve, target):
    with pytest.raises(RunError, match="two of each are the least"):
        matching_labels({n: np.atleast_1d(v) if np.ndim(v) else seeds(v) for n, v in curve.items()}, target)


def test_other_seeds_of_the_target_are_refused():
    with pytest.raises(RunError, match="from the same seeds"):
        matching_labels({n: seeds(mean) for n, mean in CURVE.items()}, [0.95, 0.94, 0.95])
