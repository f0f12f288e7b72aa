"""Jets that are mixed in pairs, as mixup does: the mean of two, or the union of their deposits."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from jetbench.data.batch import Batch

__all__ = ["Mixing"]


@dataclass(frozen=True, eq=False)
class Mixing:
    """Each of n jets has the share `share` of the result, and its partner the rest; `partner` (n,) is a permutation."""

    share: float
    partner: Tensor

    def mean(self, x: Tensor) -> Tensor:
        """Return share·x + (1 − share)·x[partner] of values (n, …)."""
        return self.share * x + (1 - self.share) * x[self.partner]

    def union(self, batch: Batch) -> Batch:
        """Put the deposits of both jets into one, those of a jet before its partner's, with extensive channels times their share:
        an image in which they are added up is the mean of both images. A jet that is its own partner stays as it is, and deposits
        with no share are gone. The rest of a jet, as its targets, is that of the jet itself."""
        itself = self.partner == torch.arange(batch.size, device=self.partner.device)
        host = torch.cat([batch.jet, torch.argsort(self.partner)[batch.jet]])  # the second: whose partner a jet is
        own = torch.where(itself, 1.0, self.share)
        share = torch.cat([own[batch.jet], (1 - own)[host[len(batch.jet) :]]])
        order = torch.argsort(host, stable=True)
        order = order[share[order] > 0]
        extensive = torch.tensor([c.combine == "sum" for c in batch.meta.channels], device=batch.values.device)
        values = torch.cat([batch.values, batch.values])[order]
        return batch.replace(
            jet=host[order],
            eta=torch.cat([batch.eta, batch.eta])[order],
            phi=torch.cat([batch.phi, batch.phi])[order],
            values=torch.where(extensive, values * share[order, None], values),
        )
