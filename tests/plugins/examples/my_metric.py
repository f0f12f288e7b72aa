"""The best significance improvement, the efficiency of tops over the root of that of QCD, with ten QCD jets at least."""

import numpy as np

from jetbench.evaluation.metrics import MetricEntry


def improvement(truth, scores):
    falling = truth[np.argsort(-scores, kind="stable")]
    signal, background = np.cumsum(falling == 1), np.cumsum(falling == 0)
    enough = background >= 10
    efficiencies = signal[enough] / signal[-1], background[enough] / background[-1]
    return np.max(efficiencies[0] / np.sqrt(efficiencies[1]))


JETBENCH = [
    MetricEntry(
        "significance-improvement",
        f"{__name__}:improvement",
        "the largest improvement of the significance by a cut on the score",
        heading="SI",
        low=0.0,
        digits=2,
        tasks=("classification",),
    )
]
