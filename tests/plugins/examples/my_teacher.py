"""The features of a view follow, through a predictor, those that a slow copy of the encoder gives to another view."""

import torch
import torch.nn.functional as F
from torch import nn

from jetbench.objectives import ObjectiveEntry
from jetbench.objectives.base import TwoViews
from jetbench.objectives.teacher import follow, teacher_of
from jetbench.spaces import Allowed


class Following(TwoViews):
    def __init__(self, network, task, look, momentum=0.99):
        super().__init__(network, task, look)
        width, self.momentum = network.encoder.features, momentum
        self.predictor = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))
        self.teacher = teacher_of(network.encoder)  # a submodule, so that checkpoints hold it, without a gradient

    def forward(self, network, inputs):
        with torch.no_grad():
            told = [self.teacher(seen).float() for seen in reversed(inputs)]
        found = [self.predictor(features).float() for features in self.features(network, inputs)]
        return {"loss": sum(1 - F.cosine_similarity(one, other, dim=1).mean() for one, other in zip(found, told, strict=True))}

    def after_step(self, network, progress):
        follow(self.teacher, network.encoder, self.momentum)


TRAITS = {"labelled": False, "trains_head": False, "views": 2, "defaults": (("momentum", 0.99),)}
ALLOWED = (("momentum", Allowed(least=0, below=1)),)
JETBENCH = [ObjectiveEntry("following", f"{__name__}:Following", "features follow a slow teacher's", allowed=ALLOWED, **TRAITS)]
