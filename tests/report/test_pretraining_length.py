"""A pretraining whose loss still falls at its end is named, with the arms that start from it and what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from report.pages import Checked, page_of

from jetbench.report.alarm import Estimate
from jetbench.report.pretraining_length import endings, short_pretrainings
from jetbench.report.results import Results
from jetbench.report.sentences import answer
from jetbench.report.warnings import warnings

Planted = Callable[..., Results]


def note(results: Results, kind: str, *ends: Mapping[str, float]) -> None:
    """Give the pretrainings of a kind, encoder by encoder, what they have noted at their end."""
    of = next(one.of for one in endings(results) if one.of.name == f"resnet15/{kind}")
    for key, end in zip(of.runs, ends, strict=True):
        results.metrics(key).update(end)


def end(change: float, error: float = 0.004) -> dict[str, float]:
    return {"trained/loss_change": change, "trained/loss_change_error": error}


def test_a_loss_that_still_falls_is_told_with_what_to_do(planted: Planted) -> None:
    """Two encoders at −2 and −4 % ± 0.4 %: their mean is −3 %, and its error the larger of 0.28 % and of half their distance."""
    results = planted("seeds=2")
    note(results, "simclr-pretraining", end(-0.02), end(-0.04))
    found = next(one for one in endings(results) if one.of.name == "resnet15/simclr-pretraining")
    assert found.change == Estimate(pytest.approx(-0.03), pytest.approx(0.01))
    (text,) = short_pretrainings(results)
    assert text == (
        "resnet15/simclr-pretraining may be too short: its loss still falls at the end, by 3.0 ± 1.0 % in the last tenth of the "
        "steps, mean of 2 encoders; more `passes` in the recipe `simclr` would tell whether simclr gains by it"
    )
    assert f"{text}." in warnings(results)
    assert f"  {text}." in answer(results).splitlines()
    page = " ".join(Checked(page_of(results)).text.split())
    assert text in page
    assert "resnet15/simclr-pretraining 2 −3.0 ± 1.0 % perhaps too short – – – – –" in page


@pytest.mark.parametrize(
    ("ends", "short"),
    [
        ((end(-0.0079), end(-0.0079)), True),  # two errors of the mean, 0.4 % / √2, are 0.57 %
        ((end(-0.005), end(-0.005)), False),
        ((end(-0.03), end(0.0)), False),  # a mean of −1.5 % with as large an error
        ((end(0.03), end(0.03)), False),
        (({}, {}), False),  # fewer than 50 steps have no course
    ],
)
def test_a_fall_counts_beyond_two_errors(planted: Planted, ends: tuple[dict[str, float], ...], short: bool) -> None:
    results = planted("seeds=2")
    note(results, "simclr-pretraining", *ends)
    assert [one.of.name for one in endings(results) if one.short] == (["resnet15/simclr-pretraining"] if short else [])
    assert ("too short" in answer(results)) == short


@pytest.mark.parametrize(("share", "short"), [(1.0, True), (0.75, False)])
def test_of_labels_that_are_validated_a_fall_beyond_the_best_epoch_counts_not(
    planted: Planted, share: float, short: bool
) -> None:
    """What falls is the loss of jets known by heart; and a control's pretraining is none of the answer's business."""
    results = planted("seeds=1")
    kept = {"cost/labelled_passes": 400.0, "cost/passes_to_best": 400.0 * share}
    note(results, "supervised-pretraining", end(-0.04) | kept)
    assert [text.split()[0] for text in short_pretrainings(results)] == (["resnet15/supervised-pretraining"] if short else [])
    assert not list(short_pretrainings(results, ("simclr", "scratch")))
    assert "too short" not in answer(results)


def test_the_page_of_pretrainings_that_noted_nothing_has_no_table(finished: Results) -> None:
    assert all(one.change is None for one in endings(finished))
    assert "change of the loss over the last tenth of the steps, along a straight line, as a share of it" not in page_of(finished)
