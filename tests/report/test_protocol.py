"""The page says how the arms were compared as the suite has it, and what they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from report.pages import page_of

from jetbench.report.results import Results

Planted = Callable[..., Results]
EMPTY = {"missing": lambda cell: True}


def text_of(results: Results) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page_of(results))).split())


@pytest.mark.parametrize(
    ("overrides", "equal"),
    [
        ((), "of a seed, the supervised recipe and its augmentation, the cap on labelled passes, the grid of learning rates."),
        (("tuning=null",), "the cap on labelled passes; no arm is tuned."),
        (
            ("varies=[model,regime,recipe]",),
            "label subset and batch order of a seed, the factors of the grid around each arm's own learning rate.",
        ),
        (
            ("varies=[model,regime,recipe.passes,recipe.weight_decay]",),
            "of a seed, the supervised recipe but for its passes and weight decay, the grid of learning rates.",
        ),
        (
            ("tuning={sampler: tpe, factors: [0.1, 1, 10], trials: 8, search: {recipe.weight_decay: null}}",),
            "passes, the ranges of a TPE search for learning rate and weight decay, and its 8 trials.",
        ),
    ],
)
def test_what_is_held_equal_is_what_the_suite_does_not_vary(overrides: tuple[str, ...], equal: str, planted: Planted) -> None:
    text = text_of(planted(*overrides, **EMPTY))
    assert equal in text[text.index("All else") :]


def test_the_page_says_what_every_arm_is(planted: Planted) -> None:
    text = text_of(
        planted(
            "few_labels=100",
            "recipes.supervised-few={base: supervised-small, learning_rate: 0.002, passes: 500}",
            "recipes.supervised.loops=3",
            "recipes.supervised.passes=null",
            "recipes.simclr.augmentation=[rotation, {drop: {rate: 0.25}}]",
            "arms.simclr.seed_offset=100",
            "arms.simclr.pool={qcd: 0.9, top: 0.1}",
            "varies=[model,regime,seed,pool]",
            **EMPTY,
        )
    )
    start, end = text.index("The arms"), text.index("A line per stage")
    listed = text[start:end]
    assert "simclr seeds from 100 resnet15 dropout=0.0, stages=16-32-64 image extent=0.8, pixels=24" in listed
    assert "pretraining unlabelled pool of 90 % qcd and 10 % top, simclr temperature=0.2 simclr-small" in listed
    steps = "augmentation rotation and drop (rate=0.25)"
    assert f"learning rate 0.001, 100 000 passes; {steps} fine-tuning label budget supervised-small" in listed
    assert "passes; batch size 128 " in listed
    assert "learning rate ~0.002, ~0.001, 480 … 500 passes" in listed
    assert "label budget, head alone" in listed
    assert "boosted-trees boosted-trees observables fit label budget trees learning rate ~0.1, one fit" in listed
