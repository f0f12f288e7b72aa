"""Runs in a folder of their own predict as they did in their store, and hold no code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jetbench.errors import DataFileError
from jetbench.inference.pyfunc import _load_pyfunc, pack, unpack

Make = Callable[..., Any]


@pytest.mark.parametrize("arm", ["scratch", "boosted-trees", "mass-likelihood"])
def test_what_is_packed_predicts_as_before(toys_of: Make, tmp_path: Path, arm: str) -> None:
    toys = toys_of()
    ensemble = toys.ensemble(arm, 0, 1)
    pack(ensemble, tmp_path / "packed")
    names = {path.suffix for path in (tmp_path / "packed").rglob("*") if path.is_file()}
    assert names <= {".json", ".yaml", ".safetensors", ".skops"}
    served = _load_pyfunc(str(tmp_path / "packed"))
    assert served.ensemble.members.keys() == ensemble.members.keys()
    np.testing.assert_array_equal(served.predict(toys.jets), ensemble.predict(toys.jets))
    np.testing.assert_array_equal(served.predict(str(toys.folder / "jets.h5"), params=None), ensemble.predict(toys.jets))


def test_what_is_neither_jets_nor_a_path_is_one_error(toys_of: Make, tmp_path: Path) -> None:
    pack(toys_of().ensemble("scratch", 0), tmp_path / "packed")
    with pytest.raises(DataFileError, match=r"a ndarray is neither jets nor the path of a file of them: give the path, or what"):
        _load_pyfunc(str(tmp_path / "packed")).predict(np.zeros((2, 3, 16, 16)))


def test_a_damaged_pack_is_one_error(toys_of: Make, tmp_path: Path) -> None:
    pack(toys_of().ensemble("scratch", 0), tmp_path / "packed")
    weights = tmp_path / "packed" / "0" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(DataFileError, match="is not what the run has written"):
        unpack(tmp_path / "packed")
    (tmp_path / "packed" / "ensemble.json").write_text("{}")
    with pytest.raises(DataFileError, match="no readable list of runs"):
        unpack(tmp_path / "packed")
