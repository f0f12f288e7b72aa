import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from report.pages import Checked, page_of, plot_of
from rich.console import Console

from jetbench.api import open_session
from jetbench.report.arms import looks
from jetbench.report.export import COLUMNS, comparisons_json, to_csv, to_json
from jetbench.report.reproduce import command
from jetbench.report.results import Results
from jetbench.report.rows import rows
from jetbench.report.sections import label_budget
from jetbench.report.sections.roc import rejections
from jetbench.report.sentences import answer
from jetbench.report.stamp import NAME
from jetbench.report.table import print_table
from jetbench.report.write import write_report
from jetbench.statistics.intervals import Interval
from jetbench.suites.plan import CellKey
from jetbench.suites.suite import Instance, find_suite, instantiate, suite_text

Planted = Callable[..., Results]


def quick(*overrides: str) -> Instance:
    return instantiate(find_suite("ssl-vs-scratch"), "quick", overrides=overrides)


@pytest.fixture(scope="module")
def report(finished: Results, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_report(finished, tmp_path_factory.mktemp("report"))


def test_the_report_has_its_files(report: list[Path]) -> None:
    assert [path.name for path in report] == [
        "report.html",
        "results.json",
        "results.csv",
        "comparisons.json",
        "label_budget.png",
        "differences.png",
        "roc_50.png",
        "roc_200.png",
        "learning_curves.png",
        "pretraining.png",
    ]
    assert sorted([*report, report[0].parent / NAME]) == sorted(report[0].parent.iterdir())
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in report if path.suffix == ".png")


def test_the_page_is_well_formed_and_needs_nothing_else(report: list[Path], finished: Results) -> None:
    text = report[0].read_text(encoding="utf-8")
    found = Checked(text)
    assert found.open == []
    assert len(found.sources) == 6
    assert all(source.startswith("data:image/png;base64,") for source in found.sources)
    assert not re.search(r"https?://|<script|@import|url\(", text)
    assert all(arm in found.text for arm in finished.plan.instance.settings.arms)
    assert all(line.strip() in found.text for line in answer(finished).splitlines())
    assert finished.plan.instance.name in found.text
    assert "Missing cells" not in found.text


def test_the_same_results_give_the_same_bytes(report: list[Path], finished: Results, tmp_path: Path) -> None:
    for first, second in zip(report, write_report(finished, tmp_path), strict=True):
        assert first.read_bytes() == second.read_bytes()


def test_a_question_with_markup_is_escaped(finished: Results) -> None:
    instance = finished.plan.instance.replace(question="<b>AUC</b> & more?")
    plan = replace(finished.plan, instance=instance)
    text = page_of(replace(finished, plan=plan))
    assert "&lt;b&gt;AUC&lt;/b&gt; &amp; more?" in text


def test_wide_tables_wrap_instead_of_being_cut(finished: Results) -> None:
    """Headings and what is searched are as long as the suite makes them; a page of 1300 pixels shows all columns."""
    text = page_of(finished)
    assert re.search(r"^th \{[^}]*white-space: normal", text, flags=re.MULTILINE)
    assert re.search(r'<td class="left wrap">\s*learning rate 0\.0003, 0\.001, 0\.003', text)
    assert re.search(r'<td class="left wrap">\s*learning rate 0\.001 ×5\s*</td>', text)


def test_what_the_jets_do_not_allow_is_told(finished: Results) -> None:
    skipped = (("arm mass-likelihood", "<GeV> are needed"), ("arm trees", "<GeV> are needed"), ("augmentation drop", "no unit"))
    results = replace(finished, plan=replace(finished.plan, skipped=skipped))
    text = page_of(results)
    assert "What these jets do not allow" in text
    assert "arms mass-likelihood and trees: &lt;GeV&gt; are needed" in text
    assert "do not allow" not in page_of(finished)
    console = Console(record=True, width=200, file=io.StringIO())
    print_table(results, console)
    assert "skipped augmentation drop: no unit" in console.export_text()
    written = json.loads(comparisons_json(results))
    assert written["skipped"][0]["what"] == "arm mass-likelihood"


PARTIAL = {
    "nothing": {"missing": lambda cell: True},
    "one seed": {"missing": lambda cell: cell.seed > 0},
    "no primary": {"missing": lambda cell: cell.arm == "simclr"},
    "no baseline": {"missing": lambda cell: cell.arm == "scratch"},
    "floors alone": {"missing": lambda cell: cell.arm not in ("mass-likelihood", "class-prior")},
    "failed": {"failed": {CellKey("simclr", 50, seed): "<broken> loss" for seed in range(5)}},
}


@pytest.mark.parametrize("name", PARTIAL)
def test_partial_results_show_what_is_missing(name: str, planted: Planted, tmp_path: Path) -> None:
    results = planted(**PARTIAL[name])
    files = write_report(results, tmp_path / "report")
    found = Checked(files[0].read_text(encoding="utf-8"))
    assert found.open == []
    assert "Missing cells" in found.text
    if name == "failed":
        assert "<broken> loss" in found.text
    if name == "nothing":
        assert "There is no answer yet" in found.text
        assert results.environments == {}


def test_the_csv_is_the_tidy_table(report: list[Path], finished: Results) -> None:
    text = report[2].read_text()
    assert text == to_csv(finished)
    read = list(csv.DictReader(io.StringIO(text)))
    assert tuple(read[0]) == COLUMNS
    assert len(read) == sum(map(len, finished.cells.values()))
    one = next(r for r in read if (r["arm"], r["labels"], r["seed"], r["metric"]) == ("simclr", "50", "3", "test/auc"))
    assert float(one["value"]) == finished.cells[CellKey("simclr", 50, 3)]["test/auc"]
    assert json.loads(to_json(finished))[0].keys() == set(COLUMNS)


def test_comparisons_carry_what_decided_them(report: list[Path], finished: Results) -> None:
    content = json.loads(report[3].read_text())
    assert content["answer"] == answer(finished)
    assert len(content["comparisons"]) == len(finished.comparisons)
    first = content["comparisons"][0]
    assert (first["arm"], first["labels"], first["result"]["verdict"]) == ("simclr", 50, "better")


OVERRIDES = [
    (),
    ("seeds=7", "labels=[100,300]", "recipes.supervised.epochs=3"),
    ("tuning=null", "arms.simclr.labels=[100]", "primary=[{arm: sets-simclr, baseline: sets-scratch, labels: 300}]"),
]


@pytest.mark.parametrize("overrides", OVERRIDES)
def test_the_command_gives_the_instance_again(overrides: tuple[str, ...]) -> None:
    import shlex

    instance = quick(*overrides)
    line, exact = command(instance)
    words = shlex.split(line)
    assert exact
    assert words[:6] == ["jetbench", "run", "--suite", "ssl-vs-scratch", "--scale", "quick"]
    assert words[6::2] == ["--set"] * len(words[6::2])
    assert instantiate(find_suite("ssl-vs-scratch"), "quick", overrides=tuple(words[7::2])).name == instance.name


def test_a_suite_from_a_file_is_made_again_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path is for people and no part of the instance's name; once the file is gone, nothing is promised."""
    file = tmp_path / "mine.yaml"
    file.write_text(suite_text("ssl-vs-scratch").replace("suite: ssl-vs-scratch", "suite: study", 1))
    instance = open_session(file, scale="quick", overrides=("seeds=7",), store=tmp_path / "store").plan.instance
    assert instance.name == instance.replace(file="").name
    assert command(instance) == (f"jetbench run --suite {file} --scale quick --set seeds=7", True)
    monkeypatch.chdir(tmp_path)
    near = instance.replace(file="./mine.yaml")
    assert command(near) == ("jetbench run --suite ./mine.yaml --scale quick --set seeds=7", True)
    file.unlink()
    assert command(near) == ("jetbench run --suite ./mine.yaml --scale quick", False)
    assert command(instance) == (f"jetbench run --suite {file} --scale quick", False)
    assert open_session("ssl-vs-scratch", store=tmp_path / "store").plan.instance.file == ""


def test_a_copy_of_a_shipped_suite_goes_by_its_name(tmp_path: Path) -> None:
    """Every folder knows that one; a file that says something else is another."""
    file = tmp_path / "ssl-vs-scratch.yaml"
    file.write_text(suite_text("ssl-vs-scratch"))
    instance = open_session(file, scale="quick", overrides=("seeds=7",), store=tmp_path / "store").plan.instance
    assert command(instance) == ("jetbench run --suite ssl-vs-scratch --scale quick --set seeds=7", True)
    file.write_text(suite_text("ssl-vs-scratch").replace("question: ", "question: Again, "))
    assert command(instance)[0].startswith(f"jetbench run --suite {file} ")


def test_a_suite_that_is_not_shipped_is_not_promised() -> None:
    line, exact = command(quick().replace(suite="my-own"))
    assert not exact
    assert line.startswith("jetbench run --suite my-own")


def test_the_roc_passes_through_the_tables_rejection(finished: Results) -> None:
    (curves,) = rejections(finished, "simclr", 50)
    assert curves.shape == (5, 100)
    for percent in (30, 50):
        expected = [finished.cells[CellKey("simclr", 50, s)][f"test/background_left_{percent}"] / 200 for s in range(5)]
        np.testing.assert_allclose(curves[:, percent - 1], expected, atol=1e-12)


def test_the_budget_curve_shows_means_and_intervals(finished: Results) -> None:
    figure = plot_of(finished, "label_budget")
    container = next(c for c in figure.axes[0].containers if c.get_label() == "simclr")
    expected = [row.headline for row in rows(finished) if row.arm == "simclr"]
    np.testing.assert_allclose(container[0].get_ydata(), [e.mean for e in expected])
    bars = container[2][0].get_segments()
    np.testing.assert_allclose([bar[1, 1] for bar in bars], [e.high for e in expected])
    assert any("class-prior 0.500" in text.get_text() for text in figure.axes[0].texts)


def test_an_end_at_zero_is_an_end_and_the_axis_names_the_level(finished: Results) -> None:
    named, metric = looks(finished.plan), finished.metric
    means = {
        ("scratch", 50): Interval(mean=-0.4, low=-0.8, high=0.0, n=3),
        ("simclr", 50): Interval(mean=-0.5, low=None, high=None, n=1),
    }
    figure = label_budget.draw(metric.replace(low=None), means, named, {"": ("scratch", "simclr")}, (50,), 3, "90 %")
    (axes,) = figure.axes
    bars = [c[2][0].get_segments()[0] for c in axes.containers]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["scratch", "simclr"]
    np.testing.assert_allclose(bars[0][:, 0], [-0.8, 0.0], atol=1e-12)
    np.testing.assert_allclose(bars[1][:, 0], [-0.5, -0.5])
    assert axes.get_xlabel().endswith("at 50 labels, mean of up to 3 seeds with 90 % interval")


def test_a_bar_that_leaves_the_plot_ends_in_an_arrow(planted: Planted, finished: Results) -> None:
    """Two seeds leave intervals far wider than the differences."""
    wide = plot_of(planted("seeds=2", spread=0.02), "differences")
    assert {"<", ">"} & {line.get_marker() for axes in wide.axes for line in axes.lines}
    assert not {"<", ">"} & {line.get_marker() for axes in plot_of(finished, "differences").axes for line in axes.lines}


def test_the_legend_of_the_learning_curves_names_controls_last(planted: Planted) -> None:
    figure = plot_of(planted("arms.scratch-long={model: resnet15, regime: scratch-long}", "seeds=2"), "learning_curves")
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["scratch", "simclr", "random-frozen", "supervised-pretrained", "scratch-long"]


def test_plots_cover_every_budget(finished: Results) -> None:
    difference, learning = plot_of(finished, "differences"), plot_of(finished, "learning_curves")
    assert [axes.get_title(loc="left") for axes in difference.axes] == ["50 labels", "200 labels"]
    assert len(learning.axes) == 6
    assert len(plot_of(finished, "pretraining").axes) == 2
    assert len(plot_of(finished, "roc_200").axes) == 1


def test_learning_curves_run_over_passes_and_end_at_the_test_metric(planted: Planted) -> None:
    results = planted("seeds=2", "recipes.simclr.epochs=2")
    figure = plot_of(results, "learning_curves")
    assert [axes.get_ylabel() for axes in figure.axes[::2]] == ["validation AUC", "validation loss", "training loss"]
    first = figure.axes[0]
    (scratch,) = [line for line in first.lines if line.get_label() == "scratch"]
    assert list(scratch.get_xdata()) == [320.0, 640.0, 960.0]
    stars = [line for line in first.lines if line.get_marker() == "*"]
    means = [results.headlines(arm, 50).mean() for arm in ("scratch", "simclr")]
    assert sorted(star.get_ydata()[0] for star in stars) == pytest.approx(sorted(means))
    assert {star.get_xdata()[0] for star in stars} == {960.0}
