"""An encoder whose features are all the same is named, with the arms that start from it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence

import pytest
from report.pages import Checked, page_of

from jetbench.report.collapse import COLLAPSED, collapses
from jetbench.report.export import to_csv
from jetbench.report.results import Results
from jetbench.report.warnings import warnings
from jetbench.suites.plan import CellKey
from jetbench.tracking.journal import Journal, read

Planted = Callable[..., Results]


def note(results: Results, arm: str, seed: int, ends: Sequence[float], rank: float = 8.0) -> None:
    """Write down the standard deviation of the features, and their rank, after each epoch of the pretraining behind an arm."""
    path = results.ledger.run(results.chain(CellKey(arm, 50, seed))[-1]).journal
    position = len(read(path)[0])
    with Journal(path) as journal:
        for step, value in enumerate(ends):
            journal.append(position + step, {"features/standard_deviation": value, "features/effective_rank": rank})
        journal.commit()


def test_a_collapsed_encoder_is_flagged_with_what_starts_from_it(planted: Planted) -> None:
    results = planted("seeds=3")
    for seed, ends in enumerate(([0.1, 0.2], [0.1, 0.002], [0.1, 0.0001])):
        note(results, "simclr", seed, ends)
    (text,) = collapses(results)
    assert text.startswith(
        "2 of 3 encoders of resnet15/simclr-pretraining collapsed: the features of all jets are practically the"
    )
    assert "(standard deviation 0.0001; 1 is even, and below 0.01 hardly two jets differ)" in text
    assert text.endswith("What simclr comes to says nothing about pretraining.")
    assert text in warnings(results)


@pytest.mark.parametrize("end", [COLLAPSED, 0.3])
def test_an_encoder_that_tells_jets_apart_is_not(planted: Planted, end: float) -> None:
    results = planted("seeds=2")
    note(results, "simclr", 0, [0.001, end])
    assert not list(collapses(results))


def test_features_along_one_line_are_flagged_too(planted: Planted) -> None:
    results = planted("seeds=3")
    note(results, "simclr", 0, [0.1, 0.03], rank=1.6)
    note(results, "simclr", 1, [0.1, 0.03], rank=4.0)
    note(results, "simclr", 2, [0.1, 0.002], rank=1.0)  # already told of
    same, line = collapses(results)
    assert same.startswith("1 of 3 encoders")
    assert line.startswith(
        "1 of 3 encoders of resnet15/simclr-pretraining collapsed: the features of all jets lie practically along"
    )
    assert "(effective rank 1.6, below 2)" in line


def test_what_the_features_are_like_stands_on_the_page_and_among_the_results(planted: Planted) -> None:
    results = planted("seeds=2")
    note(results, "simclr", 0, [0.1, 0.3], rank=8.0)
    note(results, "simclr", 1, [0.2, 0.4], rank=9.0)
    text = " ".join(Checked(page_of(results)).text.split())
    assert "standard deviation effective rank alignment uniformity" in text
    assert "resnet15/simclr-pretraining 2 – – 0.35first 0.15 8.5first 8.5 – –" in text
    rows = [row for row in csv.DictReader(to_csv(results).splitlines()) if row["metric"].startswith("pretraining/")]
    assert {(row["arm"], row["labels"]) for row in rows} == {("simclr", "50"), ("simclr", "200")}
    found = {(row["labels"], row["seed"], row["metric"]): float(row["value"]) for row in rows}
    assert found["200", "1", "pretraining/features/standard_deviation"] == 0.4
    assert found["50", "0", "pretraining/features/effective_rank"] == 8.0


def test_a_run_that_has_not_looked_says_nothing(planted: Planted) -> None:
    assert not list(collapses(planted("seeds=2")))
