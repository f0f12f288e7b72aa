"""An encoder of sets: what a small network makes of each constituent, averaged over those that there are."""

from torch import nn, where

from jetbench.models import HEAD, HEAD_ALLOWED, ModelEntry
from jetbench.spaces import Allowed


class MeanOfConstituents(nn.Module):
    def __init__(self, shapes, width=32):
        super().__init__()
        inputs = shapes["constituents"][-1]  # features of a constituent
        self.each = nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.features = width

    def forward(self, inputs):
        found = where(inputs.mask[..., None], self.each(inputs["constituents"]), 0.0)  # (n, number, width), padding left out
        return found.sum(1) / inputs.mask.sum(1, keepdim=True).clamp(min=1)


TRAITS = {"view": "constituents", "defaults": (("width", 32), *HEAD)}
ALLOWED = (("width", Allowed(least=1)), *HEAD_ALLOWED)
JETBENCH = [ModelEntry("mean-set", f"{__name__}:MeanOfConstituents", "the mean over constituents", allowed=ALLOWED, **TRAITS)]
