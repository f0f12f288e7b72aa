"""The calorimeter's response differs between the two halves of a jet."""

import torch

from jetbench.spaces import Allowed, Space
from jetbench.views import AugmentationEntry


def tilt(batch, rng, sigma=0.1):
    change = sigma * torch.randn(batch.size, generator=rng)[batch.jet]
    factor = 1 + torch.where(batch.eta > 0, change, -change)
    return batch.replace(values=batch.values * factor.clamp(min=0)[:, None])


JETBENCH = [
    AugmentationEntry(
        "tilt",
        f"{__name__}:tilt",
        "scale the energies of both halves of a jet against each other",
        defaults=(("sigma", 0.1),),
        allowed=(("sigma", Allowed(least=0)),),
        spaces=(("sigma", Space(low=0.0, high=0.3)),),
        needs=("isotropic", "pt"),
        changes=("mass", "pt"),
    )
]
