"""What a digest depends on: every field that decides numbers, in whatever way it is spelled, and nothing that only names."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from jetbench.errors import SuiteError
from jetbench.spec import (
    Chosen,
    Component,
    DatasetRef,
    PluginRef,
    Recipe,
    RunSpec,
    ScoresRef,
    Variation,
    WeightsRef,
    normalised,
    options,
)
from jetbench.values import Spec

RECIPE = Recipe(name="r", learning_rate=1e-3)
RUN = RunSpec(
    dataset=DatasetRef(name="d", sha256="0"),
    test_jets=10,
    labels=100,
    seed=0,
    model=Component(name="m"),
    view=Component(name="v"),
    objective=Component(name="o"),
    recipe=RECIPE,
)
OTHER: dict[type[Spec], tuple[Spec, dict[str, dict[str, Any]]]] = {
    RunSpec: (
        RUN,
        {
            "protocol": {"protocol": 1},
            "dataset": {"dataset": DatasetRef(name="d", sha256="1")},
            "unlabelled": {"unlabelled": DatasetRef(name="u", sha256="2")},
            "test_jets": {"test_jets": 11},
            "sample_weight": {"sample_weight": "w"},
            "also_test": {"also_test": DatasetRef(name="a", sha256="3")},
            "pool": {"pool": (("a", 1.0),)},
            "pool_jets": {"pool_jets": 1000},
            "data": {"data": "pool-labelled", "labels": None},
            "labels": {"labels": 101},
            "targets": {"targets": "shuffled"},
            "scores": {"scores": ScoresRef(name="s", teacher="t", sha256="5"), "targets": "scores"},
            "seed": {"seed": 1},
            "task": {"task": Component(name="regression")},
            "model": {"model": Component(name="m", revision=2)},
            "view": {"view": Component(name="v", options=options({"pixels": 9}))},
            "objective": {"objective": Component(name="p")},
            "trains": {"trains": "head"},
            "recipe": {"recipe": RECIPE.replace(passes=1)},
            "start": {"start": "x"},
            "takes": {"takes": "network"},
            "weights": {"weights": WeightsRef(name="w", sha256="4")},
            "precision": {"precision": "bf16"},
            "fault": {"fault": "one-seed"},
            "chosen": {"chosen": (Chosen(path="recipe.warmup", study="s"),)},
        },
    ),
    Variation: (
        Variation(name="v"),
        {
            "name": {"name": "w"},
            "dataset": {"dataset": DatasetRef(name="a", sha256="3")},
            "energy_scale": {"energy_scale": 1.02},
            "shares": {"shares": (("a", 0.1), ("b", 0.9))},
        },
    ),
    Recipe: (
        RECIPE,
        {
            "name": {},
            "learning_rate": {"learning_rate": 2e-3},
            "encoder_rate": {"encoder_rate": 0.1},
            "optimizer": {"optimizer": "adam"},
            "weight_decay": {"weight_decay": 0.1},
            "schedule": {"schedule": "constant"},
            "warmup": {"warmup": 0.1},
            "first_restart": {"first_restart": 5},
            "passes": {"passes": 7},
            "batch_size": {"batch_size": 65},
            "epochs": {"epochs": 2},
            "clip": {"clip": 1.0},
            "select": {"select": "best"},
            "select_by": {"select_by": "auc"},
            "patience": {"patience": 3},
            "augmentation": {"augmentation": (Component(name="flip"),)},
        },
    ),
    Component: (
        Component(name="m"),
        {
            "name": {"name": "n"},
            "revision": {"revision": 2},
            "options": {"options": (("a", 1),)},
            "plugin": {"plugin": PluginRef(sha256="1")},
        },
    ),
    PluginRef: (PluginRef(sha256="0"), {"sha256": {"sha256": "1"}, "file": {}, "distribution": {}, "version": {}}),
    WeightsRef: (WeightsRef(name="w", sha256="0"), {"name": {}, "sha256": {"sha256": "1"}}),
    ScoresRef: (ScoresRef(name="s", teacher="t", sha256="0"), {"name": {}, "teacher": {}, "sha256": {"sha256": "1"}}),
    DatasetRef: (DatasetRef(name="d", sha256="0"), {"name": {}, "sha256": {"sha256": "1"}}),
    Chosen: (Chosen(path="a.b", study="s"), {"path": {"path": "a.c"}, "study": {"study": "t"}}),
}


@pytest.mark.parametrize("kind", OTHER, ids=lambda kind: kind.__name__)
def test_every_field_that_decides_numbers_changes_the_digest(kind: type[Spec]) -> None:
    base, changes = OTHER[kind]
    assert set(changes) == set(kind.model_fields)
    digests = [base.replace(**change).digest() for change in changes.values() if change]
    assert base.digest() not in digests
    assert len(set(digests)) == len(digests)
    assert {name for name, change in changes.items() if not change} == kind.labels_only


def test_a_copy_of_what_has_a_digest_has_its_own() -> None:
    """The plain content is kept beside a value's fields, and is no part of a copy."""
    assert RUN.digest() == RUN.replace(seed=RUN.seed).digest() != RUN.replace(seed=RUN.seed + 1).digest()
    assert pickle.loads(pickle.dumps(RUN)) == RUN.replace(seed=RUN.seed)


def test_names_of_files_and_recipes_decide_nothing() -> None:
    renamed = RUN.replace(dataset=DatasetRef(name="other", sha256="0"), recipe=RECIPE.replace(name="other"))
    assert renamed.digest() == RUN.digest()
    assert renamed != RUN


def test_a_field_that_is_added_later_with_a_default_changes_no_digest() -> None:
    class Later(RunSpec):
        added: int = 3

    later = Later(**{name: getattr(RUN, name) for name in RunSpec.model_fields})
    assert later.digest() == RUN.digest()
    assert later.replace(added=4).digest() != RUN.digest()


def test_a_single_other_test_set_has_the_digest_that_it_had_before_there_could_be_several() -> None:
    one = RUN.replace(also_test=DatasetRef(name="a", sha256="3"))
    assert json.loads(one.canonical())["also_test"] == {"sha256": "3"}
    assert RunSpec.model_validate_json(one.model_dump_json()) == one
    several = RUN.replace(also_test=(Variation(name="up", energy_scale=1.02), Variation(name="a", dataset=one.also_test)))
    assert RunSpec.model_validate_json(several.model_dump_json()) == several
    assert [one.name for one in several.variations] == ["up", "a"]
    assert [(one.name, one.dataset) for one in one.variations] == [("", one.also_test)]
    assert RUN.variations == ()


def test_options_that_say_what_the_default_says_are_left_out() -> None:
    defaults = (("dropout", 0.0), ("stages", "16"), ("trees", 100))
    assert normalised({"dropout": 0, "stages": "16", "trees": 100}, defaults) == ()
    assert normalised({"dropout": 1}, defaults) == normalised({"dropout": 1.0}, defaults) == (("dropout", 1.0),)
    assert normalised({"trees": 50, "dropout": 0.5}, defaults) == (("dropout", 0.5), ("trees", 50))


def test_scalars_are_replaced_by_their_path() -> None:
    spec = RUN.replace(chosen=(Chosen(path="recipe.warmup", study="s"), Chosen(path="model.dropout", study="s")))
    found = spec.with_values([("recipe.warmup", 0.2), ("model.dropout", 0.1)])
    assert (found.recipe.warmup, found.model.keywords(), found.chosen) == (0.2, {"dropout": 0.1}, ())
    with pytest.raises(SuiteError, match=r"no scalar of a run is at 'recipe.speed'"):
        spec.with_values([("recipe.speed", 1.0)])


def test_only_the_pool_is_trained_on_without_labels() -> None:
    with pytest.raises(ValueError, match="only the pool is trained on without labels"):
        RUN.replace(targets="none")
    with pytest.raises(ValueError, match="a budget has a number of labels"):
        RUN.replace(labels=None)
