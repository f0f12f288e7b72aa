"""Printed numbers of others: they stand on the page, in the terminal and in the file, beside the numbers that ask the same."""

from __future__ import annotations

import html
import io
import json
from collections.abc import Callable

import pytest
from report.pages import page_of
from rich.console import Console

from jetbench.report.export import comparisons_json
from jetbench.report.published import published_labels
from jetbench.report.published_beside import label_lines, pool_size_lines
from jetbench.report.results import Results
from jetbench.report.table import print_table
from jetbench.report.words import brief_difference
from jetbench.tasks.classification import AUC
from jetbench.tasks.regression import RMSE

Planted = Callable[..., Results]
TRANSFORMERS = (
    *(f"arms.{arm}.model=particle-transformer" for arm in ("scratch", "simclr", "random-frozen", "supervised-pretrained")),
    "tuning=null",
)
POOLS = (*(f"arms.simclr-{n}={{model: resnet15, regime: simclr, pool_jets: {n}}}" for n in (100, 200, 400)), "tuning=null")
VARIES = "varies=[model, regime, pool_jets]"


def terminal(results: Results) -> str:
    stream = io.StringIO()
    print_table(results, Console(file=stream, width=110))
    return stream.getvalue()


def test_every_size_of_the_published_encoder_is_quoted_with_its_errors() -> None:
    """The one that gains most is no more than one of three; two that lose stand beside it."""
    rows = published_labels(AUC, "particle-transformer")
    first = {row.of.split('"')[1]: row.points[0] for row in rows}
    assert {name: round(point.pretrained - point.scratch, 3) for name, point in first.items()} == {
        "micro": 0.181,
        "small": 0.118,
        "medium": -0.035,
    }
    assert (first["micro"].scratch, first["micro"].scratch_error, first["micro"].labels) == (0.788, 0.221, 1000)
    assert all(row.source.startswith("arXiv:") for row in rows)
    assert published_labels(RMSE, "particle-transformer") == published_labels(AUC, "deep-sets") == ()


def test_published_gains_stand_beside_transformers_everywhere(planted: Planted) -> None:
    """At the budget that both have, with the gain here."""
    results = planted(*TRANSFORMERS, "dataset.jets=12000", "labels=[50, 1000]", "seeds=3")
    lines, found = label_lines(results), results.comparisons["simclr", 1000]
    assert len(lines) == 3
    assert lines[0].startswith("Published: AUC from scratch and pretrained 0.788 ± 0.221 and 0.9687 ± 0.007 at 1000 labels, ")
    assert " and 0.9858 ± 0.0004 and 0.9866 at 1\u202f000\u202f000 labels (masked particle modelling" in lines[0]
    ours = f"here simclr minus scratch is {brief_difference(results.metric, found)} at 1000 labels, where +0.1807 is published"
    assert lines[0].endswith(f"of three seeds; arXiv:2606.14870, its public results); {ours}.")
    page, shown, written = html.unescape(page_of(results)), terminal(results), json.loads(comparisons_json(results))["published"]
    assert all(line in page for line in lines)
    assert all(line in shown for line in lines)
    assert written["pool_sizes"] == []
    assert [(row["arm"], row["baseline"], row["points"][0]["labels"]) for row in written["label_budgets"]] == 3 * [
        ("simclr", "scratch", 1000)
    ]


def test_without_a_common_budget_that_is_said(planted: Planted) -> None:
    lines = label_lines(planted(*TRANSFORMERS, "labels=[50]", "seeds=2"))
    assert all(line.endswith("; simclr has none of these budgets.") for line in lines)


@pytest.mark.parametrize(
    "overrides",
    [
        (),  # another encoder
        (*TRANSFORMERS, "primary={arm: supervised-pretrained, baseline: scratch}"),  # which is told the labels of its pool
        (*TRANSFORMERS, "primary={arm: simclr, baseline: random-frozen}"),  # not from scratch
    ],
)
def test_another_question_has_no_published_numbers(planted: Planted, overrides: tuple[str, ...]) -> None:
    results = planted(*overrides, "labels=[50]", "seeds=2")
    assert label_lines(results) == pool_size_lines(results) == []
    assert json.loads(comparisons_json(results))["published"] == {"pool_sizes": [], "label_budgets": []}
    assert "Published: " not in terminal(results)


def test_the_published_exponent_stands_everywhere_too(planted: Planted) -> None:
    results = planted(
        *POOLS,
        VARIES,
        "recipes.simclr.batch_size=64",
        "labels=[50]",
        "seeds=3",
        "arms.simclr=null",
        "primary={arm: simclr-400, baseline: scratch}",
    )
    (line,) = pool_size_lines(results)
    (row,) = json.loads(comparisons_json(results))["published"]["pool_sizes"]
    assert row["exponent"] == pytest.approx(0.0304, abs=1e-4)
    assert [(one["name"], one["labels"]) for one in row["beside"]] == [("resnet15 under simclr", 50)]
    assert f"it lies {row['beside'][0]['lies']} the interval of resnet15 under simclr at 50 labels." in line
    assert line in html.unescape(page_of(results))
    assert line in terminal(results)
    assert "goes as the number of unlabelled jets to the power" in terminal(results)
