"""`jetbench model export`: file and card, or one error and neither."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from jetbench.cli import main

Make = Callable[..., Any]


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_a_run_is_exported_with_its_card(toys_of: Make, tmp_path: Path) -> None:
    toys = toys_of()
    for seed in (0, 1):
        toys.run("sets", seed=seed)
    path = tmp_path / "tagger.pt2"
    done = call("model", "export", "sets/n60/s0", "--format", "pt2", "-o", path, "--store", toys.store)
    assert done.exit_code == 0, done.output
    assert "inputs constituents, mask; checked on 240 jets, largest difference" in done.output
    card = (tmp_path / "tagger.md").read_text()
    for part in (
        "# sets/n60/s0\n",
        "the probability of 'top' against 'qcd'",
        "`constituents` (n, 80, 8) float32",
        "`jets`, 240 jets, digest",
        "- source: toy",
        "1. `supervised` on 60 labels, a fifth of them to validate on: recipe `supervised-small`",
        "learning_rate 0.01",
        "| metric | this run | mean of 2 seeds |",
        "| auc | ",
        "largest difference to the network is",
    ):
        assert part in card, part
    again = call("model", "export", "sets/n60/s0", "--format", "pt2", "-o", path, "--store", toys.store)
    assert again.exit_code == 1
    assert "is there already; name another output, or remove it" in again.output


@pytest.mark.parametrize(
    ("run", "more", "message"),
    [
        ("sets/n60", (), "'sets/n60' has 2 networks; name one of them: sets/n60/s0, sets/n60/s1"),
        ("boosted-trees/n60/s0", (), "is fitted to a table of observables"),
        ("sets/n60/s0", ("--check", "nothing.h5"), "nothing.h5: there is no such file"),
        ("nothing", (), "has the name or key 'nothing'"),
    ],
)
def test_nothing_is_left_by_an_error(toys_of: Make, tmp_path: Path, run: str, more: tuple[str, ...], message: str) -> None:
    toys = toys_of()
    toys.run("boosted-trees")
    for seed in (0, 1):
        toys.run("sets", seed=seed)
    done = call("model", "export", run, "--format", "pt2", "-o", tmp_path / "x.pt2", "--store", toys.store, *more)
    assert done.exit_code == 1
    assert message in done.output
    assert not list(tmp_path.iterdir())
