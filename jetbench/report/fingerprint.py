"""A digest of any value that a report is made from, so that what has not changed is not made again."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from jetbench.values import Value

__all__ = ["fingerprint"]


def fingerprint(value: Any) -> str:
    """Return the sha256 of a value's content: plain scalars, arrays, records, and containers of them. Equal content, equal
    digest; a `TypeError` for anything else, since a part that is passed over would hide a change."""
    digest = hashlib.sha256()
    for part in _parts(value):
        digest.update(len(part).to_bytes(8) + part)  # with its length, or two parts could be one
    return digest.hexdigest()


def _parts(value: Any) -> Iterator[bytes]:
    yield type(value).__name__.encode()
    if value is None or isinstance(value, bool | int | float | str | bytes | np.generic):
        yield repr(value).encode()
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype.str} {value.shape}".encode()
        yield value.tobytes()
    elif isinstance(value, Value):
        yield value.model_dump_json().encode()
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield from _parts({field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
    elif isinstance(value, Mapping):
        yield from _parts(list(value.items()))
    elif isinstance(value, tuple | list):
        yield str(len(value)).encode()
        for part in value:
            yield from _parts(part)
    else:
        raise TypeError(f"{type(value).__name__} has no fingerprint")
