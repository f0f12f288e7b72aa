"""Jets at another energy scale are the same jets, exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from jetbench.jets import Channel, Jets
from jetbench.jets.scaling import scaled
from jetbench.views.observables import Observables


@pytest.mark.parametrize("factor", [1.02, 0.98, 1.0])
def test_every_momentum_is_scaled_and_nothing_else(toy_jets: Jets, factor: float) -> None:
    channels = (*toy_jets.meta.channels, Channel(name="time", unit="ns", combine="mean", weight="charged"))
    values = np.column_stack([toy_jets.values, np.linspace(-1, 1, len(toy_jets.values), dtype=np.float32)])
    jets = replace(toy_jets, meta=toy_jets.meta.replace(channels=channels), values=values)
    found = scaled(jets, factor)
    for i, value in enumerate(values[:500]):
        assert found.values[i].tolist() == [np.float32(v) * np.float32(factor) for v in value[:3]] + [value[3]]
    assert found.jet_pt.tolist() == [np.float32(600) * np.float32(factor)] * len(jets)
    assert found.values.dtype == found.jet_pt.dtype == np.float32
    for name, column in jets.columns():
        if name not in ("values", "jet_pt"):
            np.testing.assert_array_equal(dict(found.columns())[name], column)
    assert (found.meta, found.stored) == (jets.meta, None)
    found.validate()
    np.testing.assert_array_equal(jets.values, values)  # the given ones are as they were


def test_masses_scale_and_shapes_stay(toy_jets: Jets) -> None:
    own, other = (Observables.rows(jets, ()) for jets in (toy_jets[:40], scaled(toy_jets[:40], 1.02)))
    place = Observables.columns.index("mass")
    np.testing.assert_allclose(other[:, place], 1.02 * own[:, place], rtol=1e-4)
    ratio = Observables.columns.index("tau32")
    np.testing.assert_allclose(other[:, ratio], own[:, ratio], rtol=1e-3)
