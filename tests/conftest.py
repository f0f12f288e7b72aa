"""Toy jets, and small suites and studies of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings

from jetbench.engine.child import PRELOAD
from jetbench.jets import Jets, save_jets
from jetbench.plugins import installed
from jetbench.processes import context
from jetbench.suites.plan import Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.study_file import find_study, instantiate_study
from jetbench.suites.study_planning import StudyPlan, make_study_plan
from jetbench.suites.suite import find_suite, instantiate
from jetbench.testing import toys

# a busy machine is no failure, and the gate tries the same examples each time
settings.register_profile("jetbench", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("jetbench")

TRAINING = {"cases", "engine", "suites"}  # folders whose tests train in child processes


def pytest_configure(config: pytest.Config) -> None:
    """Leave out what plug-ins are installed beside jetbench: tests that go over a table are of what is built in. What a test
    trains in its own process is trained on one thread, as in a child. What a test starts with `python -c` imports the installed
    jetbench too, not the folder of the same name where the tests run."""
    os.environ["PYTHONSAFEPATH"] = "1"
    torch.set_num_threads(1)
    installed.find_installed = lambda: ()  # type: ignore[assignment]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the fork server with its imports before a test of something else starts it without: the first caller decides, and
    each child would then import torch anew."""
    if any(TRAINING & set(item.path.parts) for item in session.items):
        context(PRELOAD)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where none is named, a cache that goes with the tests: what was verified is noted there."""
    with pytest.MonkeyPatch.context() as patch:
        if "JETBENCH_CACHE" not in os.environ:
            patch.setenv("JETBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def pronged_jets() -> Callable[[int, int], Jets]:
    """`pronged_jets(n, classes)`."""
    return toys.pronged_jets


@pytest.fixture(scope="session")
def toy_jets() -> Jets:
    return toys.toy_jets(400)


@pytest.fixture(scope="session")
def toy_file(tmp_path_factory: pytest.TempPathFactory, toy_jets: Jets) -> Path:
    path = tmp_path_factory.mktemp("toy") / "toy.h5"
    save_jets(path, [toy_jets])
    return path


SUITE = """
suite: mini
question: Does pretraining help on toy jets?
common:
  dataset: {{name: {dataset}}}
  view: {{image: {{pixels: 8}}}}
  varies: [model, regime]
  primary: {{arm: simclr, baseline: scratch}}
  model_options: {{resnet15: {{stages: 8-16, dropout: 0.0}}}}
  arms:
    scratch: {{model: resnet15, regime: scratch}}
    simclr: {{model: resnet15, regime: simclr}}
    boosted-trees: {{model: boosted-trees, regime: fit}}
  recipes:
    supervised: {{base: supervised-small, passes: 320, epochs: 2}}
    simclr: {{base: simclr-small, passes: 512, epochs: 2, batch_size: 64}}
scales:
  quick:
    test_jets: 100
    labels: [50, 100]
    seeds: 2
    tuning: {{factors: [1.0, 3.0], per: study, labels: smallest}}
"""


@pytest.fixture(scope="session")
def suite_text() -> str:
    """A suite with a place for its `{dataset}`."""
    return SUITE


@pytest.fixture
def suite_path(tmp_path: Path, toy_file: Path) -> Path:
    path = tmp_path / "mini.yaml"
    path.write_text(SUITE.format(dataset=toy_file))
    return path


@pytest.fixture
def plan_of(suite_path: Path) -> Callable[..., Plan]:
    def make(*overrides: str) -> Plan:
        return make_plan(instantiate(find_suite(str(suite_path)), overrides=overrides))

    return make


STUDY = """
study: mini
question: Which rate suits toy jets?
common:
  dataset: {{name: {dataset}}}
  view: {{image: {{pixels: 8}}}}
  model_options: {{resnet15: {{stages: 8-16, dropout: 0.0}}}}
  recipes:
    supervised: {{base: supervised-small, passes: 192, epochs: 3}}
    simclr: {{base: simclr-small, passes: 256, epochs: 2, batch_size: 64}}
  arms:
    scratch: {{model: resnet15, regime: scratch}}
    simclr: {{model: resnet15, regime: simclr, search: {{recipe.learning_rate: {{low: 0.001, high: 0.01, log: true}}}}}}
  search:
    recipe.learning_rate: {{low: 0.0003, high: 0.03, log: true}}
  test_jets: 100
  labels: 60
  seeds: 2
  trials: 5
scales:
  quick: {{}}
"""


@pytest.fixture
def study_path(tmp_path: Path, toy_file: Path) -> Path:
    path = tmp_path / "mini-study.yaml"
    path.write_text(STUDY.format(dataset=toy_file))
    return path


@pytest.fixture
def plan_of_study(study_path: Path) -> Callable[..., StudyPlan]:
    def make(*overrides: str) -> StudyPlan:
        return make_study_plan(instantiate_study(find_study(str(study_path)), overrides=overrides))

    return make
