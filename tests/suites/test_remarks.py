"""What was found out about a suite's own jets is said of no others."""

from __future__ import annotations

import pytest

from jetbench.suites.suite import find_suite, instantiate


@pytest.mark.parametrize("name", ["sign-flip", "ssl-vs-scratch"])
def test_remarks_hold_for_the_sample_of_the_suite_alone(name: str) -> None:
    suite = find_suite(name)
    own = instantiate(suite, "smoke")
    assert own.remarks == suite.remarks
    assert own.remarks
    assert instantiate(suite, "smoke", overrides=("dataset.jets=700",)).remarks == own.remarks
    for overrides in (("dataset.seed=1",), ("dataset.options={pt_min: 600.0}",)):
        assert instantiate(suite, "smoke", overrides=overrides).remarks == ()
    assert own.name == own.replace(remarks=()).name


def test_the_source_of_a_suite_names_no_pilots_and_no_sample() -> None:
    assert "pilots" not in find_suite("ssl-vs-scratch").source
    assert "better there" not in find_suite("sign-flip").source


@pytest.mark.parametrize(("name", "asked"), [("robustness", "losses"), ("sensitivity", "stability"), ("objectives", "verdicts")])
def test_a_suite_says_what_its_question_is_about(name: str, asked: str) -> None:
    found = instantiate(find_suite(name), "smoke")
    assert found.asks == asked
    assert found.name == found.replace(asks="verdicts").name
