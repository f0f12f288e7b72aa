"""The encoders behind the finished cells, by the kind of their pretraining."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jetbench.report.content import Cell
from jetbench.report.results import Results
from jetbench.suites.plan import CellKey

__all__ = ["FEATURES", "Pretrained", "feature_cells", "features_of", "noted_by", "of_encoders", "pretrained"]

# what a pretraining notes of its encoder's features after each epoch, and what heads its column
FEATURES = {
    "features/standard_deviation": "standard deviation",
    "features/effective_rank": "effective rank",
    "features/alignment": "alignment",
    "features/uniformity": "uniformity",
}


@dataclass(frozen=True)
class Pretrained:
    """The runs of one kind of pretraining by their keys, each with the arms that start from it."""

    name: str
    runs: dict[str, list[str]]

    def arms(self, keys: list[str]) -> list[str]:
        """List the arms that start from these runs."""
        return list(dict.fromkeys(arm for key in keys for arm in self.runs[key]))


def pretrained(results: Results) -> list[Pretrained]:
    """List the kinds of pretraining behind finished honest cells, probes on a label budget left out; kinds of one name are told
    apart by their first arm."""
    arms: dict[str, dict[str, None]] = {}
    for cell in (cell for cell in results.cells if cell.arm not in results.plan.faulty):
        for key in results.chain(cell)[1:]:
            if not results.runs[key].spec.on_budget:
                arms.setdefault(key, {})[cell.arm] = None
    kinds: dict[tuple[str, str], dict[str, list[str]]] = {}
    for key, those in arms.items():
        run = results.runs[key]
        kinds.setdefault((run.name.rsplit("/", 1)[0], run.arm), {})[key] = list(those)
    names = [name for name, _ in kinds]
    return [Pretrained(n if names.count(n) == 1 else f"{arm}: {n}", runs) for (n, arm), runs in kinds.items()]


def features_of(results: Results, key: str) -> list[dict[str, float]]:
    """Return what a run has noted of its encoder's features under `features/`, epoch by epoch; empty where it has not looked."""
    noted = [{name: value for name, value in one.metrics.items() if name.startswith("features/")} for one in results.journal(key)]
    return [one for one in noted if one]


def feature_cells(courses: Sequence[Sequence[Mapping[str, float]]]) -> list[Cell]:
    """Return a cell for each of `FEATURES`: its mean over encoders after the last epoch, and below it that after the first;
    `courses` hold what each encoder has noted, epoch by epoch."""
    return [_feature(name, [course for course in courses if course]) for name in FEATURES]


def _feature(name: str, courses: Sequence[Sequence[Mapping[str, float]]]) -> Cell:
    ends = [[course[place][name] for course in courses if name in course[place]] for place in (-1, 0)]
    if not all(ends):
        return Cell("–")
    last, first = (f"{np.mean(values):.3g}".replace("-", "−") for values in ends)
    return Cell(last, f"first {first}")


def noted_by(results: Results, key: str) -> dict[str, float]:
    """Return what a finished pretraining has noted of its encoder: how far it has moved from its random weights, and what its
    features are like after the last epoch. Empty for any other run."""
    if results.runs[key].spec.on_budget:
        return {}
    moved = results.metrics(key).get("trained/encoder_change")
    features = (features_of(results, key) or [{}])[-1]
    return features if moved is None else {"encoder_change": moved, **features}


def of_encoders(results: Results, arm: str, labels: int, name: str) -> np.ndarray:
    """Return one value of `noted_by` for each pretrained encoder behind the finished seeds of an arm that has it (n,)."""
    first = dict.fromkeys(results.chain(CellKey(arm, labels, seed))[-1] for seed in results.seeds(arm, labels))
    return np.array([noted[name] for noted in (noted_by(results, key) for key in first) if name in noted])
