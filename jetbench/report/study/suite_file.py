"""The winner of a study as a suite: against the recipe's own values, at the same budget, on seeds that the study has not seen."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jetbench.errors import SuiteError
from jetbench.recipes import recipes
from jetbench.report.study.names import aim_name, plain_number
from jetbench.report.study.spent import ended, hopeless, spent, states_text
from jetbench.report.words import count, joined
from jetbench.spec import Component, Scalar
from jetbench.statistics.resolution import LEAST_SEEDS
from jetbench.suites.choices import Arm, Common
from jetbench.suites.expand import recipe_choice, recipe_key
from jetbench.suites.instance import AnyInstance, merge
from jetbench.suites.parameters import BEFORE
from jetbench.suites.stages import regimes
from jetbench.suites.trials import Searching, Trial

__all__ = ["suite_text", "winner_suite"]

LENGTHS = {"loops": "passes", "most_passes": "passes"}  # what they are in a run
OF_THE_STUDY = {"arms", "seeds", "search", "sampler", "pruner", "trials", "aims", "labels", "test_jets", "precision"}
EXPECTED = (
    "undecided or better: the winner was the best of many, so that its score in the study flatters it; these seeds, their labels "
    "and their encoders are fresh"
)


def suite_text(instance: AnyInstance, searchings: Sequence[Searching]) -> str:
    """Return the suite file as text, with where it comes from in its first line and under `source`.

    Raises `SuiteError` where the study has not decided yet, where no trial was trained to its end, and where it has found nothing
    that differs from the recipe's own values.
    """
    from ruamel.yaml import YAML

    text = io.StringIO()
    yaml = YAML()
    yaml.width = 130
    yaml.dump(winner_suite(instance, searchings), text)
    return f"# What the study {instance.name} has found, against the recipe's own values.\n{text.getvalue()}"


def winner_suite(instance: AnyInstance, searchings: Sequence[Searching]) -> dict[str, Any]:
    """Return the content of the suite file. Raises `SuiteError` as `suite_text` does."""
    settings, labels = instance.settings, searchings[0].study.template.labels or 0
    arms: dict[str, dict[str, Any]] = {}
    primary = []
    chosen = [(one, trial) for one in searchings for trial in _chosen(instance, one)]
    if not chosen:
        if lost := [one for one in searchings if hopeless(one)]:
            told = "; ".join(f"{one.name}: {states_text(one)}" for one in lost)
            raise SuiteError(f"{instance.name} has no trial to compare, {told}; other ranges under `search` may help")
        raise SuiteError(f"{instance.name} has found nothing better than the recipe's own values: there is nothing to compare")
    for one, trial in chosen:
        own = settings.arms[one.arm].model_dump(mode="json", exclude_defaults=True, exclude={"search"})
        name = f"{one.arm}-winner" if one.winner == trial.number else f"{one.arm}-trial{trial.number}"
        arms |= {one.arm: own, name: found_arm(settings, settings.arms[one.arm], labels, _moved(one, trial))}
        primary.append({"arm": name, "baseline": one.arm})
    return {
        "suite": f"{instance.title}-winner",
        "question": f"Is what the study {instance.title!r} has found better than the recipe's own values, on fresh seeds?",
        "source": "; ".join([f"study {instance.name}", *(_provenance(one, trial) for one, trial in chosen)]),
        "expected": EXPECTED,
        "default_scale": instance.scale,
        "common": {
            **settings.model_dump(mode="json", exclude_defaults=True, exclude=OF_THE_STUDY),
            "varies": list(dict.fromkeys(_varied(settings, arms, labels))),
            "primary": primary if len(primary) > 1 else primary[0],
            "arms": arms,
        },
        "scales": {instance.scale: {"test_jets": settings.test_jets, "labels": [labels], "seeds": LEAST_SEEDS}},
    }


def _chosen(instance: AnyInstance, one: Searching) -> Iterator[Trial]:
    """The trials that are selected and differ from the recipe's own values: the winner, or those of the front."""
    if len(ended(one)) < one.study.trials:
        raise SuiteError(f"{instance.name} has not decided yet, {one.name}: {states_text(one)}; run it to its end first")
    yield from (trial for trial in one.trials if (trial.number == one.winner or trial.number in one.front) and _moved(one, trial))


def _moved(one: Searching, trial: Trial) -> dict[str, Scalar]:
    """The values of a trial by path that are not the recipe's own."""
    own = {parameter.path: parameter.own for parameter in one.study.searched}
    return {path: value for path, value in trial.values.items() if value != own[path]}


def _provenance(one: Searching, trial: Trial) -> str:
    cost = spent(ended(one))
    scores = joined([f"{aim_name(aim)} {plain_number(score)}" for aim, score in zip(one.study.aims, trial.scores, strict=True)])
    passes = f"{count(round(cost.labelled))} labelled and {count(round(cost.unlabelled))} unlabelled passes"
    return f"{one.arm}: trial {trial.number} of {states_text(one)}, {scores}; the search spent {passes}"


def found_arm(settings: Common, arm: Arm, labels: int, values: Mapping[str, Scalar]) -> dict[str, Any]:
    """Return an arm of a suite file with values at the paths of its runs."""
    found: dict[str, Any] = arm.model_dump(mode="json", exclude_defaults=True, exclude={"search"})
    for path, value in values.items():
        found = merge(found, _given(settings, arm, labels, path, value, found))
    return found


def _given(settings: Common, arm: Arm, labels: int, path: str, value: Scalar, found: dict[str, Any]) -> dict[str, Any]:
    """What an arm has to say for a value at a path of its runs."""
    back, rest = path.count(BEFORE), path.replace(BEFORE, "")
    stage = regimes[arm.regime].stages[-1 - back]
    part, name = rest.split(".", 1)
    if part == "model":
        return {"model_options": {name: value}}
    if part == "view":
        return {"view": {name: value}}
    if part == "objective":
        return {"objective_options": {stage.objective: {name: value}}}
    key = recipe_key(settings, stage, labels)
    if not name.startswith("augmentation."):
        return {"recipes": {key: {name: value}}}
    _, step, option = name.split(".")
    steps = found.get("recipes", {}).get(key, {}).get("augmentation") or _steps(settings, arm, key)
    return {"recipes": {key: {"augmentation": [_stronger(one, step, option, value) for one in steps]}}}


def _steps(settings: Common, arm: Arm, key: str) -> list[Any]:
    """The augmentation of a stage as a suite file writes it: each step by its name, with strengths where it has some."""
    choice = recipe_choice(settings, arm, key)
    steps: Sequence[Component] = choice.augmentation or recipes[str(choice.base)].recipe.augmentation
    return [{step.name: step.keywords()} if step.options else step.name for step in steps]


def _stronger(one: Any, step: str, option: str, value: Scalar) -> Any:
    """A step with another strength where it is the one that is meant."""
    name, strengths = (one, {}) if isinstance(one, str) else next(iter(one.items()))
    return {name: {**strengths, option: value}} if name == step else one


def _varied(settings: Common, arms: Mapping[str, Mapping[str, Any]], labels: int) -> Iterator[str]:
    """What the arms may differ in: model and regime where they do, and what each says of itself."""
    for word in ("model", "regime"):
        if len({arm[word] for arm in arms.values()}) > 1:
            yield word
    for arm in arms.values():
        stages = regimes[arm["regime"]].stages
        yield from (f"model.{name}" for name in arm.get("model_options", {}))
        yield from (f"view.{name}" for name in arm.get("view", {}))
        yield from (word for word in ("pool", "pool_jets", "weights", "scores") if word in arm)
        for back, stage in enumerate(reversed(stages)):
            recipe = arm.get("recipes", {}).get(recipe_key(settings, stage, labels), {})
            yield from (f"{BEFORE * back}recipe.{LENGTHS.get(name, name)}" for name in recipe if name != "base")
            yield from (f"{BEFORE * back}objective.{name}" for name in arm.get("objective_options", {}).get(stage.objective, {}))
