"""How many labels the baseline needs to match an arm, from the scores of finished runs."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from jetbench.report import matching
from jetbench.report.export import comparisons_json
from jetbench.report.matching import match, match_text
from jetbench.report.results import Results
from jetbench.report.sentences import answer
from jetbench.statistics.matching import Match, matching_labels
from jetbench.suites.plan import CellKey

Planted = Callable[..., Results]
HOLDS = "95 % interval, paired by seeds and test jets"
NO_GAIN = ", which includes no gain"
PLACES = (("scratch", 50), ("scratch", 200), ("simclr", 50))


def placements(results: Results, arm: str, labels: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean wins of each signal jet and of each background jet, averaged over the seeds."""
    wins = []
    for seed in results.seeds(arm, labels):
        _, truth, scores = results.scores(CellKey(arm, labels, seed))
        signal, background = scores[truth == 1][:, None], scores[truth == 0][None]
        wins.append((signal > background) + 0.5 * (signal == background))
    mean = np.mean(wins, axis=0)
    return mean.mean(axis=1), mean.mean(axis=0)


def test_the_curve_is_the_baselines_and_the_target_the_arms(planted: Planted) -> None:
    """With the covariance of all means over the test sample, from placements counted pair by pair."""
    results = planted(at={("scratch", 50): 0.85, ("simclr", 50): 0.88, ("scratch", 200): 0.91})
    parts = [placements(results, *place) for place in PLACES]
    covariance = sum(np.cov([part[side] for part in parts]) / len(parts[0][side]) for side in (0, 1))
    curve = {labels: results.headlines("scratch", labels) for labels in (50, 200)}
    shared = [50 / 800, 200 / 800, 50 / 800]
    expected = matching_labels(curve, results.headlines("simclr", 50), test_covariance=covariance, shared=shared)
    found = match(results, "simclr", 50)
    assert found is not None
    assert found.labels == expected.labels
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=0.01)
    assert 50 < (found.labels or 0) < 200
    said = f"To match simclr at 50 labels, scratch needs {round(found.labels or 0, -1):.0f} labels ({HOLDS}: "
    assert said in answer(results)
    (written,) = json.loads(comparisons_json(results))["matching_labels"]
    assert (written["arm"], written["baseline"], written["labels"]) == ("simclr", "scratch", 50)
    assert written["result"]["labels"] == found.labels


def test_seeds_of_one_encoder_count_once(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {}

    def spy(curve: dict[int, np.ndarray], target: np.ndarray, **options: object) -> None:
        given.update(curve=curve, target=target)

    monkeypatch.setattr(matching, "matching_labels", spy)
    results = planted("pretraining_seeds=3")
    match(results, "simclr", 50)
    values = results.headlines("simclr", 50)
    assert given["target"] == pytest.approx([values[[0, 3]].mean(), values[[1, 4]].mean(), values[2]])
    for labels, found in given["curve"].items():  # the same seeds side by side, so that they stay paired
        values = results.headlines("scratch", labels)
        assert found == pytest.approx([values[[0, 3]].mean(), values[[1, 4]].mean(), values[2]])


def test_fresh_seeds_alone_are_read(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    """And of those the ones that the whole curve has finished."""
    given = {}

    def spy(curve: dict[int, np.ndarray], target: np.ndarray, **options: object) -> None:
        given.update(curve=curve, target=target)

    results = planted("seeds=8", "fresh_from=3", missing=lambda cell: cell == CellKey("scratch", 200, 5))
    assert "paired by fresh seeds and test jets" in match_text(results, "simclr", 50)
    monkeypatch.setattr(matching, "matching_labels", spy)
    match(results, "simclr", 50)
    kept = [3, 4, 6, 7]
    assert given["target"] == pytest.approx(results.headlines("simclr", 50)[kept])
    assert given["curve"][50] == pytest.approx(results.headlines("scratch", 50)[kept])
    assert given["curve"][200] == pytest.approx(results.headlines("scratch", 200)[[3, 4, 5, 6]])  # its seeds 3, 4, 6 and 7


@pytest.mark.parametrize("overrides", [("labels=[50]",), ("seeds=1",), ("pretraining_seeds=1",)])
def test_too_little_says_nothing(planted: Planted, overrides: tuple[str, ...]) -> None:
    results = planted(*overrides)
    assert match(results, "simclr", 50) is None
    assert match_text(results, "simclr", 50) == ""


FOUND = Match(labels=333.3, low=147.0, high=1234.0, smallest=50, largest=2000, below=0.0, beyond=0.0)


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (FOUND, f"scratch needs 330 labels ({HOLDS}: from 150 to 1200)."),
        (FOUND.replace(labels=52.4, low=50.0), f"scratch needs 52 labels ({HOLDS}: from 50 or fewer to 1200{NO_GAIN})."),
        (FOUND.replace(high=None), f"scratch needs 330 labels ({HOLDS}: from 150 to more than 2000)."),
        (FOUND.replace(labels=None, low=None, high=None), f"scratch needs more than 2000 labels ({HOLDS}: more than 2000)."),
        (FOUND.replace(labels=50.0, low=50.0, high=50.0), f"scratch needs 50 or fewer labels ({HOLDS}: 50 or fewer{NO_GAIN})."),
    ],
)
def test_words_of_a_number_of_labels(finished: Results, monkeypatch: pytest.MonkeyPatch, found: Match, text: str) -> None:
    monkeypatch.setattr(matching, "match", lambda *given: found)
    assert match_text(finished, "simclr", 50) == f"To match simclr at 50 labels, {text}"
