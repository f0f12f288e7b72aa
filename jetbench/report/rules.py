"""How the verdicts of a table are given, for whoever reads it: a line for each rule."""

from __future__ import annotations

from collections.abc import Iterator

from jetbench.report.results import Results
from jetbench.report.rows import baseline_text, compared_lines
from jetbench.statistics.comparison import PERMUTATION_FROM, Verdict
from jetbench.statistics.intervals import LEVEL, alpha_of
from jetbench.statistics.power import POWER
from jetbench.statistics.resolution import LEAST_SEEDS

__all__ = ["verdict_rules"]

NEEDS = (
    f"needs: fresh seeds for {100 * POWER:g} % power at the spread and difference seen here, in brackets for true differences "
    "within one error of it (raise `seeds` by them, and let `fresh_from` name the first of them); pool jets or test jets where "
    "no number of seeds has it and their error is the larger one (raise `dataset.jets` or `test_jets`); too small to be told: no "
    "number of seeds has it at these jets, though the seeds' error is the larger one"
)


def verdict_rules(results: Results) -> list[str]:
    """List what decides, what it is corrected for, who is compared with whom, and what an undecided comparison needs; nothing
    where nothing is compared."""
    return list(_rules(results)) if results.comparisons else []


def _rules(results: Results) -> Iterator[str]:
    yield _deciding(results.task.margin_text(baseline_text(results)))
    yield _corrected(results)
    yield from compared_lines(results)
    if any(found.verdict is Verdict.UNDECIDED for found in results.comparisons.values()):
        yield NEEDS
    if results.fresh_from:
        yield (
            f"verdicts, differences and errors rest on the fresh seeds, those from {results.fresh_from} on; all: the interval of "
            "the difference over all seeds, those looked at before among them, which decides nothing"
        )


def _deciding(margin: str) -> str:
    return (
        f"better or worse: the t test paired over seeds, with both errors, has p ≤ {100 * alpha_of(LEVEL):g} % after Holm's "
        f"correction (from {PERMUTATION_FROM} seeds on the sign-flip test too); equivalent: two one-sided tests place the "
        f"difference within {margin}; undecided: neither, or fewer than {LEAST_SEEDS} seeds or encoders"
    )


def _corrected(results: Results) -> str:
    """The families of Holm's correction with their sizes."""
    floors = {(floor, labels) for _, floor, labels in results.clearings}
    others = [place for place in results.comparisons if place not in floors and place not in results.primaries]
    sizes = ((len(results.primaries), "primary, marked *"), (len(others), "others"), (len(results.clearings), "with floors"))
    families = ", ".join(f"{size} {name}" for size, name in sizes if size)
    return (
        f"Holm's correction is for the number of comparisons of a kind ({families}); intervals are not corrected, so that one "
        "which leaves out 0 may be undecided"
    )
