"""What jets do not allow is left out with the reason, before anything runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from jetbench.data.catalog import find_dataset
from jetbench.data.composition import class_counts, compose, take_jets
from jetbench.errors import SuiteError
from jetbench.jets import Channel, Grid, Jets, Meta, jets_from_images, save_jets
from jetbench.models import models
from jetbench.seeds import numpy_rng
from jetbench.spec import Component
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.suite import find_suite, instantiate

GRID = Grid(rows=8, columns=12, eta_extent=0.5, phi_extent=0.75)
CHANNELS = (Channel(name="energy", unit="", role="pt"), Channel(name="time", unit="", combine="mean", weight="energy"))


def toy_images(n: int = 400, isotropic: bool = True) -> Jets:
    """Images without units: the second class is brighter in the middle."""
    rng = np.random.default_rng(5)
    labels = np.arange(n, dtype=np.int32) % 2
    images = rng.exponential(1.0, (n, 2, GRID.rows, GRID.columns)).astype(np.float32)
    images[rng.random(images.shape) < 0.7] = 0
    images[:, :, 3:5, 5:7] += 2 * labels[:, None, None, None]
    meta = Meta(channels=CHANNELS, class_names=("gluon", "quark"), grid=GRID, isotropic=isotropic)
    return jets_from_images(images, meta, {"label": labels})


@pytest.fixture
def image_plan(suite_path: Path, tmp_path: Path) -> Callable[..., Plan]:
    def make(*overrides: str, jets: Jets | None = None, pool: Jets | None = None) -> Plan:
        save_jets(tmp_path / "images.h5", [jets or toy_images()])
        if pool is not None:
            save_jets(tmp_path / "pool.h5", [pool])
        return make_plan(
            instantiate(
                find_suite(str(suite_path)),
                dataset=str(tmp_path / "images.h5"),
                unlabelled=str(tmp_path / "pool.h5") if pool is not None else None,
                overrides=overrides,
            )
        )

    return make


def augmentations_of(plan: Plan) -> set[str]:
    return {step.name for run in plan.runs.values() for step in run.spec.recipe.augmentation}


def test_images_without_units_have_no_observables_and_no_detector_effects(image_plan: Callable[..., Plan]) -> None:
    plan = image_plan(
        "arms.class-prior={model: class-prior, regime: fit}", "arms.mass-likelihood={model: mass-likelihood, regime: fit}"
    )
    skipped = dict(plan.skipped)
    assert set(skipped) == {"arm boosted-trees", "arm mass-likelihood", "augmentation smearing", "augmentation drop"}
    gev = "deposits with pT in GeV are needed; these jets give no unit"
    assert plan.skipped_lines() == [
        f"arms boosted-trees and mass-likelihood: for the view 'observables' {gev}",
        f"augmentations smearing and drop: {gev}",
    ]
    assert plan.arms == ["scratch", "simclr", "class-prior"]
    assert augmentations_of(plan) == {"rotation", "flip", "translation", "energy_scale"}


@pytest.mark.parametrize("model", ["boosted-trees", "lightgbm"])
def test_trees_see_observables_where_there_is_a_pt_and_else_shower_shapes_of_crystals(
    model: str, image_plan: Callable[..., Plan], plan_of: Callable[..., Plan]
) -> None:
    crystals = toy_images()
    crystals = replace(crystals, meta=crystals.meta.replace(channels=(CHANNELS[0].replace(role="energy"), CHANNELS[1])))
    arm = f"arms.trees={{model: {model}, regime: fit}}"
    plans = plan_of(arm), image_plan(arm, jets=crystals)
    seen = [{run.spec.view for run in plan.runs.values() if run.spec.model.name == model} for plan in plans]
    assert seen == [{Component(name="observables")}, {Component(name="shower-shapes")}]
    assert models[model].view_of(toy_images().meta).name == "observables"  # neither: pT without a unit


def toy_masses(*names: str) -> Jets:
    """Constituents in GeV of as many classes as names."""
    rng = np.random.default_rng(6)
    labels = np.arange(400, dtype=np.int32) % len(names)
    images = rng.exponential(1.0, (400, 1, 8, 8)).astype(np.float32)
    meta = Meta(channels=(Channel(name="pt", unit="GeV", role="pt"),), class_names=names, grid=GRID.replace(rows=8, columns=8))
    return jets_from_images(images, meta, {"label": labels})


ALIGNED = ("arms.aligned={model: resnet15, regime: scratch, view: {align: principal}}", "varies=[model, regime, view.align]")


def test_what_cannot_be_turned_is_not_aligned(image_plan: Callable[..., Plan], plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(*ALIGNED)
    (chosen,) = {run.spec.view for run in plan.runs.values() if run.arm == "aligned"}
    assert chosen.keywords()["align"] == "principal"
    assert not any("align" in run.spec.view.keywords() for run in plan.runs.values() if run.arm != "aligned")
    reason = "constituents are needed; these jets are pixels, which no rotation leaves on their grid"
    assert dict(image_plan(*ALIGNED).skipped)["arm aligned"] == f"for the option 'align' of the view 'image' {reason}"


DISTANCE = "arms.distance={model: mass-distance, regime: fit}"


def test_a_model_of_one_signal_is_left_out_for_others(image_plan: Callable[..., Plan]) -> None:
    assert image_plan(DISTANCE, jets=toy_masses("qcd", "top")).skipped == ()
    assert dict(image_plan(DISTANCE, jets=toy_masses("top", "qcd")).skipped)["arm distance"] == (
        "the model 'mass-distance' is made for the signal 'top', and that of these jets is 'qcd'; for it, type what "
        "'qcd' has:  --set model_options.mass-distance.mass=…"
    )
    given = image_plan(DISTANCE, "model_options.mass-distance.mass=80.4", jets=toy_masses("qcd", "W"))
    assert given.skipped == ()
    assert next(run.spec for run in given.runs.values() if run.arm == "distance").model.keywords() == {"mass": 80.4}
    assert dict(image_plan(DISTANCE, jets=toy_masses("qcd", "W", "top")).skipped)["arm distance"] == (
        "the model 'mass-distance' tells two classes apart, and these jets have 3"
    )


def test_where_a_field_makes_phi_special_only_mirrors_are_left(image_plan: Callable[..., Plan]) -> None:
    plan = image_plan("recipes.simclr.base=ssl-jet-image-pretrain", jets=toy_images(isotropic=False))
    assert augmentations_of(plan) == {"flip"}
    assert {what for what, reason in plan.skipped if "mirrors only" in reason} == {
        f"augmentation {name}" for name in ("rotation", "translation", "crop_zoom", "energy_scale")
    }


def test_jets_in_gev_are_allowed_everything(plan_of: Callable[..., Plan]) -> None:
    assert plan_of().skipped == ()


def test_a_primary_comparison_that_is_not_allowed_is_refused(image_plan: Callable[..., Plan]) -> None:
    with pytest.raises(SuiteError, match=r"primary comparison has the arm 'boosted-trees', .*give no unit"):
        image_plan("primary.arm=boosted-trees")


def test_a_dataset_that_cannot_be_classified_is_refused(image_plan: Callable[..., Plan]) -> None:
    jets = toy_images()
    unnamed = replace(jets, meta=jets.meta.replace(class_names=()), targets={})
    with pytest.raises(SuiteError, match=r"have no labels.*--unlabelled"):
        image_plan(jets=unnamed)
    single = replace(jets, meta=jets.meta.replace(class_names=("quark",)), targets={"label": np.zeros(len(jets), np.int32)})
    with pytest.raises(SuiteError, match="one class only, 'quark'"):
        image_plan(jets=single)


def test_a_pool_of_other_jets_is_refused(image_plan: Callable[..., Plan]) -> None:
    jets = toy_images()
    channels = tuple(channel.replace(unit="MeV") for channel in CHANNELS)
    with pytest.raises(SuiteError, match=r"do not match those of .*: unit of the channel energy MeV against none; unit"):
        image_plan(pool=replace(jets, meta=jets.meta.replace(channels=channels)))


def test_a_pool_with_more_channels_is_refused_with_those_to_keep(image_plan: Callable[..., Plan]) -> None:
    jets = toy_images()
    more = (*CHANNELS, CHANNELS[0].replace(name="depth"))
    wider = replace(jets, meta=jets.meta.replace(channels=more), values=np.hstack([jets.values, jets.values[:, :1]]))
    names = ",".join(channel.name for channel in CHANNELS)
    for one, other, file in ((None, wider, "pool"), (wider, jets, "images")):
        with pytest.raises(SuiteError, match=rf"do not match .*\. Convert '{file}' with the .* in common: --channels {names}$"):
            image_plan(jets=one, pool=other)
    other = replace(jets, meta=jets.meta.replace(channels=(*CHANNELS[:1], CHANNELS[1].replace(name="depth"))))
    with pytest.raises(
        SuiteError, match=rf"do not match .*\. Convert 'images' and 'pool' with .*: --channels {CHANNELS[0].name}$"
    ):
        image_plan(pool=other)


def test_the_order_of_channels_is_refused_without_advice(image_plan: Callable[..., Plan]) -> None:
    jets = toy_images()
    turned = replace(jets, meta=jets.meta.replace(channels=CHANNELS[::-1]), values=jets.values[:, ::-1])
    with pytest.raises(SuiteError, match=r"channels time, energy against energy, time$"):
        image_plan(pool=turned)


def test_a_pool_of_another_radius_is_refused_with_the_key_that_says_it(image_plan: Callable[..., Plan]) -> None:
    jets = toy_masses("qcd", "top")
    here, there = (replace(jets, meta=jets.meta.replace(grid=None, extent=extent)) for extent in (0.8, 0.9))
    with pytest.raises(SuiteError, match=r"extent ±0.9 against ±0.8\. .* write it as `radius: R` in both cards"):
        image_plan(jets=here, pool=there)


@pytest.mark.parametrize("pool_has", ["more", "fewer"])
def test_simulated_jets_are_not_to_be_converted(pool_has: str, suite_path: Path, tmp_path: Path) -> None:
    meta = find_dataset("top-vs-qcd", 400).meta()
    channels = (*meta.channels, meta.channels[0].replace(name="muon")) if pool_has == "more" else meta.channels[:1]
    jets = toy_masses("qcd", "top")
    pool = replace(jets, meta=meta.replace(channels=channels), values=jets.values.repeat(len(channels), axis=1))
    save_jets(tmp_path / "pool.h5", [pool])
    with pytest.raises(SuiteError) as error:
        make_plan(
            instantiate(
                find_suite(str(suite_path)),
                dataset="top-vs-qcd",
                unlabelled=str(tmp_path / "pool.h5"),
                overrides=["dataset.jets=400"],
            )
        )
    assert "the unlabelled jets do not match those of 'top-vs-qcd': channels charged" in str(error.value)
    advice = re.search(r"Convert 'pool' with the .*: --channels charged,photon,neutral$", str(error.value))
    assert bool(advice) == (pool_has == "more")
    assert ("Convert" in str(error.value)) == (pool_has == "more")


def test_pixels_are_shown_on_their_own_grid(image_plan: Callable[..., Plan]) -> None:
    def view(plan: Plan) -> dict[str, float]:
        return plan.runs[plan.cells[CellKey("scratch", 50, 0)]].spec.view.keywords()

    own = {"rows": 8, "columns": 12, "eta_extent": 0.5, "phi_extent": 0.75}
    assert view(image_plan("view.image.pixels=24", "view.image.extent=2.0")) == own
    assert view(image_plan("view.image.rebin=4")) == own | {"rows": 2, "columns": 3}
    with pytest.raises(SuiteError, match="rebin is 3, which does not divide the grid of 8×12"):
        image_plan("view.image.rebin=3")


def test_a_crop_knows_its_frame(image_plan: Callable[..., Plan], plan_of: Callable[..., Plan]) -> None:
    for plan, extent in (
        (image_plan("recipes.simclr.base=ssl-jet-image-pretrain"), 0.5),
        (plan_of("recipes.simclr.base=ssl-jet-image-pretrain", "view.image.extent=0.6"), 0.6),
    ):
        steps = [s for r in plan.runs.values() for s in r.spec.recipe.augmentation if s.name == "crop_zoom"]
        assert steps
        assert all(step.keywords()["extent"] == extent for step in steps)


def test_constituents_are_framed_by_their_own_extent(
    toy_jets: Jets, image_plan: Callable[..., Plan], plan_of: Callable[..., Plan]
) -> None:
    narrow = replace(toy_jets, meta=toy_jets.meta.replace(extent=0.4))

    def view(plan: Plan) -> dict[str, float]:
        return plan.runs[plan.cells[CellKey("scratch", 50, 0)]].spec.view.keywords()

    assert view(image_plan(jets=narrow)) == {"pixels": 8, "extent": 0.4}
    assert view(image_plan("view.image.extent=1.0", jets=narrow)) == {"pixels": 8, "extent": 1.0}
    assert view(plan_of()) == {"pixels": 8, "extent": 0.8}
    with pytest.raises(SuiteError, match=r"no pixels that could be merged; set view\.image\.pixels"):
        plan_of("view.image.rebin=2")


def pools(plan: Plan) -> set[tuple[tuple[str, float], ...] | None]:
    return {run.spec.pool for run in plan.runs.values() if run.kind == "pretrain"}


ARM = "arms.few={model: resnet15, regime: simclr, pool: {quark: 0.01, gluon: 0.99}}"


def test_the_classes_of_a_pool_are_those_of_its_own_jets(image_plan: Callable[..., Plan], toy_jets: Jets) -> None:
    plan = image_plan(ARM, "varies=[model, regime, pool]", "pool={gluon: 1.0}")
    assert pools(plan) == {(("gluon", 1.0),), (("gluon", 0.99), ("quark", 0.01))}
    with pytest.raises(SuiteError, match=r"'simclr' and 'few' differ in pretraining\.pool"):
        image_plan(ARM)
    with pytest.raises(SuiteError, match=r"share of 'quarks' is asked for in the pool, and no class .* did you mean 'quark'\?"):
        image_plan("pool={quarks: 1.0}")
    other = replace(toy_images(), meta=toy_images().meta.replace(class_names=("W", "Z")))
    with pytest.raises(SuiteError, match="no class of the unlabelled jets has that name; valid names: W, Z"):
        image_plan("pool={quark: 1.0}", pool=other)


def test_an_arm_whose_pool_has_other_classes_is_skipped(image_plan: Callable[..., Plan]) -> None:
    given = "arms.few={model: resnet15, regime: simclr, pool: {top: 0.01, qcd: 0.99}}"
    plan = image_plan(given, "varies=[model, regime, pool]")
    assert "few" not in plan.arms
    assert (
        "a share of 'top' is asked for in the pool, and no class of the unlabelled jets has that name; valid"
        in dict(plan.skipped)["arm few"]
    )
    with pytest.raises(SuiteError, match="primary comparison has the arm 'few'"):
        image_plan(given, "varies=[model, regime, pool]", "primary.arm=few")
    bare = replace(toy_images(), meta=toy_images().meta.replace(class_names=()), targets={})
    plan = image_plan(ARM, "varies=[model, regime, pool]", pool=bare)
    assert dict(plan.skipped)["arm few"].endswith("the unlabelled jets have no labels")


@pytest.mark.parametrize(
    ("available", "shares", "counts"),
    [
        ((200, 200), (0.01, 0.99), [2, 200]),
        ((200, 200), (0.5, 0.5), [200, 200]),
        ((200, 198), (0.01, 0.99), [2, 198]),
        ((1, 500), (0.01, 0.99), [1, 99]),
        ((0, 500), (0.01, 0.99), [0, 0]),
        ((90, 50, 1000), (0.3, 0.1, 0.6), [90, 30, 180]),
        ((10, 10, 10), (0.333333, 0.333333, 0.333334), [10, 9, 10]),
        ((7,), (1.0,), [7]),
    ],
)
def test_a_pool_is_the_largest_with_its_shares(available: tuple[int, ...], shares: tuple[float, ...], counts: list[int]) -> None:
    assert class_counts(available, shares) == counts


def test_shares_hold_exactly_whatever_the_jets() -> None:
    for rng in (np.random.default_rng(seed) for seed in range(50)):
        available = rng.integers(1, 400, rng.integers(1, 6)).tolist()
        whole = rng.multinomial(100, np.full(len(available), 1 / len(available))) + 1
        shares = [int(w) / int(whole.sum()) for w in whole]
        counts = class_counts(available, shares)
        size = sum(counts)
        assert all(0 <= count <= most for count, most in zip(counts, available, strict=True))
        assert all(abs(count - size * share) < 1 for count, share in zip(counts, shares, strict=True))
        assert any((size + 1) * share > most - 1e-9 for share, most in zip(shares, available, strict=True))


def test_rows_are_drawn_without_repetition_and_the_same_for_a_seed() -> None:
    rows, labels = np.arange(1000, 1400), np.arange(400) % 4
    names, shares = ("a", "b", "c", "d"), (("b", 0.75), ("d", 0.25))
    kept = compose(rows, labels, names, shares, numpy_rng("pool", 1))
    assert np.bincount(labels[kept - 1000], minlength=4).tolist() == [0, 100, 0, 33]
    assert len(set(kept.tolist())) == len(kept)
    assert np.all(np.diff(kept) > 0)
    assert np.array_equal(kept, compose(rows, labels, names, shares, numpy_rng("pool", 1)))
    assert not np.array_equal(kept, compose(rows, labels, names, shares, numpy_rng("pool", 2)))
    with pytest.raises(SuiteError, match="there are 0 a, 100 b jets"):
        compose(rows[labels > 0], labels[labels > 0], names, (("a", 0.5), ("b", 0.5)), numpy_rng("pool", 1))


def test_a_smaller_pool_is_part_of_every_larger_one_of_its_seed() -> None:
    rows = np.arange(1000, 1400)
    drawn = {size: take_jets(rows, None, size, numpy_rng("pool-jets", 1)) for size in (2, 50, 399, 400)}
    assert [len(some) for some in drawn.values()] == [2, 50, 399, 400]
    assert all({*small} < {*large} for small, large in pairwise(drawn.values()))
    assert all(np.all(np.diff(some) > 0) for some in drawn.values())
    assert np.array_equal(drawn[400], rows)
    assert not np.array_equal(drawn[50], take_jets(rows, None, 50, numpy_rng("pool-jets", 2)))
    with pytest.raises(SuiteError, match=r"has 400 jets, fewer than the 401 of `pool_jets`; lower it or take more jets"):
        take_jets(rows, None, 401, numpy_rng("pool-jets", 1))


def test_a_part_of_a_composed_pool_has_its_shares() -> None:
    labels = np.repeat([0, 1, 2], [300, 90, 10])
    drawn = [take_jets(np.arange(400), labels, size, numpy_rng("pool-jets", 3)) for size in (40, 80, 200)]
    assert all({*small} < {*large} for small, large in pairwise(drawn))
    for some in drawn:
        assert np.abs(np.bincount(labels[some]) - len(some) * np.array([0.75, 0.225, 0.025])).max() < 1


def test_the_number_of_unlabelled_jets_is_that_of_the_arm_or_of_the_suite(image_plan: Callable[..., Plan]) -> None:
    few = "arms.few={model: resnet15, regime: simclr, pool_jets: 80}"
    plan = image_plan(few, "varies=[model, regime, pool_jets]", "pool_jets=200")
    pretrainings = [run for run in plan.runs.values() if run.kind == "pretrain"]
    assert {run.arm: run.spec.pool_jets for run in pretrainings} == {"simclr": 200, "few": 80}
    assert len({run.name for run in pretrainings}) == len(pretrainings)
    assert {run.spec.pool_jets for run in plan.runs.values() if run.kind == "final"} == {None}
    with pytest.raises(SuiteError, match=r"'simclr' and 'few' differ in pretraining\.pool_jets \(200 against 80\)"):
        image_plan(few, "pool_jets=200")
    with pytest.raises(SuiteError, match=r"`pool_jets` belongs to an arm that sees the unlabelled pool, and none under"):
        image_plan("arms.scratch.pool_jets=80")


def test_a_pool_that_cannot_have_so_many_jets_is_told_in_the_plan(image_plan: Callable[..., Plan]) -> None:
    assert image_plan("pool_jets=300").runs
    with pytest.raises(SuiteError, match=r"301 unlabelled jets are asked for by `pool_jets`, and the pool has 300; lower it"):
        image_plan("pool_jets=301")
    with pytest.raises(SuiteError, match=r"300 unlabelled jets .* the pool has 200"):
        image_plan("pool_jets=300", "test_jets=200")
