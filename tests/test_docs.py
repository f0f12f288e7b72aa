"""What the documents show works as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jetbench.data.catalog import FIXED, datasets
from jetbench.formats import formats
from jetbench.formats.cards import read_card

ROOT = Path(__file__).parents[1]
DATA = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", DATA, re.S), ids=lambda text: text.splitlines()[0])
def test_cards_are_valid(text: str, tmp_path: Path) -> None:
    card = tmp_path / "card.yaml"
    card.write_text(text, encoding="utf-8")
    read = read_card(card)
    assert len(read.class_names) == 2
    assert read.label in ("is_signal", "y")


def test_every_format_stands_in_the_table() -> None:
    rows = re.findall(r"^\| (`.*?`) \| ", DATA, re.M)
    named = {name for row in rows for name in re.findall(r"`([\w-]+)`", row)}
    assert {entry.name for entry in formats} | {entry.name for entry in datasets} == named


def test_every_option_of_a_simulation_stands_in_the_table() -> None:
    for entry in datasets:
        row = next(line for line in DATA.splitlines() if line.startswith(f"| `{entry.name}`"))
        assert set(re.findall(r"`(\w+)`", row.rsplit("|", 2)[1])) == set(entry.load().model_fields) - FIXED
