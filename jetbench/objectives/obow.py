"""OBoW: from one view of a jet, the words are predicted that a slowly moving teacher reads in the parts of another view of it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from jetbench.errors import SuiteError
from jetbench.models.network import Network
from jetbench.objectives.base import Look, TwoViews
from jetbench.objectives.teacher import follow, rising_momentum, teacher_of
from jetbench.tasks.task import Task
from jetbench.views.inputs import Inputs

__all__ = ["OBoW", "bag_loss", "bag_of_words"]


def bag_of_words(local: Tensor, mask: Tensor, vocabulary: Tensor, sharpness: float) -> Tensor:
    """Return which words stand in each jet (n, words), in fp32, with the sum one; zero of a jet without features.

    local (n, k, d) are the features at k places of each jet, mask (n, k) says which there are, vocabulary (words, d). To each
    place belongs a softmax over the words, of minus the squared distances over `sharpness` times the mean squared distance to the
    nearest word, and the largest share of a word among the places counts (Gidaris et al., arXiv:2012.11552).
    """
    with torch.autocast(local.device.type, enabled=False):
        found, words = local[mask].float(), vocabulary.float()
        apart = found.square().sum(dim=1, keepdim=True) - 2 * found @ words.T + words.square().sum(dim=1)
        apart = apart.clamp(min=0)
        width = sharpness * apart.amin(dim=1).mean().clamp(min=torch.finfo(apart.dtype).eps)
        shares = apart.new_zeros(*mask.shape, len(words))
        shares[mask] = (-apart / width).softmax(dim=1)
        return F.normalize(shares.amax(dim=1), p=1, dim=1)


def bag_loss(features: Tensor, weights: Tensor, bag: Tensor) -> Tensor:
    """Return the cross-entropy to a bag (n, words) of the softmax over the products of features (n, d) with the weights of the
    words (words, d), mean over the jets, in fp32."""
    with torch.autocast(features.device.type, enabled=False):
        return F.cross_entropy(features.float() @ weights.float().T, bag)


class OBoW(TwoViews):
    """The vocabulary is a queue of `words` local features of the teacher, one of each jet that was seen. A network of two layers
    makes of each word the weights, of norm one, with which it is predicted from the features of the jet, times `scale`. The
    teacher's momentum rises from `momentum` to one; `sharpness` is that of the assignment to words.

    As published but for these: one layer of the encoder has words and not two, those of the last local features; the student
    sees one view of the size of the teacher's; distances to the nearest words are averaged over the batch alone.
    """

    def __init__(
        self,
        network: Network,
        task: Task,
        look: Look,
        words: int = 512,
        sharpness: float = 0.1,
        scale: float = 5.0,
        momentum: float = 0.99,
    ) -> None:
        super().__init__(network, task, look)
        encoder = network.encoder
        if not hasattr(encoder, "local"):
            raise SuiteError(f"obow: {type(encoder).__name__} has no features of parts of a jet, of which words could be made")
        width, features = encoder.local_features, encoder.features
        self.weigh = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * features), nn.ReLU(), nn.Linear(2 * features, features)
        )
        self.teacher = teacher_of(encoder)
        self.sharpness, self.scale, self.momentum = sharpness, scale, momentum
        self.vocabulary: Tensor
        self.newest: Tensor
        self.register_buffer("vocabulary", torch.randn(words, width))
        self.register_buffer("newest", torch.zeros(0, width), persistent=False)

    def forward(self, network: Network, inputs: tuple[Inputs, ...]) -> dict[str, Tensor]:
        first, second = inputs
        with torch.no_grad():
            local, mask = self.teacher.local(second)
            bag = bag_of_words(local, mask, self.vocabulary, self.sharpness)
            self.newest = _one_of_each(local.float(), mask)
        weights = self.scale * F.normalize(self.weigh(self.vocabulary), dim=1)
        return {"loss": bag_loss(network.encoder(first), weights, bag)}

    @torch.no_grad()
    def after_step(self, network: Network, progress: float) -> None:
        """Move the teacher, and put a word of each jet of the step in place of the oldest ones."""
        follow(self.teacher, network.encoder, rising_momentum(self.momentum, progress))
        self.vocabulary.copy_(torch.cat([self.vocabulary, self.newest])[-len(self.vocabulary) :])


def _one_of_each(local: Tensor, mask: Tensor) -> Tensor:
    """One of the features (n, k, d) of each jet that has some, drawn by torch's own generator, which each step seeds."""
    some = mask.any(dim=1)
    chosen = torch.multinomial(mask[some].float(), 1)[:, 0]
    return local[some][torch.arange(len(chosen), device=chosen.device), chosen]
