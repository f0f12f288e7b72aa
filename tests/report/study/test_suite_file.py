"""The winner as a suite: it is read strictly, planned, and its runs are those of the trial, on other seeds."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from jetbench.errors import SuiteError
from jetbench.report.study.suite_file import suite_text
from jetbench.spec import RunSpec, Scalar
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.studies import Searched, Study
from jetbench.suites.study_file import StudyInstance, find_study, instantiate_study
from jetbench.suites.study_planning import make_study_plan
from jetbench.suites.suite import find_suite, instantiate
from jetbench.suites.trials import Searching, Trial

STUDIES = Path(__file__).parents[3] / "studies"


def drawn(one: Searched, rng: random.Random) -> Scalar:
    space = one.space
    if space.choices:
        return rng.choice([choice for choice in space.choices if choice != one.own])
    assert space.low is not None
    assert space.high is not None
    return rng.uniform(space.low, space.high)


def planted(study: Study, name: str, arm: str, winner: int, front: tuple[int, ...]) -> Searching:
    rng = random.Random(1)
    values = [dict(study.unsearched), *({one.path: drawn(one, rng) for one in study.searched} for _ in range(study.trials - 1))]
    scores = (0.25,) * len(study.aims)
    trials = [Trial(i, tried, "complete", scores, 1000.0, 500.0, 1.0, (), (), ()) for i, tried in enumerate(values)]
    return Searching(name, arm, study, tuple(trials), None if front else winner, front)


def searched(name: str, winner: int = 3, front: tuple[int, ...] = ()) -> tuple[StudyInstance, list[Searching]]:
    instance = instantiate_study(find_study(str(STUDIES / f"{name}.yaml")), "smoke")
    plan = make_study_plan(instance)
    return instance, [
        planted(study, text, arm, winner, front)
        for study, (arm, text) in ((study, plan.named[digest]) for digest, study in plan.studies.items())
    ]


@pytest.fixture
def exported(tmp_path: Path) -> Callable[[str], Plan]:
    """The plan of a suite that was written."""

    def make(text: str) -> Plan:
        (tmp_path / "suite.yaml").write_text(text)
        return make_plan(instantiate(find_suite(str(tmp_path / "suite.yaml"))))

    return make


def runs(plan: Plan, arm: str, seed: int) -> list[RunSpec]:
    labels = plan.instance.settings.labels[0]
    return [run.spec for run in plan.chain(CellKey(arm, labels, seed))][::-1]


@pytest.mark.parametrize(
    ("name", "front"), [("learning-rate", ()), ("simclr-views", ()), ("deep-sets-width", ()), ("pareto", (1, 4))]
)
def test_the_suite_trains_what_the_trial_was(name: str, front: tuple[int, ...], exported: Callable[[str], Plan]) -> None:
    instance, found = searched(name, front=front)
    plan = exported(suite_text(instance, found))
    assert plan.instance.name.startswith(f"{name}-winner.smoke.")
    for one in found:
        for number in front or (3,):
            arm = f"{one.arm}-trial{number}" if front else f"{one.arm}-winner"
            assert plan.baselines[arm] == one.arm
            for names, values in ((arm, one.trials[number].values), (one.arm, one.study.unsearched)):
                wanted = one.study.chains(values)[0]
                for mine, other in zip(runs(plan, names, 0), wanted, strict=True):
                    assert mine.replace(seed=0, start=None) == other.replace(seed=0, start=None)
    assert plan.instance.settings.tuning is None


def test_its_seeds_are_fresh_and_its_budget_is_the_same(exported: Callable[[str], Plan]) -> None:
    instance, found = searched("simclr-views")
    plan = exported(suite_text(instance, found))
    tried = {run.digest() for trial in found[0].trials for chain in found[0].study.chains(trial.values) for run in chain}
    assert not tried & set(plan.runs)
    assert {run.spec.labels for run in plan.runs.values()} == {None, 50}
    assert {run.spec.seed for run in plan.runs.values()} == set(range(5))
    assert plan.instance.settings.varies == ("pretraining.recipe.augmentation",)


def test_it_says_where_it_comes_from_and_not_when() -> None:
    instance, found = searched("learning-rate")
    text = suite_text(instance, found)
    assert text.splitlines()[0] == f"# What the study {instance.name} has found, against the recipe's own values."
    joined = " ".join(text.split())
    assert f"study {instance.name}; sets-scratch: trial 3 of 6 trials: 6 complete, validation loss 0.25" in joined
    assert "the search spent 6000 labelled and 3000 unlabelled passes" in joined
    assert text == suite_text(instance, found)


def test_what_has_found_nothing_is_no_suite() -> None:
    instance, found = searched("learning-rate", winner=0)
    with pytest.raises(SuiteError, match="found nothing better than the recipe's own values"):
        suite_text(instance, found)


def test_a_study_of_which_no_trial_was_trained_to_its_end_says_so() -> None:
    instance, found = searched("learning-rate")
    lost = [replace(one, trials=tuple(replace(trial, state="failed") for trial in one.trials), winner=None) for one in found]
    with pytest.raises(SuiteError, match=r"has no trial to compare, sets-scratch/n50: 6 trials: 6 failed; .*; other ranges"):
        suite_text(instance, lost)


def test_an_arm_that_has_found_nothing_is_left_out(exported: Callable[[str], Plan]) -> None:
    instance, (_, other) = searched("learning-rate")
    _, (own, _) = searched("learning-rate", winner=0)
    assert exported(suite_text(instance, [own, other])).arms == ["scratch", "scratch-winner"]


def test_a_study_under_way_is_no_suite_yet() -> None:
    instance, (first, second) = searched("learning-rate")
    half = Searching(first.name, first.arm, first.study, first.trials[:4], None, ())
    with pytest.raises(SuiteError, match="has not decided yet, sets-scratch/n50: 4 of 6 trials: 4 complete; run it to its end"):
        suite_text(instance, [half, second])
