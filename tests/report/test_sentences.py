from collections.abc import Callable

import numpy as np
import pytest

from jetbench.report.results import Results
from jetbench.report.rows import notes
from jetbench.report.sentences import answer, remarks
from jetbench.report.truths import truths
from jetbench.report.verdicts import verdicts
from jetbench.report.warnings import warnings
from jetbench.report.words import (
    brief_difference,
    count,
    difference_limits,
    differences_of,
    joined,
    limits,
    mean_limits,
    need,
    signed,
    spoilt_by,
    verdict_lines,
)
from jetbench.statistics.comparison import Comparison, Verdict, compare
from jetbench.statistics.intervals import Interval
from jetbench.statistics.multiplicity import adjust
from jetbench.suites.graph import PlannedRun
from jetbench.suites.plan import CellKey
from jetbench.tasks.classification import AUC
from jetbench.tasks.regression import RMSE
from jetbench.tasks.task import Metric

Planted = Callable[..., Results]


def primary(results: Results) -> Comparison:
    return results.comparisons[results.primaries[0]]


def state_of(results: Results, arm: str) -> str:
    return next(truth.state for truth in truths(results) if truth.arm == arm)


def test_a_better_arm_is_named_with_all_that_weighs(finished: Results) -> None:
    text, found = answer(finished), primary(finished)
    assert found.verdict is Verdict.BETTER
    assert text.startswith("simclr is better than scratch at 50 labels: test AUC ")
    for part in (
        f"{found.arm.mean:.4f} against {found.baseline.mean:.4f}",
        f"difference of {found.difference:+.4f}",
        f"95 % interval [{found.low:+.4f}, {found.high:+.4f}]",
        f"±{found.seed_error:.4f} between seeds",
        f"±{found.test_error:.4f} from the test sample",
        "over 5 seeds",
    ):
        assert part in text
    verdict, *below = text.splitlines()
    low, high = found.low, found.high
    assert verdict == (
        f"simclr is better than scratch at 50 labels: test AUC {found.arm.mean:.4f} against {found.baseline.mean:.4f}, a "
        f"difference of {found.difference:+.4f} (95 % interval [{low:+.4f}, {high:+.4f}])."
    )
    assert verdicts(finished) == [verdict]
    assert all(line.startswith("  ") and line.endswith(".") for line in below)
    assert max(map(len, below)) < 250


def test_a_worse_arm(planted: Planted) -> None:
    results = planted(areas={"simclr": 0.80})
    assert answer(results).startswith("simclr is worse than scratch at 50 labels")
    assert f"−{abs(primary(results).difference):.4f}" in answer(results)


def test_equivalent_arms_name_their_margin(planted: Planted) -> None:
    results = planted(areas={"scratch": 0.75, "simclr": 0.75}, spread=0.0005, own=0.0005)
    assert primary(results).verdict is Verdict.EQUIVALENT
    assert answer(results).startswith("simclr and scratch are equivalent at 50 labels, within ±")
    assert "3 % of what scratch leaves" in answer(results)


def test_undecided_says_how_many_seeds_would_do(planted: Planted) -> None:
    results = planted(areas={"scratch": 0.87, "simclr": 0.884}, spread=0.012, own=0.02)
    found = primary(results)
    assert found.verdict is Verdict.UNDECIDED
    assert found.needed
    assert found.needed.seeds
    assert answer(results).startswith("It is undecided whether simclr or scratch is better at 50 labels")
    assert f"at the observed spread and difference about {found.needed.seeds} fresh seeds have 80 % power" in answer(results)
    between = f"{found.needed.low} or more" if found.needed.high is None else f"{found.needed.low}–{found.needed.high}"
    assert f"({between} for true differences within one error of it)" in answer(results)


def test_undecided_for_want_of_test_jets(planted: Planted) -> None:
    results = planted(areas={"scratch": 0.87, "simclr": 0.87}, own=0.6, spread=0.0005)
    needed = primary(results).needed
    assert needed
    assert needed.seeds is None
    too_small = "the difference seen is too small to be told by any number of seeds at these test jets (80 % power)"
    assert f"Undecided: {too_small}" in answer(results)


def test_what_no_number_of_seeds_gives_is_named_alone() -> None:
    """Seeds that would do for a larger true difference are no second advice beside it."""
    found = compare(0.906 + 0.001 * np.array([-1, 1, -0.5, 0.5, 0]), np.full(5, 0.9), 1e-5, 0.003)
    assert found.needed is not None
    assert (found.needed.seeds, found.needed.low) == (None, 5)
    assert verdict_lines(found, True) == ["undecided *", "needs test jets"]
    text = "the difference seen is too small to be told by any number of seeds at these test jets (80 % power)"
    assert need(AUC, found) == f"{text}; more test jets are needed"


def test_where_seeds_err_by_more_test_jets_are_no_advice() -> None:
    found = compare(0.9005 + 0.005 * np.array([-1, 1, -0.5, 0.5, 0]), np.full(5, 0.9), 1e-6, 0.0001)
    assert found.needed is not None
    assert found.needed.seeds is None
    assert found.seed_error is not None
    assert found.seed_error > found.test_error
    assert verdict_lines(found, True) == ["undecided *", "too small", "to be told"]
    assert need(AUC, found).endswith("is too small to be told by any number of seeds at these test jets (80 % power)")


def test_a_correction_is_named_where_it_alone_leaves_a_comparison_undecided() -> None:
    """The interval leaves out zero, p is 2 %; of seven comparisons Holm makes it 14 %."""
    differences = 0.01 + 0.0075 * np.array([-1, 1, -0.5, 0.5, 0])
    alone = compare(0.9 + differences, np.full(5, 0.9), 1e-6, 0.0001)
    assert alone.verdict is Verdict.BETTER
    assert spoilt_by(alone) == ""
    found = adjust({k: compare(0.9 + differences * (k == 0), np.full(5, 0.9), 1e-6, 0.0001) for k in range(7)}, range(7))[0]
    assert found.verdict is Verdict.UNDECIDED
    assert found.low is not None
    assert found.low > 0
    assert spoilt_by(found) == "after correction for 7"
    assert spoilt_by(compare(0.9 + differences[:4], np.full(4, 0.9), 1e-6, 0.0001)) == ""  # too few seeds for any verdict


def test_fewer_than_five_seeds_are_too_few(planted: Planted) -> None:
    results = planted("seeds=3", areas={"simclr": 0.97})
    assert answer(results).startswith("It is undecided")
    assert "3 seeds are too few for a verdict" in answer(results)
    assert state_of(results, "supervised-pretrained") == "open"


def test_one_seed(planted: Planted) -> None:
    results = planted("seeds=1")
    text = answer(results)
    assert "over 1 seed: ±" in text
    assert "1 seed is too few for a verdict; 5 seeds are the least." in text
    assert "interval" not in text
    assert remarks(results)
    assert warnings(results)


def test_one_encoder_is_said_first(planted: Planted) -> None:
    results = planted("pretraining_seeds=1")
    text = answer(results)
    assert text.startswith("For this one encoder, it is undecided")
    assert "over 5 seeds that share 1 pretrained encoder" in text
    assert any(note.startswith("simclr at 50, 200 labels: 5 seeds share 1 pretrained encoder") for note in notes(results))


def test_the_encoders_of_a_pretrained_baseline_are_told_of_it_alone(planted: Planted) -> None:
    """Trees and floors share none, though each difference to the baseline rests on its one encoder."""
    results = planted("pretraining_seeds=1", "primary={arm: scratch, baseline: simclr, labels: smallest}")
    assert results.comparisons["boosted-trees", 50].clustered
    shared = [note for note in notes(results) if "pretrained encoder" in note]
    rest = "5 seeds share 1 pretrained encoder, and on as many rests every difference to it"
    assert shared == [
        f"simclr at 50, 200 labels: {rest}",
        "supervised-pretrained at 50 labels: 5 seeds share 1 pretrained encoder",
    ]
    assert "over 5 seeds, whose partners of simclr share 1 pretrained encoder" in answer(results)


def test_missing_seeds_are_said(planted: Planted) -> None:
    results = planted(failed={CellKey("simclr", 50, 2): "out of memory"})
    assert "over 4 seeds of 5 planned" in answer(results)
    assert any("72" not in w and "cells are finished" in w for w in warnings(results))
    assert "simclr at 50 labels: seed 2: needs resnet15/simclr/n50/s2/trial-lr0.001, which failed: out of memory" in warnings(
        results
    )


def test_no_answer_yet_names_the_reason(planted: Planted) -> None:
    results = planted(missing=lambda cell: cell.arm == "simclr")
    assert answer(results) == "There is no answer yet: no seed of simclr has finished at 50 labels (not run yet)."


def test_what_all_seeds_have_failed_with_is_said_once(planted: Planted) -> None:
    cells = [CellKey(arm, 50, seed) for arm in ("simclr", "scratch") for seed in range(5)]
    text = answer(planted(failed=dict.fromkeys(cells, "out of\nmemory")))
    assert text == (
        "There is no answer yet: no seed of simclr and scratch has finished at 50 labels (10 runs failed: out of memory)."
    )
    mixed = planted(
        failed={CellKey("simclr", 50, seed): "out of memory" for seed in (0, 1)}, missing=lambda cell: cell.arm == "simclr"
    )
    assert answer(mixed).endswith("(2 runs failed: out of memory; not run yet).")


def test_no_common_seed(planted: Planted) -> None:
    results = planted(missing=lambda cell: cell.arm in ("simclr", "scratch") and (cell.seed > 1) == (cell.arm == "scratch"))
    text = answer(results)
    assert text == "There is no answer yet: simclr and scratch have no finished seed in common at 50 labels."


def test_remarks_name_budgets_trees_floors_and_controls(finished: Results) -> None:
    text = "\n".join(remarks(finished))
    second = finished.comparisons["simclr", 200]
    assert f"simclr against scratch: {second.verdict} at 200 labels ({second.difference:+.4f}" in text
    assert "boosted-trees against scratch: better at 50 labels" in text
    assert "boosted-trees is ahead of the best of 2 networks by these test jets, simclr, at 50 labels" in text
    assert "The floor mass-likelihood is cleared by simclr and boosted-trees at 50 and 200 labels" in text
    assert "; has below it scratch at 50 and 200 labels (paired tests, corrected for their number by Holm)." in text
    assert "The floor class-prior is cleared by the baseline and every rival" in text
    assert "supervised-pretrained is better than scratch at 50 labels" in text


def test_trees_that_lose_are_said_to(planted: Planted) -> None:
    results = planted(areas={"boosted-trees": 0.85, "mass-likelihood": 0.7})
    text = "\n".join(remarks(results))
    assert "boosted-trees is not ahead of the best of 2 networks by these test jets, simclr," in text
    assert "The floor mass-likelihood is cleared by the baseline and every rival (paired tests" in text


def test_planted_truths_hold_in_silence(finished: Results) -> None:
    assert {truth.arm: truth.state for truth in truths(finished)} == {
        "class-prior": "holds",
        "random-frozen": "holds",
        "supervised-pretrained": "holds",
    }
    assert not any("PLANTED" in warning for warning in warnings(finished))


@pytest.mark.parametrize(("arm", "area"), [("random-frozen", 0.95), ("supervised-pretrained", 0.80)])
def test_a_violated_truth_is_loud(planted: Planted, arm: str, area: float) -> None:
    results = planted(areas={arm: area})
    assert state_of(results, arm) == "violated"
    assert "A PLANTED TRUTH IS VIOLATED at 50 labels" in warnings(results)[0]
    assert arm in warnings(results)[0]


@pytest.mark.parametrize(("area", "state"), [(0.5, "holds"), (0.7, "violated")])
def test_shuffled_labels_must_give_a_coin(planted: Planted, area: float, state: str) -> None:
    arms = "arms={shuffled: {model: resnet15, regime: shuffled-labels, labels: smallest}}"
    results = planted(arms, areas={"shuffled": area})
    assert state_of(results, "shuffled") == state


def test_two_shuffled_trainings_that_agree_prove_nothing(planted: Planted) -> None:
    arms = "arms={shuffled: {model: resnet15, regime: shuffled-labels, labels: smallest}}"
    assert state_of(planted(arms, "seeds=2", areas={"shuffled": 0.2}), "shuffled") == "open"


@pytest.mark.parametrize(("area", "state"), [(0.87, "holds"), (0.95, "violated")])
def test_the_baseline_with_other_seeds_must_not_differ(planted: Planted, area: float, state: str) -> None:
    overrides = ("arms={again: {model: resnet15, regime: scratch, seed_offset: 100}}", "varies=[model, regime, seed]")
    results = planted(*overrides, areas={"again": area})
    assert state_of(results, "again") == state


def test_a_test_set_too_small_for_equivalence_is_said(finished: Results) -> None:
    text = next(w for w in warnings(finished) if w.startswith("Equivalence at 50 labels is out of reach"))
    rivals = [finished.comparisons[arm, 50] for arm in ("simclr", "boosted-trees")]
    least = min(rivals, key=lambda c: c.test_error)
    assert f"±{least.margin:.4f}" in text
    assert f"400 test jets alone leave ±{1.6448536 * least.test_error:.4f}" in text


def test_words() -> None:
    assert [count(n) for n in (7, 3000, 12000)] == ["7", "3000", "12\u202f000"]
    assert [count(n, "seed") for n in (1, 5)] == ["1 seed", "5 seeds"]
    share = Metric(key="auc", name="AUC", larger_is_better=True, low=0.0, high=1.0)
    mass = Metric(key="bias", name="bias", larger_is_better=False, unit="GeV", digits=1)
    assert (signed(share, -0.01234), signed(mass, 0.5)) == ("−0.0123", "+0.5")
    assert (limits(share, None, 1.0), limits(share, -0.1, 0.2, signs=True)) == ("", "[−0.1000, +0.2000]")
    wide = Interval(mean=0.9, low=-0.1, high=1.2, n=2)
    assert (mean_limits(share, wide), mean_limits(mass, wide)) == ("[0.0000, 1.0000]", "[−0.1, 1.2]")
    assert mean_limits(share, Interval(mean=0.9, low=None, high=None, n=1)) == ""
    assert [joined(parts) for parts in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]


def test_an_interval_of_a_difference_ends_where_no_difference_can_be() -> None:
    """As that of a mean does; what is inside stays as it is, and so does that of a metric without an end."""
    wide, narrow = Interval(mean=0.03, low=-1.43, high=1.49, n=2), Interval(mean=0.03, low=-0.2, high=0.26, n=2)
    assert difference_limits(AUC, wide) == "[−1.0000, +1.0000]"
    assert difference_limits(AUC, narrow) == limits(AUC, narrow.low, narrow.high, signs=True) == "[−0.2000, +0.2600]"
    assert difference_limits(AUC, Interval(mean=0.03, low=None, high=None, n=1)) == ""
    assert difference_limits(RMSE, wide) == "[−1.430, +1.490]"
    assert difference_limits(differences_of(AUC), wide) == "[−1.4300, +1.4900]"  # two differences may be 2 apart
    assert (differences_of(differences_of(AUC)).low, differences_of(differences_of(AUC)).high) == (-2, 2)


def test_two_seeds_that_differ_widely_decide_nothing() -> None:
    wild = compare(np.array([0.95, 0.75]), np.array([0.8, 0.85]), 1e-4, 0.003)
    assert wild.low is not None
    assert wild.low < -1
    assert brief_difference(AUC, wild) == "+0.0250 [−1.0000, +1.0000]"
    assert need(AUC, wild).startswith(
        "2 seeds decide nothing: their interval spans more than half of what is possible; 5 seeds are"
    )
    assert need(RMSE, wild).startswith("2 seeds are too few for a verdict; 5 seeds are")  # where nothing says what is possible
    calm = compare(np.array([0.95, 0.9]), np.array([0.9, 0.86]), 1e-4, 0.003)
    assert need(AUC, calm).startswith("2 seeds are too few for a verdict")


def test_seeds_of_another_instance_are_a_second_look(planted: Planted) -> None:
    """Three seeds that were there and two that were added; whoever says which are new is told nothing."""

    def before(run: PlannedRun) -> dict[str, str]:
        return {"instance": "one-encoder.quick.0"} if run.spec.seed < 3 else {}

    (told,) = [text for text in warnings(planted(environment=before)) if "second look" in text]
    assert told.startswith("3 seeds of simclr at 50 labels were trained for another instance.")
    for results in (planted(), planted("fresh_from=3", "seeds=9", environment=before)):
        assert not any("second look" in text for text in warnings(results))
