"""Attributions of some jets by one network, laid out in the plane of the jet."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from jetbench.data.batch import Batch
from jetbench.inference import Predictor
from jetbench.insight.activations import activations, find_layer, stages_of
from jetbench.insight.attributions import Score, grad_cam, integrated_gradients
from jetbench.insight.evidence import Evidence
from jetbench.insight.frames import Places, as_seen, places_of
from jetbench.insight.prongs import NEAR, distances, hardest_subjets, shares
from jetbench.jets import Jets, Meta
from jetbench.models.network import Network, network_for
from jetbench.tasks.regression import Regression
from jetbench.views.constituents import ConstituentsView
from jetbench.views.image import ImageView
from jetbench.views.inputs import Inputs

__all__ = ["Explainer", "Explanation", "untrained_twin"]

LEAST_PIXELS = 4  # of a side of the layer that Grad-CAM looks at


@dataclass(frozen=True, eq=False)
class Explanation:
    """n jets: `maps` of integrated gradients, summed over channels or features, (n, rows, columns) of images or (n, number) of
    sets, in units of the score; `cams` of Grad-CAM (n, rows, columns), None of sets; where they stand; the scores of the jets and
    those of the reference, from which maps count, each (n,); and how far the maps are from adding up to the difference of the
    two, as a share of its mean size."""

    batch: Batch
    maps: np.ndarray
    cams: np.ndarray | None
    places: Places
    scores: np.ndarray
    starts: np.ndarray
    gap: float

    @cached_property
    def apart(self) -> np.ndarray:
        """How far what each map is of stands from the nearest of the hardest subjets of its jet [rad], of its shape; infinite
        where a set is padded."""
        found = distances(hardest_subjets(self.batch), self.places.eta, self.places.phi)
        return found if self.places.there is None else np.where(self.places.there, found, np.inf)

    def shares(self) -> np.ndarray:
        """Return the share of each map's size that lies near the hardest subjets of its jet (n,)."""
        return shares(self.maps, self.apart < NEAR)


class Explainer:
    """Explains scores of the network of a predictor. Images are compared with the mean of what the
    network sees of the `reference` jets, sets with deposits of the average of the pool: an empty image is like no jet, and where
    a network normalises what it sees the whole way to it but its end leaves the score as it is."""

    def __init__(self, predictor: Predictor, reference: Jets) -> None:
        assert predictor.preprocessing is not None
        view = predictor.preprocessing.fitted
        assert isinstance(view, ImageView | ConstituentsView)
        self.predictor, self.view, self.network = predictor, view, predictor.network
        (self.name,) = view.shapes
        tensor, _ = self._seen(reference)
        self.baseline = tensor.mean(dim=0, keepdim=True) if isinstance(view, ImageView) else torch.zeros_like(tensor[:1])

    def explain(self, jets: Jets, number: int, cams: bool = True) -> Explanation:
        """Explain the scores of jets in memory, which speak for the class `number`."""
        tensor, mask = self._seen(jets)
        score = self._score(number)
        maps, gap = integrated_gradients(score, tensor, mask, self.baseline)
        image = isinstance(self.view, ImageView)
        batch = self.batch(jets)
        with torch.no_grad():
            own, start = (score(one, mask).float().cpu() for one in (tensor, self.baseline.expand_as(tensor)))
        return Explanation(
            batch,
            maps.sum(dim=1 if image else 2).float().cpu().numpy(),
            self._cams(score, tensor) if image and cams else None,
            places_of(self.view, batch),
            own.numpy(),
            start.numpy(),
            float(gap.abs().mean().cpu() / (own - start).abs().mean().clamp(min=torch.finfo(own.dtype).tiny)),
        )

    def with_network(self, network: Network) -> Explainer:
        """Return the same with another network of the same shapes."""
        other = copy(self)
        other.network = network
        return other

    def batch(self, jets: Jets) -> Batch:
        """Return jets in memory in the orientation that the network sees them in."""
        return as_seen(self.view, jets)

    def inputs(self, jets: Jets) -> Inputs:
        """Return what the network sees of jets in memory."""
        tensor, mask = self._seen(jets)
        return Inputs({self.name: tensor}, mask)

    def _seen(self, jets: Jets) -> tuple[Tensor, Tensor | None]:
        tensor, *mask = self.predictor.inputs(jets)
        return tensor, mask[0] if mask else None

    def _score(self, number: int) -> Score:
        task = self.predictor.task
        assert self.network is not None
        return Score(self.network, self.name, number, task.spread if isinstance(task, Regression) else None)

    @cached_property
    def cam_layer(self) -> str:
        """The layer of an image's encoder that Grad-CAM looks at: the last stage with a map of four pixels a side, below which
        nothing has a place; the first where none has."""
        assert self.network is not None
        stages = stages_of(self.network.encoder)
        found = activations(self.network.encoder, Inputs({self.name: self.baseline}), stages)
        fine = [name for name in stages if found[name].ndim == 4 and min(found[name].shape[2:]) >= LEAST_PIXELS]
        return fine[-1] if fine else stages[0]

    def _cams(self, score: Score, tensor: Tensor) -> np.ndarray:
        return grad_cam(score, find_layer(score.network.encoder, self.cam_layer), tensor).cpu().numpy()


def untrained_twin(one: Evidence) -> Network:
    """Return the network of a run as it was before its first training, in evaluation mode: the weights of the encoder are drawn
    by the seed of the run that its chain begins with, which seeds may share, those of the head by its own."""
    predictor, known = one.predictor, one.predictor.preprocessing
    assert predictor.network is not None
    assert known is not None
    outputs = predictor.task.outputs(Meta(channels=known.channels, class_names=known.class_names))
    network, first = (network_for(one.spec.model, known.fitted, outputs, seed) for seed in (one.spec.seed, one.run.specs[0].seed))
    network.encoder = first.encoder
    return network.to(next(predictor.network.parameters()).device).eval()
