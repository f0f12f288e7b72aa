"""A suite of a few seconds on toy jets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jetbench.harness.plan import Plan, make_plan
from jetbench.harness.suite import find_suite, instantiate

SUITE = """
suite: mini
question: Does pretraining help on toy jets?
common:
  dataset: {{name: {dataset}}}
  view: {{name: image, pixels: 8}}
  varies: [model, regime]
  primary: {{arm: simclr, baseline: scratch}}
  model_options: {{resnet15: {{stages: 8-16}}}}
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
    tuning: {{factors: [1.0, 3.0], labels: smallest}}
"""


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
