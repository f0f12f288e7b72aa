"""Errors that a user can mend: one class per cause; the message names the cause and the remedy."""

from collections.abc import Mapping
from typing import Any, TypeVar

__all__ = [
    "BusyError",
    "DataFileError",
    "DivergenceError",
    "JetbenchError",
    "LeakError",
    "LostLeaseError",
    "MissingPackageError",
    "PluginError",
    "RunError",
    "SealedError",
    "SimulationError",
    "StoreError",
    "SuiteError",
    "UnknownNameError",
    "WorkerError",
    "with_notes_of",
]

E = TypeVar("E", bound=BaseException)


class JetbenchError(Exception):
    """Base of every error that the command line shows as a message instead of a traceback."""


class UnknownNameError(JetbenchError):
    """A name that no registry, suite or dataset knows; `name` is that of a component, which a plug-in may have."""

    def __init__(self, message: str, name: str = "") -> None:
        super().__init__(message)
        self.name = name


class SuiteError(JetbenchError):
    """A suite file, an override or a spec that does not make sense."""


class DataFileError(JetbenchError):
    """A file that is damaged, truncated or not what it should be."""


class MissingPackageError(JetbenchError):
    """A package that only an extra installs, and that something of a suite needs."""


class PluginError(JetbenchError):
    """A plug-in that is broken, gone, other than it was, or whose names others have already."""


class LeakError(JetbenchError):
    """Jets that would be trained on and tested on at the same time."""


class SimulationError(JetbenchError):
    """A simulation that cannot run or whose chunk failed."""


class RunError(JetbenchError):
    """A training that cannot go on (a loss that is not finite, a missing start)."""


class DivergenceError(RunError):
    """A training whose loss, or a model whose predictions are no longer finite; `costs` are the passes and seconds that it has
    taken, empty where whoever raises it does not know them."""

    def __init__(self, message: str, costs: Mapping[str, float] | None = None) -> None:
        super().__init__(message)
        self.costs = dict(costs or {})


class SealedError(RunError):
    """A run that only its test jets have brought to nothing: no choice may depend on that."""


class StoreError(JetbenchError):
    """A results folder or tracking store that cannot be used."""


class BusyError(JetbenchError):
    """Another process is working on the same thing."""


class LostLeaseError(BusyError):
    """Another process has taken over what this one was working on: nothing may be written any more."""


class WorkerError(JetbenchError):
    """A `job` that failed in a worker process, or whose worker died, `ended` by a signal or with a status, as it says. The error
    of the worker, where it could travel, is the cause, and a traceback of the worker's is a note."""

    def __init__(self, job: Any, reason: str, ended: str = "") -> None:
        super().__init__(reason)
        self.job, self.ended = job, ended


def with_notes_of(error: BaseException, explained: E) -> E:
    """Give an error the notes of another one, in whose place it is raised; returns it."""
    for note in getattr(error, "__notes__", ()):
        explained.add_note(note)
    return explained
