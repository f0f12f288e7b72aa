from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import jetbench
from jetbench.errors import SuiteError
from jetbench.models import ModelEntry, models
from jetbench.models.heads import MEMBERS
from jetbench.models.network import build_network
from jetbench.models.resnet import ResNet15, ResNet15EndToEnd
from jetbench.models.se_vgg import SEVGG
from jetbench.spec import Component, options
from jetbench.views.inputs import Inputs

SHAPES = {"image": (3, 16, 16)}
IMAGE = [pytest.param(entry, id=entry.name) for entry in models if entry.kind == "network" and entry.view == "image"]
HEADS = ("linear", "mlp", "ensemble", "deep")


def seen(images: torch.Tensor) -> Inputs:
    return Inputs({"image": images})


def component(name: str = "resnet15", **keywords: object) -> Component:
    return Component(name=name, options=options(keywords))


def narrow(entry: ModelEntry, **keywords: object) -> Component:
    """The model with few channels, where it has the choice."""
    return component(entry.name, **({"stages": "8-16"} if "stages" in dict(entry.defaults) else {}), **keywords)


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_the_published_form_has_its_number_of_parameters() -> None:
    assert parameters(build_network(component("resnet15-bn"), {"image": (2, 32, 32)}, 1, 0)) == 174_529
    encoder = ResNet15({"image": (2, 32, 32)}, stages="16-32-64", norm="batch")
    assert parameters(encoder) + parameters(nn.Linear(64, 1)) == 174_529


def test_the_wide_form_has_the_parameters_of_a_residual_network_of_two_blocks_and_four_stages() -> None:
    """11 173 962 with three channels and ten outputs: those of ResNet-18 with a 3×3 stem, whose blocks and widths these are."""
    network = build_network(component(), {"image": (3, 32, 32)}, 10, 0)
    assert (parameters(network), network.encoder.features) == (11_173_962, 512)


def test_the_original_has_fifteen_convolutions_and_two_widths() -> None:
    encoder = ResNet15EndToEnd({"image": (3, 32, 32)})
    layers = [(3, 16, 49), *[(16, 16, 9)] * 6, (16, 32, 9), (32, 32, 9), (16, 32, 1), *[(32, 32, 9)] * 6]
    assert parameters(encoder) == sum(a * b * pixels + b for a, b, pixels in layers)
    assert len(layers) == 15 + 1  # the shortcut is not counted
    assert not any(isinstance(module, nn.BatchNorm2d | nn.GroupNorm) for module in encoder.modules())


def test_vgg_has_the_convolutions_of_configuration_d() -> None:
    encoder, before = SEVGG({"image": (3, 32, 32)}), [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512]
    after = [*before[1:], 512]
    convolutions = sum(9 * a * b + 2 * b for a, b in zip(before, after, strict=True))
    assert parameters(encoder) == convolutions + sum(
        2 * width * (width // 16) + width + width // 16 for width in (64, 128, 256, 512, 512)
    )


def test_a_deeper_network_has_more_of_the_same_blocks() -> None:
    found = {
        name: [type(module).__name__ for module in build_network(component(name), SHAPES, 2, 0).modules()]
        for name in ("resnet15", "resnet27", "se-resnet15")
    }
    assert {name: kinds.count("BasicBlock") for name, kinds in found.items()} == {
        "resnet15": 8,
        "resnet27": 16,
        "se-resnet15": 8,
    }
    assert found["se-resnet15"].count("SqueezeExcitation") == 8
    three = build_network(component("resnet27", stages="16-32-64"), SHAPES, 2, 0)
    assert sum(isinstance(module, nn.Conv2d) for module in three.modules()) == 27


@pytest.mark.parametrize(("side", "left"), [(16, 16), (32, 32), (48, 48), (64, 32), (96, 48), (125, 31), (200, 25)])
def test_the_stem_leaves_large_images_small(side: int, left: int) -> None:
    encoder = ResNet15({"image": (1, side, side)}, stages="4")
    images = torch.zeros(1, 1, side, side)
    for name, part in encoder.named_children():
        if name.startswith("layer"):
            break
        images = part(images)
    assert images.shape == (1, 4, left, left)


def test_group_norm_keeps_jets_apart() -> None:
    network = build_network(component(norm="group", stages="16-32-64"), SHAPES, 2, 0).eval()
    images = torch.rand(6, 3, 16, 16)
    together, alone = network(seen(images)), torch.cat([network(seen(image[None])) for image in images])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("head", HEADS)
def test_another_head_leaves_the_encoder_as_it_is(head: str) -> None:
    one, other = (build_network(component("resnet15-bn", head=head), SHAPES, 2, 1) for head in ("linear", head))
    assert all(torch.equal(a, b) for a, b in zip(one.encoder.parameters(), other.encoder.parameters(), strict=True))


@pytest.mark.parametrize("entry", IMAGE)
@pytest.mark.parametrize("head", HEADS)
def test_outputs_are_fp32_under_autocast(entry: ModelEntry, head: str) -> None:
    network = build_network(narrow(entry, head=head), SHAPES, 2, 0)
    with torch.autocast("cpu", torch.bfloat16):
        every = network.every(seen(torch.rand(2, 3, 8, 8)))
    assert every.dtype == torch.float32
    assert every.shape == (2, 3 if head in ("ensemble", "deep") else 1, 2)
    assert every.isfinite().all()


def test_the_heads_of_an_ensemble_are_averaged_and_differ() -> None:
    network = build_network(component("se-vgg", stages="8"), SHAPES, 2, 0).eval()
    images = seen(torch.rand(5, 3, 16, 16))
    every = network.every(images)
    assert every.shape == (5, MEMBERS, 2)
    torch.testing.assert_close(network(images), (every[:, 0] + every[:, 1] + every[:, 2]) / 3)
    assert not torch.allclose(every[:, 0], every[:, 1])


def test_the_depths_of_a_deep_head_by_hand() -> None:
    head = build_network(component("resnet15-bn", head="deep"), SHAPES, 1, 0).eval().head
    features = torch.rand(4, 64)
    state, expected = features, []
    for block, layer in zip(head.blocks, head.layers, strict=True):
        hidden = (state @ block[0].weight.T + block[0].bias).clamp(min=0)
        state = state + hidden @ block[3].weight.T + block[3].bias
        expected.append(state @ layer.weight.T + layer.bias)
    torch.testing.assert_close(head.every(features), torch.stack(expected, dim=1))
    torch.testing.assert_close(head(features), expected[-1])


@pytest.mark.parametrize(("key", "value"), [("norm", "layer"), ("head", "tree")])
def test_a_wrong_option_is_named(key: str, value: str) -> None:
    with pytest.raises(SuiteError, match=value):
        build_network(component(**{key: value}), SHAPES, 2, 0)


@pytest.mark.parametrize("stages", ["abc", "", "16-0", "16--32"])
def test_stages_that_are_no_widths_are_refused(stages: str) -> None:
    with pytest.raises(SuiteError, match=r"stages is .* list of widths"):
        ResNet15({"image": (2, 32, 32)}, stages=stages)


def test_narrow_stages_begin_with_the_weights_that_they_had_at_the_first_revision() -> None:
    """Sums of the first and the last convolution's weights along a wave: the trainings of suites that say 16-32-64 begin so."""
    network = build_network(component(stages="16-32-64", dropout=0.0), {"image": (3, 12, 12)}, 2, seed=3)
    weights = (network.encoder.conv1.weight, network.encoder.layer3[1].conv2.weight)
    flat = [one.detach().double().numpy().ravel() for one in weights]
    assert [float(one @ np.cos(np.arange(one.size))) for one in flat] == pytest.approx([-1.5218692, -6.3970967], rel=1e-6)


@pytest.mark.parametrize(("name", "options"), [("deep-sets", {"particle": "8-8"}), ("se-vgg", {"stages": "8-8", "head": "deep"})])
def test_a_plain_module_gives_what_the_network_of_a_run_gives(name: str, options: dict[str, str]) -> None:
    size = None if name == "deep-sets" else 16
    plain = jetbench.build_model(name, channels=3, image_size=size, outputs=2, seed=4, **options).eval()
    inputs = seen(torch.rand(5, 3, 16, 16))
    if size is None:
        inputs = Inputs({"constituents": torch.rand(5, 7, 3)}, torch.rand(5, 7) > 0.2)
    network = build_network(
        component(name, **options), {key: tuple(t.shape[1:]) for key, t in inputs.tensors.items()}, 2, 4
    ).eval()
    found = plain(*inputs.tensors.values(), *(() if inputs.mask is None else (inputs.mask,)))
    assert torch.equal(found, network(inputs))


def test_a_plain_module_follows_the_generator_of_torch() -> None:
    def drawn(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return jetbench.build_model("resnet15-e2e", channels=1, image_size=(16, 12), outputs=1).conv1.weight

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("resnet15", {}, "sees images, so image_size is needed"),
        ("deep-sets", {"image_size": 16}, "sees constituents, which have no image_size"),
        ("boosted-trees", {}, "is no network"),
        ("resnet15", {"image_size": 16, "stagse": "8"}, "did you mean 'stages'"),
        ("resnet15", {"image_size": 16, "norm": "layer"}, "it is 'group' or 'batch'"),
    ],
)
def test_what_cannot_be_built_is_told(name: str, given: dict, message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        jetbench.build_model(name, channels=1, outputs=2, **given)
