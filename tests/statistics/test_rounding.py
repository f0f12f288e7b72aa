from __future__ import annotations

import pytest

from jetbench.statistics.rounding import with_error


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.00671, 0.0268, "0.007 ± 0.027"),
        (0.0961, 0.0604, "0.096 ± 0.060"),
        (-0.0321, 0.00994, "-0.0321 ± 0.0099"),
        (12.3, 1.26, "12.3 ± 1.3"),
        (1234.0, 56.0, "1234 ± 56"),
        (0.5, 0.0, "0.5 ± 0"),
    ],
)
def test_value_and_error_have_the_digits_of_the_error(value: float, error: float, text: str) -> None:
    assert with_error(value, error) == text
