"""Labels or compute: each sign calls the alarm by itself, and where none does labels limit the arm."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from physics.lengths import Start, measure
from report.pages import Checked, page_of, plot_of

from jetbench.evaluation.artifacts import read_scores
from jetbench.report.alarm import (
    Estimate,
    Signs,
    alarms,
    early,
    frozen,
    length_counts,
    limit_lines,
    limit_text,
    limited,
    over_seeds,
    saturated,
    signs,
)
from jetbench.report.export import to_csv
from jetbench.report.results import Results
from jetbench.report.rows import notes, rows
from jetbench.report.sentences import answer
from jetbench.report.warnings import warnings
from jetbench.report.words import number, signed, verdict_lines
from jetbench.simulation import TopVsQcd, simulate
from jetbench.statistics.delong import paired_delong
from jetbench.tasks.classification import Classification
from jetbench.tasks.regression import Regression

Planted = Callable[..., Results]
HINT = "the training AUC is no better than the test AUC"
BELOW = "the training AUC is worse than the test AUC of the floor"
LEARNT = {"auc": 0.99, "auc_se": 0.001, "loss_change": -0.01, "loss_change_error": 0.02, "encoder_change": 0.4}


def at(value: float) -> Estimate:
    """A mean whose difference from another such one has an error of 0.005."""
    return Estimate(value, 0.005 / np.sqrt(2))


def test_the_error_of_a_mean_is_the_larger_of_the_seeds_own_and_their_spread() -> None:
    assert over_seeds(np.array([0.1, 0.1]), np.array([0.03, 0.04])) == Estimate(0.1, pytest.approx(0.025))
    assert over_seeds(np.array([0.0, 0.2]), np.array([0.03, 0.04])) == Estimate(0.1, pytest.approx(0.1))
    assert over_seeds(np.array([0.3]), np.array([0.2])) == Estimate(0.3, 0.2)
    assert over_seeds(np.array([]), np.array([])) is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (Signs(), None),
        (Signs(trained=at(0.95), tested=at(0.90)), None),
        (Signs(trained=at(0.9001), tested=at(0.90)), None),
        (Signs(trained=at(0.90), tested=at(0.90)), f"{HINT} (0.9000 against 0.9000, ±0.0050 between them: a hint)"),
        (Signs(trained=at(0.89), tested=at(0.90)), f"{HINT} (0.8900 against 0.9000, ±0.0050 between them: a hint)"),
        (Signs(trained=at(0.93), tested=at(0.90), floor=at(0.935), floor_name="mass"), None),
        (Signs(trained=at(0.93), floor=at(0.95), floor_name="mass"), f"{BELOW} mass (0.9300 against 0.9500: a hint)"),
        (Signs(loss_change=Estimate(-0.12, 0.07)), None),
        (Signs(loss_change=Estimate(0.12, 0.01)), None),
        (Signs(loss_change=Estimate(-0.12, 0.05)), "the training loss still falls, by 12.0 ± 5.0 % in the last tenth"),
        (Signs(at(0.929), at(0.90), Estimate(-0.12, 0.05)), "the training loss still falls, by 12.0 ± 5.0 % in the last tenth"),
        (Signs(at(0.931), at(0.90), Estimate(-0.12, 0.05)), None),  # ten margins of 3 % of 0.1 are 0.03
        (Signs(gain=Estimate(0.014, 0.008), times=2.0), None),
        (Signs(gain=Estimate(0.014, 0.003), times=2.0), "twice as long gives +0.0140 ± 0.0030"),
        (Signs(gain=Estimate(0.014, 0.003), times=1.5), "1.5 times as long gives +0.0140 ± 0.0030"),
        (Signs(gain=Estimate(-0.014, 0.003), times=2.0), None),
        (Signs(more_labels=Estimate(0.014, 0.003), fewer=300), None),
        (
            Signs(more_labels=Estimate(-0.0001, 0.002), fewer=300),
            "no gain is shown over 300 labels, each of which it saw more often (−0.0001 ± 0.0020: a hint)",
        ),
    ],
)
def test_every_sign_calls_the_alarm_beyond_its_threshold(given: Signs, said: str | None) -> None:
    found = list(alarms(Classification(), Classification.headline, given))
    assert [one.seen for one in found] == ([said] if said else [])
    assert all(one.tested == ("a hint" not in one.seen) for one in found)
    assert limit_text(tuple(found)) == ((said and f"{'perhaps ' if 'a hint' in said else ''}limited by compute: {said}") or "")


def test_a_metric_that_falls_has_its_own_direction() -> None:
    """Of an RMSE of 10 GeV ten margins are 3 GeV, and a gain is a smaller one."""

    def said(given: Signs) -> list[str]:
        return [one.seen for one in alarms(Regression(), Regression.headline, given)]

    falling = Estimate(-0.12, 0.05)
    assert said(Signs(at(9.9), at(10.0))) == []
    (hint,) = said(Signs(at(10.1), at(10.0)))
    assert hint.endswith("training RMSE is no better than the test RMSE (10.100 against 10.000 GeV, ±0.005 between them: a hint)")
    assert len(said(Signs(at(7.1), at(10.0), falling))) == 1
    assert said(Signs(at(6.9), at(10.0), falling)) == []
    (below,) = said(Signs(at(54.3), at(57.6), floor=at(32.7), floor_name="class-mean"))
    assert below.endswith("the test RMSE of the floor class-mean (54.300 against 32.700 GeV: a hint)")
    assert said(Signs(at(30.0), at(57.6), floor=at(32.7), floor_name="class-mean")) == []
    assert said(Signs(gain=Estimate(0.5, 0.1), times=2.0)) == ["twice as long gives −0.500 ± 0.100 GeV"]


def test_networks_that_learn_labels_are_judged(finished: Results) -> None:
    found = {arm for arm in finished.plan.arms if length_counts(finished, arm)}
    assert found == {"scratch", "simclr", "supervised-pretrained"}


def test_an_alarm_stands_in_table_page_warnings_and_answer(planted: Planted) -> None:
    results = planted(signs={"simclr": LEARNT, "scratch": {**LEARNT, "auc": 0.8}}, spread=0.0)
    assert limited(results, "simclr", 50) == ()
    reason = "; ".join(one.seen for one in limited(results, "scratch", 50))
    line = f"scratch at 50 labels: perhaps limited by compute: {reason}"
    assert line in notes(results)
    assert line in warnings(results)
    beyond = "; ".join(one.seen for one in limited(results, "scratch", 200))
    told = answer(results).splitlines()
    for labels, seen in ((50, reason), (200, beyond)):
        assert f"  scratch at {labels} labels is perhaps limited by compute: {seen}." in told
    assert not any("simclr at" in line and "limited" in line for line in told)
    text = Checked(page_of(results)).text
    assert "Labels or compute?" in text
    assert "perhaps compute" in text
    assert reason in text


def test_the_strongest_floor_is_what_training_jets_are_held_against(planted: Planted) -> None:
    areas = {"mass-likelihood": 0.96, "class-prior": 0.5, "scratch": 0.85, "boosted-trees": 0.99}
    results = planted("seeds=2", signs={"scratch": {**LEARNT, "auc": 0.9}}, areas=areas, spread=0.0)
    found = signs(results, "scratch", 50)
    assert found.floor_name == "mass-likelihood"
    floor = results.mean("mass-likelihood", 50)
    assert floor is not None
    assert found.floor is not None
    assert found.floor.value == floor.mean
    assert f"{BELOW} mass-likelihood" in limit_text(limited(results, "scratch", 50))


def test_an_answer_without_alarm_says_nothing_of_it(finished: Results, planted: Planted) -> None:
    for results in (finished, planted(signs={"simclr": LEARNT, "scratch": LEARNT})):
        assert not list(limit_lines(results, ("simclr", "scratch")))
        assert "compute" not in answer(results)


@pytest.mark.parametrize(("share", "said"), [(0.07, "past its best after 7 % of its passes"), (0.19, "past its best"), (0.2, "")])
def test_a_training_that_was_at_its_best_at_once_is_named(share: float, said: str, planted: Planted) -> None:
    results = planted(best={"scratch": share, "random-frozen": 0.01}, missing=lambda cell: cell.arm == "simclr")
    assert early(results, "scratch", 50).startswith(said)
    assert bool(early(results, "scratch", 50)) == bool(said)
    assert said == "" or any(note.startswith(f"scratch at 50, 200 labels: {said}") for note in notes(results))
    assert early(results, "random-frozen", 50) == ""  # its head alone is trained
    assert early(results, "boosted-trees", 50) == ""


@pytest.mark.parametrize(("change", "still"), [(0.012, True), (0.049, True), (0.05, False)])
def test_an_encoder_that_hardly_moves_is_called_frozen(change: float, still: bool, planted: Planted) -> None:
    results = planted(signs={"scratch": {**LEARNT, "encoder_change": change}}, missing=lambda cell: cell.arm != "scratch")
    said = frozen(results, "scratch", 50)
    assert said.startswith(f"practically frozen: the encoder's random weights moved by {100 * change:.2g} %") == still
    assert ("in the recipe `supervised`" in said) == still
    assert (f"scratch at 50, 200 labels: {said}" in notes(results)) == still


def test_a_fine_tuned_encoder_may_stay_where_its_pretraining_left_it(planted: Planted, finished: Results) -> None:
    """Both changes stand in the table and among the results, each under its own name."""
    results = planted(signs={"simclr": LEARNT, "random-frozen": {**LEARNT, "encoder_change": 0.0}})
    for cell, metrics in results.cells.items():
        if cell.arm == "simclr":
            metrics["trained/encoder_change"] = 0.012
    found = signs(results, "simclr", 50)
    assert (found.pretraining_change, found.encoder_change) == (pytest.approx(0.4), pytest.approx(0.012))
    for arm in ("simclr", "random-frozen"):
        assert frozen(results, arm, 50) == ""
    assert frozen(finished, "scratch", 50) == ""
    assert not any("practically frozen" in one for one in warnings(results))
    text = " ".join(Checked(page_of(results)).text.split())
    assert "encoder movedin pretraining encoder movedin fine-tuning or training" in text
    assert re.search(r"simclr 0\.9900 ±\S+ 0\.\d+ ±\S+ −1\.00 ± 0\.89 % 40 % 1\.2 %", text)
    rows = [row for row in csv.DictReader(to_csv(results).splitlines()) if row["arm"] == "simclr" and row["labels"] == "50"]
    values = {(row["seed"], row["metric"]): float(row["value"]) for row in rows}
    assert values["0", "pretraining/encoder_change"] == 0.4
    assert values["0", "trained/encoder_change"] == 0.012


def test_a_pretraining_that_hardly_moves_is_named_once_with_its_recipe(planted: Planted) -> None:
    results = planted(
        "arms.probe={model: resnet15, regime: simclr-frozen}", signs={"simclr": {**LEARNT, "encoder_change": 0.031}}
    )
    found = [one for one in warnings(results) if "practically frozen" in one]
    assert found == [
        "resnet15/simclr-pretraining is practically frozen: the encoder's random weights moved by 3.1 % (a higher learning rate "
        "or more `passes` in the recipe `simclr`), mean of 5 encoders: what simclr and probe start from is little "
        "more than random."
    ]
    assert not any("frozen" in note for note in notes(results))


def test_arms_that_train_a_head_alone_are_named_with_the_end_of_its_loss(planted: Planted) -> None:
    results = planted("labels=[50]", signs={"scratch": LEARNT, "random-frozen": {**LEARNT, "loss_change": -0.2}})
    why = "Without a line is random-frozen, of which a head alone is trained, on a frozen encoder that limits it"
    text = " ".join(Checked(page_of(results)).text.split())
    assert f"{why}; the loss still falls by more than 2 errors of random-frozen at 50 labels (−20.00 ± 0.89 %)." in text
    settled = planted("labels=[50]", signs={"scratch": LEARNT, "random-frozen": LEARNT})
    assert f"{why}; of none the loss still falls by more than 2 errors." in " ".join(Checked(page_of(settled)).text.split())


def test_what_a_longer_training_gains_is_paired_and_carries_both_errors(planted: Planted) -> None:
    results = planted(
        "longer=2.0", areas={"scratch-longer": 0.93, "simclr-longer": 0.92}, signs={"simclr": LEARNT, "scratch": LEARNT}
    )
    found = signs(results, "scratch", 200)
    usual, longer = (read_scores(results.ledger.run(key).scores) for key in results.plan.checks["scratch", 200])
    pair = paired_delong(usual[1], longer[2][None], usual[2][None])
    assert found.gain == Estimate(
        pytest.approx(float(pair[0][0] - pair[1][0])),
        pytest.approx(float(np.sqrt(pair[2][0] + 2 * results.headlines("scratch", 200).var(ddof=1)))),
    )
    (reason,) = (one.seen for one in limited(results, "scratch", 200))
    assert reason.startswith("twice as long gives +0.0")
    assert limited(results, "simclr", 200) == ()
    assert limited(results, "scratch", 50) == ()
    assert f"scratch at 200 labels: limited by compute: {reason}" in warnings(results)
    text = Checked(page_of(results)).text
    assert "gain by twice the length" in text
    assert f"{signed(results.metric, found.gain.value)} ± {number(results.metric, found.gain.error)}" in text
    curves = plot_of(results, "learning_curves")
    assert sum(line.get_markerfacecolor() == "white" for line in curves.axes[1].lines) == 2


def test_the_smallest_gain_that_would_show_stands_beside_no_sign_of_compute(planted: Planted) -> None:
    signed = {"simclr": LEARNT, "scratch": LEARNT}
    results = planted("longer=2.0", areas={"scratch-longer": 0.87, "simclr-longer": 0.92}, signs=signed)
    found = signs(results, "scratch", 200)
    assert limited(results, "scratch", 200) == ()
    assert found.gain is not None
    assert found.unseen == 2 * found.gain.error
    assert list(alarms(results.task, results.metric, replace(found, gain=Estimate(0.999 * found.unseen, found.gain.error)))) == []
    assert list(alarms(results.task, results.metric, replace(found, gain=Estimate(1.001 * found.unseen, found.gain.error))))
    text = Checked(page_of(results)).text
    assert f"a gain below {number(results.metric, found.unseen)} is not seen" in text
    assert "where nothing stands below it none was made" in " ".join(text.split())
    assert signs(results, "scratch", 50).unseen is None
    without = Checked(page_of(planted(signs=signed))).text
    assert "is not seen" not in without
    assert "no longer training was made" in without


def test_means_of_training_and_test_carry_their_errors(planted: Planted) -> None:
    results = planted(signs={"scratch": {**LEARNT, "auc": 0.8}})
    found, mean = signs(results, "scratch", 50), results.mean("scratch", 50)
    assert found.trained == Estimate(pytest.approx(0.8), pytest.approx(0.001 / np.sqrt(5)))
    assert mean is not None
    assert mean.seed_error is not None
    assert found.tested == Estimate(mean.mean, pytest.approx(np.hypot(mean.seed_error, mean.test_error)))
    error = number(results.metric, np.hypot(found.trained.error, found.tested.error))
    assert limited(results, "scratch", 50)[0].seen.endswith(f"±{error} between them: a hint)")


@pytest.mark.slow
def test_short_trainings_of_deep_sets_call_the_alarm_and_long_ones_do_not(tmp_path: Path) -> None:
    """4000 simulated jets, of which 2000 have labels; two trainings differ by 0.002 between seeds."""
    simulate(TopVsQcd(jets=4000, seed=0), tmp_path / "jets.h5", workers=1)
    start = Start(model="deep-sets", labels=2000, test_jets=2000)
    short = measure(tmp_path / "jets.h5", start, 7500, spread=0.002, times=4)
    long = measure(tmp_path / "jets.h5", start, 100_000, spread=0.002)
    assert any("4 times as long gives +" in sign for sign, _ in alarms(Classification(), Classification.headline, short))
    assert list(alarms(Classification(), Classification.headline, long)) == []


def test_one_seed_has_no_spread_to_weigh_a_gain_with(planted: Planted) -> None:
    results = planted("longer=2.0", "seeds=1", areas={"scratch-longer": 0.99})
    assert ("scratch", 200) in results.longer
    assert signs(results, "scratch", 200).gain is None


def test_where_all_is_perfect_it_is_said_once_and_no_arm_is_called_short(planted: Planted) -> None:
    """Scores that tell the classes apart without an error, of training and test jets alike."""
    perfect = {"auc": 1.0, "auc_se": 0.0}
    short = planted("labels=[50]", "seeds=2", signs=dict.fromkeys(("scratch", "simclr"), perfect))
    assert not any("Too easy" in one for one in warnings(short))
    found = Signs(trained=Estimate(1.0, 0.0), tested=Estimate(1.0, 0.0))
    assert list(alarms(short.task, short.metric, found)) == []
    assert list(alarms(short.task, short.metric, Signs(trained=Estimate(0.9, 0.0), tested=Estimate(0.9, 0.0))))
    one = short.comparisons[short.primaries[0]]
    same = one.replace(arm=one.arm.replace(mean=1.0), baseline=one.baseline.replace(mean=0.99999), difference=0.0, test_error=0.0)
    assert verdict_lines(same, primary=False) == ["undecided", "no difference", "at all"]
    short.__dict__["comparisons"] = {**short.comparisons, short.primaries[0]: same}
    (easy,) = [line for line in warnings(short) if line.startswith("Too easy")]
    assert easy == "Too easy at 50 labels: test AUC is 1.0000 on both sides, so that there is nothing to compare."


def test_nothing_is_advised_where_the_metric_cannot_be_better(planted: Planted) -> None:
    """Trainings that are short by every sign, with all test jets told apart."""
    worst = {"auc": 1.0, "auc_se": 0.0, "loss_change": -0.3, "loss_change_error": 0.01, "encoder_change": 0.01}
    asked = ("labels=[50]", "seeds=2", "longer=2.0")
    short = dict.fromkeys(("scratch", "simclr"), worst)
    results = planted(*asked, areas={"scratch": 1.0, "simclr": 1.0}, signs=short)
    told = "saturated: its test AUC is 1.0000 as it is written, so that no gain can be seen in it"
    assert saturated(results, "scratch", 50) == told
    assert {row.arm: row.notes for row in rows(results)}["scratch"] == (told,)
    said = " ".join([*warnings(results), answer(results), *(note for row in rows(results) for note in row.notes)])
    assert "Too easy at 50 labels: test AUC is 1.0000 on both sides" in said
    for advice in ("limited by compute", "may be too short", "frozen", "out of reach", "past its best"):
        assert advice not in said
    page = " ".join(Checked(page_of(results)).text.split())
    assert told in page
    assert "perhaps compute" not in page
    below = planted(*asked, areas={"scratch": 0.9, "simclr": 0.9}, signs={arm: {**worst, "auc": 0.9} for arm in short})
    assert saturated(below, "scratch", 50) == ""
    said = " ".join([*warnings(below), *(note for row in rows(below) for note in row.notes)])
    for advice in ("limited by compute", "may be too short", "frozen"):
        assert advice in said, "of the same trainings where there is something to gain"
    assert "saturated" not in page_of(below)
    apart = planted(*asked, areas={"scratch": 0.9, "simclr": 1.0}, signs=short)
    assert "say little" not in page_of(apart), "the difference to an arm that is not saturated says much"
