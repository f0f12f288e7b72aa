"""A network with its preprocessing as a file for other programs: ONNX, or PyTorch's own exported program."""

from __future__ import annotations

import copy
import io
import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from jetbench.data.batch import JetTensors
from jetbench.errors import MissingPackageError, RunError
from jetbench.inference.predictor import NetworkPredictor, Predictor
from jetbench.jets import Jets
from jetbench.tasks.task import Task
from jetbench.training.device import make_repeatable
from jetbench.views.inputs import Inputs
from jetbench.views.view import FittedView

__all__ = ["OPSET", "TOLERANCE", "Exported", "Format", "export"]

Format = Literal["onnx", "pt2"]
Arrays = tuple[np.ndarray, ...]
Run = Callable[[tuple[Tensor, ...]], Arrays]  # what a file computes

OPSET = 20  # of ONNX
TOLERANCE = 1e-4  # of the larger of a number and one
NEEDED = ("onnx", "onnxscript", "onnxruntime")
OUTPUTS = ("prediction", "outputs")


class Exportable(nn.Module):
    """The view's tensors before scaling -> `prediction`, float64, as the task gives it, and the network's `outputs`
    (n, outputs)."""

    def __init__(self, network: nn.Module, view: FittedView, task: Task) -> None:
        super().__init__()
        self.network, self.view, self.task = network, view, task

    def forward(self, *tensors: Tensor) -> tuple[Tensor, Tensor]:
        names = list(self.view.shapes)
        mask = tensors[len(names)] if len(tensors) > len(names) else None
        outputs = self.network(self.view.scale(Inputs(dict(zip(names, tensors, strict=False)), mask)))
        return self.task.predictions(outputs), outputs


@dataclass(frozen=True)
class Exported:
    """The `content` of a file of a format, how it was made, and how it was checked: the largest `difference` to the network on so
    many `jets`, as a share of the larger of the number and one; and the largest `gap` between its fp32 predictions and those that
    the run computes in its own precision."""

    content: bytes
    format: Format
    inputs: tuple[str, ...]
    packages: dict[str, str]
    jets: int
    difference: float
    gap: float


def export(predictor: Predictor, jets: Jets, format: Format) -> Exported:
    """Turn a network with its preprocessing into a file, checked on jets in memory; the number of jets at a time is free.

    Raises `RunError` for what is no network, and where the file does not give the network's numbers, or in fp32 those that the
    run predicts; `DataFileError` for jets that the network would see otherwise; `MissingPackageError` where ONNX's packages are
    not installed.
    """
    if not isinstance(predictor, NetworkPredictor):
        raise RunError(
            f"{predictor.model_name} is fitted to a table of observables and has no such file; `jetbench predict` uses it, and "
            "`jetbench model register` serves it"
        )
    predictor.refuse(jets.meta)
    make_repeatable()  # as in training: fp32 that is none would lie further from the file's
    module = Exportable(copy.deepcopy(predictor.network).cpu(), predictor.preprocessing.fitted, predictor.task).eval()
    names, tensors = _unscaled(predictor, jets)
    with torch.inference_mode():
        expected = tuple(one.numpy() for one in module(*tensors))
    content, run = _to_onnx(module, names, tensors, predictor.key) if format == "onnx" else _to_pt2(module, tensors)
    difference = max(_difference(run(tensors), expected), _difference(run(tuple(one[:1] for one in tensors)), expected, 1))
    _refuse("the original", difference)
    predicted = predictor.predict(jets)
    if predictor.spec.precision == "fp32":  # of lower precision the two differ by its rounding
        _refuse("what the run predicts", _difference((predicted,), expected[:1]))
    gap = float(np.abs(predicted - expected[0]).max())
    packages = {name: version(name) for name in ("torch", *(NEEDED if format == "onnx" else ()))}
    return Exported(content, format, names, packages, len(jets), difference, gap)


def _unscaled(predictor: NetworkPredictor, jets: Jets) -> tuple[tuple[str, ...], tuple[Tensor, ...]]:
    """The tensors of jets by name, as somebody without jetbench makes them."""
    view, rows = predictor.preprocessing.fitted, torch.arange(len(jets))
    seen = view.unscaled(JetTensors(jets).batch(rows))
    tensors = {name: seen[name] for name in view.shapes} | ({} if seen.mask is None else {"mask": seen.mask})
    return tuple(tensors), tuple(tensors.values())


def _refuse(other: str, difference: float) -> None:
    if not difference <= TOLERANCE:
        raise RunError(f"the exported network differs from {other} by {difference:.2g}, above {TOLERANCE:g}; nothing is written")


def _difference(found: Arrays, expected: Arrays, rows: int | None = None) -> float:
    pairs = [(one, other[:rows]) for one, other in zip(found, expected, strict=True)]
    if any(one.shape != other.shape for one, other in pairs):
        return float("inf")
    return max(float((np.abs(one - other) / np.maximum(1, np.abs(other))).max()) for one, other in pairs)


def _program(module: Exportable, tensors: tuple[Tensor, ...]) -> torch.export.ExportedProgram:
    """The graph of the module for any number of jets; two of them are enough to trace it."""
    shapes = (tuple({0: torch.export.Dim("jets")} for _ in tensors),)
    return torch.export.export(module, tuple(one[:2] for one in tensors), dynamic_shapes=shapes)


def _to_pt2(module: Exportable, tensors: tuple[Tensor, ...]) -> tuple[bytes, Run]:
    file = io.BytesIO()
    torch.export.save(_program(module, tensors), file)
    loaded = torch.export.load(io.BytesIO(file.getvalue())).module()
    return file.getvalue(), lambda given: tuple(one.detach().numpy() for one in loaded(*given))


def _to_onnx(module: Exportable, names: tuple[str, ...], tensors: tuple[Tensor, ...], key: str) -> tuple[bytes, Run]:
    if any(find_spec(package) is None for package in NEEDED):
        raise MissingPackageError(f"ONNX needs {', '.join(NEEDED)}; pip install 'jetbench[serving]' installs them")
    import onnxruntime

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns of torchvision, which nothing here needs
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`isinstance\(treespec", FutureWarning)  # of torch 2.13 about itself
        program: Any = torch.onnx.export(
            _program(module, tensors), input_names=names, output_names=OUTPUTS, opset_version=OPSET, dynamo=True, verbose=False
        )
    for value in (*program.model.graph.inputs, *program.model.graph.outputs):
        value.shape[0] = "jets"
    program.model.metadata_props["jetbench.key"] = key
    content = program.model_proto.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return content, lambda given: tuple(session.run(OUTPUTS, {name: one.numpy() for name, one in zip(names, given, strict=True)}))
