"""Child processes of one fork server, which has the heavy imports done before the first of them starts, and jobs on them."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import Pipe, forkserver, get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar, cast

from jetbench.errors import JetbenchError, WorkerError
from jetbench.plugins.given import restore, snapshot
from jetbench.spec import PluginRef

__all__ = [
    "Crew",
    "Function",
    "Report",
    "Tell",
    "Workers",
    "context",
    "die_with_parent",
    "hidden_main",
    "one_thread",
    "run_jobs",
]

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
TOLD, DONE, FAILED = "told", "done", "failed"
_starting = threading.Lock()

T = TypeVar("T")
Tell = Callable[[Any], None]
Function = Callable[[T, Tell], Any]  # of a job and a function that tells the caller something; what it returns is its result


def context(preload: Sequence[str] = ()) -> ForkServerContext:
    """Return the start method, with its server running and one thread per process.

    The first caller decides which modules the server has imported when a child starts. It only imports: a computation in the
    server would start OpenMP threads that its children then wait for in vain. A terminal's Ctrl-C reaches neither the server
    nor a child at any time: their signal mask holds it back.
    """
    method = get_context("forkserver")
    with _starting, _changed(os.environ, dict.fromkeys(THREADS, "1")):
        method.set_forkserver_preload(list(preload))
        resource_tracker.ensure_running()  # which lifts the mask, where the server would otherwise start it
        with _held_back(signal.SIGINT):
            forkserver.ensure_running()
    return method


def _forget_server() -> None:
    """A fork of this process starts a server of its own: it is not its child that runs here."""
    server: Any = vars(forkserver)["_forkserver"]
    server._forkserver_pid = server._forkserver_address = server._forkserver_alive_fd = None


os.register_at_fork(after_in_child=_forget_server)


@contextmanager
def hidden_main() -> Iterator[None]:
    """Start processes inside: they would import the main module again, and with it run a plain script that called this. A
    daemonic process may start some too, since they die with it."""
    main, mine = vars(sys.modules["__main__"]), vars(multiprocessing.current_process())["_config"]
    with _starting, _changed(main, {"__file__": None, "__spec__": None}), _changed(mine, {"daemon": False}):
        yield


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute in this process as children do: on several threads torch adds some numbers up in the order in which these meet."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def die_with_parent() -> None:
    """Kill this process as soon as the one that started it has gone, whatever it does then; call it first thing in a child.

    A thread waits for the parent: the system's own signal (PR_SET_PDEATHSIG) would tell the end of the fork server instead.
    """
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


class Report(NamedTuple, Generic[T]):
    """What a worker says of a job: something that it told on the way, or, where `done`, its result."""

    job: T
    done: bool
    value: Any


class Crew(Protocol):
    """Who does jobs elsewhere, as `run_jobs` does them here; what they tell on the way need not arrive."""

    def __call__(self, function: Function[T], jobs: Sequence[T], /) -> Generator[Report[T], None, None]: ...


Workers: TypeAlias = int | Crew  # so many processes of this machine, or others


def run_jobs(function: Function[T], jobs: Sequence[T], workers: Workers) -> Generator[Report[T], None, None]:
    """Call `function(job, tell)` for every job, each in one of `workers` processes, and yield what they say as they say it. A
    worker waits with what it tells until the caller has taken what it told before.

    Function, jobs, what is told and what is returned travel as pickles. Raises `WorkerError` at the first job that fails or
    whose process dies. Any end of the caller ends the workers at once: leaving the iterator by an error, an interrupt or
    `close` kills them, and where the caller is killed they kill themselves. Their standard output is closed, since C++
    libraries print banners there.
    """
    if callable(workers):
        yield from workers(function, jobs)
        return
    waiting, busy = deque(jobs), dict[Connection, T]()
    workforce: dict[Connection, ForkServerProcess] = {}
    try:
        for _ in range(min(workers, len(jobs))):
            _hire(workforce)
        idle = list(workforce)
        while waiting or busy:
            while waiting and idle:
                connection = idle.pop()
                busy[connection] = waiting.popleft()
                with _living(busy[connection], workforce[connection]):
                    connection.send((function, busy[connection]))
            for connection in cast(list[Connection], wait(list(busy))):
                report = _receive(connection, busy[connection], workforce[connection])
                if report.done:
                    del busy[connection]
                    idle.append(connection)
                yield report
    finally:
        for connection, process in workforce.items():
            process.kill()
            process.join()
            connection.close()


def _hire(workforce: dict[Connection, ForkServerProcess]) -> None:
    """Start a worker and enter it under its connection."""
    here, there = Pipe()
    process = context().Process(target=_work, args=(there, snapshot(), os.getcwd()), daemon=True)
    with hidden_main():
        process.start()
    workforce[here] = process
    there.close()


@contextmanager
def _living(job: object, process: ForkServerProcess) -> Iterator[None]:
    """Talk to a worker inside; a dead one fails its job."""
    try:
        yield
    except (EOFError, OSError) as error:
        process.kill()  # where it lives on without a connection
        process.join()
        status = process.exitcode or 0
        ended = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
        raise WorkerError(job, f"its worker process ended with {ended}; it was killed or out of memory", ended) from error


def _receive(connection: Connection, job: T, process: ForkServerProcess) -> Report[T]:
    with _living(job, process):
        outcome, value, details = connection.recv()
    if outcome == FAILED:
        text, cause = value
        error = WorkerError(job, text)
        if details:
            error.add_note(details)
        raise error from (None if cause is None else pickle.loads(cause))
    return Report(job, outcome == DONE, value)


def _work(connection: Connection, plugins: tuple[tuple[PluginRef, bytes], ...], folder: str) -> None:
    """Live as a worker with the plug-ins of the caller and in its folder: receive functions with their jobs and answer (outcome,
    value, details), until killed."""
    die_with_parent()
    os.chdir(folder)
    restore(plugins)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    with suppress(EOFError, ConnectionError):  # of a caller that has just ended, and this process with it
        while True:
            function, job = connection.recv()
            connection.send(_outcome(function, job, lambda value: connection.send((TOLD, value, ""))))


def _outcome(function: Function[Any], job: Any, tell: Tell) -> tuple[str, Any, str]:
    try:
        return DONE, function(job, tell), ""
    except JetbenchError as error:
        return FAILED, (str(error), _travelling(error)), ""
    except Exception as error:
        return FAILED, (f"{type(error).__name__}: {error}", _travelling(error)), traceback.format_exc()


def _travelling(error: Exception) -> bytes | None:
    """An error as a pickle; None of one that does not come back from that."""
    try:
        pickled = pickle.dumps(error)
        pickle.loads(pickled)
    except Exception:
        return None
    return pickled


@contextmanager
def _held_back(signum: signal.Signals) -> Iterator[None]:
    """Processes that start inside inherit a mask that holds a signal back; the caller itself gets it afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signum})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _changed(mapping: MutableMapping[str, Any], values: dict[str, Any]) -> Iterator[None]:
    """Set the values for a while."""
    before = {key: mapping[key] for key in values if key in mapping}
    mapping.update(values)
    try:
        yield
    finally:
        for key in values:
            del mapping[key]
        mapping.update(before)
