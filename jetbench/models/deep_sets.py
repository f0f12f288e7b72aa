"""Deep sets: a network of each constituent, a sum, and a network of the sum, whatever the order of the constituents."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from jetbench.models.sets import masked_sum
from jetbench.models.widths import read_widths
from jetbench.views.inputs import Inputs

__all__ = ["DeepSets"]


class DeepSets(nn.Module):
    """The tensor `constituents` (n, number, features) with its mask -> features (n, `features`): per-particle layers, sum,
    layers.

    A particle flow network (Komiske, Metodiev, Thaler, arXiv:1810.05165, section 4) with smaller layers by default. `particle`
    and `jet` are the widths of the layers, joined by "-".
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], particle: str = "64-64-128", jet: str = "64-64") -> None:
        super().__init__()
        per_particle, per_jet = read_widths("particle of deep-sets", particle), read_widths("jet of deep-sets", jet)
        self.particle = _layers(shapes["constituents"][1], per_particle)
        self.jet = _layers(per_particle[-1], per_jet)
        self.local_features, self.features = per_particle[-1], per_jet[-1]

    def forward(self, inputs: Inputs) -> Tensor:
        return self.jet(masked_sum(*self.local(inputs)))

    def local(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Compute the features of each constituent (n, number, `local_features`), with their mask."""
        assert inputs.mask is not None
        return self.particle(inputs["constituents"]), inputs.mask


def _layers(inputs: int, widths: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in widths:
        linear = nn.Linear(inputs, width)
        # He-uniform, as EnergyFlow begins such networks: torch's own start makes features smaller by each layer, and of the
        # hundredths by which they vary after five, a head of some hundred steps learns little, pretrained or not
        nn.init.kaiming_uniform_(linear.weight, nonlinearity="relu")
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers)
