from __future__ import annotations

import pytest

from jetbench.engine.pace import RUN_SECONDS, Remaining, pace, run_passes
from jetbench.models import ModelEntry, models
from jetbench.models.cost import network_cost
from jetbench.models.network import build_network
from jetbench.spec import Component, DatasetRef, Options, Recipe, RunSpec, options

IMAGE = [pytest.param(entry, id=entry.name) for entry in models if entry.kind == "network" and entry.view == "image"]


def model_of(entry: ModelEntry) -> Component:
    return Component(name=entry.name, options=(("stages", "16-32-64"),) if "stages" in dict(entry.defaults) else ())


def spec_of(model: Component, view: Options, name: str = "image", passes: int = 0) -> RunSpec:
    return RunSpec(
        dataset=DatasetRef(name="toy", sha256="0"),
        test_jets=10,
        labels=10,
        seed=0,
        model=model,
        view=Component(name=name, options=view),
        objective=Component(name="supervised"),
        recipe=Recipe(name="short", learning_rate=1e-3, passes=passes),
    )


def pace_of(model: Component, view: Options, name: str = "image") -> float:
    return pace(spec_of(model, view, name))


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


def test_what_is_left_is_weighed_by_what_finished_runs_have_taken() -> None:
    """Two runs of one model take 100 s as assumed, and of two of another model, 100 s as well, the first takes four times as
    long: so does the other, and the rate so far holds for what is left."""
    fast, slow = (Component(name=name) for name in ("deep-sets", "particlenet"))
    specs = [spec_of(one, (("number", 80),), "constituents") for one in (fast, fast, slow, slow)]
    specs = [one.replace(recipe=one.recipe.replace(passes=round(100 * pace(one)))) for one in specs]
    left = Remaining(specs)
    assert left.left(0.0) is None

    def end(spec: RunSpec, took: float) -> None:
        left.book(spec, trained=True)
        assumed = run_passes(spec) / pace(spec)
        left.measured.took[spec.model.name] = left.measured.took.get(spec.model.name, 0.0) + took
        left.measured.assumed[spec.model.name] = left.measured.assumed.get(spec.model.name, 0.0) + assumed

    end(specs[0], 100.0)
    assert left.left(100 + RUN_SECONDS) == pytest.approx(3 * (100 + RUN_SECONDS), rel=1e-3)  # of the other nothing is known
    end(specs[2], 400.0)
    assert left.left(500 + 2 * RUN_SECONDS) == pytest.approx(500 + 2 * RUN_SECONDS, rel=1e-3)
    end(specs[1], 100.0)
    assert left.left(600 + 3 * RUN_SECONDS) == pytest.approx(400 + RUN_SECONDS, rel=1e-3)
    left.book(specs[3], trained=False)
    assert left.left(700.0) == pytest.approx(0.0, abs=1e-6)
