"""How far ensembles of arms come, from the scores that a finished suite has stored: nothing is trained.

    python -m benchmarks.physics.ensembles mlruns --suite ssl-vs-scratch --against boosted-trees

Runs of one seed have the same labels whatever their arm, so that the mean of their logits is a tagger of that label budget. Seeds
are never averaged with each other: they have labels of their own, and together more than the budget. Every set of at most
`--most` arms (controls and floors left out) that are finished at a budget is ranked by its mean AUC: of sets without the arm
`--against`, of sets with it, and of single arms, the first are compared with it, seed by seed, with the interval of the suite's
own comparisons. The best of many sets is chosen on the test jets: its lead is an upper bound, which fresh jets would lower.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from jetbench.api import latest_session
from jetbench.evaluation.likelihood import mean_probabilities
from jetbench.report.pairing import Scores, paired
from jetbench.report.results import Results
from jetbench.statistics.delong import auc
from jetbench.suites.plan import CellKey
from jetbench.suites.roles import Role

Ensemble = tuple[float, tuple[str, ...], list[Scores]]  # mean AUC over seeds, arms, scores at each seed

SHOWN = 2  # sets of a kind


def together(members: Sequence[Scores]) -> Scores:
    """Return the scores of an ensemble: the probability of its members' mean logit, of two classes."""
    rows, truth, _ = members[0]
    return rows, truth, mean_probabilities([scores for _, _, scores in members])


def arms_at(results: Results, labels: int) -> list[str]:
    """List the arms that may join an ensemble at a budget: baselines, rivals and trees, where all seeds are finished."""
    roles, seeds = results.plan.roles, results.plan.instance.settings.seeds
    able = [arm for arm in results.plan.arms if roles[arm] not in (Role.CONTROL, Role.FLOOR)]
    return [arm for arm in able if len(results.seeds(arm, labels)) == seeds]


def ensembles(results: Results, labels: int, most: int) -> Iterator[Ensemble]:
    """Yield every set of at most `most` arms with its mean AUC over seeds, and its scores at each seed."""
    arms = arms_at(results, labels)
    cells = {arm: [results.scores(CellKey(arm, labels, seed)) for seed in results.seeds(arm, labels)] for arm in arms}
    for members in (chosen for size in range(1, most + 1) for chosen in combinations(arms, size)):
        joined = [together(runs) for runs in zip(*(cells[arm] for arm in members), strict=True)]
        yield float(np.mean([auc(truth, scores) for _, truth, scores in joined])), members, joined


def shown(ranked: Sequence[Ensemble], against: str) -> list[Ensemble]:
    """Choose the first sets of each kind: without the arm `against`, with it, and single arms."""
    several = [one for one in ranked if len(one[1]) > 1]
    kinds = (
        [one for one in several if against not in one[1]],
        [one for one in several if against in one[1]],
        [one for one in ranked if len(one[1]) == 1 and one[1] != (against,)],
    )
    return [one for kind in kinds for one in kind[:SHOWN]]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("store")
    parser.add_argument("--suite", default="ssl-vs-scratch")
    parser.add_argument("--scale")
    parser.add_argument("--against", default="boosted-trees")
    parser.add_argument("--most", type=int, default=3)
    given = parser.parse_args()
    results = latest_session(given.suite, scale=given.scale, store=given.store).results()
    print(f"{'labels':>7} {'AUC':>6}  minus {given.against}, interval")
    for labels in results.plan.instance.settings.labels:
        ranked = sorted(ensembles(results, labels, given.most), key=lambda one: -one[0])
        against = [results.scores(CellKey(given.against, labels, seed)) for seed in results.seeds(given.against, labels)]
        for value, members, joined in shown(ranked, given.against):
            found = paired(results.task, joined, against, None, results.shared(labels))
            print(
                f"{labels:>7} {value:.4f}  {found.difference:+.4f} [{found.low:+.4f}, {found.high:+.4f}]  {' + '.join(members)}"
            )


if __name__ == "__main__":
    main()
