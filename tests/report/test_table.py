import io
import re
from collections.abc import Callable

import numpy as np
import pytest
from report.conftest import fake_instance
from report.pages import Checked, page_of
from rich.console import Console
from scipy import stats

from jetbench.report.arms import looks
from jetbench.report.collect import collect
from jetbench.report.rejections import UNRESOLVED, rejection_limits, rejection_text, seed_rejection
from jetbench.report.results import Results
from jetbench.report.rows import Row, notes, rows
from jetbench.report.rules import verdict_rules
from jetbench.report.sections import contents_of
from jetbench.report.sentences import answer
from jetbench.report.table import print_table
from jetbench.report.tuned import decisions, oracle, untuned
from jetbench.report.warnings import LOUD, warnings
from jetbench.report.words import mean_limits
from jetbench.statistics.intervals import t_interval
from jetbench.statistics.mean_rejection import MeanRejection
from jetbench.suites.plan import CellKey
from jetbench.suites.planning import make_plan
from jetbench.suites.roles import Role
from jetbench.tracking.store import Store

Planted = Callable[..., Results]


def row_of(results: Results, arm: str, labels: int) -> Row:
    return next(row for row in rows(results) if (row.arm, row.labels) == (arm, labels))


def wins(results: Results, arm: str, labels: int, seed: int) -> np.ndarray:
    """All signal-background pairs, one by one: (n1, n0) of 1, ½ or 0."""
    _, truth, scores = results.scores(CellKey(arm, labels, seed))
    signal, background = scores[truth == 1][:, None], scores[truth == 0][None]
    return (signal > background) + 0.5 * (signal == background)


def printed(results: Results, width: int = 100, terminal: bool = False) -> str:
    stream = io.StringIO()
    print_table(results, Console(file=stream, width=width, force_terminal=terminal))
    return stream.getvalue()


def test_a_row_per_arm_and_budget_in_the_suites_order(finished: Results) -> None:
    found = [(row.labels, row.arm) for row in rows(finished)]
    everywhere = ["scratch", "simclr", "boosted-trees", "mass-likelihood"]
    controls = ["mass-distance", "class-prior", "random-frozen", "supervised-pretrained"]
    assert found == [(50, arm) for arm in everywhere + controls] + [(200, arm) for arm in everywhere]
    assert sum(row.primary for row in rows(finished)) == 1
    assert all(row.seeds == row.planned == 5 for row in rows(finished))
    assert not any(row.notes for row in rows(finished))


def widened(results: Results, labels: int, seeds: int = 5) -> float:
    """What shared labels make of an error between seeds: 800 jets are in the pool."""
    share = labels / (results.plan.instance.jets - 400)
    return float(np.sqrt(1 + seeds * share / (1 - share)))


@pytest.mark.parametrize("labels", [50, 200])
def test_mean_and_both_errors_of_the_auc_come_from_the_scores(finished: Results, labels: int) -> None:
    pairs = np.stack([wins(finished, "simclr", labels, seed) for seed in range(5)])
    areas, mean = pairs.mean(axis=(1, 2)), pairs.mean(axis=0)
    test = np.sqrt(mean.mean(axis=1).var(ddof=1) / mean.shape[0] + mean.mean(axis=0).var(ddof=1) / mean.shape[1])
    seed = stats.sem(areas) * widened(finished, labels)
    total = np.hypot(seed, test)
    low, high = stats.t.interval(0.95, 4 * (total / seed) ** 4, areas.mean(), total)
    auc = row_of(finished, "simclr", labels).headline
    assert auc is not None
    assert (auc.mean, auc.low, auc.high, auc.n) == pytest.approx((areas.mean(), low, high, 5))
    assert (auc.seed_error, auc.test_error) == pytest.approx((seed, test))


def test_difference_and_both_errors_are_right(finished: Results) -> None:
    """The test sample's error is that of the mean of the five differences, from placements counted pair by pair."""
    gaps = np.stack([wins(finished, "simclr", 50, s) - wins(finished, "scratch", 50, s) for s in range(5)])
    each, mean = gaps.mean(axis=(1, 2)), gaps.mean(axis=0)
    test = mean.mean(axis=1).var(ddof=1) / mean.shape[0] + mean.mean(axis=0).var(ddof=1) / mean.shape[1]
    found = row_of(finished, "simclr", 50).comparison
    assert found is not None
    assert found.difference == pytest.approx(each.mean())
    assert found.seed_error == pytest.approx(each.std(ddof=1) / np.sqrt(5) * widened(finished, 50))
    assert found.test_error == pytest.approx(np.sqrt(test))
    assert found.total_error == pytest.approx(np.hypot(found.seed_error, found.test_error))


def test_shared_encoders_are_clusters_of_the_test_error_too(planted: Planted) -> None:
    """Three encoders for five seeds: seeds 0 and 3 share one, so do 1 and 4; each encoder counts the same."""
    results = planted("pretraining_seeds=3")
    gaps = np.stack([wins(results, "simclr", 50, s) - wins(results, "scratch", 50, s) for s in range(5)])
    encoders = np.stack([(gaps[0] + gaps[3]) / 2, (gaps[1] + gaps[4]) / 2, gaps[2]])
    mean = encoders.mean(axis=0)
    test = mean.mean(axis=1).var(ddof=1) / mean.shape[0] + mean.mean(axis=0).var(ddof=1) / mean.shape[1]
    found = row_of(results, "simclr", 50).comparison
    assert found is not None
    assert found.clustered
    assert (found.units, found.seeds) == (3, 5)
    assert found.difference == pytest.approx(mean.mean())
    assert found.test_error == pytest.approx(np.sqrt(test))
    assert "5 seeds share 3 pretrained encoders" in row_of(results, "simclr", 50).notes


def test_rejection_comes_from_the_mean_efficiency_of_the_seeds(finished: Results) -> None:
    rejection = seed_rejection(finished, "scratch", 50, 50)
    assert rejection is not None
    left, total = [], 0
    for seed in range(5):
        _, truth, scores = finished.scores(CellKey("scratch", 50, seed))
        signal = np.sort(scores[truth == 1])
        left.append(np.count_nonzero(scores[truth == 0] >= signal[len(signal) - len(signal) * 50 // 100]))
        total = np.count_nonzero(truth == 0)
    assert rejection.rejection == pytest.approx(total / np.mean(left))
    assert rejection.left == pytest.approx(np.mean(left))


def test_no_background_left_is_a_lower_bound_and_never_infinite(planted: Planted) -> None:
    results = planted(areas={"boosted-trees": 0.997})
    found = seed_rejection(results, "boosted-trees", 50, 30)
    assert found is not None
    assert (found.rejection, found.left) == (None, 0)
    assert rejection_text(found) == f">{int(found.low)}"
    assert np.isfinite(found.low)
    assert "not resolved, with fewer than 10 background jets left per seed" in printed(results)
    assert UNRESOLVED in Checked(str(page_of(results))).text


@pytest.mark.parametrize(
    ("rejection", "low", "high", "left", "text", "between"),
    [
        (12.4, 8.03, 20.6, 30.0, "12", "8.0–21"),
        (6.26, 4.0, 9.9, 60.0, "6.3", "4.0–9.9"),
        (150.0, 80.9, 310.0, 10.0, "150", "81–310"),
        (375.2, 90.9, 901.0, 9.8, ">90", "9 left"),
        (None, 54.9, None, 0.0, ">54", "0 left"),
        (200.0, 5.9, None, 0.5, ">5", "<1 left"),
    ],
)
def test_words_of_a_rejection(
    rejection: float | None, low: float, high: float | None, left: float, text: str, between: str
) -> None:
    found = MeanRejection(rejection=rejection, low=low, high=high, left=left, seeds=5)
    assert (rejection_text(found), rejection_limits(found)) == (text, between)


def test_piped_table_is_plain_and_whole(finished: Results) -> None:
    text = printed(finished, width=40)
    assert "\x1b" not in text
    assert not set(text) & set("│┃─━┏┓…")
    row = next(line for line in text.splitlines() if line.startswith("simclr"))
    found = row_of(finished, "simclr", 50)
    assert found.headline
    assert found.comparison
    errors = [f"±{error:.4f}" for error in (found.comparison.seed_error, found.comparison.test_error) if error]
    assert all(part in row for part in (f"{found.headline.mean:.4f}", *errors, "better *"))
    assert f"±{found.headline.seed_error:.4f} ±{found.headline.test_error:.4f} " in text
    assert all(arm in text for arm in finished.plan.instance.settings.arms)


def test_table_fits_a_hundred_columns(planted: Planted) -> None:
    results = planted(missing=lambda cell: cell.seed == 4 and cell.arm == "supervised-pretrained", areas={"scratch": 0.93})
    piped, terminal = printed(results), printed(results, terminal=True)
    table = piped[: piped.index("test AUC: ")].splitlines()
    assert any("supervised-pretrained !" in line and "4/5" in line for line in table)
    assert max(len(line.rstrip()) for line in table) <= 100
    assert re.sub(r"\x1b\[[\d;]*m", "", terminal).splitlines()[: len(table)] == table


def test_notes_tell_what_is_missing_failed_and_at_the_edge(planted: Planted) -> None:
    results = planted(
        failed={CellKey("simclr", 200, 3): "the loss is not finite"},
        missing=lambda cell: cell.arm == "boosted-trees" and cell.labels == 50 and cell.seed > 1,
        edge=("scratch",),
    )
    found = notes(results)
    assert (
        "simclr at 200 labels: seed 3: needs resnet15/simclr/n200/s3/trial-lr0.001, which failed: the loss is not finite" in found
    )
    assert "boosted-trees at 50 labels: seeds 2–4: not run yet" in found
    assert any(note.startswith("scratch at 50, 200 labels: the best learning rate 0.0003 is at the edge") for note in found)
    assert row_of(results, "boosted-trees", 50).seeds == 2


def test_both_edges_of_one_arm_are_one_note(planted: Planted) -> None:
    """A seed at the largest rate, the others at the smallest."""
    results = planted(edge=("scratch",))
    digest = results.plan.tuned[CellKey("scratch", 50, 2)]
    won = results.winners[digest]
    results.winners[digest] = won.replace(values=((won.at_edge[0], 0.003),))
    (note,) = (note for note in row_of(results, "scratch", 50).notes if "edge" in note)
    assert note == "the best learning rate 0.0003 and 0.003 are at the edges of what was tried: widen the range"


def test_the_terminal_has_each_warning_of_the_page(planted: Planted) -> None:
    """Mixed processors, a margin that the test jets do not resolve, and a control that is better than its baseline."""
    mixed = planted(
        environment=lambda run: {"processor": "New 2" if run.arm == "simclr" else "Old 1"},
        areas={"class-prior": 0.99},
        edge=("scratch",),
    )
    found, lines = warnings(mixed), printed(mixed).splitlines()
    for text in ("mixes runs", "is out of reach", "Two seeds share", "is at the edge", LOUD):
        assert any(text in one for one in found)
    assert [line.removeprefix("! ") for line in lines if line.startswith("! ")] == found


def test_a_run_that_needed_a_failed_one_says_which_and_why(planted: Planted) -> None:
    """A trial that failed leaves the study of its seed without a winner; a pretraining leaves behind what starts from it."""
    results = planted(missing=lambda cell: cell.arm in ("scratch", "simclr"))
    plan, ledger = results.plan, results.ledger
    trial = next(run for run in plan.runs.values() if run.kind == "trial" and run.arm == "scratch")
    pretraining = next(run for run in plan.runs.values() if run.name.endswith("simclr-pretraining/s3"))
    for run in (trial, pretraining):
        ledger.run(run.key).done.unlink(missing_ok=True)
        ledger.fail(run.key, "out of\n memory", "")
    again = collect(plan, Store(ledger.work.parent))
    assert again.missing[CellKey("scratch", 50, 0)] == f"needs {trial.name}, which failed: out of memory"
    assert again.missing[CellKey("simclr", 50, 3)] == f"needs {pretraining.name}, which failed: out of memory"
    assert again.missing[CellKey("simclr", 50, 2)] == "not run yet"
    tuning, missing = (
        re.sub(r"<[^>]*>|\s+", " ", part.body) for part in contents_of(again) if part.anchor in ("tuning", "missing")
    )
    assert re.search(r"scratch +50 +learning rate [^–]*– +– +– +– +– +not finished", tuning)
    assert re.search(r"simclr +50 +0 +not finished +not run yet", missing)
    assert re.search(r"simclr +50 +3 +failed +needs", missing)
    assert re.search(r"scratch +50 +0 +failed +needs", missing)


def test_an_arm_without_spread_has_no_interval_but_says_so(planted: Planted) -> None:
    """A cut is the same for every seed; five means of a rounding's spread are as well."""
    metric = planted(missing=lambda cell: True).metric
    assert mean_limits(metric, t_interval([0.9198] * 5)) == "same for every seed"
    assert mean_limits(metric, t_interval([0.1 + 0.2, 0.3, 0.3])) == "same for every seed"
    assert mean_limits(metric, t_interval([0.91979, 0.91981])).startswith("[")
    assert mean_limits(metric, t_interval([0.9198])) == ""


def test_the_rule_of_verdicts_stands_below_the_table(planted: Planted, finished: Results) -> None:
    deciding = (
        "better or worse: the t test paired over seeds, with both errors, has p ≤ 5 % after Holm's correction (from 8 seeds "
        "on the sign-flip test too); equivalent: two one-sided tests place the difference within 3 % of what scratch leaves; "
        "undecided: neither, or fewer than 5 seeds or encoders"
    )
    families = "(1 primary, marked *, 5 others, 12 with floors); intervals are not corrected"
    assert all(rule in printed(finished).splitlines() for rule in verdict_rules(finished))
    assert deciding in printed(planted("seeds=3"))
    assert f"B{deciding[1:]}." in Checked(str(page_of(finished))).text
    assert families in printed(finished)
    sizes = {finished.comparisons[arm, 50].family for arm in ("simclr", "random-frozen", "mass-likelihood")}
    assert sizes == {1, 5, 12}
    assert "needs: fresh seeds" in printed(planted("seeds=3"))
    assert verdict_rules(planted(missing=lambda cell: True)) == []


def test_only_fresh_seeds_decide_and_all_stand_beside(planted: Planted) -> None:
    """The five seeds that were looked at, and five more: differences are those of the latter, means those of all."""
    results = planted("seeds=10", "fresh_from=5")
    gaps = [(wins(results, "simclr", 50, s) - wins(results, "scratch", 50, s)).mean() for s in range(10)]
    row = row_of(results, "simclr", 50)
    assert row.comparison is not None
    assert row.comparison.pooled is not None
    assert row.headline is not None
    assert row.comparison.difference == pytest.approx(np.mean(gaps[5:]))
    assert (row.comparison.pooled.mean, row.comparison.pooled.n) == (pytest.approx(np.mean(gaps)), 10)
    assert (row.comparison.seeds, row.headline.n) == (5, 10)
    text, found = printed(results), row.comparison.pooled
    assert f"all: [{found.low:+.4f}, {found.high:+.4f}]" in text
    assert "rest on the fresh seeds, those from 5 on" in text
    assert "over 5 fresh seeds (all 10, those looked at before among them: [" in answer(results)
    assert f"all: [{found.low:+.4f}, {found.high:+.4f}]" in page_of(results)


def test_where_no_seed_is_looked_at_before_nothing_is_pooled(finished: Results) -> None:
    assert all(found.pooled is None for found in finished.comparisons.values())
    assert "fresh seeds, those" not in printed(finished)


def test_seeds_that_were_looked_at_give_no_verdict_alone(planted: Planted) -> None:
    results = planted("seeds=10", "fresh_from=5", missing=lambda cell: cell.seed >= 5)
    assert not results.comparisons
    assert "have no finished fresh seed in common" in answer(results)


def test_a_budget_that_takes_much_of_the_pool_is_said(finished: Results, planted: Planted) -> None:
    text = printed(finished)
    assert "! Two seeds share 25 % of their 200 labels" in text
    assert f"errors between seeds are {widened(finished, 200):.1f} times what 5 seeds show" in text
    assert any("Two seeds share 25 %" in one for one in warnings(finished))
    assert "of their 50 labels" not in text
    assert "Two seeds share" not in printed(planted("labels=[50, 160]"))


def test_a_seed_without_partner_is_left_out_and_said(planted: Planted) -> None:
    results = planted(missing=lambda cell: cell.arm == "scratch" and cell.seed == 0)
    row = row_of(results, "simclr", 50)
    assert row.comparison is not None
    assert (row.seeds, row.comparison.seeds) == (5, 4)
    assert any("left out of the difference" in note for note in row.notes)


def test_an_arm_without_any_cell_has_a_row(planted: Planted) -> None:
    results = planted(missing=lambda cell: cell.arm == "simclr")
    row = row_of(results, "simclr", 50)
    assert (row.headline, row.comparison, row.seeds) == (None, None, 0)
    assert seed_rejection(results, "simclr", 50, 30) is None
    assert "0/5" in printed(results)


def test_holm_guards_the_others_even_where_the_primary_is_missing(planted: Planted) -> None:
    results = planted(missing=lambda cell: (cell.arm, cell.labels) == ("simclr", 50))
    assert results.primaries[0] not in results.comparisons
    raised = [c for c in results.comparisons.values() if (c.adjusted_p_difference or 0) > (c.p_difference or 0)]
    assert raised


def test_roles_and_looks(finished: Results) -> None:
    named = finished.plan.roles
    assert named["scratch"] is Role.BASELINE
    assert named["boosted-trees"] is Role.RIVAL
    assert named["random-frozen"] is Role.CONTROL
    assert named["mass-likelihood"] is Role.FLOOR
    shown = looks(finished.plan)
    assert len({(look.color, look.marker, str(look.dashes)) for look in shown.values()}) == len(shown)
    assert {arm for arm, look in shown.items() if look.muted} == {
        "mass-likelihood",
        "mass-distance",
        "class-prior",
        "random-frozen",
        "supervised-pretrained",
    }


def test_many_arms_of_one_regime_differ_in_colour_and_line() -> None:
    """Seven networks from scratch beside trees: one colour for them all would leave dashes alone to tell them apart."""
    shown = looks(make_plan(fake_instance(scale="smoke", suite="architectures")))
    bright = [look for look in shown.values() if not look.muted]
    assert len({look.color for look in bright}) == len(bright) == 8
    assert len({str(look.dashes) for look in bright[:6]}) == 6


def test_arms_that_share_no_colour_differ_in_their_lines(finished: Results) -> None:
    bright = [look for look in looks(finished.plan).values() if not look.muted]
    assert len({look.color for look in bright}) == len({str(look.dashes) for look in bright}) == len(bright) == 3


def test_what_came_out_without_tuning_and_by_the_test_jets_stands_beside(planted: Planted) -> None:
    """Arms at their edge have left the recipe at every seed; an oracle is never behind."""
    results = planted("seeds=3", edge=("scratch",))
    for arm, left in (("scratch", 3), ("simclr", 0)):
        assert [winner.left for winner in decisions(results, arm, 50)] == [True] * left + [False] * (3 - left)
        tuned, recipe, best = results.headlines(arm, 50), untuned(results, arm, 50), oracle(results, arm, 50)
        assert (recipe == tuned).all() == (left == 0)
        assert (best >= np.maximum(tuned, recipe)).all()
    shown = next(re.sub(r"<[^>]*>|\s+", " ", part.body) for part in contents_of(results) if part.anchor == "tuning")
    assert re.search(r"scratch +50 +learning rate 0.0003, 0.001, 0.003 +3 +33 840 +0 +0 +3 of 3 +learning rate 0.0003 ×3", shown)
    assert untuned(planted("tuning.per=study", "seeds=2"), "scratch", 50).size == 0


def test_a_recipe_whose_trial_has_diverged_has_no_score(planted: Planted) -> None:
    results = planted("seeds=3")
    cell = CellKey("scratch", 50, 1)
    results.ledger.run(results.plan.cells[cell]).tested.unlink()
    assert [found.size for found in (untuned(results, "scratch", 50), oracle(results, "scratch", 50))] == [2, 3]
