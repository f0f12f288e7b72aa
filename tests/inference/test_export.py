"""What is written for other programs gives the network's numbers, for any number of jets, masks and empty jets included."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from jetbench.data.batch import JetTensors
from jetbench.errors import DataFileError, MissingPackageError, RunError
from jetbench.inference import export as room
from jetbench.inference.export import OPSET, export
from jetbench.jets import Jets

Make = Callable[..., Any]
REGRESSION = "task={name: regression, options: {target: gen_sdmass}}"
BCE = "task={name: classification, options: {loss: bce}}"
FP32 = "precision=fp32"
TRANSFORMER = "arms.transformer={model: particle-transformer, regime: scratch}"
PARTICLENET = "arms.particlenet={model: particlenet, regime: scratch}"


def with_an_empty_one(jets: Jets) -> Jets:
    """The jets, and one without any deposit."""
    jets = jets.read()
    columns = {
        name: np.append(getattr(jets, name), getattr(jets, name)[-1:]) for name in ("jet_eta", "jet_phi", "jet_pt", "event")
    }
    return replace(jets, offsets=np.append(jets.offsets, jets.offsets[-1]), targets={}, stored=None, **columns)


def unscaled(predictor: Any, jets: Jets) -> list[torch.Tensor]:
    seen = predictor.preprocessing.fitted.unscaled(JetTensors(jets).batch(torch.arange(len(jets))))
    return [*seen.tensors.values(), *([] if seen.mask is None else [seen.mask])]


@pytest.mark.parametrize(
    ("case", "arm", "names"), [((2, FP32, REGRESSION), "sets", ["constituents", "mask"]), ((4, FP32), "scratch", ["image"])]
)
def test_onnx_gives_what_the_run_predicts(toys_of: Make, case: tuple[Any, ...], arm: str, names: list[str]) -> None:
    import onnx
    import onnxruntime

    toys = toys_of(*case)
    predictor, jets = toys.predictor(arm), with_an_empty_one(toys.jets[:40])
    done = export(predictor, jets[:30], "onnx")
    assert done.difference <= 1e-4
    assert done.gap <= 1e-3 * (100 if REGRESSION in case else 1)
    assert list(done.inputs) == names
    session = onnxruntime.InferenceSession(done.content, providers=["CPUExecutionProvider"])
    assert {one.shape[0] for one in (*session.get_inputs(), *session.get_outputs())} == {"jets"}
    for rows in (slice(0, 1), slice(0, 41), slice(40, 41)):
        given = {name: one.numpy() for name, one in zip(names, unscaled(predictor, jets[rows]), strict=True)}
        prediction, _ = session.run(None, given)
        np.testing.assert_allclose(prediction, predictor.predict(jets[rows]), rtol=1e-4, atol=1e-4)
    model = onnx.load_from_string(done.content)
    assert [one.version for one in model.opset_import if one.domain == ""] == [OPSET]
    assert {one.key: one.value for one in model.metadata_props}["jetbench.key"] == predictor.key


@pytest.mark.parametrize(("case", "arm"), [((2, FP32, BCE), "scratch"), ((2, FP32), "sets")])
def test_a_program_of_torch_gives_what_the_run_predicts(toys_of: Make, case: tuple[Any, ...], arm: str) -> None:
    toys = toys_of(*case)
    predictor, jets = toys.predictor(arm), with_an_empty_one(toys.jets[:20])
    done = export(predictor, jets, "pt2")
    program = torch.export.load(io.BytesIO(done.content)).module()
    for rows in (slice(0, 1), slice(0, 21)):
        prediction, outputs = program(*unscaled(predictor, jets[rows]))
        np.testing.assert_allclose(prediction.detach(), predictor.predict(jets[rows]), rtol=1e-4, atol=1e-6)
        assert outputs.shape == (len(prediction), 1 if BCE in case else 2)


@pytest.mark.parametrize("format", ["onnx", "pt2"])
@pytest.mark.parametrize("arm", ["transformer", "particlenet"])
def test_networks_that_compare_constituents_give_what_the_run_predicts(toys_of: Make, arm: str, format: Any) -> None:
    """Pairs, neighbours and empty jets included."""
    toys = toys_of(2, FP32, TRANSFORMER, PARTICLENET, "model_options.particle-transformer.pairwise=true")
    predictor, jets = toys.predictor(arm), with_an_empty_one(toys.jets[:20])
    done = export(predictor, jets, format)
    assert done.difference <= 1e-4
    for rows in (slice(0, 1), slice(0, 21), slice(20, 21)):
        (prediction, _), tensors = _computed(done, unscaled(predictor, jets[rows]))
        np.testing.assert_allclose(prediction, predictor.predict(jets[rows]), rtol=1e-4, atol=1e-5)
        assert [tuple(one.shape[1:]) for one in tensors] == [(80, 8), (80,)]


def _computed(done: Any, tensors: list[torch.Tensor]) -> tuple[tuple[np.ndarray, ...], list[torch.Tensor]]:
    """What the content of a file gives for tensors, beside them."""
    if done.format == "pt2":
        program = torch.export.load(io.BytesIO(done.content)).module()
        return tuple(one.detach().numpy() for one in program(*tensors)), tensors
    import onnxruntime

    session = onnxruntime.InferenceSession(done.content, providers=["CPUExecutionProvider"])
    given = {name: one.numpy() for name, one in zip(done.inputs, tensors, strict=True)}
    return tuple(session.run(None, given)), tensors


def test_a_file_that_differs_from_the_network_is_an_error(toys_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    toys = toys_of(2, FP32)
    predictor, written = toys.predictor("sets"), room._to_pt2

    def off(*given: Any) -> Any:
        content, run = written(*given)
        return content, lambda tensors: tuple(one + 2e-4 for one in run(tensors))

    monkeypatch.setattr(room, "_to_pt2", off)
    with pytest.raises(RunError, match=r"differs from the original by 0\.0002, above 0\.0001; nothing is written"):
        export(predictor, toys.jets[:20], "pt2")


def test_in_fp32_a_file_that_differs_from_what_the_run_predicts_is_an_error(
    toys_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tensors that are made otherwise than those of the training mislead the network and its file alike."""
    written = room._unscaled

    def off(*given: Any) -> Any:
        names, (tensor, *mask) = written(*given)
        return names, (1.5 * tensor, *mask)

    monkeypatch.setattr(room, "_unscaled", off)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    toys = toys_of(2, FP32)
    with pytest.raises(RunError, match=r"differs from what the run predicts by 0\.\d+, above 0\.0001; nothing is written"):
        export(toys.predictor("sets"), toys.jets[:20], "pt2")
    assert not torch.backends.cudnn.allow_tf32
    toys = toys_of(2, "precision=bf16")
    assert export(toys.predictor("sets"), toys.jets[:20], "pt2").gap > 1e-4


def test_what_cannot_be_exported_says_why(toys_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    toys = toys_of(2, FP32)
    jets = toys.jets[:20]
    with pytest.raises(RunError, match="boosted-trees is fitted to a table of observables and has no such file"):
        export(toys.predictor("boosted-trees"), jets, "pt2")
    with pytest.raises(DataFileError, match="isotropic False against True"):
        export(toys.predictor("sets"), replace(jets, meta=jets.meta.replace(isotropic=False)), "pt2")
    monkeypatch.setattr(room, "NEEDED", ("no_such_package",))
    with pytest.raises(MissingPackageError, match=r"pip install 'jetbench\[serving\]' installs them"):
        export(toys.predictor("sets"), jets, "onnx")
