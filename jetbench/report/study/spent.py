"""What trials have cost, whatever became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from jetbench.report.words import count, joined
from jetbench.suites.trials import Searching, State, Trial

__all__ = ["Spent", "ended", "hopeless", "spent", "states_text"]

ENDED: tuple[State, ...] = ("complete", "pruned", "diverged", "failed")


@dataclass(frozen=True)
class Spent:
    """Passes with and without labels [jets through the network] and seconds of training on one core. `pretrained` are the trials
    that trained an encoder of their own; what one shares with a trial before it costs nothing again."""

    labelled: float
    unlabelled: float
    seconds: float
    pretrained: int


def ended(searching: Searching) -> list[Trial]:
    """List the trials that have ended, in the order of their numbers."""
    return [trial for trial in searching.trials if trial.state in ENDED]


def hopeless(searching: Searching) -> bool:
    """Tell whether all trials have ended and none of them was trained to its end, so that none is selected."""
    return len(ended(searching)) == searching.study.trials and not any(trial.state == "complete" for trial in searching.trials)


def spent(trials: Sequence[Trial]) -> Spent:
    """Add up what trials have cost."""
    return Spent(
        labelled=sum(trial.labelled_passes for trial in trials),
        unlabelled=sum(trial.unlabelled_passes for trial in trials),
        seconds=sum(trial.seconds for trial in trials),
        pretrained=sum(trial.pretrained for trial in trials),
    )


def states_text(searching: Searching) -> str:
    """Say how many trials ended how: "24 trials: 20 complete, 3 pruned and 1 diverged", "8 of 24 trials: 8 complete"."""
    found = ended(searching)
    number, planned = len(found), searching.study.trials
    states = Counter(trial.state for trial in found)
    parts = [f"{states[state]} {state}" for state in ENDED if states[state]]
    return (count(planned, "trial") if number == planned else f"{count(number)} of {count(planned, 'trial')}") + (
        f": {joined(parts)}" if parts else ""
    )
