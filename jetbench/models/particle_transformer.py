"""A transformer of constituents: each attends to all others of its jet, and their sum is what the jet is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from jetbench.errors import SuiteError
from jetbench.models.pairs import PairBias
from jetbench.models.sets import Attention, PhysicalEncoder, masked_sum
from jetbench.views.constituents import LOG_PT
from jetbench.views.inputs import Inputs

__all__ = ["ParticleTransformer"]


class Layer(nn.Module):
    """Attention and a network of each constituent (n, number, width), each with a shortcut and normalised after it (Vaswani et
    al., arXiv:1706.03762); `seen` (n, 1 or heads, number, number) is what each may look at, or what is added to its attention."""

    def __init__(self, width: int, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.project, self.attention, self.out = nn.Linear(width, 3 * width), Attention(dropout), nn.Linear(width, width)
        self.norm1, self.norm2, self.dropout = nn.LayerNorm(width), nn.LayerNorm(width), nn.Dropout(dropout)
        self.each = nn.Sequential(
            nn.Linear(width, feedforward), nn.ReLU(), nn.Dropout(dropout), nn.Linear(feedforward, width), nn.Dropout(dropout)
        )
        nn.init.xavier_uniform_(self.project.weight)  # as torch's own layer begins
        nn.init.zeros_(self.project.bias)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        x = self.norm1(x + self.dropout(self._attended(x, seen)))
        normed: Tensor = self.norm2(x + self.each(x))
        return normed

    def _attended(self, x: Tensor, seen: Tensor) -> Tensor:
        n, number, _ = x.shape
        queries, keys, values = self.project(x).view(n, number, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        seen = seen if seen.dtype == torch.bool else seen.to(queries.dtype)
        heads = self.attention(queries, keys, values, seen).unbind(1)
        out: Tensor = self.out(torch.cat(heads, dim=-1))  # a view of them would be one of other strides in an exported graph
        return out


class ParticleTransformer(PhysicalEncoder):
    """The tensor `constituents` (n, number, features) with its mask -> features (n, `width`): a linear map, transformer layers
    `layer1`, `layer2`, …, the sum over the constituents.

    The encoder of JetCLR (Dillon et al., arXiv:2108.04253), which has a width of 1000, four layers and a feedforward of 1000; the
    defaults are small ones. It sums its constituents, without a class token; that the sum is divided by a constant is ours. The
    two layers that follow there are the head of the contrastive loss, which here belongs to the objective. With `pairwise` the
    pairwise features of the Particle Transformer (Qu, Li, Qian, arXiv:2202.03772) are added to the attention.
    """

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, ...]],
        width: int = 64,
        heads: int = 4,
        layers: int = 2,
        feedforward: int = 128,
        dropout: float = 0.1,
        pairwise: bool = False,
    ) -> None:
        super().__init__()
        inputs = shapes["constituents"][1]
        if width % heads:
            raise SuiteError(f"width {width} of particle-transformer is no multiple of its {heads} heads")
        if pairwise and inputs <= LOG_PT:
            raise SuiteError("pairwise features need the logarithm of pT among the features: leave the view's features at 'all'")
        self.embed = nn.Linear(inputs, width)
        for i in range(layers):
            self.add_module(f"layer{i + 1}", Layer(width, heads, feedforward, dropout))
        self.pairs = PairBias(heads) if pairwise else None
        self.features = self.local_features = width

    def unscale(self, mean: Sequence[float], spread: Sequence[float]) -> None:
        if self.pairs is not None:
            self.pairs.unscale(mean, spread)

    def forward(self, inputs: Inputs) -> Tensor:
        return masked_sum(*self.local(inputs))

    def local(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Compute the features of each constituent (n, number, `local_features`), with their mask."""
        assert inputs.mask is not None
        given = inputs["constituents"]
        features, seen = self.embed(given), self._seen(given, inputs.mask)
        for name, layer in self.named_children():
            if name.startswith("layer"):
                features = layer(features, seen)
        return features, inputs.mask

    def _seen(self, given: Tensor, mask: Tensor) -> Tensor:
        """What each constituent may look at: those of its jet, and a padded place at itself: of nothing there is no mean."""
        itself = torch.eye(mask.shape[1], dtype=torch.bool, device=mask.device)
        allowed = (mask[:, None] | itself)[:, None]
        return allowed if self.pairs is None else self.pairs(given, mask).masked_fill(~allowed, -torch.inf)
