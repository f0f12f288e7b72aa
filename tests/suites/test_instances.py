"""Which instance was run last, whatever has happened to the book."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jetbench.errors import StoreError
from jetbench.suites.instances import (
    BOOKS,
    forget,
    latest,
    latest_instance,
    latest_study_instance,
    named,
    remember,
    remembered,
)
from jetbench.suites.plan import Plan
from jetbench.suites.study_file import find_study, instantiate_study
from jetbench.suites.suite import find_suite, instantiate


def test_a_torn_line_is_named_and_does_not_swallow_the_next(
    plan_of: Callable[..., Plan], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = plan_of().instance, plan_of("seeds=1").instance
    remember(tmp_path, first)
    whole = (tmp_path / BOOKS["suite"]).read_bytes()
    (tmp_path / BOOKS["suite"]).write_bytes(whole + whole[:200] + b"\xff")
    assert latest(tmp_path, "mini") == first
    assert [record.getMessage().split(": ", 1)[1] for record in caplog.records] == [
        "line 2 is not readable and passed over; the next run of its suite lists it again"
    ]
    remember(tmp_path, second)
    assert latest(tmp_path, "mini") == second
    (tmp_path / BOOKS["suite"]).write_bytes((tmp_path / BOOKS["suite"]).read_bytes() + b"[1]\n")
    caplog.clear()
    assert latest(tmp_path, "mini") == second
    assert "lines 2, 4 are not readable" in caplog.text


def test_a_whole_book_is_read_without_a_word(
    plan_of: Callable[..., Plan], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for seeds in (1, 2):
        remember(tmp_path, plan_of(f"seeds={seeds}").instance)
    assert latest(tmp_path, "mini", "quick").settings.seeds == 2
    assert caplog.records == []
    with pytest.raises(StoreError, match="no results of suite 'planted-truths'"):
        latest(tmp_path, "planted-truths")


def test_an_instance_is_found_by_its_name_and_by_as_much_of_it_as_is_its_own(
    plan_of: Callable[..., Plan], tmp_path: Path
) -> None:
    first, second = plan_of().instance, plan_of("seeds=1").instance
    for instance in (first, second, first):
        remember(tmp_path, instance)
    assert list(remembered(tmp_path)) == [second.name, first.name]
    assert latest(tmp_path, "mini") == first
    assert latest(tmp_path, second.name) == latest(tmp_path, second.name[:-4]) == second
    with pytest.raises(StoreError, match=f"several instances mini.quick…: {second.name}, {first.name}; write more"):
        latest(tmp_path, "mini.quick")
    with pytest.raises(StoreError, match=r"no results of suite 'mini\.smoke'"):
        latest(tmp_path, "mini.smoke")


def test_the_name_of_a_suite_is_not_the_beginning_of_another(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    mass = plan_of().instance.replace(suite="paper-simclr-mass")
    remember(tmp_path, mass)
    assert latest(tmp_path, "paper-simclr-m") == mass
    assert named(tmp_path, "paper-simclr-mass.q") == [mass]
    assert named(tmp_path, "paper-simclr") == []
    with pytest.raises(StoreError, match="no results of suite 'paper-simclr'; `jetbench run --suite paper-simclr` makes them"):
        latest_instance(tmp_path, "paper-simclr")
    own = mass.replace(suite="paper")  # no shipped one, but the store has run it
    remember(tmp_path, own)
    assert latest(tmp_path, "paper") == own
    remember(tmp_path, mass.replace(scale="smoke"))
    with pytest.raises(StoreError, match="no results of suite 'paper' at scale 'smoke'; it has some at the scale"):
        latest(tmp_path, "paper", "smoke")
    with pytest.raises(StoreError, match="no results of study 'paper-simclr'"):
        latest_study_instance(tmp_path, "paper-simclr")


def test_what_is_forgotten_is_not_found_and_the_rest_stays(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    first, second = plan_of().instance, plan_of("seeds=1").instance
    for instance in (first, second, first):
        remember(tmp_path, instance)
    forget(tmp_path, first.name)
    assert list(remembered(tmp_path)) == [second.name]


STUDY = """
study: rates
question: Which rate?
common:
  dataset: {name: top-vs-qcd, jets: 600}
  test_jets: 200
  labels: 50
  seeds: 1
  arms: {sets: {model: deep-sets, regime: scratch}}
  recipes: {supervised: {base: supervised-small, passes: 400}}
  search: {recipe.learning_rate: null}
  trials: 4
scales: {quick: {}}
"""


def test_suites_and_studies_are_remembered_together_and_told_apart(suite_path: Path, tmp_path: Path) -> None:
    (tmp_path / "rates.yaml").write_text(STUDY)
    study, suite = instantiate_study(find_study(str(tmp_path / "rates.yaml"))), instantiate(find_suite(str(suite_path)))
    remember(tmp_path, study)
    remember(tmp_path, suite)
    assert list(remembered(tmp_path)) == [study.name, suite.name]
    assert latest(tmp_path, None) == suite
    assert latest_study_instance(tmp_path, None) == study
    assert latest_study_instance(tmp_path, study.name[:-2]) == study
    assert [latest_instance(tmp_path, name) for name in ("rates", "mini", None)] == [study, suite, suite]
    winner = suite.replace(suite="rates-winner")
    remember(tmp_path, winner)  # a name that begins as the study's does
    assert latest(tmp_path, "rates-w") == winner
    with pytest.raises(StoreError, match="it is a study: `jetbench study show rates`"):
        latest(tmp_path, "rates")
    forget(tmp_path, winner.name)
    with pytest.raises(StoreError, match="it is a suite: `jetbench report mini`"):
        latest_study_instance(tmp_path, "mini")
    forget(tmp_path, study.name)
    assert list(remembered(tmp_path)) == [suite.name]
