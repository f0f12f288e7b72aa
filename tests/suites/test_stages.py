from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from jetbench.objectives import objectives
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.stages import regimes


@pytest.mark.parametrize("name", [entry.name for entry in objectives if not entry.labelled])
def test_what_was_learnt_without_labels_is_probed_on_the_same_encoder(plan_of: Callable[..., Plan], name: str) -> None:
    arm = {"model": "resnet15", "regime": f"{name}-frozen", "recipes": {name: {"base": "simclr-small", "passes": 100}}}
    tuned = {**arm, "regime": name}
    plan = plan_of(f"arms.probe={json.dumps(arm)}", f"arms.tuned={json.dumps(tuned)}", "varies=[model,regime,recipe]")
    probe, before = plan.chain(CellKey("probe", 100, 0))
    tuning, also_before = plan.chain(CellKey("tuned", 100, 0))
    assert before.key == also_before.key
    assert (probe.spec.trains, tuning.spec.trains) == ("head", "all")
    assert (probe.spec.targets, before.spec.targets) == ("true", "none")
    assert not regimes[f"{name}-frozen"].control


def test_an_objective_with_labels_has_one_regime() -> None:
    assert not [entry.name for entry in regimes if entry.name in ("mixup-frozen", "supervised-frozen")]
