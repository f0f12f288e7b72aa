"""What is searched for an arm, and where: its learning rate by the suite's factors, other scalars by their ranges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import ValidationError

from jetbench.errors import SuiteError
from jetbench.registry import nearest
from jetbench.spaces import Space
from jetbench.spec import RunSpec, Scalar
from jetbench.suites.expand import check_given, given_by_arm
from jetbench.suites.parameters import decided, entries, parameters, scalar
from jetbench.suites.settings import Arm, RecipeChoice, Settings
from jetbench.suites.studies import LEARNING_RATE, Searched, Study

__all__ = ["check_search", "searched"]


def searched(settings: Settings, arm: Arm, template: RunSpec) -> Iterator[Searched]:
    """Yield the learning rate by the suite's factors, then the other parameters that the run has and the arm leaves open.

    Raises `SuiteError` where a parameter has no range, and where it cannot have a value of its range.
    """
    tuning = settings.tuning
    assert tuning is not None
    own = template.recipe.learning_rate
    rates = tuple(sorted(own if factor == 1 else float(f"{own * factor:.6g}") for factor in tuning.factors))
    if len(rates) > 1:
        grid = tuning.sampler == "grid"
        space = Space(choices=rates) if grid else Space(low=rates[0], high=rates[-1], log=True)
        yield Searched(path=LEARNING_RATE, space=space, own=own)
    known = parameters(template)
    for path, given in tuning.search.items():
        if path in known and not given_by_arm(settings, arm, template.labels or 0, path):
            default, beside = known[path]
            if (space_here := given or beside) is None:
                raise SuiteError(
                    f"tuning.search: {path!r} has no default range; give it one, as in {{low: 0.1, high: 10, log: true}}"
                )
            yield Searched(path=path, space=_settled(template, path, space_here), own=default)


def _settled(template: RunSpec, path: str, space: Space) -> Space:
    """The space with its ends or choices as the run has them: of whole numbers where the parameter is one, and else 1 is 1.0."""
    if space.choices:
        choices = tuple(_value(template, path, choice) for choice in space.choices)
        return Space(choices=choices, log=space.log)
    low, high = (_value(template, path, end) for end in (space.low, space.high))
    return Space(low=low, high=high, log=space.log)  # type: ignore[arg-type]


def _value(template: RunSpec, path: str, value: Scalar) -> Scalar:
    """A value as the run has it. Raises `SuiteError` for one that a suite could not give to the parameter either."""
    part, name = path.split(".", 1)
    try:
        if part == "recipe":
            RecipeChoice.model_validate({name: value}, strict=True)
        else:
            check_given(f"tuning.search: {part}", {name: value}, entries(template)[part])
        return scalar(decided(template, {path: value}), path)
    except ValidationError as error:
        cause = error.errors()[0]["msg"].replace("Input should", "it should")
        raise SuiteError(f"tuning.search: {path} cannot be {value!r}; {cause}") from None


def check_search(settings: Settings, studies: Iterable[Study]) -> None:
    """Raise `SuiteError` for a path under `tuning.search` that is searched for no arm."""
    every = tuple(studies)
    known = {path for study in every for path in parameters(study.template)}
    for path in settings.tuning.search if settings.tuning else ():
        if not any(one.path == path for study in every for one in study.searched):
            if path in known:
                raise SuiteError(
                    f"tuning.search: every arm that has {path!r} gives it a value of its own, which is then not searched"
                )
            raise SuiteError(f"tuning.search: no arm has a parameter at {path!r}; {nearest(path, known)}")
