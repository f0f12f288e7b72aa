"""The features that an encoder gives jets, and two ways to look at them in a plane."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from jetbench.data.batch import JetTensors
from jetbench.jets import Jets
from jetbench.models.network import Network
from jetbench.training.device import Precision, autocast, device
from jetbench.views.inputs import Inputs
from jetbench.views.view import FittedView

__all__ = ["encoded", "principal_plane", "shown_batches", "tsne_plane"]

BATCH = 256
PERPLEXITY = 30.0  # neighbours of a jet that t-SNE cares for, scikit-learn's default


def shown_batches(view: FittedView, jets: Jets) -> Iterator[Inputs]:
    """Yield what a network sees of jets in memory, batch by batch in their order."""
    for _, batch in JetTensors(jets).sweep(np.arange(len(jets)), BATCH):
        yield view(batch).to(device())


def encoded(network: Network, view: FittedView, jets: Jets, precision: Precision) -> np.ndarray:
    """Return the features (n, f) of jets in memory, float32; the network's mode stays as it is."""
    with torch.inference_mode(), autocast(precision):
        parts = [network.encoder(inputs).float().cpu() for inputs in shown_batches(view, jets)]
    return torch.cat(parts).numpy()


def principal_plane(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the two principal components of features (n, f) as (n, 2), and the shares of the variance that they have (2,)."""
    from sklearn.decomposition import PCA

    found = PCA(2, random_state=0)
    return found.fit_transform(_standardised(features)), found.explained_variance_ratio_


def tsne_plane(features: np.ndarray) -> np.ndarray:
    """Return a plane (n, 2) in which jets with like features (n, f) are neighbours (van der Maaten and Hinton, JMLR 9 (2008)
    2579); distances between groups of jets mean little there."""
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(features) - 1) / 3)
    plane: np.ndarray = TSNE(2, perplexity=perplexity, init="pca", random_state=0).fit_transform(_standardised(features))
    return plane


def _standardised(features: np.ndarray) -> np.ndarray:
    spread = features.std(axis=0)
    return (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
