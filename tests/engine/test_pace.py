from __future__ import annotations

import pytest

from jetbench.engine.pace import pace
from jetbench.models import ModelEntry, models
from jetbench.models.cost import network_cost
from jetbench.models.network import build_network
from jetbench.spec import Component, DatasetRef, Options, Recipe, RunSpec, options

IMAGE = [pytest.param(entry, id=entry.name) for entry in models if entry.kind == "network" and entry.view == "image"]


def model_of(entry: ModelEntry) -> Component:
    return Component(name=entry.name, options=(("stages", "16-32-64"),) if "stages" in dict(entry.defaults) else ())


def pace_of(model: Component, view: Options) -> float:
    return pace(
        RunSpec(
            dataset=DatasetRef(name="toy", sha256="0"),
            test_jets=10,
            labels=10,
            seed=0,
            model=model,
            view=Component(name="image", options=view),
            objective=Component(name="supervised"),
            recipe=Recipe(name="short", learning_rate=1e-3),
        )
    )


@pytest.mark.parametrize("entry", IMAGE)
@pytest.mark.parametrize("shape", [(64, 64), (125, 125), (100, 60)])
def test_a_pace_falls_as_the_operations_of_the_network_as_built_rise(entry: ModelEntry, shape: tuple[int, int]) -> None:
    """The stem's own convolution on all pixels, which the pace leaves out, is a fifth of a narrow network at the most."""
    model = model_of(entry)
    rows, columns = shape
    small, large = (
        network_cost(build_network(model, {"image": (3, *size)}, 2, 0), {"image": (3, *size)}, 2).flops
        for size in ((32, 32), shape)
    )
    view = {"pixels": rows} if rows == columns else {"rows": rows, "columns": columns}
    slower = pace_of(model, (("pixels", 32),)) / pace_of(model, options(view))
    assert slower == pytest.approx(large / small, rel=0.2)
