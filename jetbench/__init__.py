"""jetbench: does self-supervised pretraining help on your jets, at your label budget, and how sure can you be?"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from jetbench.api import load

__version__ = version("jetbench")
__all__ = ["__version__", "build_model", "load"]


def build_model(
    name: str,
    *,
    channels: int,
    image_size: int | tuple[int, int] | None = None,
    outputs: int,
    seed: int | None = None,
    weights: str | Path | None = None,
    **options: bool | int | float | str | None,
) -> nn.Module:
    """Build a network by name as a plain `torch.nn.Module`, from the tensors of its view to outputs (n, outputs).

    One of images maps a tensor (n, channels, rows, columns) and needs its `image_size`, rows and columns where it is no square;
    deep sets map constituents (n, number, channels) and a mask (n, number), and need none. `options` are those that
    `jetbench show NAME` lists. Without a `seed` weights come from torch's own generator, with one they are those of a run.
    `weights` is a safetensors file, a PyTorch file of a state dict, or the folder of a run or of an imported model; what has to
    be adapted is logged as a warning.

    Raises `UnknownNameError` or `SuiteError` for what makes no sense, `DataFileError` for weights that do not fit.
    """
    from jetbench.models.plain import build_plain

    return build_plain(name, channels, image_size, outputs, seed, weights, options)


def __dir__() -> list[str]:
    """List `load` too, which is not there before it is asked for."""
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    """Import `load` from the rooms above when it is asked for, and not with the package."""
    if name == "load":
        return import_module("jetbench.api").load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
