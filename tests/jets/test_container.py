from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from jetbench.errors import DataFileError
from jetbench.jets import Jets, concatenate


def equal(a: Jets, b: Jets) -> bool:
    return np.array_equal(a.offsets, b.offsets) and all(
        np.array_equal(x[:], y[:]) for (_, x), (_, y) in zip(a.columns(), b.columns(), strict=True)
    )


def test_a_slice_holds_its_jets_and_no_others(toy_jets: Jets) -> None:
    part = toy_jets[10:20]
    assert len(part) == 10
    for i in range(10):
        a, b = toy_jets.offsets[10 + i], toy_jets.offsets[11 + i]
        assert np.array_equal(part.eta[part.offsets[i] : part.offsets[i + 1]], toy_jets.eta[a:b])
    assert np.array_equal(part.targets["label"], toy_jets.targets["label"][10:20])


def test_take_follows_the_indices(toy_jets: Jets) -> None:
    rows = np.array([7, 3, 3, 399])
    taken = toy_jets.take(rows)
    assert equal(taken, concatenate([toy_jets[int(r) : int(r) + 1] for r in rows]))


def test_parts_make_the_whole_again(toy_jets: Jets) -> None:
    whole = concatenate([toy_jets[:100], toy_jets[100:101], toy_jets[101:]])
    assert equal(whole, toy_jets)
    assert whole.digest == toy_jets.digest


def test_the_digest_sees_every_column(toy_jets: Jets) -> None:
    for name, column in toy_jets.columns():
        changed = np.array(column)
        changed.flat[0] += 1
        other = (
            replace(toy_jets, targets={**toy_jets.targets, name.removeprefix("targets/"): changed})
            if name.startswith("targets/")
            else replace(toy_jets, **{name: changed})
        )
        assert other.digest != toy_jets.digest, name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"eta": np.zeros(3, np.float32)}, "column 'eta' has 3 rows"),
        ({"jet_pt": np.full(400, np.nan, np.float32)}, "column 'jet_pt' has values that are NaN"),
        ({"targets": {"label": np.full(400, 2, np.int32)}}, "outside the 2 declared classes"),
    ],
)
def test_columns_that_do_not_fit_are_named(toy_jets: Jets, change: dict, message: str) -> None:
    with pytest.raises(DataFileError, match=message):
        replace(toy_jets, **change).validate()
