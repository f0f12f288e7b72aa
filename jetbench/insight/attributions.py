"""What of a jet makes a network's score: integrated gradients and Grad-CAM, by captum.

A score is a number of each jet: of two classes the difference of their outputs (the log-odds of class 1), of more the output of
one class less the mean of the others, of a regression the predicted number in its unit.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from jetbench.errors import MissingPackageError
from jetbench.models.network import Network
from jetbench.views.inputs import Inputs

__all__ = ["COMPLETE", "STEPS", "Score", "grad_cam", "integrated_gradients", "need_captum"]

STEPS = 16  # of the path of integrated gradients: the sum is then within some percent of the difference of the scores
# of the difference of the scores: the path has steps enough where the sum misses it by no more (Sundararajan, Taly, Yan,
# arXiv:1703.01365, section 5)
COMPLETE = 0.05
BATCH = 256  # jets and steps at a time


class Score(nn.Module):
    """A network as a function of one tensor, the mask of a set aside: `name` is that of the tensor in its inputs. Returns a score
    of each jet (n,); `number` is the class that it speaks for, `unit` what a regression's output is multiplied with."""

    def __init__(self, network: Network, name: str, number: int = 1, unit: float | None = None) -> None:
        super().__init__()
        self.network, self.name, self.number, self.unit = network, name, number, unit

    def forward(self, tensor: Tensor, mask: Tensor | None = None) -> Tensor:
        outputs = self.network(Inputs({self.name: tensor}, mask))
        if self.unit is not None:
            return self.unit * outputs[:, 0]
        classes = outputs.shape[1]
        if classes == 1:  # binary cross-entropy: the output of class 1, beside 0 for class 0
            return outputs[:, 0] if self.number == 1 else -outputs[:, 0]
        own = outputs[:, self.number]
        return own - (outputs.sum(dim=1) - own) / (classes - 1)


def need_captum() -> None:
    """Raise `MissingPackageError` where captum is not installed."""
    if find_spec("captum") is None:
        raise MissingPackageError("attributions need the package captum; pip install 'jetbench[insight]' installs it")


def integrated_gradients(
    score: Callable[..., Tensor], tensor: Tensor, mask: Tensor | None, baseline: Tensor, steps: int = STEPS
) -> tuple[Tensor, Tensor]:
    """Return the attributions of each number of a tensor (n, …), of its shape, and how far their sum is from the difference of
    scores that it should be (n,) (Sundararajan, Taly, Yan, arXiv:1703.01365).

    `baseline` (1, …) is what a jet is compared with: their sum is the jet's score less that of the baseline.
    """
    from captum.attr import IntegratedGradients

    return IntegratedGradients(score).attribute(
        tensor,
        baselines=baseline,
        additional_forward_args=(mask,),
        n_steps=steps,
        internal_batch_size=BATCH,
        return_convergence_delta=True,
    )


def grad_cam(score: Callable[..., Tensor], layer: nn.Module, tensor: Tensor) -> Tensor:
    """Return where the channels of a layer are active that speak for the score, negative where they speak against it, (n, rows,
    columns) of the image's own size, for images (n, channels, rows, columns) (Selvaraju et al., arXiv:1610.02391, who cut it at
    zero: of jets that nothing speaks for, nothing would be left)."""
    from captum.attr import LayerGradCam

    maps = [LayerGradCam(score, layer).attribute(part).detach() for part in tensor.split(BATCH)]
    return interpolate(torch.cat(maps), tensor.shape[2:], mode="bilinear", align_corners=False)[:, 0]
