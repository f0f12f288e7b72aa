from __future__ import annotations

import pytest
import torch

from jetbench.views.inputs import Inputs


def some(jets: int, offset: float = 0.0) -> Inputs:
    x = torch.arange(jets * 6.0).view(jets, 3, 2) + offset
    return Inputs({"set": x, "jet": x.sum(dim=(1, 2))}, mask=x[..., 0] > 3)


def test_inputs_are_joined_tensor_by_tensor_with_mask_and_target() -> None:
    first, second = (one.with_target(torch.full((len(one), 2), float(len(one)))) for one in (some(2), some(3, 100.0)))
    joined = Inputs.join((first, second))
    assert len(joined) == 5
    assert torch.equal(joined["set"], torch.cat([first["set"], second["set"]]))
    assert torch.equal(joined["jet"][2:], second["jet"])
    assert joined.mask is not None
    assert joined.mask.tolist() == [[False, False, True], [True] * 3, *[[True] * 3] * 3]
    assert joined.target is not None
    assert joined.target[:, 0].tolist() == [2, 2, 3, 3, 3]


def test_what_is_missing_stays_missing() -> None:
    bare = Inputs({"jet": torch.zeros(2, 4)})
    joined = Inputs.join((bare, bare))
    assert joined.mask is None
    assert joined.target is None
    moved = joined.to(torch.device("meta"))
    assert (moved.mask, moved.target, moved.device.type, len(moved)) == (None, None, "meta", 4)


def test_everything_moves_to_a_device() -> None:
    moved = some(2).with_target(torch.ones(2, 1)).to(torch.device("meta"))
    assert moved.mask is not None
    assert moved.target is not None
    assert {moved["set"].device.type, moved["jet"].device.type, moved.mask.device.type, moved.target.device.type} == {"meta"}


def test_a_target_is_laid_over_and_nothing_is_changed_in_place() -> None:
    plain = some(2)
    told = plain.with_target(torch.ones(2, 1))
    assert plain.target is None
    assert told["set"] is plain["set"]
    assert told.mask is plain.mask
    with pytest.raises(KeyError):
        plain["image"]
