"""What a report says of a suite that is faulty on purpose."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from report.pages import page_of
from rich.console import Console
from scipy.stats import norm

from jetbench.faults import faults
from jetbench.report.export import to_csv, to_json
from jetbench.report.fault_words import POINTER, chance_sentence, fault_lines, fault_numbers, fault_sentences
from jetbench.report.faults import Claim, Effect, effects, moves, one_seed
from jetbench.report.results import Results
from jetbench.report.review.cards import arm_cards
from jetbench.report.review.description import describe
from jetbench.report.sections import contents_of
from jetbench.report.sentences import answer
from jetbench.report.table import print_table
from jetbench.report.warnings import warnings
from jetbench.report.write import write_report
from jetbench.statistics.comparison import Verdict
from jetbench.statistics.delong import paired_delong
from jetbench.statistics.intervals import Interval
from jetbench.statistics.multiplicity import adjust
from jetbench.suites.plan import CellKey

Planted = Callable[..., Results]
SUITE = (
    "labels=[50]",
    "tuning=null",
    "longer=null",
    "test_jets=1000",
    "arms.mass-likelihood=null",
    "arms.boosted-trees=null",
    "primary={arm: simclr, baseline: scratch}",
)
FAULTS = "faults=[scratch-at-1e-6, frozen-encoder, selection-on-test, one-seed]"
AREAS = {
    "scratch": 0.90,
    "simclr": 0.92,
    "faulty-scratch-at-1e-6-scratch": 0.70,
    "faulty-frozen-encoder-simclr": 0.80,
    "faulty-selection-on-test-scratch": 0.90,
    "faulty-selection-on-test-simclr": 0.92,
}


@pytest.fixture
def results(planted: Planted) -> Results:
    """Five seeds: simclr is better than scratch, and a frozen encoder turns that round."""
    return planted(*SUITE, FAULTS, areas=AREAS, spread=0.001)


@pytest.fixture
def level(planted: Planted) -> Results:
    """Five seeds: no difference, which a slow encoder from scratch makes one of."""
    return planted(*SUITE, FAULTS, areas={**AREAS, "simclr": 0.90}, spread=0.006)


def test_of_few_seeds_no_fault_is_called_harmless(planted: Planted) -> None:
    found = fault_sentences(planted(*SUITE, FAULTS, "seeds=3", areas=AREAS, spread=0.001))
    assert "with 3 seeds there is no verdict on simclr against scratch at 50 labels that a fault could change" in found[0]
    assert not any("shown to move" in one for one in found)


def by_fault(results: Results) -> dict[str, str]:
    return {one.fault.name: one.does for one in effects(results)}


def test_a_verdict_is_reversed_created_or_left(results: Results, level: Results) -> None:
    assert results.comparisons["simclr", 50].verdict is Verdict.BETTER
    found = by_fault(results)
    assert found["frozen-encoder"] == "reverses the verdict"
    assert found["scratch-at-1e-6"] == found["selection-on-test"] == "same verdict"
    assert level.comparisons["simclr", 50].verdict is Verdict.UNDECIDED
    assert by_fault(level)["scratch-at-1e-6"] == "creates a verdict"


def test_a_verdict_is_hidden(planted: Planted) -> None:
    areas = {**AREAS, "faulty-frozen-encoder-simclr": 0.90}
    found = planted(*SUITE, "faults=[frozen-encoder]", areas=areas, spread=0.001)
    assert by_fault(found) == {"frozen-encoder": "hides the verdict"}


def test_what_a_fault_does_not_touch_is_compared_as_it_is(results: Results) -> None:
    """The faulty difference is that of a plain comparison of these arms, decided as one of as many as the honest one."""
    for one in effects(results):
        if one.fault.name == "scratch-at-1e-6":
            found = results.compare("simclr", "faulty-scratch-at-1e-6-scratch", 50)
            assert found is not None
            plain = adjust({"x": found}, ["x"])["x"]
            assert one.faulty is not None
            assert (one.faulty.difference, one.faulty.low, one.faulty.verdict) == (plain.difference, plain.low, plain.verdict)
            assert one.faulty.arm == one.honest.arm
            assert one.faulty.baseline < one.honest.baseline


def test_one_seed_has_the_error_of_the_test_sample_alone(level: Results) -> None:
    """Against DeLong's own variance of the difference, seed by seed."""
    for seed in range(5):
        (claim,) = one_seed(level, seed).values()
        (_, truth, mine), (_, _, other) = (level.scores(CellKey(arm, 50, seed)) for arm in ("simclr", "scratch"))
        area, base, variance = (float(one[0]) for one in paired_delong(truth, mine[None], other[None]))
        error = float(np.sqrt(variance))
        assert claim.difference == pytest.approx(area - base)
        assert claim.high is not None
        assert claim.high - claim.difference == pytest.approx(norm.ppf(0.975) * error, rel=1e-6)
        margin = 0.03 * (1 - claim.baseline)
        alike = norm.sf((margin - abs(claim.difference)) / error)
        differs = 2 * norm.sf(abs(claim.difference) / error)
        told = "better" if claim.difference > 0 else "worse"
        assert claim.verdict == ("equivalent" if alike <= 0.05 else told if differs <= 0.05 else "undecided")
    assert not one_seed(level, 5)
    (sentence,) = [one for one in fault_sentences(level) if one.startswith("By one seed alone")]
    assert sum(map(int, re.findall(r"(\d+) “", sentence))) == 5


def test_a_suite_without_faults_says_nothing_of_them(finished: Results) -> None:
    assert not effects(finished)
    assert not fault_sentences(finished)
    assert not chance_sentence(finished)
    assert "faults" not in [content.anchor for content in contents_of(finished)]


def test_the_honest_comparison_knows_no_faulty_arm(results: Results, planted: Planted) -> None:
    """Same numbers, families, warnings and verdicts as without any fault."""
    honest = planted(*SUITE, areas=AREAS, spread=0.001)
    assert results.comparisons == honest.comparisons
    assert results.clearings == honest.clearings
    assert answer(results) == answer(honest)
    assert warnings(results) == warnings(honest)
    assert {card.name for card in arm_cards(results)} == {card.name for card in arm_cards(honest)}
    assert {cell.arm for cell in results.cells} > {cell.arm for cell in honest.cells}
    mine, theirs = ({content.anchor: content.body for content in contents_of(one)} for one in (results, honest))
    assert mine.keys() - theirs.keys() == {"faults"}
    assert {anchor for anchor in theirs if mine[anchor] != theirs[anchor]} == {"cost", "provenance"}  # which count all runs
    assert mine["cost"].partition("</table>")[0] == theirs["cost"].partition("</table>")[0]


def test_a_fault_whose_runs_are_missing_has_no_answer_yet(planted: Planted) -> None:
    found = planted(
        *SUITE, FAULTS, areas=AREAS, missing=lambda cell: (cell.arm, cell.seed) == ("faulty-frozen-encoder-simclr", 3)
    )
    assert by_fault(found)["frozen-encoder"] == "not run yet"
    assert [one.changed for one in effects(found) if one.fault.name == "frozen-encoder"] == [None]
    assert any("1 not run yet" in one for one in fault_sentences(found))
    assert contents_of(found)


def test_terminal_page_and_tracker_tell_of_every_fault(results: Results, tmp_path: Path) -> None:
    console = Console(record=True, width=200)
    print_table(results, console)
    printed = console.export_text()
    page = unescape(write_report(results, tmp_path)[0].read_text())
    told = json.loads((tmp_path / "comparisons.json").read_text())["faults"]
    description = describe(results)
    for text in (printed, page, description):
        assert "reverses the verdict" in text
        assert all(one.fault.name in text for one in effects(results))
        assert re.search("faulty on purpose", text, re.I)
    assert [one["changed"] for one in told] == [False, True, False, False]
    assert told == json.loads(json.dumps(fault_numbers(results)))
    assert all(one["who committed it"] in page for one in told)
    assert POINTER in printed
    assert "jetbench show faults" in page
    assert "The honest comparison" in page
    assert "The honest comparison" in printed
    assert "Faulty on purpose: scratch-at-1e-6, frozen-encoder" in page
    assert (tmp_path / "faults.png").stat().st_size > 5000


def test_pictures_of_faulty_arms_alone_bear_a_watermark(results: Results, planted: Planted, tmp_path: Path) -> None:
    """An honest picture is that of the same suite without faults to the last bit, and says whose it is."""
    page = unescape(write_report(results, tmp_path / "faulty")[0].read_text())
    honest = unescape(write_report(planted(*SUITE, areas=AREAS, spread=0.001), tmp_path / "honest")[0].read_text())
    names = {path.name for path in (tmp_path / "honest").glob("*.png")}
    assert len(names) > 3
    assert {path.name for path in (tmp_path / "faulty").glob("*.png")} == {*names, "faults.png"}
    for name in names:
        assert (tmp_path / "faulty" / name).read_bytes() == (tmp_path / "honest" / name).read_bytes(), name
    assert red(tmp_path / "faulty" / "faults.png") > 1000
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page, re.S)
    assert sum(one.startswith("The honest arms alone. ") for one in captions) == len(names)
    assert sum(one.startswith("Faulty on purpose. ") for one in captions) == 1
    assert "The honest" not in honest


def effect(results: Results, fault: str) -> Effect:
    return next(one for one in effects(results) if one.fault.name == fault)


def area(results: Results, arm: str, seed: int) -> float:
    """The share of pairs of a signal and a background jet that stand in order, pair by pair."""
    _, truth, scores = results.scores(CellKey(arm, 50, seed))
    signal, background = scores[truth == 1], scores[truth == 0]
    return float(np.mean((signal[:, None] > background) + 0.5 * (signal[:, None] == background)))


def test_what_moves_is_paired_over_seeds_and_jets(results: Results) -> None:
    """The movement by areas counted pair by pair; its interval is narrower than that of arms that share no jet."""
    one = effect(results, "frozen-encoder")
    assert one.moved is not None
    assert one.faulty is not None
    moved = [area(results, "faulty-frozen-encoder-simclr", s) - area(results, "simclr", s) for s in range(5)]
    assert one.moved.mean == pytest.approx(np.mean(moved))
    assert one.moved.mean == pytest.approx(one.faulty.difference - one.honest.difference)
    compared = results.compare("faulty-frozen-encoder-simclr", "simclr", 50)
    assert compared is not None
    assert (one.moved.low, one.moved.high) == pytest.approx((compared.low, compared.high))  # the baseline is the same run
    assert (one.is_shown, one.favours, one.as_expected) == (True, "scratch", True)


def test_an_interval_that_grows_is_told_from_a_difference_that_moves(planted: Planted) -> None:
    """The frozen arm is as good as the honest one in the mean, and far more uneven."""
    one = effect(planted(*SUITE, "faults=[selection-on-test]", areas={}, spread=0.002), "selection-on-test")
    wide = replace(one, moved=Interval(mean=0.001, low=-0.02, high=0.02, n=5), faulty=stretched(one.honest, 0.001, 3))
    assert (wide.width, wide.is_shown, wide.favours, wide.as_expected) == ("3 times as wide", False, "", None)
    far = replace(one, moved=Interval(mean=0.09, low=0.08, high=0.10, n=5), gained=1, faulty=stretched(one.honest, 0.09, 1))
    assert (far.width, far.is_shown, far.favours, far.as_expected) == ("as wide", True, "simclr", False)
    lucky = replace(far, moved=Interval(mean=0.09, low=-0.01, high=0.19, n=5))
    assert (lucky.is_shown, lucky.favours, lucky.as_expected) == (False, "", None)
    near = replace(wide, faulty=stretched(one.honest, 0.001, 1.2))
    assert near.width == "as wide"


def test_a_narrower_interval_is_expected_by_the_same_factor_as_it_is_told(planted: Planted) -> None:
    one = effect(planted(*SUITE, "faults=[first-rows]", areas={}, spread=0.002), "first-rows")
    found = [replace(one, faulty=stretched(one.honest, 0, factor)) for factor in (0.5, 0.9, 2)]
    assert [each.as_expected for each in found] == [True, None, False]


def test_moves_that_are_shown_are_counted_before_verdicts_that_turn_without_one(level: Results) -> None:
    """One list from the intervals, by hand, and the other from the verdicts; the line of a table does not gainsay either."""
    (told,) = [one for one in fault_sentences(level) if one.startswith("Faulty on purpose")]
    found, lines = effects(level), {line["fault"]: line for line in fault_lines(level)}
    shown = [one for one in found if one.moved and one.moved.low is not None and one.moved.low * (one.moved.high or 0) > 0]
    turned = [one for one in found if one.changed and one not in shown]
    assert {one.fault.name for one in shown} == {"scratch-at-1e-6", "frozen-encoder"}
    assert "Of 4 faults 2 are shown to move the difference (creates a verdict (“better”): scratch-at-1e-6; " in told
    rest = told.split("the difference")[1].split("verdict without a shown move")
    assert rest[0].rpartition(". ")[2].split()[0] == str(len(turned))
    assert all(one.fault.name in rest[1] for one in turned)
    for one in found:
        line = lines[one.fault.name]
        assert line["what moved"].startswith("the difference, for ") == (one in shown)
        assert one.fault.spoils == "none" or (line["what moved"] == "not shown") == (one not in shown)
        assert line["as expected"] in ("as expected", "not as expected", "undecided")
        assert line["as expected"] != "as expected" or one in shown or one.fault.expected == "narrower"


def test_moves_are_told_beside_those_that_chance_would_show(results: Results, level: Results, tmp_path: Path) -> None:
    """Three faults train something, each in one comparison: 3 × 5 % of intervals are outside by chance; one seed has none."""
    told = chance_sentence(level)
    assert told.startswith("Of 3 movements with an interval 2 are shown. Were all faults harmless, 3 × 5 % = 0.15 of these")
    console = Console(record=True, width=600)
    print_table(level, console)
    write_report(level, tmp_path)
    section = unescape(next(content.body for content in contents_of(level) if content.anchor == "faults"))
    assert all(told in text for text in (console.export_text(), section, describe(level)))
    assert section.index("</table>") < section.index(told)
    numbers = json.loads((tmp_path / "comparisons.json").read_text())["fault_moves"]
    assert numbers == pytest.approx({"intervals": 3, "shown": 2, "level": 0.95, "shown_by_chance": 0.15})
    assert moves(results).intervals == 3


def test_a_fault_of_the_baseline_alone_is_one_movement_of_all_arms_beside_it(results: Results) -> None:
    claim = Claim(0.92, 0.90, 0.02, 0.01, 0.03, Verdict.BETTER)
    by = Interval(mean=0.01, low=0.005, high=0.015, n=5)
    bare = Effect(faults["scratch-at-1e-6"], "simclr", "scratch", 50, claim, moved=by)
    both = [bare, replace(bare, arm="vicreg", moved=by.replace(mean=0.01 + 1e-15))]
    other = replace(bare, arm="byol", moved=by.replace(mean=0.02))
    for found, intervals in ((both, 1), ([*both, other], 2)):
        with patch("jetbench.report.faults.effects", return_value=found):
            assert moves(results).intervals == intervals


def test_what_is_expected_follows_from_what_is_said_of_the_arms() -> None:
    expected = {one.name: one.expected for one in faults}
    assert "who starts ahead stays ahead" in faults["too-few-steps"].summary
    assert expected["too-few-steps"] == "arm"
    assert expected["range-255"] == "baseline"
    assert expected["first-rows"] == expected["one-seed"] == "narrower"


def test_a_row_says_what_it_mixes_on_the_page_too(results: Results) -> None:
    page = unescape(page_of(results))
    assert f"What the row mixes: {faults['selection-on-test'].mixes}." in page
    assert "weights of its best epoch" in faults["large-validation"].mixes
    assert "trained on more labels" in faults["large-validation"].mixes
    assert "more jets" in faults["leaked-test"].mixes
    for name in ("scratch-at-1e-6", "scratch-at-1e-5", "no-augmentation"):
        assert "the same for all arms" in faults[name].mixes


def stretched(claim: Claim, by: float, factor: float) -> Claim:
    assert claim.width is not None
    middle, half = claim.difference + by, factor * claim.width / 2
    return replace(claim, difference=middle, low=middle - half, high=middle + half)


def test_a_line_says_each_thing_once(results: Results) -> None:
    lines = {line["fault"]: line for line in fault_lines(results)}
    slow, test = lines["scratch-at-1e-6"], lines["selection-on-test"]
    assert (slow["verdict"], slow["expected"], slow["as expected"]) == ("same verdict", "moves for simclr", "as expected")
    assert slow["by how much"].startswith("difference +0.")
    assert "(scratch −0." in slow["by how much"]
    assert test["expected"] == "stays"
    told = fault_sentences(results)
    assert any("as expected: scratch-at-1e-6" in one for one in told)


def test_rows_for_other_programs_name_fault_and_role(results: Results) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(results))))
    found = {(row["arm"], row["role"], row["fault"]) for row in rows}
    assert {("scratch", "baseline", ""), ("simclr", "rival", "")} <= found
    assert ("faulty-frozen-encoder-simclr", "faulty", "frozen-encoder") in found
    assert all((role == "faulty") == bool(fault) == arm.startswith("faulty-") for arm, role, fault in found)
    assert {(row["role"], row["fault"]) for row in json.loads(to_json(results)) if row["arm"] == "simclr"} == {("rival", None)}


def test_the_page_says_what_cells_and_runs_count(results: Results) -> None:
    page = unescape(next(content.body for content in contents_of(results) if content.anchor == "provenance"))
    assert re.search(r"(\d+) of \1 cells finished \(20 of them of arms that are faulty on purpose\)", page)
    assert "pretrainings among them" not in page


def red(path: Path) -> int:
    """Count the pixels that the watermark's red has coloured."""
    from PIL import Image

    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    return int(((pixels[..., 0] - pixels[..., 1] > 25) & (abs(pixels[..., 1] - pixels[..., 2]) < 6)).sum())


def test_pictures_of_honest_arms_in_a_tracker_bear_none(results: Results, tmp_path: Path) -> None:
    pictures = [picture for card in arm_cards(results) for picture in card.pictures]
    assert pictures
    for place, picture in enumerate(pictures):
        picture.save(tmp_path / f"{place}.png")
        assert red(tmp_path / f"{place}.png") < 200
