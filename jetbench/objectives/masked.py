"""Masked deposits: from the features of what is left of a jet, what was hidden of it is predicted, place by place."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from jetbench.data.batch import Batch
from jetbench.models.network import Network
from jetbench.objectives.base import Look, Objective
from jetbench.tasks.task import Task
from jetbench.views.inputs import Inputs

__all__ = ["Masked", "hidden_loss"]


def hidden_loss(prediction: Tensor, content: Tensor) -> Tensor:
    """Return the squared error of what was hidden (k, content), mean over places and numbers, in fp32; zero where nothing was."""
    return (prediction.float() - content.float()).square().sum() / max(1, content.numel())


class Masked(Objective):
    """A share `hidden` of each jet is hidden before the encoder sees it: patches of an image, deposits of a set. A decoder with
    two hidden layers of `decoder` units, which is part of the objective, is told the features of the rest and a place, and
    predicts what is there.

    As the context encoders of images do (Pathak et al., arXiv:1604.07379, section 3), it has one vector of features for all that
    was hidden, which every encoder gives. Masked particle modelling (arXiv:2401.13537, arXiv:2409.12589) decodes from features of
    each constituent that was left, tells hidden ones apart by their order in pT, and has their direction predicted too.
    """

    def __init__(self, network: Network, task: Task, look: Look, hidden: float = 0.4, decoder: int = 128) -> None:
        super().__init__(network, task, look)
        place, content = look.view.hidden_widths
        self.hidden = hidden
        self.of_features, self.of_place = nn.Linear(network.encoder.features, decoder), nn.Linear(place, decoder, bias=False)
        self.decoder = nn.Sequential(nn.ReLU(), nn.Linear(decoder, decoder), nn.ReLU(), nn.Linear(decoder, content))

    def views(self, jets: Batch, rng: torch.Generator) -> tuple[Inputs, ...]:
        return (self.look.view.hide(self.look.augmented(jets, rng), self.hidden, rng),)

    def forward(self, network: Network, inputs: tuple[Inputs, ...]) -> dict[str, Tensor]:
        (seen,) = inputs
        hidden = seen["hidden"]
        # index_select, whose gradient is added up in one order; that of plain indexing depends on how threads meet
        features = self.of_features(network.encoder(seen)).index_select(0, hidden.nonzero()[:, 0])
        told = features + self.of_place(seen["place"][hidden])
        return {"loss": hidden_loss(self.decoder(told), seen["content"][hidden])}
