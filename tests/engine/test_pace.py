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


def pace_of(model: Component, view: Options, name: str = "image") -> float:
    return pace(
        RunSpec(
            dataset=DatasetRef(name="toy", sha256="0"),
            test_jets=10,
            labels=10,
            seed=0,
            model=model,
            view=Component(name=name, options=view),
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


@pytest.mark.parametrize("entry", [entry for entry in models if entry.published], ids=lambda entry: entry.name)
def test_a_published_size_is_forecast_by_its_own_pace(entry: ModelEntry) -> None:
    """Slower than the small one, though by less than by its operations, since large products of matrices are done faster."""
    shapes = {entry.view: (80, 8)}
    small, large = (Component(name=entry.name, options=given) for given in ((), entry.published))
    slower = pace_of(small, (), entry.view) / pace_of(large, (), entry.view)
    costs = [network_cost(build_network(model, shapes, 2, 0), shapes, 2).flops for model in (small, large)]
    assert 5 < slower < costs[1] / costs[0]
    partly = Component(name=entry.name, options=entry.published[:1])
    assert pace_of(partly, (), entry.view) == entry.pace
    more = Component(name=entry.name, options=options(dict(entry.published) | {"head": "mlp"}))
    assert pace_of(more, (), entry.view) == entry.wide
