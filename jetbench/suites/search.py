"""What is searched for an arm, and where: parameters by their paths, with the range that counts first.

What holds for a parameter, first match: a value that the arm gives (it is not searched there), the range that the arm gives, the
range of the suite or study, the default range beside the component. A parameter that nobody names has its default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pydantic import ValidationError

from jetbench.errors import SuiteError
from jetbench.registry import nearest
from jetbench.spaces import Space
from jetbench.spec import AUGMENTATION, RunSpec, Scalar
from jetbench.suites.choices import Arm, Common, RecipeChoice
from jetbench.suites.expand import recipe_key
from jetbench.suites.options import check_given
from jetbench.suites.parameters import decided, entries, local, parameters, scalar
from jetbench.suites.settings import Tuning
from jetbench.suites.stages import regimes
from jetbench.suites.studies import LEARNING_RATE, Searched, Study
from jetbench.views import augmentations

__all__ = ["Ranges", "check_search", "rates", "searched"]

Ranges = Mapping[str, Space | None]
HEAD = "model.head"  # of another kind, one run's head is none for the next


def rates(tuning: Tuning, template: RunSpec) -> Iterator[Searched]:
    """Yield the learning rate by the factors of a suite, which give every arm the same range around its recipe."""
    own = template.recipe.learning_rate
    found = tuple(sorted(own if factor == 1 else float(f"{own * factor:.6g}") for factor in tuning.factors))
    if len(found) > 1:
        grid = tuning.sampler == "grid"
        space = Space(choices=found) if grid else Space(low=found[0], high=found[-1], log=True)
        yield Searched(path=LEARNING_RATE, space=space, own=own)


def searched(
    where: str, settings: Common, arm: Arm, chain: Sequence[RunSpec], shared: Ranges, of_arm: Ranges | None = None
) -> Iterator[Searched]:
    """Yield the parameters among those of the `shared` ranges, and of the arm's own, that the arm's runs have and it leaves open.

    Raises `SuiteError`, which begins with `where`, for a parameter without a range, where it cannot have a value of it, and for
    the kind of a head that another run has trained.
    """
    known, own = parameters(chain), of_arm or {}
    for path in dict.fromkeys((*shared, *own)):
        if path not in known or _given(settings, arm, chain, path):
            continue
        if path == HEAD and chain[-1].takes == "network":
            raise SuiteError(f"{where}: the fine-tuning goes on from a head trained before; name that head under `model_options`")
        default, beside = known[path]
        if (space := own.get(path) or shared.get(path) or beside) is None:
            raise SuiteError(f"{where}: {path!r} has no default range; give it one, as in {{low: 0.1, high: 10, log: true}}")
        yield Searched(path=path, space=_settled(where, chain, path, space), own=default)


def _given(settings: Common, arm: Arm, chain: Sequence[RunSpec], path: str) -> bool:
    """Whether the arm itself gives a value to a parameter."""
    stages = regimes[arm.regime].stages
    back = next(back for back in range(len(stages)) if local(path, back) is not None)
    here, stage, run = str(local(path, back)), stages[-1 - back], chain[-1 - back]
    part, name = here.split(".", 1)
    if part == "recipe":
        choice = arm.recipes.get(recipe_key(settings, stage, run.labels or 0))
        if choice is None or not here.startswith(AUGMENTATION):
            return getattr(choice, name, None) is not None
        step, option = here.removeprefix(AUGMENTATION).split(".")
        return any(one.name == step and option in one.keywords() for one in choice.augmentation or ())
    own: dict[str, Mapping[str, object]] = {
        "model": arm.model_options,
        "view": arm.view,
        "objective": arm.objective_options.get(stage.objective, {}),
    }
    return name in own[part]


def _settled(where: str, chain: Sequence[RunSpec], path: str, space: Space) -> Space:
    """The space with its ends or choices as the runs have them: of whole numbers where the parameter is one, else 1 is 1.0."""
    if space.choices:
        choices = tuple(_value(where, chain, path, choice) for choice in space.choices)
        return Space(choices=choices, log=space.log)
    low, high = (_value(where, chain, path, end) for end in (space.low, space.high))
    return Space(low=low, high=high, log=space.log)  # type: ignore[arg-type]


def _value(where: str, chain: Sequence[RunSpec], path: str, value: Scalar) -> Scalar:
    """A value as the runs have it. Raises `SuiteError` for one that a suite could not give to the parameter either."""
    back = next(back for back in range(len(chain)) if local(path, back) is not None)
    here = str(local(path, back))
    part, name = here.split(".", 1)
    try:
        if here.startswith(AUGMENTATION):
            step, option = here.removeprefix(AUGMENTATION).split(".")
            check_given(f"{where}: {step}", {option: value}, augmentations[step])
        elif part == "recipe":
            RecipeChoice.model_validate({name: value}, strict=True)
        else:
            check_given(f"{where}: {part}", {name: value}, entries(chain[-1 - back])[part])
        return scalar(decided(chain, {path: value}), path)
    except ValidationError as error:
        cause = error.errors()[0]["msg"].replace("Input should", "it should")
        raise SuiteError(f"{where}: {path} cannot be {value!r}; {cause}") from None


def check_search(where: str, paths: Iterable[str], chains: Sequence[Sequence[RunSpec]], studies: Iterable[Study]) -> None:
    """Raise `SuiteError` for a path that is searched for no arm, whose chains of runs these are."""
    found = {one.path for study in studies for one in study.searched}
    known = {path for chain in chains for path in parameters(chain)}
    for path in (path for path in paths if path not in found):
        if path in known:
            raise SuiteError(f"{where}: every arm that has {path!r} gives it a value of its own, which is then not searched")
        raise SuiteError(f"{where}: no arm has a parameter at {path!r}; {nearest(path, known)}")
