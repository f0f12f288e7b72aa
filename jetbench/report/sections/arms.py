"""What the arms are: model, stages, recipes and view of each, as the plan's runs have them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jetbench.objectives import TASK_LOSS
from jetbench.recipes import recipes
from jetbench.report.content import Cell, Line, SectionContent
from jetbench.report.markup import fragment, table
from jetbench.report.results import Results
from jetbench.report.words import count, joined
from jetbench.spec import Component, Recipe, RunSpec
from jetbench.suites.plan import CellKey
from jetbench.suites.stages import Stage, regimes
from jetbench.suites.studies import LEARNING_RATE

__all__ = ["render"]

BODY = """
{{ table }}
<p><small>A line per stage, in the order of training; options that are not named have their defaults, and values of a recipe that
are not named are its own. Passes are those of one run{{
"; a learning rate marked ~ is where its search starts" if searched else "" }}.</small></p>
"""
TOLD = {"name", "learning_rate", "encoder_rate", "passes", "epochs"}  # values of a recipe that stand there always, or say no more
POOLS = {
    "pool": "unlabelled pool",
    "pool-labelled": "{} of the dataset outside the test set, with their labels",
    "budget": "label budget",
    "budget+pool": "label budget and unlabelled pool",
}


def render(results: Results) -> SectionContent | None:
    lines = [line for arm in results.plan.arms for line in _lines(results, arm)]
    listed = table(("arm", "model", "view", "stage", "recipe"), lines, left=("model", "view", "stage", "recipe"))
    body = fragment(BODY, table=listed, searched=_rate_is_searched(results))
    return SectionContent("arms", "The arms", body) if lines else None


def _rate_is_searched(results: Results) -> bool:
    return any(one.path == LEARNING_RATE for study in results.plan.studies.values() for one in study.searched)


def _lines(results: Results, arm: str) -> Iterator[Line]:
    """A line per stage; what is the same for all of them stands in the first."""
    given = results.plan.instance.settings.arms[arm]
    chains = [_chain(results, arm, labels) for labels in results.plan.instance.settings.budgets(arm)]
    last = chains[0][-1]
    seeds = f"seeds from {given.seed_offset}" if given.seed_offset else ""
    front = (Cell(arm, seeds), _component(last.model), _component(last.view))
    for place, stage in enumerate(regimes[given.regime].stages):
        runs = [chain[place] for chain in chains]
        yield Line((*(("", "", "") if place else front), _stage(results, stage, runs[0]), _recipe(runs)))


def _chain(results: Results, arm: str, labels: int) -> list[RunSpec]:
    """The runs of the first seed, first to last."""
    return results.plan.declared(CellKey(arm, labels, 0))


def _component(one: Component) -> Cell:
    return Cell(one.name, _options(one), "wrap")


def _options(one: Component) -> str:
    return ", ".join(f"{name}={value}" for name, value in one.options if value is not None)


def _stage(results: Results, stage: Stage, run: RunSpec) -> Cell:
    """Its name, and below it what it is trained on, for what, and which part of the network."""
    shares = f" of {joined([f'{100 * share:g} % {name}' for name, share in run.pool])}" if run.pool else ""
    some = f"{count(run.pool_jets, 'jet')} of the " if run.pool_jets else ""
    instance = results.plan.instance
    own = count(instance.jets - instance.settings.test_jets, "jet")
    told = f"pool with the scores of {run.scores.teacher}" if run.scores else POOLS[run.data].format(own)
    parts = [f"{some}{told}{shares}"]
    if run.objective.name != TASK_LOSS:
        parts.append(f"{run.objective.name} {_options(run.objective)}".rstrip())
    parts += [f"from {run.weights.name}"] if run.weights else []
    parts += ["head alone"] if run.trains == "head" else []
    parts += ["from encoder and head of the stage before"] if run.takes == "network" else []
    parts += ["shuffled labels"] if run.targets == "shuffled" else []
    parts += [f"jets weighted by {run.sample_weight}"] if run.sample_weight else []
    return Cell(stage.name, ", ".join(parts), "wrap")


def _recipe(runs: Sequence[RunSpec]) -> Cell:
    """The recipes of a stage over the budgets, each with its learning rates and passes."""
    found: dict[str, list[RunSpec]] = {}
    for run in runs:
        found.setdefault(run.recipe.name, []).append(run)
    return Cell(joined(list(found)), "; ".join(map(_values, found.values())), "wrap")


def _values(runs: Sequence[RunSpec]) -> str:
    """Learning rates, where there are any, and passes; a fit makes none."""
    rates = dict.fromkeys(f"{'~' if LEARNING_RATE in _searched(run) else ''}{run.recipe.learning_rate:.3g}" for run in runs)
    passes = sorted({run.recipe.passes for run in runs})
    ends = passes if len(passes) < 2 else (passes[0], passes[-1])
    length = f"{' … '.join(map(count, ends))} passes" if passes[-1] else "one fit"
    shares = dict.fromkeys(run.recipe.encoder_rate for run in runs)
    rates |= {f"{share:.3g} of it for the encoder": None for share in shares if share != 1}
    own = dict.fromkeys(text for run in runs for text in _changed(run.recipe))
    rate = f"learning rate {', '.join(rates)}, " if runs[0].recipe.learning_rate else ""
    return "; ".join([f"{rate}{length}", *own])


def _changed(recipe: Recipe) -> Iterator[str]:
    """Name the values that are not those of the recipe of this name."""
    if recipe.name not in recipes:  # of an instance that knew others
        return
    usual = recipes[recipe.name].recipe
    for name in Recipe.model_fields:
        value = getattr(recipe, name)
        if name not in TOLD and value != getattr(usual, name):
            yield f"{name.replace('_', ' ')} {_steps(value) if name == 'augmentation' else value}"


def _steps(augmentation: tuple[Component, ...]) -> str:
    steps = [f"{one.name} ({told})" if (told := _options(one)) else one.name for one in augmentation]
    return joined(steps) if steps else "none"


def _searched(run: RunSpec) -> set[str]:
    return {one.path for one in run.chosen}
