"""What of a suite these jets do not allow: arms that are left out, augmentations that every arm goes without, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from jetbench.errors import SuiteError
from jetbench.models import models
from jetbench.recipes import recipes
from jetbench.registry import nearest
from jetbench.suites.settings import Settings
from jetbench.views import augmentations, views
from jetbench.views.needs import unmet

if TYPE_CHECKING:
    from jetbench.jets import Meta

__all__ = ["differences", "refuse_unusable", "skipped_arms", "skipped_augmentations"]


def refuse_unusable(settings: Settings, dataset: Meta, pool: Meta) -> None:
    """Raise `SuiteError` for a dataset without labels or with one class only, for a pool of other jets than the dataset's, for
    a composition of the pool that its jets do not allow, and for a primary comparison with an arm that they do not allow."""
    if len(dataset.class_names) < 2:
        named = f"one class only, {dataset.class_names[0]!r}" if dataset.class_names else "no labels"
        raise SuiteError(
            f"the jets of {settings.dataset.name!r} have {named}, and arms are compared by telling classes apart; join files of "
            "several classes into one, or give these jets as --unlabelled"
        )
    if unlike := list(differences(dataset, pool)):
        raise SuiteError(f"the unlabelled jets do not match those of {settings.dataset.name!r}: {'; '.join(unlike)}")
    if reason := _pool_reason(settings.pool, pool):
        raise SuiteError(reason)
    skipped = skipped_arms(settings, dataset, pool)
    for arm in (settings.primary.arm, settings.primary.baseline):
        if arm in skipped:
            raise SuiteError(f"the primary comparison has the arm {arm!r}, which these jets do not allow: {skipped[arm]}")


def skipped_arms(settings: Settings, dataset: Meta, pool: Meta) -> dict[str, str]:
    """The reason by the name of each arm that the dataset or its pool of unlabelled jets does not allow."""
    found = {}
    for name, arm in settings.arms.items():
        view = views[models[arm.model].view]
        if reason := unmet(dataset, view.needs):
            found[name] = f"for the view {view.name!r} {reason}"
        elif reason := _pool_reason(arm.pool, pool):
            found[name] = reason
    return found


def skipped_augmentations(settings: Settings, dataset: Meta) -> dict[str, str]:
    """The reason by the name of each augmentation that a recipe of the suite has and the dataset does not allow."""
    steps = (step.name for choice in settings.recipes.values() for step in recipes[choice.base].recipe.augmentation)
    return {name: reason for name in steps if (reason := unmet(dataset, augmentations[name].needs))}


def differences(dataset: Meta, pool: Meta) -> Iterator[str]:
    """What an encoder that is pretrained on the pool would find otherwise in the dataset, each with both sides."""
    names, others = ([channel.name for channel in meta.channels] for meta in (dataset, pool))
    if names != others:
        yield f"channels {', '.join(others)} against {', '.join(names)}"
    else:
        for mine, theirs in zip(dataset.channels, pool.channels, strict=True):
            for trait in ("unit", "role", "combine", "weight"):
                if (one := getattr(theirs, trait)) != (other := getattr(mine, trait)):
                    yield f"{trait} of the channel {mine.name} {one or 'none'} against {other or 'none'}"
    if pool.grid != dataset.grid:
        yield f"grid {_grid(pool)} against {_grid(dataset)}"
    if pool.extent and dataset.extent and pool.extent != dataset.extent:  # one that is not known may be the same
        yield f"extent ±{pool.extent:g} against ±{dataset.extent:g}"
    if pool.isotropic != dataset.isotropic:
        yield f"isotropic {pool.isotropic} against {dataset.isotropic}"


def _grid(meta: Meta) -> str:
    grid = meta.grid
    return f"{grid.rows}×{grid.columns} over ±{grid.eta_extent:g} × ±{grid.phi_extent:g}" if grid else "none (constituents)"


def _pool_reason(shares: Mapping[str, float] | None, pool: Meta) -> str:
    """Why the pool has no jets for these shares of classes; empty where it may have them."""
    strange = next((name for name in shares or () if name not in pool.class_names), None)
    if strange is None:
        return ""
    if not pool.class_names:
        return f"a share of {strange!r} is asked for in the pool, and the unlabelled jets have no labels"
    classes = nearest(strange, pool.class_names)
    return f"a share of {strange!r} is asked for in the pool, and no class of the unlabelled jets has that name; {classes}"
