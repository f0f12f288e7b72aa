"""Diagnostics of collapse: do the features of an encoder still tell jets apart, and in how many directions?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from jetbench.data.batch import JetTensors
from jetbench.errors import DivergenceError
from jetbench.models.network import Network
from jetbench.objectives.base import Look
from jetbench.seeds import torch_rng
from jetbench.training.device import Precision, autocast

__all__ = ["alignment", "diagnoser", "effective_rank", "standard_deviation", "uniformity"]

JETS = 128  # that are looked at: each is two passes beside the thousands of an epoch


def standard_deviation(features: Tensor) -> float:
    """Return the standard deviation of each dimension of the features (n, d) after each row was given the norm one, mean over the
    dimensions, times √d: one where they point in all directions alike, zero where all are the same (Chen & He, SimSiam,
    arXiv:2011.10566, section 4.1)."""
    return float(F.normalize(features, dim=1).std(dim=0).mean()) * features.shape[1] ** 0.5


def effective_rank(features: Tensor) -> float:
    """Return the exponential of the entropy of the singular values of the features (n, d), as shares of their sum: one where all
    features are multiples of one another, at the most the smaller of n and d (Roy & Vetterli, EUSIPCO 2007; RankMe, Garrido et
    al., arXiv:2210.02885). Zero where all features are."""
    values = torch.linalg.svdvals(features)
    shares = values[values > 0] / values.sum()
    return float((-shares * shares.log()).sum().exp()) if len(shares) else 0.0


def alignment(first: Tensor, second: Tensor) -> float:
    """Return the squared distance between the features (n, d) of two views of a jet, of norm one, mean over the jets (Wang &
    Isola, arXiv:2005.10242, section 4.1)."""
    return float((F.normalize(first, dim=1) - F.normalize(second, dim=1)).square().sum(dim=1).mean())


def uniformity(features: Tensor) -> float:
    """Return the logarithm of the mean Gaussian potential exp(-2·distance²) between features (n, d) of different jets, with the
    norm one: zero where all are the same, and the lower, the more evenly they cover the sphere (the same, section 4.1)."""
    return float(torch.pdist(F.normalize(features, dim=1)).square().mul(-2).exp().mean().log())


def diagnoser(
    network: Network, look: Look, jets: JetTensors, rows: np.ndarray, precision: Precision
) -> Callable[[], dict[str, float]]:
    """Return a function that says what the encoder's features are like in two augmented views of jets spread evenly over the rows
    (n,) of a pool: the same views of the same jets whenever it is called, and whatever the seed."""
    chosen = torch.from_numpy(rows[:: max(1, len(rows) // JETS)][:JETS])
    batch, rng = jets.batch(chosen), torch_rng("features")
    views = look(batch, rng), look(batch, rng)

    def diagnose() -> dict[str, float]:
        training, home = network.encoder.training, next(network.parameters()).device
        network.encoder.eval()
        with torch.inference_mode(), autocast(precision):
            first, second = (network.encoder(view.to(home)).float().cpu() for view in views)
        network.encoder.train(training)
        _refuse_divergence(first, second)
        return {
            "standard_deviation": standard_deviation(first),
            "effective_rank": effective_rank(first),
            "alignment": alignment(first, second),
            "uniformity": uniformity(first),
        }

    return diagnose


def _refuse_divergence(*views: Tensor) -> None:
    wrong = sum(int((~view.isfinite()).any(dim=1).sum()) for view in views)
    if wrong:
        raise DivergenceError(f"those of {wrong} of {sum(map(len, views))} views are not finite")
