"""The report of a suite of ten classes."""

import json
import re
from io import StringIO

import numpy as np
import pytest
from report.pages import page_of, plot_of
from rich.console import Console

from jetbench.report.export import comparisons_json
from jetbench.report.results import Results
from jetbench.report.rows import rows
from jetbench.report.sections.classes import class_rows
from jetbench.report.sections.roc import rejections
from jetbench.report.sentences import answer
from jetbench.report.table import print_table
from jetbench.statistics.delong import auc, mean_difference_variance, paired_delong
from jetbench.suites.plan import CellKey


def test_the_comparison_is_delongs_of_the_mean_over_pairs(ten_classes: Results) -> None:
    seeds = range(3)
    truth = ten_classes.scores(CellKey("scratch", 50, 0))[1]
    mine, other = (np.stack([ten_classes.scores(CellKey(arm, 50, seed))[2] for seed in seeds]) for arm in ("simclr", "scratch"))
    found = ten_classes.comparisons["simclr", 50]
    assert found.arm.mean == pytest.approx(np.mean([auc(truth, scores) for scores in mine]))
    assert found.test_error**2 == pytest.approx(mean_difference_variance(truth, mine, other))
    assert found.test_error**2 <= paired_delong(truth, mine, other)[2].mean()
    assert found.difference > 0


def test_headings_say_which_auc_it_is_and_columns_without_meaning_are_left_out(ten_classes: Results) -> None:
    assert "test AUC (one-vs-one) 0." in answer(ten_classes)
    table = StringIO()
    print_table(ten_classes, Console(file=table, width=120))
    assert "test AUC (one-vs-one)" in table.getvalue()
    assert "R50" not in table.getvalue()
    text = page_of(ten_classes)
    assert "<th>test AUC (one-vs-one)</th>" in text
    assert "<th>R50</th>" not in text
    assert "Class by class" in text
    assert text.count("X→10 prongs") == 1
    assert len(re.findall(r"background</span>", text)) == len(class_rows(ten_classes))
    assert json.loads(comparisons_json(ten_classes))["answer"] == answer(ten_classes)


def test_a_row_per_arm_with_a_cell_per_class(ten_classes: Results) -> None:
    found = class_rows(ten_classes)
    assert len(found) == len([row for row in rows(ten_classes) if row.seeds]) == 11
    row = next(row for row in found if (row.arm, row.labels) == ("simclr", 200))
    assert len(row.areas) == len(row.rejections) == 10
    assert row.rejections[0] is None
    seeds = [ten_classes.scores(CellKey("simclr", 200, seed)) for seed in range(3)]
    assert row.areas[3] == pytest.approx(np.mean([auc(truth == 3, scores[:, 3]) for _, truth, scores in seeds]))
    left = ten_classes.values("simclr", 200, "test/background_left_50_X_4_prongs")
    assert row.rejections[3] is not None
    assert row.rejections[3].left == pytest.approx(left.mean())
    assert rejections(ten_classes, "simclr", 200, range(3, 4))[0, :, 49] * np.count_nonzero(seeds[0][1] == 0) == pytest.approx(
        left
    )


def test_a_panel_per_signal_class(ten_classes: Results) -> None:
    figure = plot_of(ten_classes, "roc_50")
    assert [axes.get_title(loc="left") for axes in figure.axes][:2] == [
        "X→2 prongs vs QCD, 50 labels",
        "X→3 prongs vs QCD, 50 labels",
    ]
    assert len(figure.axes) == 9
    assert [text.get_text() for text in figure.legends[0].get_texts()][:2] == ["chance", "scratch"]


def test_two_classes_have_no_section_of_classes(finished: Results) -> None:
    assert finished.metric.name == "AUC"
    assert "Class by class" not in page_of(finished)
