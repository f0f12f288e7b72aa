"""How much of what networks look at lies near the prongs: of an arm's seeds, each beside its untrained twin, on the same jets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jetbench.insight.evidence import Evidence
from jetbench.insight.explanations import Explainer, Explanation, untrained_twin
from jetbench.insight.inspection import EXPLAINED, MOST_SEEDS, Inspection
from jetbench.insight.prongs import NEAR, distances, hardest_subjets, mean_share, shares
from jetbench.jets import Jets
from jetbench.report.words import count, joined
from jetbench.statistics.intervals import LEVEL, Interval

__all__ = ["DISTANCES", "ProngShares", "prong_shares", "sentence"]

DISTANCES = np.linspace(0.0, 1.0, 21)  # edges of bins of the distance to the nearest subjet [rad]
BINS = len(DISTANCES) - 1


@dataclass(frozen=True, eq=False)
class ProngShares:
    """Mean shares of the attributions within 0.2 of the three hardest subjets: of the trained networks, of the same networks
    untrained, and their mean difference on the same jets; `pt` is the share that the pT itself has there. `by_seed` are the means
    of each seed, trained and untrained (seeds, 2). `profiles` are, of the run that is shown, the mean shares in each bin of the
    distance to the nearest subjet, by what they are of."""

    trained: Interval
    untrained: Interval
    difference: Interval
    pt: Interval
    jets: str
    by_seed: np.ndarray
    profiles: dict[str, np.ndarray]


def prong_shares(inspection: Inspection) -> ProngShares | None:
    """Explain the same jets by up to five seeds and their untrained twins: those of all classes but the first, or all where there
    are none. The intervals are those of jets and seeds resampled together. None where there are no maps, where jets have no pT,
    and for a network that gives all jets the same score."""
    if inspection.no_maps or not any(channel.role == "pt" for channel in inspection.meta.channels):
        return None
    groups = [k for k in inspection.groups if k > 0] or list(inspection.groups)
    jets = {k: inspection.shown.jets.take(inspection.rows(k)[: max(2, EXPLAINED // len(groups))]) for k in groups}
    found = [_pair(inspection, one, jets) for one in inspection.seeds[:MOST_SEEDS]]
    trained, untrained = ([np.concatenate([one.shares() for one in pair[i]]) for pair in found] for i in (0, 1))
    if np.isfinite([*trained, *untrained]).all(axis=0).sum() < 2:
        return None
    profiles = {"trained": _profile(found[0][0]), "untrained": _profile(found[0][1])}
    pt, of_pt = _of_pt(found[0][0])
    return ProngShares(
        mean_share(trained),
        mean_share(untrained),
        mean_share([mine - other for mine, other in zip(trained, untrained, strict=True)]),
        mean_share([pt]),
        joined([f"{count(len(some))} jets of {inspection.groups[k]}" for k, some in jets.items()]),
        np.nanmean([trained, untrained], axis=2).T,
        profiles | {"pT": of_pt},
    )


def sentence(found: ProngShares, name: str) -> str:
    """Say what the shares are, in per cent, and whether training has raised them."""
    low, high = found.difference.low or 0.0, found.difference.high or 0.0
    verdict = "more than" if low > 0 else "less than" if high < 0 else "no different from"
    seeds = len(found.by_seed)
    several, networks = ("", "the network") if seeds == 1 else (f", {seeds} seeds", "the networks")
    return (
        f"{_percent(found.trained)} of the attributions of {name} ({found.jets}{several}) lie within {NEAR:g} of the three "
        f"hardest subjets, {verdict} the {_percent(found.untrained)} of {networks} before training (difference "
        f"{_percent(found.difference, '+')}, {100 * LEVEL:g} % intervals); of the pT itself {_percent(found.pt)} lie there"
    )


def _percent(given: Interval, sign: str = "") -> str:
    low, high = 100 * (given.low or 0.0), 100 * (given.high or 0.0)
    return f"{100 * given.mean:{sign}.1f} % [{low:{sign}.1f}, {high:{sign}.1f}]".replace("-", "−")


def _pair(inspection: Inspection, one: Evidence, jets: dict[int, Jets]) -> tuple[list[Explanation], list[Explanation]]:
    """The explanations of the jets, group by group, by one seed and by its untrained twin."""
    explainer = inspection.explainer if one is inspection.shown else Explainer(one.predictor, inspection.shown.jets)
    whole = one is inspection.shown and len(jets) == 1  # those jets are explained already
    mine = [
        inspection.explanations[k] if whole else explainer.explain(some, inspection.speaks_for(k), cams=False)
        for k, some in jets.items()
    ]
    twin = explainer.with_network(untrained_twin(one))
    return mine, [twin.explain(some, inspection.speaks_for(k), cams=False) for k, some in jets.items()]


def _profile(found: list[Explanation]) -> np.ndarray:
    """The mean share of the size of maps in each bin of the distance to the nearest subjet (bins,)."""
    parts = [np.stack([shares(one.maps, _within(one.apart, i)) for i in range(BINS)], axis=1) for one in found]
    return np.nanmean(np.concatenate(parts), axis=0)


def _of_pt(found: list[Explanation]) -> tuple[np.ndarray, np.ndarray]:
    """The share of each jet's pT near its subjets (n,), and the mean share in each bin of the distance (bins,)."""
    near, binned = [], []
    for one in found:
        batch, subjets = one.batch, hardest_subjets(one.batch)
        owner, pt = batch.jet.numpy(), batch.pt().double().numpy()
        apart = distances(subjets[owner], batch.eta.numpy(), batch.phi.numpy())
        total = np.maximum(np.bincount(owner, pt, batch.size), 1e-12)
        near.append(np.bincount(owner, pt * (apart < NEAR), batch.size) / total)
        binned.append(np.stack([np.bincount(owner, pt * _within(apart, i), batch.size) / total for i in range(BINS)], axis=1))
    return np.concatenate(near), np.concatenate(binned).mean(axis=0)


def _within(apart: np.ndarray, i: int) -> np.ndarray:
    return (apart >= DISTANCES[i]) & (apart < DISTANCES[i + 1])
