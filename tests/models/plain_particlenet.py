"""ParticleNet as the package jetnet writes it, in plain PyTorch, jet by jet: https://github.com/jet-net/JetNet, release 0.2.5.

The original looks for neighbours by `torch_cluster.knn_graph`, over all places of a jet, and averages by the `EdgeConv` of
torch_geometric.
"""

from __future__ import annotations

from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class EdgeNet(nn.Module):
    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        sizes = [2 * inputs, width, width, width]
        layers = [[nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU()] for a, b in pairwise(sizes)]
        self.model = nn.Sequential(*(layer for three in layers for layer in three))


class PlainParticleNet(nn.Module):
    def __init__(self, features: int = 3, classes: int = 5, k: int = 16, widths: tuple[int, ...] = (64, 128, 256)) -> None:
        super().__init__()
        self.k, sizes = k, [features]
        self.edge_nets = nn.ModuleList()
        for width in widths:
            self.edge_nets.append(EdgeNet(sizes[-1], width))
            sizes.append(sizes[-1] + width)
        self.fc1 = nn.Sequential(nn.Linear(sizes[-1], 256))
        self.fc2 = nn.Linear(256, classes)

    def forward(self, jets: Tensor) -> Tensor:
        return torch.stack([self.one(jet) for jet in jets])

    def one(self, x: Tensor) -> Tensor:
        """One jet (particles, features)."""
        points = x[:, :2]
        for net in self.edge_nets:
            apart = (points[:, None] - points[None]).square().sum(dim=2)
            apart.fill_diagonal_(torch.inf)
            edges = [
                net.model(torch.stack([torch.cat([x[i], x[j] - x[i]]) for j in apart[i].argsort()[: self.k]])).mean(dim=0)
                for i in range(len(x))
            ]
            x = points = torch.cat([torch.stack(edges), x], dim=1)
        return self.fc2(F.relu(self.fc1(x.mean(dim=0))))


def trained_a_little() -> PlainParticleNet:
    """With running means and variances that are not those of a new network, in evaluation."""
    torch.manual_seed(1)
    network = PlainParticleNet(k=4, widths=(8, 16))
    network(torch.randn(3, 10, 3))
    return network.eval()


def as_published(network: PlainParticleNet) -> dict[str, torch.Tensor]:
    """Its state dict, in which jetnet has every edge network twice."""
    state = network.state_dict()
    twice = {name: tensor for name, tensor in state.items() if name.startswith("edge_nets.")}
    return state | {name.replace("edge_nets.", "edge_convs.").replace(".model", ".nn.model"): t for name, t in twice.items()}


def shipped() -> Path:
    """The file of weights in the installed package, which is not imported for it."""
    found = find_spec("jetnet")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "evaluation/fpnd_resources/jetnet/30_particles/pnet_state_dict.pt"
