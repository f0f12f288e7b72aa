"""Strict reading: what is wrong is named, with the nearest right thing."""

from __future__ import annotations

import pytest
from pydantic import Field

from jetbench.errors import DataFileError, SuiteError
from jetbench.strict import parse, read_yaml
from jetbench.values import Value


class Inner(Value):
    unit: str
    weight: float = Field(1.0, gt=0)


class Outer(Value):
    name: str
    inner: Inner | None = None
    many: dict[str, Inner] = {}
    row: tuple[Inner, ...] = ()


@pytest.mark.parametrize(
    ("values", "cause"),
    [
        ({"nmae": "a", "name": "b"}, "here: unknown key 'nmae'; did you mean 'name'"),
        ({"name": "a", "inner": {"unti": "x", "unit": "y"}}, "unknown key 'inner.unti'; did you mean 'unit'"),
        ({"name": "a", "many": {"x": {"unit": "y", "wieght": 2}}}, "unknown key 'many.x.wieght'; did you mean 'weight'"),
        ({"name": "a", "row": [{"unit": "y", "wieght": 2}]}, "unknown key 'row.0.wieght'; did you mean 'weight'"),
        ({}, "the key 'name' is missing"),
        ({"name": "a", "inner": {"unit": "x", "weight": -1}}, r"inner.weight: .*greater than 0 \(given: -1\)"),
    ],
)
def test_errors_name_the_key(values: dict[str, object], cause: str) -> None:
    with pytest.raises(SuiteError, match=cause):
        parse(Outer, values, "here", SuiteError)


def test_yaml_is_read_plainly() -> None:
    assert read_yaml("a: 1e-3\nb: no\nc: [1, x]", "here", DataFileError) == {"a": 1e-3, "b": "no", "c": [1, "x"]}
    for text in ("a: 1\na: 2", "a: [", "!!python/object/apply:os.getcwd []"):
        with pytest.raises(DataFileError, match="here: not valid YAML"):
            read_yaml(text, "here", DataFileError)
