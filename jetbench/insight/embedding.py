"""The features that an encoder gives jets, and two ways to look at them in a plane."""

from __future__ import annotations

import numpy as np
import torch

from jetbench.data.batch import JetTensors
from jetbench.insight.evidence import Evidence
from jetbench.jets import Jets
from jetbench.models.network import Network
from jetbench.training.device import Precision, autocast, device
from jetbench.views.view import FittedView

__all__ = ["encoded", "features_of", "principal_plane", "tsne_plane"]

BATCH = 256
PERPLEXITY = 30.0  # neighbours of a jet that t-SNE cares for, scikit-learn's default


def encoded(network: Network, view: FittedView, jets: Jets, precision: Precision) -> np.ndarray:
    """Return the features (n, f) of jets in memory, float32; the network's mode stays as it is."""
    with torch.inference_mode(), autocast(precision):
        batches = (batch for _, batch in JetTensors(jets).sweep(np.arange(len(jets)), BATCH))
        parts = [network.encoder(view(batch).to(device())).float().cpu() for batch in batches]
    return torch.cat(parts).numpy()


def features_of(one: Evidence, jets: Jets, network: Network | None = None) -> np.ndarray:
    """Return the features (n, f) that the encoder of a run, or of another network of its shapes, gives jets in memory."""
    predictor = one.predictor
    assert predictor.network is not None
    assert predictor.preprocessing is not None
    return encoded(network or predictor.network, predictor.preprocessing.fitted, jets, one.spec.precision)


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
