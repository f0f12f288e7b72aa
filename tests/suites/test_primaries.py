"""Several primary comparisons: which of them an arm belongs to, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jetbench.errors import SuiteError
from jetbench.jets import Jets, save_jets
from jetbench.report.reproduce import command
from jetbench.suites import planning
from jetbench.suites.compared import compared_lines
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.roles import Role
from jetbench.suites.settings import Primary
from jetbench.suites.suite import find_suite, instantiate

PRIMARIES = "[{arm: simclr, baseline: scratch}, {arm: sets-simclr, baseline: sets, labels: largest}]"
ARMS = """
    sets: {model: deep-sets, regime: scratch}
    sets-simclr: {model: deep-sets, regime: simclr, recipes: {simclr: {passes: 1024}}}
    sets-long: {model: deep-sets, regime: scratch-long}
    sets-again: {model: deep-sets, regime: scratch, seed_offset: 100}
    long: {model: resnet15, regime: scratch-long}
    wide: {model: resnet15, regime: scratch, model_options: {stages: 16-32}}
    mass-likelihood: {model: mass-likelihood, regime: fit}
"""
VARIES = "[model, regime, seed, model.stages, pretraining.recipe.passes]"


@pytest.fixture
def two(suite_text: str, toy_file: Path, tmp_path: Path) -> Callable[..., Plan]:
    """The plan of a suite with two encoders."""
    text = suite_text.format(dataset=toy_file).replace("\n  recipes:", f"{ARMS}  recipes:", 1)
    text = text.replace("{arm: simclr, baseline: scratch}", PRIMARIES).replace("[model, regime]", VARIES)
    (tmp_path / "two.yaml").write_text(text)

    def make(*overrides: str) -> Plan:
        return make_plan(instantiate(find_suite(str(tmp_path / "two.yaml")), overrides=overrides))

    return make


def test_a_mapping_is_read_as_one_comparison(plan_of: Callable[..., Plan]) -> None:
    settings = plan_of().instance.settings
    assert settings.primary == (Primary(arm="simclr", baseline="scratch"),)
    assert plan_of("primary=[{arm: simclr, baseline: scratch}]").instance.name == plan_of().instance.name
    assert plan_of("primary.labels=largest").instance.settings.primary[0].labels == "largest"


def test_each_comparison_has_its_budget(two: Callable[..., Plan]) -> None:
    settings = two().instance.settings
    assert [settings.primary_labels(one) for one in settings.primary] == [50, 100]


def test_an_arm_is_compared_with_the_baseline_of_its_encoder(two: Callable[..., Plan]) -> None:
    """A model that no baseline has is compared with the first."""
    of_sets = dict.fromkeys(("sets-simclr", "sets-long", "sets-again"), "sets")
    of_images = dict.fromkeys(("simclr", "boosted-trees", "long", "wide", "mass-likelihood"), "scratch")
    assert two().baselines == of_images | of_sets


def test_of_two_baselines_of_a_model_the_one_with_the_same_options_counts(two: Callable[..., Plan]) -> None:
    arms = "arms.wide-long={model: resnet15, regime: scratch-long, model_options: {stages: 16-32}}"
    wide = "arms.wide-simclr={model: resnet15, regime: simclr, model_options: {stages: 16-32}}"
    plan = two(arms, wide, "primary=[{arm: simclr, baseline: scratch}, {arm: wide-simclr, baseline: wide}]")
    assert plan.baselines["wide-long"] == "wide"
    assert plan.baselines["long"] == "scratch"


def test_every_baseline_is_one_and_other_seeds_are_those_of_its_own(two: Callable[..., Plan]) -> None:
    plan = two()
    assert {arm for arm, role in plan.roles.items() if role is Role.BASELINE} == {"scratch", "sets"}
    assert plan.roles["sets-again"] is Role.CONTROL
    assert plan.truths["sets-again"] == "same"


def test_a_long_training_is_as_long_as_the_primary_arm_of_its_encoder(two: Callable[..., Plan]) -> None:
    plan = two()
    passes = {arm: plan.runs[plan.cells[CellKey(arm, 50, 0)]].spec.recipe.passes for arm in ("long", "sets-long")}
    assert passes == {"long": 320 + 512, "sets-long": 320 + 1024}


def test_the_command_that_makes_it_again_has_all_comparisons(two: Callable[..., Plan], tmp_path: Path) -> None:
    instance = two("primary=[{arm: sets-simclr, baseline: sets}]").instance.replace(file=str(tmp_path / "two.yaml"))
    assert command(instance)[0].endswith("""--set 'primary=[{"arm":"sets-simclr","baseline":"sets","labels":"smallest"}]'""")


@pytest.mark.parametrize(
    ("primary", "message"),
    [
        ("[]", "at least 1 item"),
        (
            "[{arm: simclr, baseline: scratch}, {arm: sets-smclr, baseline: sets}]",
            "names the arm 'sets-smclr'; did you mean 'sets-simclr'",
        ),
        (
            "[{arm: simclr, baseline: scratch}, {arm: simclr, baseline: sets}]",
            "'simclr' has more than one baseline: scratch, sets",
        ),
        ("[{arm: simclr, baseline: scratch}, {arm: scratch, baseline: sets}]", "'scratch' is the baseline of a comparison"),
        ("{arm: scratch, baseline: scratch}", "'scratch' is the baseline of a comparison"),
        ("[{arm: simclr, baseline: scratch}, {arm: simclr, baseline: scratch, labels: 50}]", "at 50 labels stands there twice"),
        ("[{arm: simclr, baseline: scratch}, {arm: sets-simclr, baseline: sets, labels: 70}]", "at 70 labels, which is none"),
    ],
)
def test_comparisons_without_sense_are_refused(two: Callable[..., Plan], primary: str, message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        two(f"primary={primary}")


def test_one_arm_may_be_compared_at_two_budgets(two: Callable[..., Plan]) -> None:
    plan = two("primary=[{arm: simclr, baseline: scratch}, {arm: simclr, baseline: scratch, labels: largest}]")
    assert len(plan.primaries) == 2


def test_an_encoder_whose_baseline_is_skipped_is_compared_with_nothing(
    two: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its other arms must not be compared across encoders; models that are nobody's baseline go to a comparison that is run."""
    monkeypatch.setattr(planning, "skipped_arms", lambda *given: {"sets": "for want of constituents"})
    plan = two()
    assert "sets" not in plan.arms
    assert "sets-simclr" in plan.arms
    assert [(one.arm, one.baseline) for one in plan.primaries] == [("simclr", "scratch")]
    assert plan._baseline("sets-simclr") == "sets"
    assert "sets-simclr" not in plan.baselines
    assert "compared with none: sets-simclr, whose baseline sets is not run" in compared_lines(plan)
    fitted = [arm for arm in plan.arms if plan.instance.settings.arms[arm].model not in ("deep-sets", "resnet15")]
    assert fitted
    assert {plan.baselines[arm] for arm in fitted} == {"scratch"}


def test_an_encoder_that_the_jets_do_not_allow_leaves_the_other(two: Callable[..., Plan], toy_jets: Jets, tmp_path: Path) -> None:
    """Without a pT there are no constituents; the suite goes on with the images."""
    plain = tuple(channel.replace(unit="", role="other") for channel in toy_jets.meta.channels)
    labels = np.asarray(toy_jets.targets["label"])
    save_jets(tmp_path / "plain.h5", [replace(toy_jets, meta=toy_jets.meta.replace(channels=plain), targets={"label": labels})])
    plan = two(f"dataset={{name: {tmp_path / 'plain.h5'}}}")
    assert [one.arm for one in plan.primaries] == ["simclr"]
    assert set(plan.baselines.values()) == {"scratch"}
    with pytest.raises(SuiteError, match=r"primary comparison has the arm 'sets-simclr', which these jets do not allow"):
        two(f"dataset={{name: {tmp_path / 'plain.h5'}}}", "primary={arm: sets-simclr, baseline: sets}")


def test_a_plan_names_the_baseline_of_every_arm(two: Callable[..., Plan]) -> None:
    plan = two()
    lines = compared_lines(plan)
    assert [line.split(": ")[0] for line in lines] == ["compared with scratch", "compared with sets"]
    told = {arm: line.split(": ")[0].split()[-1] for line in lines for arm in line.split(": ")[1].split(", ")}
    assert told == plan.baselines
    assert set(told) | {"scratch", "sets"} == set(plan.arms)


def test_networks_that_are_compared_with_a_stranger_are_told_of_it(two: Callable[..., Plan]) -> None:
    """With one comparison of the sets alone, the images have no baseline: what differs from theirs in the regime is warned of."""
    lines = compared_lines(two("primary={arm: sets-simclr, baseline: sets}"))
    told, (warning,) = lines[0], [line for line in lines if line.startswith("!")]
    assert told.startswith("compared with sets: ")
    assert "simclr (of another model, resnet15)" in told
    assert "sets-long," in told
    assert "mass-likelihood (" not in told
    assert warning.startswith("! arms scratch, simclr, long and wide of resnet15 have no baseline of their own")
    lone = compared_lines(two("primary={arm: sets-simclr, baseline: sets}", "arms.simclr=null", "arms.long=null"))
    assert "scratch (of another model, resnet15)" in lone[0]
    assert not any(line.startswith("!") for line in lone)
