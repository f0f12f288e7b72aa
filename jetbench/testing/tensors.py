"""Comparisons of tensors and states, and torch's generator at a known place."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from jetbench.data.batch import Batch
from jetbench.seeds import derive
from jetbench.testing.properties import expect
from jetbench.views.inputs import Inputs

__all__ = [
    "copied",
    "expect_close",
    "expect_equal",
    "expect_same_state",
    "expect_untouched_generator",
    "named",
    "seeded",
    "snapshot",
    "stored",
]


@contextmanager
def seeded(*parts: str | int) -> Iterator[None]:
    """Let torch's own generator begin at a derived seed, and put it back afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive("testing", *parts))
        yield


@contextmanager
def expect_untouched_generator(told: str) -> Iterator[None]:
    """Raise `AssertionError` where what is done inside draws from torch's own generator, or seeds it."""
    with torch.random.fork_rng(devices=[]):
        before = torch.random.get_rng_state()
        yield
        expect(torch.equal(before, torch.random.get_rng_state()), told)


def expect_equal(found: Tensor, expected: Tensor, told: str) -> None:
    """Raise `AssertionError` where tensors differ in shape, kind or any bit of a number."""
    if found.shape != expected.shape or found.dtype != expected.dtype:
        raise AssertionError(f"{told}: {_form(found)} against {_form(expected)}")
    if not torch.equal(found, expected):
        apart = (found.detach().double() - expected.detach().double()).abs().max()
        raise AssertionError(f"{told}: they differ by up to {float(apart):.3g}")


def expect_close(found: Tensor, expected: Tensor, told: str, relative: float = 1e-4) -> None:
    """Raise `AssertionError` where numbers differ by more than rounding: by a share `relative` of themselves and of the typical
    size of all."""
    if found.shape != expected.shape:
        raise AssertionError(f"{told}: {_form(found)} against {_form(expected)}")
    found, expected = found.detach().double(), expected.detach().double()
    room = relative * (expected.abs() + expected.square().mean().sqrt()) + 1e-7
    expect(
        bool(((found - expected).abs() <= room).all()),
        f"{told}: they differ by up to {float((found - expected).abs().max()):.3g}",
    )


def _form(tensor: Tensor) -> str:
    return f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"


def snapshot(module: nn.Module) -> dict[str, Tensor]:
    """Copy the state of a module, buffers that no checkpoint holds included."""
    return {name: tensor.detach().clone() for name, tensor in named(module).items()}


def named(module: nn.Module) -> dict[str, Tensor]:
    """Return all parameters and buffers by name."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def expect_same_state(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], told: str) -> None:
    """Raise `AssertionError` where two states differ in a name or in any bit of a number."""
    expect(found.keys() == expected.keys(), f"{told}: {sorted(found.keys() ^ expected.keys())} are in one of them alone")
    for name, tensor in expected.items():
        expect_equal(found[name], tensor, f"{told}, {name}")


def stored(module: nn.Module) -> dict[str, Tensor]:
    """Return the state_dict of a module as it comes back from a safetensors file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "state.safetensors")
        save_file({name: tensor.detach().contiguous() for name, tensor in module.state_dict().items()}, path)
        return load_file(path)


def copied(seen: Inputs | Batch) -> dict[str, Tensor]:
    """Copy every tensor of inputs or of a batch, by name."""
    found: dict[str, Tensor] = {}
    for one in fields(seen):
        value = getattr(seen, one.name)
        if isinstance(value, Tensor):
            found[one.name] = value.detach().clone()
        elif isinstance(value, Mapping):
            found |= {f"{one.name}.{name}": tensor.detach().clone() for name, tensor in value.items()}
    return found
