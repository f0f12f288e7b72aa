"""The overview of a comparison: made only where something that it shows has changed."""

from __future__ import annotations

from jetbench.report.fingerprint import fingerprint
from jetbench.report.results import Results
from jetbench.report.review.cards import arm_cards, gain_key
from jetbench.report.review.description import describe
from jetbench.report.review.runs import finals_view
from jetbench.report.review.view import view
from jetbench.report.stamp import inputs, maker
from jetbench.tracking.arm_card import Overview

__all__ = ["overview", "overview_digest"]


def overview(results: Results) -> Overview:
    """Make the cards of all arms, the description and the views."""
    cards = arm_cards(results)
    return Overview(cards, describe(results), view(results, cards), finals_view(results.metric), gain_key(results))


def overview_digest(results: Results) -> str:
    """Return a digest of all that decides an overview: the results, and the code that shows them."""
    return fingerprint((inputs(results), maker()))
