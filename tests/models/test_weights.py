"""Weights of the published layout, written by a plain script, and those that do not quite fit."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
import torch
from models.plain_resnet15 import trained_a_little

import jetbench
from jetbench.errors import DataFileError
from jetbench.models.imported import import_model
from jetbench.models.network import build_network
from jetbench.models.weights import load_weights, read_weights
from jetbench.spec import Component, options
from jetbench.views.inputs import Inputs

MODEL = Component(name="resnet15-bn")


def written(folder: Path, content: object) -> Path:
    torch.save(content, folder / "weights.pt")
    return folder / "weights.pt"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"epoch": 15, "state_dict": state, "optimizer": {"lr": 0.001}},
        lambda state: {"model_state_dict": {f"module.{name}": tensor for name, tensor in state.items()}},
    ],
)
def test_an_imported_network_gives_what_the_plain_one_gives(wrap, tmp_path: Path) -> None:
    plain, images = trained_a_little(), torch.rand(7, 2, 32, 32, generator=torch.Generator().manual_seed(2))
    stored = import_model(written(tmp_path, wrap(plain.state_dict())), MODEL, tmp_path / "imported")
    assert (stored.channels, stored.outputs, stored.file) == (2, 2, "weights.pt")
    network = jetbench.build_model("resnet15-bn", channels=2, image_size=32, outputs=2, weights=tmp_path / "imported").eval()
    with torch.no_grad():
        expected, found = plain(images)[:, 0], network(images)
        assert torch.equal(found[:, 0], torch.zeros(7))
        torch.testing.assert_close(found[:, 1], expected, rtol=0, atol=1e-6)
        torch.testing.assert_close(found.softmax(dim=1)[:, 1], expected.sigmoid(), rtol=0, atol=1e-6)
    bundle = json.loads((tmp_path / "imported" / "bundle.json").read_text())
    assert bundle["adaptations"] == list(stored.adaptations)
    assert bundle["model"]["name"] == "resnet15-bn"


def test_the_published_layout_is_that_of_the_built_module() -> None:
    plain = trained_a_little()
    network = jetbench.build_model("resnet15-bn", channels=2, image_size=32, outputs=1)
    assert {k: t.shape for k, t in network.state_dict().items()} == {k: t.shape for k, t in plain.state_dict().items()}
    network.load_state_dict(plain.state_dict())
    images = torch.rand(4, 2, 32, 32)
    torch.testing.assert_close(network.eval()(images), plain(images), rtol=0, atol=1e-6)


def test_every_adaptation_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    state = {f"module.{name}": tensor for name, tensor in trained_a_little().state_dict().items()}
    with caplog.at_level(logging.WARNING):
        jetbench.build_model("resnet15-bn", channels=3, image_size=32, outputs=2, weights=written(tmp_path, state))
    told = [record.getMessage().split(": ", 1)[1] for record in caplog.records]
    assert told == [
        "'module.' is left out of the names",
        "'linear' is the head",
        "encoder.conv1.weight: each of 3 input channels has the mean of the file's 2, times 2/3",
        "the head's one output z, a logit, becomes the two outputs (0, z), whose softmax is the sigmoid of z",
    ]


def test_other_channels_give_what_equal_channels_gave(tmp_path: Path) -> None:
    plain, one = trained_a_little(), torch.rand(4, 1, 32, 32)
    network = jetbench.build_model(
        "resnet15-bn", channels=5, image_size=32, outputs=1, weights=written(tmp_path, plain.state_dict())
    )
    with torch.no_grad():
        torch.testing.assert_close(
            network.eval()(one.expand(-1, 5, -1, -1)), plain(one.expand(-1, 2, -1, -1)), rtol=1e-4, atol=1e-5
        )


def test_another_head_begins_afresh_and_the_encoder_is_taken_over(tmp_path: Path) -> None:
    state = trained_a_little().state_dict()
    network = build_network(Component(name="resnet15-bn", options=(("head", "mlp"),)), {"image": (2, 16, 16)}, 2, seed=3)
    before = {name: tensor.clone() for name, tensor in network.head.state_dict().items()}
    adaptations = load_weights(network, read_weights(written(tmp_path, state)))
    assert adaptations[-1].startswith(
        "the head begins afresh: the file has head.weight (1, 64), head.bias (1,), the model head.0"
    )
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.head.state_dict().items())
    assert torch.equal(network.encoder.conv1.weight, state["conv1.weight"])


def without(state: dict, name: str) -> dict:
    return {key: tensor for key, tensor in state.items() if key != name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: without(state, "layer2.0.conv1.weight"), r"does not fit .*: the file lacks layer2\.0\.conv1\.weight"),
        (lambda state: {**state, "layer4.0.x": torch.ones(2)}, r"the model has no layer4\.0\.x"),
        (lambda state: {**state, "bn1.bias": torch.ones(8)}, r"bn1\.bias is \(8,\) and not \(16,\)"),
        (lambda state: without(state, "conv1.weight"), r"does not fit resnet15-bn: it lacks that model's first layer"),
        (lambda state: {"epoch": 3}, "no state dict, neither itself nor under 'state_dict' or 'model_state_dict'"),
        (lambda state: {"state_dict": state, "scheduler": Path("x")}, "holds more than tensors.*save the state dict alone"),
    ],
)
def test_what_does_not_fit_is_named(change, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, change(trained_a_little().state_dict()))
    with pytest.raises(DataFileError, match=message):
        import_model(path, MODEL, tmp_path / "imported")
    assert not (tmp_path / "imported").exists()


@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors"])
@pytest.mark.parametrize("content", [None, b"", b"no weights", b"PK\x03\x04 torn"])
def test_a_damaged_file_is_one_clear_error(name: str, content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataFileError, match=name.replace(".", r"\.")):
        read_weights(tmp_path / name)


def test_the_weights_of_a_run_can_be_built_too(tmp_path: Path) -> None:
    """A run's folder has its weights under the names of the network."""
    from safetensors.torch import save_file

    network = build_network(MODEL, {"image": (2, 16, 16)}, 2, seed=3).eval()
    save_file(network.state_dict(), tmp_path / "model.safetensors")
    images = torch.rand(3, 2, 16, 16)
    built = jetbench.build_model("resnet15-bn", channels=2, image_size=16, outputs=2, weights=tmp_path).eval()
    with torch.no_grad():
        torch.testing.assert_close(built(images), network(Inputs({"image": images})))


@pytest.mark.parametrize("head", ["linear", "mlp", "ensemble", "deep"])
@pytest.mark.parametrize("outputs", [1, 3])
def test_a_head_of_any_kind_keeps_its_outputs(head: str, outputs: int, tmp_path: Path) -> None:
    """The one output of a linear head alone is taken for a logit of two classes."""
    model = Component(name="resnet15", options=options({"stages": "8-16", "head": head}))
    network = build_network(model, {"image": (2, 16, 16)}, outputs, seed=3)
    stored = import_model(written(tmp_path, network.state_dict()), model, tmp_path / "imported")
    assert stored.outputs == (2 if (head, outputs) == ("linear", 1) else outputs)
    assert not any("afresh" in line for line in stored.adaptations)


def test_a_folder_that_holds_a_model_is_not_written_over(tmp_path: Path) -> None:
    path = written(tmp_path, build_network(MODEL, {"image": (2, 16, 16)}, 2, seed=3).state_dict())
    import_model(path, MODEL, tmp_path / "imported")
    with pytest.raises(DataFileError, match="holds a model already; name another folder"):
        import_model(path, MODEL, tmp_path / "imported")


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    for name in ("void.pt", "void.safetensors"):
        (tmp_path / name).touch()
        with pytest.raises(DataFileError, match=f"{name}: is empty; fetch the file again"):
            read_weights(tmp_path / name)
