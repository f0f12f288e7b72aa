"""From an instance to its plan: every arm is expanded at every budget, and what makes no sense together is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from itertools import combinations

from jetbench.faults import faults
from jetbench.spec import Chosen, RunSpec
from jetbench.suites.also_test import refuse_also_test
from jetbench.suites.checks import checked_arms, length_check
from jetbench.suites.choices import Arm
from jetbench.suites.expand import Cells, expand
from jetbench.suites.fairness import check_varies, compare_chains, refuse_unfair
from jetbench.suites.faulty import refuse_beyond_fault, spoiled
from jetbench.suites.graph import PlannedRun
from jetbench.suites.needs import refuse_unusable, skipped_arms, skipped_augmentations
from jetbench.suites.options import check_metrics, check_options
from jetbench.suites.parameters import Chain
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.search import check_search
from jetbench.suites.sensitivity import grid_chains
from jetbench.suites.sizes import check_size
from jetbench.suites.studies import Study
from jetbench.suites.suite import Instance
from jetbench.suites.tuning import SEARCH, seed_studies, shared_study

__all__ = ["make_plan"]


def make_plan(instance: Instance) -> Plan:
    """Expand an instance; nothing but the instance is looked at, and no dataset.

    Raises `SuiteError` where arms differ in something that the suite does not say varies, where the jets do not allow the task or
    any primary comparison, and where test set and largest budget do not fit into the dataset.
    """
    settings, meta, pool = instance.settings, instance.meta, instance.pool_meta or instance.meta
    check_options(settings)
    check_varies(settings)
    check_metrics(settings)
    check_size(instance)
    refuse_unusable(instance)
    left_out = skipped_arms(settings, meta, pool)
    refuse_also_test(instance, [arm for arm in settings.arms if arm not in left_out])
    skipped = {f"arm {name}": reason for name, reason in left_out.items()}
    skipped |= {f"augmentation {name}": reason for name, reason in skipped_augmentations(settings, meta).items()}
    plan = Plan(instance, tuple(skipped.items()))
    for name in (arm for arm in settings.arms if arm not in left_out):
        for labels in settings.budgets(name):
            _add_cells(plan, name, settings.arms[name], labels)
    for name, one in plan.faulty.items():
        if one.arm not in left_out:
            _add_cells(plan, name, settings.arms[one.arm], one.labels, one.fault)
    for name, labels in checked_arms(settings):
        if name not in left_out:
            _add_check(plan, name, labels)
    _add_grid(plan, left_out)
    _tell_apart(plan)
    _check_tuning(plan)
    _check_fairness(plan)
    return plan


def _add_cells(plan: Plan, name: str, arm: Arm, labels: int, fault: str = "") -> None:
    """The runs of an arm at a budget, with a fault where there is one, after what tunes it."""
    settings = plan.instance.settings
    shared = None if settings.tuning is None or plan.seeds_tune else shared_study(plan.ground, settings, arm, labels)
    chosen = () if shared is None else _shared(plan, name, labels, *shared)
    seeds = range(arm.seed_offset, arm.seed_offset + settings.seeds)
    chains = expand(plan.ground, arm, Cells(labels, seeds, chosen=chosen))
    chains = [spoiled(fault, chain) for chain in chains] if fault else chains
    own = seed_studies(settings, arm, chains) if plan.seeds_tune else []
    for seed, chain in enumerate(chains):
        cell = CellKey(name, labels, seed)
        if own:
            chain = _own(own[seed], chain)
        for spec in chain[:-1]:
            plan.add(_before(spec, name, labels))
        if own:
            plan.plan_known_trials(plan.tune(cell, own[seed]))
        plan.cells[cell] = plan.add(_planned(chain[-1], name, labels))


def _own(study: Study, chain: Chain) -> Chain:
    """The runs of a seed without any search, or those nearest to them that its study tries."""
    (tried,) = study.chains(study.unsearched)
    return tried if study.before else (*chain[:-1], tried[-1])


def _shared(plan: Plan, name: str, labels: int, study: Study, before: Chain) -> tuple[Chosen, ...]:
    """Enter a study for all seeds of an arm at a budget; returns what it decides."""
    for seed in range(plan.instance.settings.seeds):
        digest = plan.tune(CellKey(name, labels, seed), study)
    for spec in () if study.before else before:
        plan.add(_before(spec, name, study.template.labels or 0))
    plan.plan_known_trials(digest)
    return tuple(Chosen(path=one.path, study=digest) for one in study.searched)


def _add_check(plan: Plan, name: str, labels: int) -> None:
    """A training of the arm beside the comparison, and the same one for longer."""
    settings = plan.instance.settings
    chain, longer = length_check(plan.ground, settings.arms[name], labels, settings.longer or 1.0)
    for spec in chain[:-1]:
        plan.add(_before(spec, name, labels))
    front = f"{longer.model.name}/{name}/n{labels}/check"
    pair = ((chain[-1], front), (longer, f"{front}-longer"))
    keys = [plan.add(PlannedRun(spec, text, name, "check", labels)) for spec, text in pair]
    plan.checks[name, labels] = keys[0], keys[1]


def _add_grid(plan: Plan, left_out: Collection[str]) -> None:
    """The trainings of arms at other rates and lengths; where both are the recipe's own, the run of the cell."""
    settings = plan.instance.settings
    if (grid := settings.sensitivity) is None:
        return
    labels = settings.labels_at(grid.labels)
    for place, chain in grid_chains(plan.ground, settings, grid):
        if place.arm in left_out:
            continue
        run = chain[-1]
        name = f"{run.model.name}/{place.arm}/n{labels}/rate{place.rate:g}-length{place.length:g}/s{run.seed}"
        plan.grid[place] = plan.add(PlannedRun(run, name, place.arm, "check", labels))


def _planned(spec: RunSpec, arm: str, budget: int) -> PlannedRun:
    """The last run of a cell, with what people read, in the tracker too."""
    return PlannedRun(spec, f"{spec.model.name}/{arm}/n{spec.labels}/s{spec.seed}", arm, "final", budget)


def _before(spec: RunSpec, arm: str, budget: int) -> PlannedRun:
    """A run that others start from: a pretraining, or a probe on the label budget of an arm."""
    seed = f"s{spec.seed}" if spec.seed >= 0 else f"trials{-1 - spec.seed or ''}"
    what = f"{arm}/n{spec.labels}/probe" if spec.data == "budget" else f"{spec.objective.name}-pretraining"
    return PlannedRun(spec, f"{spec.model.name}/{what}/{seed}", arm, "pretrain", budget)


def _tell_apart(plan: Plan) -> None:
    """Pretrainings of one name, as on two pools, are named by their first arm as well; those of one arm, as of lengths that
    follow the budget, by their first budget too."""
    for by_arm in (True, False):
        names = Counter(run.name for run in plan.runs.values())
        for key, run in plan.runs.items():
            if names[run.name] > 1:
                *front, seed = run.name.split("/")
                plan.runs[key] = replace(run, name="/".join([*front, run.arm if by_arm else f"n{run.budget}", seed]))


def _check_tuning(plan: Plan) -> None:
    """What the suite searches is searched for some arm."""
    tuning = plan.instance.settings.tuning
    cells = [cell for cell in plan.cells if cell.seed == 0]
    chains = [[run.spec for run in plan.chain(cell)][::-1] for cell in cells]
    studies = [plan.studies[plan.tuned[cell]] for cell in cells if cell in plan.tuned]
    check_search(SEARCH, tuning.search if tuning else (), chains, studies)


def _check_fairness(plan: Plan) -> None:
    """At each budget, every arm against every other: any difference is one that the suite declares; and every arm with a fault
    against itself without it."""
    settings = plan.instance.settings
    for labels in settings.labels:
        chains = {cell.arm: plan.declared(cell) for cell in plan.cells if (cell.labels, cell.seed) == (labels, 0)}
        for one, other in combinations([name for name in chains if name not in plan.faulty], 2):
            refuse_unfair(settings, (one, other), compare_chains(chains[one], chains[other]))
        for name, faulty in plan.faulty.items():
            if faulty.labels == labels and name in chains:
                refuse_beyond_fault(faults[faulty.fault], chains[name], chains[faulty.arm])
