from __future__ import annotations

import click
import pytest

from jetbench.cli.duration import Duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("20m", 1200), ("20 min", 1200), ("1h30m", 5400), ("1h 30m 5s", 5405), ("0.5h", 1800), ("2H", 7200)],
)
def test_durations(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "20", "soon", "20m soon", "0s", "-5m", "m"])
def test_no_durations(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no duration; write it as in 90s, 20m or 1h30m"):
        Duration().convert(text, None, None)
