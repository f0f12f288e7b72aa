"""From the instance of a study to its plan: a search for each arm, at one budget of labels."""

from __future__ import annotations

import math
from dataclasses import dataclass

from jetbench.errors import SuiteError
from jetbench.models import models
from jetbench.suites.expand import Cells, expand
from jetbench.suites.graph import Graph
from jetbench.suites.needs import refuse_unfit, skipped_arms, skipped_augmentations
from jetbench.suites.options import check_options
from jetbench.suites.parameters import Chain
from jetbench.suites.samplers import check_pruner, check_sampler
from jetbench.suites.search import check_search, searched
from jetbench.suites.sizes import check_size
from jetbench.suites.studies import VALIDATION_LOSS, Aim, Study
from jetbench.suites.study_file import StudyArm, StudyInstance

__all__ = ["StudyPlan", "make_study_plan"]

COSTS = ("cost/flops", "cost/parameters")  # that a network has whatever it was trained on, and nothing that is fitted
SEARCH = "search"  # where a study says what is searched


@dataclass
class StudyPlan(Graph):
    """The searches of a study, one per arm; the runs are those of the trials that are certain before anything has run."""

    instance: StudyInstance

    @property
    def failures_count(self) -> bool:
        return True


def make_study_plan(instance: StudyInstance) -> StudyPlan:
    """Plan a study; nothing but the instance is looked at, and no dataset.

    Raises `SuiteError` where the jets do not allow the task or any arm, where test set and budget do not fit into the dataset,
    and for parameters, samplers and aims that make no sense together.
    """
    settings, meta, pool = instance.settings, instance.meta, instance.pool_meta or instance.meta
    check_options(settings)
    check_size(instance)
    refuse_unfit(instance)
    left_out = skipped_arms(settings, meta, pool)
    if len(left_out) == len(settings.arms):
        name, reason = next(iter(left_out.items()))
        raise SuiteError(f"these jets allow no arm of the study; {name!r}: {reason}")
    skipped = {f"arm {name}": reason for name, reason in left_out.items()}
    skipped |= {f"augmentation {name}": reason for name, reason in skipped_augmentations(settings, meta).items()}
    plan = StudyPlan(instance, tuple(skipped.items()))
    chains = {name: _chain(plan, arm) for name, arm in settings.arms.items() if name not in left_out}
    for name, chain in chains.items():
        _add_study(plan, name, settings.arms[name], chain)
    paths = dict.fromkeys([*settings.search, *(path for arm in settings.arms.values() for path in arm.search)])
    check_search(SEARCH, paths, list(chains.values()), plan.studies.values())
    return plan


def _chain(plan: StudyPlan, arm: StudyArm) -> Chain:
    """The runs of an arm at the first seed."""
    (chain,) = expand(plan.ground, arm, Cells(plan.instance.settings.labels, [-1], trial=True))
    return chain


def _add_study(plan: StudyPlan, name: str, arm: StudyArm, chain: Chain) -> None:
    settings, where = plan.instance.settings, f"arms.{name}"
    found = tuple(searched(SEARCH, settings, arm, chain, settings.search, arm.search))
    if not found:
        raise SuiteError(f"{where}: nothing is searched for it; name a parameter under `search` that it has, or leave it out")
    aims = tuple(_aim(plan, where, arm, metric) for metric in settings.aims)
    check_sampler(where, settings.sampler, found, aims)
    check_pruner(SEARCH, settings.pruner, found)
    study = Study(
        template=chain[-1],
        before=chain[:-1],
        searched=found,
        seeds=tuple(range(-1, -1 - settings.seeds, -1)),
        sampler=settings.sampler,
        pruner=settings.pruner,
        trials=settings.trials or math.prod(len(one.space.choices) for one in found),
        aims=aims,
        rule="best",
    )
    digest = study.digest()
    if digest in plan.studies:
        raise SuiteError(f"{where}: it is the arm {plan.named[digest][0]!r} again; leave one of them out")
    plan.studies[digest], plan.named[digest] = study, (name, f"{name}/n{settings.labels}")
    plan.plan_known_trials(digest)


def _aim(plan: StudyPlan, where: str, arm: StudyArm, metric: str) -> Aim:
    """An aim with its direction. Raises `SuiteError` for one that there is not, and for a cost that the arm has not."""
    headline = plan.task.headline_of(plan.instance.meta)
    known = {VALIDATION_LOSS.metric: VALIDATION_LOSS, **{cost: Aim(metric=cost) for cost in COSTS}}
    known |= {(key := f"val/{headline.key}"): Aim(metric=key, larger_is_better=headline.larger_is_better)}
    if metric not in known:
        raise SuiteError(f"aims: there is no {metric!r} to aim at; there are {', '.join(sorted(known))}")
    if metric in COSTS and models[arm.model].kind != "network":
        raise SuiteError(f"{where}: {metric} is a cost of networks, and {arm.model!r} is none; leave out the arm or the aim")
    return known[metric]
