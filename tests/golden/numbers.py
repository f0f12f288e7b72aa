"""The golden file: what every component gives at its revision, in numbers that any machine can reproduce.

Bits are promised on one machine type only: another processor sums in another order and takes the last digit of an exponential
from another table. So an array is not hashed but stands in the file as a sketch, its root mean square and three projections on
fixed waves, and is compared with a tolerance; a projection moves when values change, are exchanged or go missing. Row numbers
are whole, and are hashed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

GOLDEN = Path(__file__).with_name("golden.json")
WRITE = "JETBENCH_WRITE_GOLDEN"  # set to 1, it adds what has no number yet; what has one is never replaced
WAVES = (0.7, 1.9, 2.6)  # [rad per element]
DIGITS = 6

Numbers = Mapping[str, Any]  # text and whole numbers are compared exactly, lists of numbers with a tolerance


def golden() -> dict[str, Numbers]:
    """Numbers by "kind name@revision"."""
    return json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}


def sketch(name: str, array: Any) -> dict[str, Any]:
    """Root mean square and projections of an array, or the hash of whole numbers, by name and shape."""
    label = f"{name} {'x'.join(map(str, np.shape(array)))}"
    if np.issubdtype(np.asarray(array).dtype, np.integer):
        return {label: hashed(array)}
    values = np.asarray(array, np.float64)
    assert np.isfinite(values).all()
    flat = values.ravel()
    waves = [float(flat @ np.cos(wave * np.arange(flat.size))) / max(1, flat.size) ** 0.5 for wave in WAVES]
    size = float(np.sqrt(np.mean(flat**2))) if flat.size else 0.0
    return {label: [size, *waves]}


def hashed(rows: Any) -> str:
    """The first 16 digits of the sha256 of whole numbers."""
    return hashlib.sha256(np.ascontiguousarray(rows, dtype="<i8").tobytes()).hexdigest()[:16]


def check(key: str, found: Numbers, tolerance: float = 1e-4) -> None:
    """Compare with the golden numbers of `key`; `tolerance` is a share of the largest number of a list."""
    kept, found = golden(), _rounded(found)
    if key not in kept and os.environ.get(WRITE) == "1":
        _write({other: numbers for other, numbers in kept.items() if _unrevised(other) != _unrevised(key)} | {key: found})
        pytest.skip(f"{key} was written")
    assert key in kept, f"no golden numbers of {key}: write them with {WRITE}=1 and commit {GOLDEN.name}"
    changes = differences(kept[key], found, tolerance)
    assert not changes, f"{key}: numbers changed, so raise its revision: {'; '.join(changes)}"


def differences(kept: Numbers, found: Numbers, tolerance: float) -> list[str]:
    """What the two disagree in, in words."""
    names = sorted({*kept, *found})
    return [
        f"{name} {kept.get(name)} -> {found.get(name)}"
        for name in names
        if not _alike(kept.get(name), found.get(name), tolerance)
    ]


def _alike(kept: Any, found: Any, tolerance: float) -> bool:
    if not (isinstance(kept, list) and isinstance(found, list)) or len(kept) != len(found):
        return bool(kept == found)
    return bool(np.abs(np.subtract(kept, found)).max(initial=0) <= tolerance * np.abs(kept).max(initial=0))


def _rounded(found: Numbers) -> Numbers:
    return {k: [float(f"{x:.{DIGITS}g}") for x in v] if isinstance(v, list) else v for k, v in found.items()}


def _unrevised(key: str) -> str:
    return re.sub(r"@\d+", "", key)


def _write(numbers: Mapping[str, Numbers]) -> None:
    """A line per component, so that a new one is a difference of one line."""
    lines = [f" {json.dumps(key)}: {json.dumps(numbers[key])}" for key in sorted(numbers)]
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")
