"""What it does to a comparison that the label budgets come from one finite pool."""

from __future__ import annotations

from jetbench.report.results import Results
from jetbench.report.words import count
from jetbench.statistics.resolution import widening

__all__ = ["shared_labels"]

FIFTH = 0.2  # share of the pool in a budget at which five seeds may err by 1.5 times of what they show, and ten by 1.9 times


def shared_labels(results: Results) -> list[str]:
    """Say at which budgets seeds share so many labels that their number hardly helps."""
    settings = results.plan.instance.settings
    return [_sentence(labels, shared, settings.seeds) for labels in settings.labels if (shared := results.shared(labels)) > FIFTH]


def _sentence(labels: int, shared: float, seeds: int) -> str:
    return (
        f"Two seeds share {100 * shared:.0f} % of their {count(labels)} labels, since the pool is finite. For what they hide by "
        f"it, errors between seeds are {widening(seeds, shared):.1f} times what {count(seeds, 'seed')} show; more seeds do not "
        "reduce that part, a larger dataset does."
    )
