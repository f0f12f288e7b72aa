"""What an execution tells as it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jetbench.statistics.rounding import with_error
from jetbench.suites.winner import Winner

__all__ = ["Event", "told"]


@dataclass(frozen=True)
class Event:
    """What the caller may show. A "done" run was trained here, a "skipped" one before or by another process. A "diverged" one is
    a trial whose loss did not stay finite, or a pretraining of trials alone: the worst of its study, and no failure; a "pruned"
    one was stopped early for its study. "unpublished" and "published" say that the tracker could not take a run, and that it has
    taken it later, or what else it lacked, by `name`. "elsewhere" says that another process trains it now, "tick" that nothing
    has happened for a while. Of a run that is executed by itself, "waiting" says that it needs something first that is not
    finished, and "stopped" that its training was told to stop."""

    kind: Literal[
        "done",
        "diverged",
        "pruned",
        "failed",
        "skipped",
        "elsewhere",
        "winner",
        "unpublished",
        "published",
        "tick",
        "waiting",
        "stopped",
    ]
    name: str = ""
    text: str = ""
    key: str = ""


def told(won: Winner) -> str:
    """Say what a study has decided, and how far ahead that is of the recipe."""
    if not won.left:
        return f"{won.text}, the recipe's own"
    lead = f", ahead of the recipe by {with_error(won.gain, won.gain_error)} in the validation loss" if won.gain else ""
    edge = "; it is at the edge of what was tried: widen the range" if won.at_edge else ""
    return f"{won.text}{lead}{edge}"
