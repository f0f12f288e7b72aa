from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jetbench.api import open_session
from jetbench.errors import MissingPackageError
from jetbench.suites.extras import refuse_missing_packages
from jetbench.suites.plan import Plan

ARM = "arms.other={model: lightgbm, regime: fit}"


def test_a_model_without_its_package_is_refused_before_anything_runs(
    suite_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jetbench.suites.extras.find_spec", lambda name: None)
    message = r"the arm 'other' has the model 'lightgbm', .* pip install 'jetbench\[lightgbm\]' installs it"
    with pytest.raises(MissingPackageError, match=message):
        open_session(suite_path, overrides=(ARM,), store=tmp_path / "store")
    open_session(suite_path, store=tmp_path / "store")  # scikit-learn's trees need nothing


def test_a_plan_can_be_read_where_the_package_is_missing(plan_of: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jetbench.suites.extras.find_spec", lambda name: None)
    plan = plan_of(ARM)
    assert "other" in plan.arms
    with pytest.raises(MissingPackageError):
        refuse_missing_packages(plan.instance.settings)


def test_a_model_with_its_package_is_planned(suite_path: Path, tmp_path: Path) -> None:
    pytest.importorskip("lightgbm", reason="pip install 'jetbench[lightgbm]' installs it")
    session = open_session(suite_path, overrides=(ARM,), store=tmp_path / "store")
    found = {run.spec.recipe.name for run in session.plan.runs.values() if run.spec.model.name == "lightgbm"}
    assert found == {"trees"}
