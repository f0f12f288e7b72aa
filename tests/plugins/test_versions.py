"""Two forms of a plug-in in one process: a loaded run predicts by the form of its training, and what was given still counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from tiny_runs import Toys

import jetbench
from jetbench.inference import load_predictor
from jetbench.plugins import scope, use
from jetbench.views import views

TABLE = """
from dataclasses import replace
import numpy as np
from jetbench.models import models
from jetbench.views import views
from jetbench.views.table import Table

class Multiplicity(Table):
    columns = ("multiplicity",)

    @classmethod
    def rows(cls, jets, options=()):
        return np.float32({factor}) * np.diff(jets.offsets).astype(np.float32)[:, None]

JETBENCH = [
    replace(views["observables"], name="multiplicity", target=f"{{__name__}}:Multiplicity", tabled=False),
    replace(models["boosted-trees"], name="counting-trees", view="multiplicity", other_view=""),
]
"""


@pytest.fixture(autouse=True)
def own_scope() -> Iterator[None]:
    with scope():
        yield


def given(folder: Path, factor: float) -> None:
    (folder / "mine.py").write_text(TABLE.format(factor=factor))
    use(folder / "mine.py")


@pytest.fixture
def toys(toys_of: Callable[..., Toys], tmp_path: Path) -> Toys:
    """Runs of the form whose table counts each deposit once."""
    with scope():
        given(tmp_path, 1.0)
        toys = toys_of(2, "arms.counting={model: counting-trees, regime: fit}", "tuning=null")
        toys.run("counting")
    return toys


def test_a_loaded_run_sees_jets_as_in_its_training_whatever_has_the_name_by_now(toys: Toys, tmp_path: Path) -> None:
    given(tmp_path, 0.001)
    newer = views["multiplicity"].plugin
    predictor, jets = load_predictor(toys.run("counting"), toys.jets.meta), toys.jets[:30].read()
    assert views["multiplicity"].plugin == newer != predictor.spec.view.plugin
    (shown,) = predictor.inputs(jets)
    assert np.array_equal(shown.numpy()[:, 0], np.diff(jets.offsets))
    assert len(np.unique(predictor.predict(jets))) > 1


def test_a_script_that_loads_a_run_goes_on_with_what_it_was_given(toys: Toys, tmp_path: Path) -> None:
    given(tmp_path, 0.001)
    newer = views["multiplicity"].plugin
    (member,) = jetbench.load("counting/n60/s0", store=toys.store).members.values()
    assert member.spec.view.plugin != newer
    assert views["multiplicity"].plugin == newer
