"""What the layers of a network give out for some jets, caught by forward hooks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from jetbench.errors import UnknownNameError
from jetbench.registry import nearest
from jetbench.views.inputs import Inputs

__all__ = ["activations", "find_layer", "stages_of"]


def stages_of(encoder: nn.Module) -> list[str]:
    """List the layers of an encoder that are worth a look where nobody names some: its stages, "layer1" to the last, or of an
    encoder without them the parts that have parameters."""
    parts = [name for name, part in encoder.named_children() if next(part.parameters(), None) is not None]
    return [name for name in parts if name.startswith("layer")] or parts


def find_layer(encoder: nn.Module, name: str) -> nn.Module:
    """Return a layer by its name in the encoder, "layer3" or "layer3.1.conv2". Raises `UnknownNameError` for another."""
    layers = dict(encoder.named_modules())
    if not name or name not in layers:
        known = {layer for layer in layers if layer}
        raise UnknownNameError(f"the encoder has no layer {name!r}; {nearest(name, known)}")
    return layers[name]


def activations(encoder: nn.Module, inputs: Inputs, names: Sequence[str]) -> dict[str, Tensor]:
    """Return what the named layers give out for inputs of n jets, each (n, …), in fp32; the encoder stays as it is.

    Raises `UnknownNameError` for a layer that there is not.
    """
    found: dict[str, Tensor] = {}
    hooks = []
    try:
        for name in names:
            hooks.append(find_layer(encoder, name).register_forward_hook(_keeper(found, name)))
        with torch.inference_mode():
            encoder(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _keeper(found: dict[str, Tensor], name: str) -> Callable[[nn.Module, tuple[Any, ...], Tensor], None]:
    def keep(layer: nn.Module, given: tuple[Any, ...], output: Tensor) -> None:
        found[name] = output.float().clone()  # what follows may work in place

    return keep
