"""What a name stands for: an arm at a budget, a seed of it, any run by its name or key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jetbench.errors import StoreError
from jetbench.report.members import Members, find_members
from jetbench.report.results import Results
from jetbench.suites.plan import CellKey
from jetbench.tracking.store import Store

Found = Callable[[str], Members]


@pytest.fixture
def results(planted: Callable[..., Results]) -> Results:
    """Three seeds of each arm at 50 and at 200 labels, but for one of scratch and all of the prior."""

    def missing(cell: CellKey) -> bool:
        return cell == CellKey("scratch", 50, 1) or cell.arm == "class-prior"

    return planted("seeds=3", missing=missing)


@pytest.fixture
def find(results: Results) -> Found:
    store = Store(Path(results.ledger.work).parent)
    return lambda what: find_members(what, [results.plan.instance], store)


def test_an_arm_at_a_budget_is_its_finished_seeds(find: Found, results: Results) -> None:
    members = find("scratch/n50")
    assert members.keys == {f"scratch/n50/s{seed}": results.last[CellKey("scratch", 50, seed)] for seed in (0, 2)}
    assert members.missing == ("seed 1: not run yet",)
    assert members.reported
    whole = find("resnet15/scratch/n200")
    assert (len(whole.keys), whole.missing) == (3, ())


def test_a_seed_is_the_trial_that_has_won_by_its_place_and_by_its_key(find: Found, results: Results) -> None:
    key = results.last[CellKey("simclr", 50, 2)]
    assert find("simclr/n50/s2").keys == {"simclr/n50/s2": key}
    assert results.runs[key].kind == "trial"
    members = find(key[:12])
    assert list(members.keys.values()) == [key]
    assert members.reported


def test_what_a_trial_that_has_not_won_says_of_test_jets_is_not_shown(find: Found, results: Results) -> None:
    lost = next(run for run in results.runs.values() if run.kind == "trial" and run.key not in results.last.values())
    members = find(lost.name)
    assert members.keys == {lost.name: lost.key}
    assert not members.reported


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("scratch", "the arm 'scratch' has 2 label budgets; name one: scratch/n50 or scratch/n200"),
        ("scratch/n50/s1", r"no run of 'scratch/n50/s1' in .* is finished \(seed 1: not run yet\)"),
        ("class-prior", r"no run of 'class-prior' in .* is finished \(seed 0: not run yet; seed 1"),
        ("skratch", "has the name or key 'skratch'; did you mean 'scratch'"),
        ("ffff", "no run or arm in .* has the name or key 'ffff'; valid names: boosted-trees"),
    ],
)
def test_what_there_is_not_is_told_with_what_there_is(find: Found, what: str, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        find(what)
