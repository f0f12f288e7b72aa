"""Which channels a network is shown: all that the jets have, or their pT alone, which jets of every detector have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, cast

from jetbench.spec import Scalar

if TYPE_CHECKING:
    from jetbench.data.batch import Batch

__all__ = ["Shown", "show_channels", "shown_channels"]

Shown = Literal["all", "pt"]


def shown_channels(options: Mapping[str, Scalar]) -> Shown:
    """Read the option `channels` of a view, "all" where it is not given."""
    return cast(Shown, options.get("channels", "all"))


def show_channels(batch: Batch, shown: Shown) -> Batch:
    """Return the batch as it is, or with "pt" the pT of its deposits as their only channel."""
    return batch.summed() if shown == "pt" else batch
