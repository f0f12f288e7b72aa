from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jetbench.errors import DataFileError, SimulationError, SuiteError, UnknownNameError
from jetbench.suites.instance import merge
from jetbench.suites.plan import Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.study_file import find_study
from jetbench.suites.suite import find_suite, instantiate, suite_names

SHIPPED = [(name, scale) for name in suite_names() for scale in find_suite(name).scales]


@pytest.mark.parametrize(("name", "scale"), SHIPPED)
def test_every_shipped_suite_can_be_planned_at_every_scale(name: str, scale: str) -> None:
    suite = find_suite(name)
    plan = make_plan(instantiate(suite, scale))
    assert suite.suite == name
    assert suite.question
    assert suite.source
    assert suite.expected
    assert plan.runs


def test_the_quick_scale_keeps_its_promises() -> None:
    settings = instantiate(find_suite("ssl-vs-scratch")).settings
    assert settings.dataset.jets == 12_000
    assert settings.test_jets == 3_000
    assert len(settings.labels) >= 3
    assert settings.seeds >= 5
    assert all(recipe.epochs is not None and recipe.epochs <= 8 for recipe in settings.recipes.values())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seeds: 2", "seedz: 2", "unknown key 'seedz'; did you mean 'seeds'"),
        ("regime: simclr}", "regim: simclr}", "unknown key 'arms.simclr.regim'; did you mean 'regime'"),
        ("passes: 320", "pases: 320", "did you mean 'passes'"),
        ("question:", "qestion:", "did you mean 'question'"),
        ("seeds: 2", "seeds: two", "seeds: .*integer"),
        ("seeds: 2", "seeds: 0", "greater than or equal to 1"),
        ("labels: [50, 100]", "labels: [100, 50]", "label budgets rise"),
        ("baseline: scratch", "baseline: scrach", "did you mean 'scratch'"),
        ("    test_jets: 100\n", "", "key 'test_jets' is missing"),
        ("suite: mini", "suite: mini\nsuite: mini", "duplicate key"),
        ("suite: mini", "suite: [", "not valid YAML"),
    ],
)
def test_a_wrong_suite_is_one_error_that_helps(suite_path: Path, old: str, new: str, message: str) -> None:
    text = suite_path.read_text()
    assert old in text
    suite_path.write_text(text.replace(old, new))
    with pytest.raises(SuiteError, match=message):
        instantiate(find_suite(str(suite_path)))


def test_names_that_nobody_knows() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'ssl-vs-scratch'"):
        find_suite("ssl-vs-scrach")
    suite = find_suite("ssl-vs-scratch")
    with pytest.raises(UnknownNameError, match="did you mean 'smoke'"):
        instantiate(suite, "smoky")
    with pytest.raises(UnknownNameError, match="neither a dataset nor a file"):
        instantiate(suite, dataset="top-vs-qdc")
    with pytest.raises(DataFileError, match="no such file"):
        instantiate(suite, dataset="missing.h5")


def test_a_name_of_the_other_kind_is_answered_with_its_command() -> None:
    absent = r"nofile.toml: there is no such file; a file of a suite is YAML, NAME.yaml, and a shipped suite goes by"
    with pytest.raises(UnknownNameError, match=absent):
        find_suite("nofile.toml")
    with pytest.raises(UnknownNameError, match="it is a study: `jetbench study run learning-rate`"):
        find_suite("learning-rate")
    with pytest.raises(UnknownNameError, match="it is a suite: `jetbench run --suite ssl-vs-scratch`"):
        find_study("ssl-vs-scratch")


def test_overrides_descend_and_are_checked(suite_path: Path) -> None:
    suite = find_suite(str(suite_path))
    changed = instantiate(suite, overrides=("seeds=3", "recipes.simclr.passes=1024", "recipes.simclr.weight_decay=1e-3"))
    assert changed.settings.seeds == 3
    assert changed.settings.recipes["simclr"].passes == 1024
    assert changed.settings.recipes["simclr"].weight_decay == 1e-3
    assert changed.name != instantiate(suite).name
    assert instantiate(suite).name == instantiate(suite, overrides=("seeds=2",)).name
    with pytest.raises(SuiteError, match="did you mean 'seeds'"):
        instantiate(suite, overrides=("seads=3",))
    with pytest.raises(SuiteError, match="key=value"):
        instantiate(suite, overrides=("seeds",))


def test_options_of_a_dataset_make_another_dataset() -> None:
    suite = find_suite("ssl-vs-scratch")
    plain = instantiate(suite)
    varied = instantiate(suite, overrides=("dataset.options.mpi=true",))
    assert varied.settings.dataset.options == {"mpi": True}
    assert varied.find_dataset().recipe.mpi
    assert varied.dataset != plain.dataset
    assert varied.find_dataset().path != plain.find_dataset().path
    assert instantiate(suite, overrides=("dataset.options.mpi=false",)).dataset == plain.dataset
    with pytest.raises(SuiteError, match="'top-vs-qcd' has no option 'conained'; did you mean 'contained'"):
        instantiate(suite, overrides=("dataset.options.conained=false",))
    with pytest.raises(SuiteError, match="no option 'seed'"):
        instantiate(suite, overrides=("dataset.options.seed=3",))
    with pytest.raises(SimulationError, match="mpi is 'perhaps'"):
        instantiate(suite, overrides=("dataset.options.mpi=perhaps",))


def test_another_dataset_does_not_inherit_options(toy_file: Path) -> None:
    suite = find_suite("ssl-vs-scratch")
    suite.common["dataset"] = {"name": "top-vs-qcd", "seed": 7, "options": {"mpi": True}}
    assert instantiate(suite, dataset=str(toy_file)).settings.dataset.options == {}
    same = instantiate(suite, dataset="top-vs-qcd").settings.dataset
    assert same == instantiate(suite).settings.dataset
    assert (same.seed, same.options) == (7, {"mpi": True})
    with pytest.raises(SuiteError, match="a file of jets has no options"):
        instantiate(suite, dataset=str(toy_file), overrides=("dataset.options.mpi=true",))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("labels=50", r"labels: should be a list \(given: 50\)"),
        ("arms.simclr=3", r"arms\.simclr: should be a mapping"),
        ("arms.simclr.labels=7", r"arms\.simclr\.labels: should be 'all' or 'smallest' or a list"),
        ("model_options.resnet15.stages=[1]", r"stages: should be a valid boolean or a valid integer or"),
        ("pool={qcd: 0.5}", r"pool: the shares of the classes .* add up to 1, as in \{qcd: 0\.9, top: 0\.1\}"),
        ("pool={qcd: 1.5, top: -0.5}", "pool: the shares of the classes in the pool are positive"),
        ("arms.simclr.pools=0.1", "did you mean 'pool'"),
        ("fresh_from=5", "no seed is fresh: seeds are numbered from 0 to 4, and `fresh_from` is 5"),
    ],
)
def test_a_wrong_value_is_told_in_the_words_of_the_file(override: str, message: str) -> None:
    with pytest.raises(SuiteError, match=message) as caught:
        instantiate(find_suite("ssl-vs-scratch"), overrides=(override,))
    assert len(str(caught.value).splitlines()) == 1
    assert not any(word in str(caught.value).lower() for word in ("tuple", "dictionary"))


def test_fresh_seeds_have_encoders_of_their_own() -> None:
    suite, more = find_suite("ssl-vs-scratch"), ("seeds=10", "fresh_from=5")
    assert instantiate(suite, overrides=more).settings.fresh_from == 5
    with pytest.raises(SuiteError, match="encoders of their own; leave out `pretraining_seeds`"):
        instantiate(suite, overrides=(*more, "pretraining_seeds=5"))


def test_merging_goes_mapping_by_mapping() -> None:
    assert merge({"a": {"b": 1, "c": [1]}, "d": 2}, {"a": {"c": [2]}, "d": None}) == {"a": {"b": 1, "c": [2]}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89HDF\r\n\x1a\n", "no text, so no suite; a file of jets goes to --dataset"),
        (b"", "it is empty"),
        (b"only words", "it holds no mapping of keys to values"),
        (b"suite: a\nsuite: b\n", r"duplicate key \"suite\".*, line 2, column 1\)$"),
    ],
)
def test_a_file_that_is_no_suite_says_what_it_is(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    with pytest.raises(SuiteError, match=message):
        find_suite(str(path))


def test_the_only_scale_needs_no_name(suite_path: Path) -> None:
    suite = find_suite(str(suite_path))
    (only,) = suite.scales
    renamed = suite.model_copy(update={"scales": {"mine": suite.scales[only]}})
    assert instantiate(renamed).scale == "mine"


def test_a_recipe_has_one_length(plan_of: Callable[..., Plan]) -> None:
    with pytest.raises(SuiteError, match="passes and loops both give the length of a training; keep one of them"):
        plan_of("recipes.supervised.loops=3")
    plan_of("recipes.supervised={base: supervised-small, loops: 3}", "recipes.supervised.passes=null")


def test_a_misspelt_recipe_is_answered_with_the_nearest(plan_of: Callable[..., Plan]) -> None:
    with pytest.raises(SuiteError, match=r"'supervized' has no `base`.*did you mean 'supervised'"):
        plan_of("recipes.supervized.epochs=8")
