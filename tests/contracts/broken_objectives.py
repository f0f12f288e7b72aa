"""An objective that keeps its contract, and for each property one that breaks it."""

from __future__ import annotations

import copy
import itertools

import torch
from torch import Tensor, nn

from jetbench.objectives.base import Objective
from jetbench.objectives.supervised import Supervised
from jetbench.objectives.vicreg import VICReg
from jetbench.seeds import torch_rng

COUNT = itertools.count(1)


class Good(Supervised):
    """The loss of the task, and nothing to choose."""

    def __init__(self, network, task, look) -> None:
        super().__init__(network, task, look)


class Double(Good):
    def forward(self, network, inputs) -> dict[str, Tensor]:
        return {"loss": super().forward(network, inputs)["loss"].double()}


class Detached(Good):
    def forward(self, network, inputs) -> dict[str, Tensor]:
        return {"loss": self.loss(network.head(network.encoder(inputs[0]).detach()), inputs[0].target)}


class Counted(Good):
    def __init__(self, network, task, look) -> None:
        super().__init__(network, task, look)
        self.register_buffer("start", torch.tensor(float(next(COUNT))))


class Global(Good):
    def views(self, jets, rng):
        torch.rand(1)
        return super().views(jets, rng)


class Labelled(VICReg):
    """Says that it uses no labels, and does."""

    def views(self, jets, rng):
        return tuple(seen.with_target(jets.targets["label"][:, None].float()) for seen in super().views(jets, rng))


class BesideLabelled(Good):
    """Looks at the labels of the pool."""

    def __init__(self, network, task, look) -> None:
        super().__init__(network, task, look)
        self.beside = Supervised(network, task, look)

    def forward(self, network, inputs) -> dict[str, Tensor]:
        own, beside = (Supervised.forward(self, network, (seen,)) for seen in inputs)
        return {"loss": own["loss"] + beside["loss"]}


class Weightless(Good):
    """Says that it knows weights of jets, and does not."""

    def views(self, jets, rng):
        return super().views(jets.replace(weight=None), rng)


class InPlace(Good):
    def forward(self, network, inputs) -> dict[str, Tensor]:
        inputs[0].target.mul_(0.5)
        return super().forward(network, inputs)


class MovesNetwork(Good):
    @torch.no_grad()
    def after_step(self, network, progress: float) -> None:
        for parameter in network.parameters():
            parameter.mul_(0.9)


class Unregistered(Good):
    """A teacher's mean that is a plain attribute, which no checkpoint holds."""

    mean = 0.0

    def forward(self, network, inputs) -> dict[str, Tensor]:
        out = super().forward(network, inputs)
        return {"loss": out["loss"] * (1 + self.mean)}

    def after_step(self, network, progress: float) -> None:
        self.mean = self.mean + 0.1


class Coarse(Good):
    def forward(self, network, inputs) -> dict[str, Tensor]:
        loss, one = super().forward(network, inputs)["loss"], nn.functional.linear(torch.full((1, 1), 300.7), torch.ones(1, 1))
        return {"loss": loss + (one.float().squeeze() - 300.7).abs()}


class Lacking(Objective):
    """Has no `forward`."""

    def __init__(self, network, task, look) -> None:
        super().__init__(network, task, look)

    def views(self, jets, rng):
        return (self.look(jets, rng),)


class Thrice(VICReg):
    """Looks once more at its jets than it counts, to have another loss."""

    def __init__(self, network, task, look) -> None:
        super().__init__(network, task, look)

    def views(self, jets, rng):
        self.jets = jets
        return super().views(jets, rng)

    def forward(self, network, inputs) -> dict[str, Tensor]:
        third = self.look(self.jets, torch_rng("third"))
        return {"loss": super().forward(network, inputs)["loss"] + super().forward(network, (inputs[0], third))["loss"]}


class Repeats(Thrice):
    """Trains on each of its looks twice."""

    def forward(self, network, inputs) -> dict[str, Tensor]:
        return {"loss": sum(VICReg.forward(self, network, inputs)["loss"] for _ in range(2))}


class TwoEncoders(Good):
    """Trains an encoder of its own beside the network's."""

    def __init__(self, network, task, look) -> None:
        super().__init__(network, task, look)
        self.own = copy.deepcopy(network.encoder)

    def forward(self, network, inputs) -> dict[str, Tensor]:
        apart = (self.own(inputs[0]) - network.encoder(inputs[0])).square().mean()
        return {"loss": super().forward(network, inputs)["loss"] + apart}


class Keeps(Good):
    """Trains on the jets of the step before once more."""

    def __init__(self, network, task, look) -> None:
        super().__init__(network, task, look)
        self.before = None

    def forward(self, network, inputs) -> dict[str, Tensor]:
        out, before, self.before = super().forward(network, inputs), self.before, inputs
        return out if before is None else {"loss": out["loss"] + super().forward(network, before)["loss"]}
