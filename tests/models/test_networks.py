from __future__ import annotations

import pytest
import torch

from jetbench.errors import SuiteError
from jetbench.models.network import build_network
from jetbench.models.resnet15 import ResNet15
from jetbench.spec import Component, options
from jetbench.views.inputs import Inputs

SHAPES = {"image": (3, 16, 16)}


def seen(images: torch.Tensor) -> Inputs:
    return Inputs({"image": images})


def component(**keywords: object) -> Component:
    return Component(name="resnet15", options=options(keywords))


def test_the_published_form_has_its_number_of_parameters() -> None:
    encoder = ResNet15({"image": (2, 32, 32)}, norm="batch")
    head = torch.nn.Linear(encoder.features, 1)
    assert sum(p.numel() for m in (encoder, head) for p in m.parameters()) == 174_529


def test_the_wide_form_has_the_published_features() -> None:
    assert ResNet15({"image": (8, 125, 125)}, stages="64-128-256-512").features == 512


def test_group_norm_keeps_jets_apart() -> None:
    network = build_network(component(norm="group"), SHAPES, 2, 0)
    images = torch.rand(6, 3, 16, 16)
    together, alone = network(seen(images)), torch.cat([network(seen(image[None])) for image in images])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_initialisation_follows_the_seed_alone() -> None:
    torch.manual_seed(5)
    a = build_network(component(), SHAPES, 2, 1).state_dict()
    state = torch.random.get_rng_state()
    b = build_network(component(), SHAPES, 2, 1).state_dict()
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(a[k], b[k]) for k in a)
    assert not torch.equal(a["head.weight"], build_network(component(), SHAPES, 2, 2).state_dict()["head.weight"])


def test_another_head_leaves_the_encoder_as_it_is() -> None:
    linear, mlp = (build_network(component(head=head), SHAPES, 2, 1) for head in ("linear", "mlp"))
    assert all(torch.equal(a, b) for a, b in zip(linear.encoder.parameters(), mlp.encoder.parameters(), strict=True))


def test_logits_are_fp32_under_autocast() -> None:
    network = build_network(component(), SHAPES, 2, 0)
    with torch.autocast("cpu", torch.bfloat16):
        assert network(seen(torch.rand(2, 3, 8, 8))).dtype == torch.float32


@pytest.mark.parametrize(("key", "value"), [("norm", "layer"), ("head", "tree")])
def test_a_wrong_option_is_named(key: str, value: str) -> None:
    with pytest.raises(SuiteError, match=value):
        build_network(component(**{key: value}), SHAPES, 2, 0)


@pytest.mark.parametrize("stages", ["abc", "", "16-0", "16--32"])
def test_stages_that_are_no_widths_are_refused(stages: str) -> None:
    with pytest.raises(SuiteError, match=r"stages of resnet15 is .* list of widths"):
        ResNet15({"image": (2, 32, 32)}, stages=stages)
