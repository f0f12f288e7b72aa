"""The page of a study, its table in the terminal, and its files."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from markupsafe import escape
from report.pages import Checked
from rich.console import Console

from jetbench.report.study.marks import MARK, attributes, mark, marked
from jetbench.report.study.plots import plots_of, plots_of_arms
from jetbench.report.study.table import headings, print_trials, rows
from jetbench.report.study.vector import inline_svg
from jetbench.report.study.write import PAGE, write_study
from jetbench.suites.suite import Instance, find_suite, instantiate
from jetbench.suites.trials import Searching
from jetbench.suites.winner import Lead, selection_rule

KINDS = ("history", "slices", "importance", "parallel", "curves")


@pytest.fixture(scope="module")
def instance() -> Instance:
    return instantiate(find_suite("planted-truths"), "smoke")


def printed(searching: Searching) -> str:
    text = io.StringIO()
    print_trials(searching, Console(file=text, width=60))
    return text.getvalue()


def test_the_rule_stands_above_the_table_and_all_trials_in_it(searching: Callable[..., Searching]) -> None:
    found = searching()
    lines = printed(found).splitlines()
    assert lines[0] == "scratch/n300"
    assert lines[1].strip() == f"Selection: {selection_rule(found.study)}."
    table = lines[-26:-2]
    assert [int(line.split()[0]) for line in table] == list(range(24))
    assert table[23].split()[:2] == ["23", "*"]
    assert table[5].split()[-4] == "pruned"
    assert table[11].split()[4:7] == ["–", "–", "diverged"]
    total = next(line for line in lines if line.startswith("all"))
    assert total.split(" ")[-1] == "266"
    assert "199\u202f800 " in total
    assert lines[-1].startswith("24 trials: 21 complete, 2 pruned and 1 diverged. * selected.")


def test_the_lead_of_the_selected_trial_is_told_with_its_error(searching: Callable[..., Searching]) -> None:
    """A best of many is flattered; what is level with it is no worse as far as these labels can tell."""
    found = searching()
    assert "Within one standard error" not in printed(found)
    told = printed(replace(found, lead=Lead(gain=(0.0321, 0.0304), level=(2, 7, 8))))
    assert "ahead of the recipe's own values by 0.032 ± 0.030 in the validation loss, as the best of 21." in told
    assert "Within one standard error of it (paired, jet by jet): 3 other trials." in told
    assert "The selected trial" not in printed(replace(found, lead=Lead(gain=None, level=())))


def test_pretraining_is_counted_beside_it(searching: Callable[..., Searching]) -> None:
    text = printed(searching(unlabelled=6e4))
    assert "480\u202f000" in text
    assert "8 trials trained an encoder of their own" in text


def test_several_aims_have_a_column_each_and_mark_the_front(searching: Callable[..., Searching]) -> None:
    found = searching(several=True)
    assert headings(found)[4:6] == ["validation AUC", "FLOPs per jet"]
    assert {row.trial.number for row in rows(found) if row.chosen} == set(found.front)
    assert "* on the Pareto front" in printed(found)


def write(instance: Instance, folder: Path, *found: Searching) -> tuple[str, list[Path]]:
    files = write_study(instance, found, folder)
    assert files[0].name == PAGE
    return files[0].read_text(), files


def test_the_page_stands_alone_and_its_parts_can_be_told_apart(
    instance: Instance, searching: Callable[..., Searching], tmp_path: Path
) -> None:
    found, other = searching(), searching(arm="simclr", unlabelled=6e4, trials=16)
    text, files = write(instance, tmp_path, found, other)
    page = Checked(text)
    assert page.open == []
    assert all(source.startswith("#") for source in page.sources)
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
    ids = Counter(page.anchors)
    assert not [one for one, times in ids.items() if times > 1]
    assert all(source[1:] in ids for source in page.sources)
    assert {path.name for path in files} == {
        PAGE,
        "trials.csv",
        "history.png",
        *(f"{arm}-n300-{kind}.png" for arm in ("scratch", "simclr") for kind in KINDS),
    }
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in files if path.suffix == ".png")
    assert text.count("<svg") == 11
    assert f"{instance.name}: every trial has 300 labels and 1 seed, of no reported run; sampler tpe, pruner" in text
    own = text[text.index('<section id="scratch-n300">') :]
    assert own.index(escape(selection_rule(found.study))) < own.index("<table>") < own.index("<svg")


def test_without_scripts_everything_is_there_and_with_them_trials_can_be_hidden(
    instance: Instance, searching: Callable[..., Searching], tmp_path: Path
) -> None:
    found = searching()
    text, _ = write(instance, tmp_path, found)
    assert '<form id="choice" hidden>' in text  # the script shows it
    for trial in found.trials:
        of_trial = re.findall(rf'<(\w+) class="trial" data-trial="{trial.number}" data-state="(\w+)" data-rank="(\d*)"', text)
        kinds = Counter(kind for kind, _, _ in of_trial)
        assert kinds["tr"] == 1
        assert kinds["g"] >= 6  # history, three slices, parallel coordinates, curve
        assert {state for _, state, _ in of_trial} == {trial.state}
        assert {bool(rank) for _, _, rank in of_trial} == {trial.state == "complete"}
    assert (
        text.count("<title>trial 23: learning rate 0.0121, head dropout 0.321, jet 32-32; validation loss 0.401; complete") >= 6
    )


def test_what_should_make_a_reader_doubt_stands_first(
    instance: Instance, searching: Callable[..., Searching], tmp_path: Path
) -> None:
    found, warning = searching(trials=4), "the augmentation crop_zoom contradicts the target 'mass'"
    assert "To know before you quote this" not in write(instance, tmp_path, found)[0]
    text = write_study(instance, [found], tmp_path, [warning])[0].read_text()
    assert text.index("To know before you quote this") < text.index(f"<li>{escape(warning)}</li>") < text.index("<table>")


def test_what_has_not_changed_is_not_drawn_again(instance: Instance, searching: Callable[..., Searching], tmp_path: Path) -> None:
    found = searching(several=True, ended=12)
    _, files = write(instance, tmp_path, found)
    front = next(path for path in files if path.name.endswith("-front.png"))
    stamps = {path: path.stat().st_mtime_ns for path in files}
    assert write(instance, tmp_path, found)[1] == files
    assert {path: path.stat().st_mtime_ns for path in files} == stamps
    front.unlink()
    write(instance, tmp_path, found)
    assert front.exists()
    write(instance, tmp_path, searching(ended=12))
    assert not front.exists()  # a plot of one aim has no front


def test_a_study_that_has_not_begun_says_so(instance: Instance, searching: Callable[..., Searching], tmp_path: Path) -> None:
    text, files = write(instance, tmp_path, searching(ended=0))
    assert [path.name for path in files] == [PAGE, "trials.csv"]
    assert "No trial has been trained to its end yet" in text
    assert "not finished" in text


def test_a_study_of_which_no_trial_was_trained_to_its_end_found_nothing(
    instance: Instance, searching: Callable[..., Searching], tmp_path: Path
) -> None:
    found = searching()
    lost = tuple(replace(trial, state="diverged", scores=()) for trial in found.trials)
    text, _ = write(instance, tmp_path, replace(found, trials=lost, winner=None))
    assert "nothing: no trial was trained to its end" in text
    assert "not finished" not in text


def test_a_few_trials_are_drawn_without_importance(searching: Callable[..., Searching]) -> None:
    names = [plot.name.rsplit("-", 1)[1] for plot in plots_of(searching(ended=4))]
    assert names == ["history", "slices", "parallel", "curves"]
    assert plots_of_arms([searching(), searching(ended=0, arm="later")]) == []


def test_every_trial_is_in_the_table_of_values(instance: Instance, searching: Callable[..., Searching], tmp_path: Path) -> None:
    found = searching()
    write(instance, tmp_path, found)
    lines = list(csv.DictReader((tmp_path / "trials.csv").read_text().splitlines()))
    rates = {int(line["trial"]): float(line["value"]) for line in lines if line["name"] == "recipe.learning_rate"}
    assert rates == {trial.number: trial.values["recipe.learning_rate"] for trial in found.trials}
    losses = {int(line["trial"]): float(line["value"]) for line in lines if line["name"] == "val/loss"}
    assert losses == {trial.number: trial.scores[0] for trial in found.trials if trial.scores}
    assert sum(float(line["value"]) for line in lines if line["name"] == "cost/labelled_passes") == 199_800


def test_marks_survive_the_way_into_the_page(searching: Callable[..., Searching]) -> None:
    trial = searching().trials[5]
    drawn = f'<g id="{mark(trial, None)}"><path/></g>'
    assert marked(drawn, {5: "a < b"}) == f"<g {attributes(5, 'pruned', None)}><title>a &lt; b</title><path/></g>"
    assert MARK.search(f'<g id="{mark(trial, 7)}">').groups() == ("5", "pruned", "7")  # type: ignore[union-attr]


def test_a_drawing_is_the_same_each_time_and_keeps_its_names_to_itself(searching: Callable[..., Searching]) -> None:
    plot = plots_of(replace(searching(), winner=None))[0]
    one, other = (inline_svg(plot.draw(*plot.given), name, "what", {}) for name in ("one", "other"))
    assert one == inline_svg(plot.draw(*plot.given), "one", "what", {})
    names = [set(re.findall(r' id="([^"]*)"', text)) for text in (one, other)]
    assert not names[0] & names[1]
    assert 'aria-label="what"' in one
