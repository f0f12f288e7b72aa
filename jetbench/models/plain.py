"""A model by name as a plain module of PyTorch: from the tensors of its view to its outputs."""

from __future__ import annotations

import logging
from collections import OrderedDict
from pathlib import Path

import torch
from torch import Tensor, nn

from jetbench.errors import SuiteError
from jetbench.models import ModelEntry, models
from jetbench.models.image_encoder import ImageEncoder
from jetbench.models.network import Network, build_network
from jetbench.models.weights import load_weights, read_weights
from jetbench.spaces import check_given
from jetbench.spec import Component, Scalar, normalised
from jetbench.views.inputs import Inputs

__all__ = ["build_plain", "network_component", "view_shapes"]

log = logging.getLogger(__name__)


class SetNetwork(nn.Module):
    """`constituents` (n, number, features) and their mask (n, number) -> outputs (n, outputs)."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.encoder, self.head = network.encoder, network.head

    def forward(self, constituents: Tensor, mask: Tensor) -> Tensor:
        return self.head(self.encoder(Inputs({"constituents": constituents}, mask)))


def build_plain(
    name: str,
    channels: int,
    image_size: int | tuple[int, int] | None,
    outputs: int,
    seed: int | None,
    weights: str | Path | None,
    options: dict[str, Scalar],
) -> nn.Module:
    """Build the module of `jetbench.build_model`, which says what it takes."""
    component = network_component(name, options)
    shapes = view_shapes(models[name], channels, image_size)
    drawn = int(torch.randint(2**62, ())) if seed is None else seed
    network = build_network(component, shapes, outputs, drawn)
    if weights is not None:
        for adaptation in load_weights(network, read_weights(Path(weights))):
            log.warning("%s: %s", weights, adaptation)
    return _plain(network)


def network_component(name: str, given: dict[str, Scalar]) -> Component:
    """Return the named network with options. Raises `UnknownNameError` for a name that there is not, `SuiteError` for a model
    that is no network and for options that make no sense."""
    entry = models[name]
    if entry.kind != "network":
        raise SuiteError(f"{name!r} is fitted to a table at once, and is no network that could be built before")
    check_given(name, given, entry)
    return entry.component(normalised(given, entry.defaults))


def view_shapes(entry: ModelEntry, channels: int, image_size: int | tuple[int, int] | None) -> dict[str, tuple[int, ...]]:
    """Return the shapes of what a network is given of one jet. Raises `SuiteError` for an image without a size, and for the size
    of what is no image."""
    if (entry.view == "image") != (image_size is not None):
        what = "sees images, so image_size is needed" if entry.view == "image" else f"sees {entry.view}, which have no image_size"
        raise SuiteError(f"{entry.name!r} {what}")
    if image_size is None:
        return {entry.view: (1, channels)}  # of any number of constituents
    rows, columns = (image_size, image_size) if isinstance(image_size, int) else image_size
    return {"image": (channels, rows, columns)}


def _plain(network: Network) -> nn.Module:
    """A network of images has the encoder's parts and its head in a row, by the names of the published layout."""
    if isinstance(network.encoder, ImageEncoder):
        head = "linear" if isinstance(network.head, nn.Linear) else "head"
        return nn.Sequential(OrderedDict([*network.encoder.named_children(), (head, network.head)]))
    return SetNetwork(network)
