"""The pool of an external Dask scheduler: workers come and go, and the driver hands out as many runs as they have places."""

from __future__ import annotations

import json
import logging
import pickle
import queue
import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from jetbench.engine.pool import MakePool, Places, Submitted
from jetbench.engine.remote import look, make_here, misfit, pack, run_here, stop_here, versions
from jetbench.engine.worker import TOLD, Outcome
from jetbench.errors import RunError, StoreError, WorkerError, with_notes_of
from jetbench.processes import Function, Report
from jetbench.runs.costs import costs_so_far
from jetbench.runs.job import Job
from jetbench.tracking.ledger import Ledger

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["address_in", "scheduler_pool"]

T = TypeVar("T")

log = logging.getLogger(__name__)

CONNECT = 10.0  # seconds for a scheduler to answer
LOOK = 1.0  # seconds between looks at who works
GPU, MEMORY = "GPU", "MEMORY"  # what workers call the tokens of `--resources`; memory is in bytes
TRAINING = 1e9  # bytes that a training is taken to need as long as none has ended that needed more


def address_in(file: Path) -> str:
    """Return the address that `dask scheduler --scheduler-file` has written. Raises `RunError` where there is none."""
    try:
        return str(json.loads(file.read_text())["address"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        told = f"no address of a scheduler ({error}); `dask scheduler --scheduler-file {file}` writes it when it starts"
        raise RunError(f"{file}: {told}") from error


def scheduler_pool(address: str, lock: Path, most: int | None = None, expected: int = 0) -> MakePool:
    """Return what connects to the scheduler at an address and has its workers train, `most` runs at a time. Where workers only
    come for what waits, runs are handed out for as many as are `expected`.

    Workers must see the file `lock` of the driver's results folder. Raises `RunError`, once it is asked to connect, where nobody
    answers, and later where a worker is not fit or the scheduler has gone.
    """

    @contextmanager
    def pool(places: Places) -> Iterator[SchedulerPool]:
        from distributed import Client
        from distributed.comm import parse_address, parse_host_port
        from distributed.comm.registry import get_backend

        logging.getLogger("distributed").setLevel(logging.ERROR)
        try:
            scheme, place = parse_address(address)  # a client that fails over these leaves a traceback behind
            get_backend(scheme)
            parse_host_port(place)
            client = Client(address, timeout=CONNECT, set_as_default=False, name="jetbench")
        except (OSError, ValueError) as error:  # of time that is over, too
            told = f"no Dask scheduler answers at {address} ({_first_line(error)})"
            raise RunError(f"{told}; start `dask scheduler`, or mend the address") from error
        with client:
            workers = SchedulerPool(client, address, lock, most, expected)
            workers.count()  # whoever is there is looked at now
            yield workers

    return pool


class SchedulerPool:
    """A training takes a thread of a worker. Where workers declare `--resources GPU=…`, it takes one such token, and where they
    declare `MEMORY=…`, as many bytes as a training of this pool has needed at most; workers without such tokens are left
    alone then. Each training keeps the CUDA_VISIBLE_DEVICES that its worker has."""

    def __init__(self, client: Client, address: str, lock: Path, most: int | None, expected: int) -> None:
        self._client, self._address, self._lock = client, address, lock
        self._most, self._expected = most, expected
        self._driver = secrets.token_hex(8)
        self._versions = versions()
        self._fit: set[str] = set()
        self._names: dict[str, str] = {}  # of the workers that were there when they were last looked at, by address
        self._declared: set[str] = set()  # the kinds of tokens that workers have
        self._peak = self._memory = TRAINING  # what a training has needed, and what one asks for
        self._handed: set[Future[Any]] = set()
        self._count, self._looked, self._waited = 0, 0.0, False
        self.stopping = False

    def count(self) -> int:
        if not self._looked or time.monotonic() - self._looked > LOOK:
            self._count = self._look()
            self._looked = time.monotonic()
        places = max(self._count, self._expected)
        return places if self._most is None else min(places, self._most)

    def submit(self, job: Job) -> Submitted:
        return _Sent(self, job, self._send(job.key[:16], run_here, self._driver, self._versions, self._lock, pickle.dumps(job)))

    def crew(self, function: Function[T], jobs: Sequence[T], /) -> Generator[Report[T], None, None]:
        ended: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
        sent = {self._send("data", make_here, self._versions, self._lock, pack(function, job)): job for job in jobs}
        try:
            for future in sent:
                future.add_done_callback(ended.put)
            for _ in jobs:
                future = ended.get()
                yield Report(sent[future], True, self._made(future, sent[future]))
        finally:
            self._handed -= sent.keys()
            with suppress(OSError):
                self._client.cancel(list(sent))

    def stop(self) -> None:
        self.stopping = True

        def tell() -> None:
            with suppress(OSError, AttributeError):  # the second of a client that is closed meanwhile
                self._client.run(stop_here, self._driver, on_error="ignore")
                begun = {key for keys in self._client.processing().values() for key in keys}
                self._client.cancel([sent for sent in tuple(self._handed) if sent.key not in begun])

        # in a thread: a worker that has just died is asked for as long as a connection may take
        threading.Thread(target=tell, daemon=True).start()

    def note_memory(self, peak: float) -> None:
        """Note how many bytes a training has needed."""
        self._peak = max(self._peak, peak)

    def forget(self, sent: Future[Any]) -> None:
        """Let go of what has ended."""
        self._handed.discard(sent)

    def gone(self, error: BaseException) -> RunError:
        told = "runs under way end with their workers; the same command goes on from their checkpoints"
        return RunError(f"the Dask scheduler at {self._address} has gone ({_first_line(error)}); {told}")

    def _send(self, what: str, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        key = f"{what}-{secrets.token_hex(4)}"  # under a run's own the result of an earlier attempt would be found
        tokens = {name: count for name, count in {GPU: 1, MEMORY: self._memory}.items() if name in self._declared}
        sent: Future[Any] = self._client.submit(function, *arguments, key=key, pure=False, resources=tokens or None)
        self._handed.add(sent)
        return sent

    def _made(self, future: Future[Any], job: Any) -> Any:
        """The result of a job of data."""
        from distributed import KilledWorker

        try:
            return future.result()
        except KilledWorker as killed:
            raise WorkerError(job, _died("it made this", killed.last_worker, killed.allowed_failures)) from killed
        except CancelledError as error:
            raise self.gone(error) from error
        except RunError as error:
            raise with_notes_of(error, WorkerError(job, str(error))) from None

    def _look(self) -> int:
        """Count the places of all workers; those that are new have to be fit."""
        try:
            workers = self._client.scheduler_info()["workers"]
            self._refuse_misfits([address for address in workers if address not in self._fit])
        except OSError as error:
            raise self.gone(error) from error
        self._tell_who_has_gone({address: str(worker["name"]) for address, worker in workers.items()})
        count = self._places_there(list(workers.values()))
        if not count and not self._waited:
            kinds = f" with {' and '.join(sorted(self._declared))} tokens" if workers and self._declared else ""
            log.warning("no worker%s is at %s; runs begin as soon as one comes", kinds, self._address)
        self._waited = not count
        return count

    def _tell_who_has_gone(self, workers: Mapping[str, str]) -> None:
        for address in self._names.keys() - workers.keys():
            log.warning("the worker %s at %s has gone; what it had under way goes on elsewhere", self._names[address], address)
        self._names = dict(workers)

    def _places_there(self, workers: Sequence[Mapping[str, Any]]) -> int:
        """Count the places of these workers, and note which tokens they have."""
        here = [worker for worker in workers if worker["status"] == "running"]
        self._declared |= {name for name in (GPU, MEMORY) for worker in here if name in worker["resources"]}
        most = max((worker["resources"].get(MEMORY, 0) for worker in here), default=0)
        self._memory = min(self._peak, most) if most else self._peak  # more than any of them has would never begin
        return sum(self._places_of(worker["nthreads"], worker["resources"]) for worker in here)

    def _places_of(self, threads: int, tokens: Mapping[str, float]) -> int:
        places = tokens.get(GPU, 0) if GPU in self._declared else threads
        if MEMORY in self._declared:
            places = min(places, tokens.get(MEMORY, 0) // self._memory)
        return int(places)

    def _refuse_misfits(self, addresses: list[str]) -> None:
        answers = self._client.run(look, self._lock, workers=addresses, on_error="return") if addresses else {}
        for address, found in answers.items():
            if isinstance(found, OSError):
                continue  # it has just gone
            if isinstance(found, Exception):
                told = f"the worker {address} cannot say which version of jetbench it has ({_first_line(found)})"
                raise RunError(f"{told}; is it installed there?")
            if trouble := misfit(found, self._versions, self._lock):
                raise RunError(f"the worker {address} on {found['host']} {trouble}")
            self._fit.add(address)


class _Sent:
    """A job that workers have; its result is an `Outcome`, whatever has become of them."""

    def __init__(self, pool: SchedulerPool, job: Job, future: Future[Outcome]) -> None:
        self._pool, self._job, self._future = pool, job, future

    def done(self) -> bool:
        return bool(self._future.done())

    def add_done_callback(self, fn: Callable[[Any], Any], /) -> None:
        self._future.add_done_callback(fn)

    def result(self) -> Outcome:
        from distributed import KilledWorker

        try:
            outcome: Outcome = self._future.result()
        except KilledWorker as killed:
            return self._killed(killed.last_worker, killed.allowed_failures)
        except CancelledError as error:
            if self._pool.stopping:
                return Outcome(self._job.key, "stopped", reason=TOLD)
            raise self._pool.gone(error) from error
        finally:
            self._pool.forget(self._future)
        if outcome.status == "stopped" and not self._pool.stopping:
            return replace(outcome, status="moved")  # its worker closes, or a batch system has told all processes of a job
        if outcome.status == "done":
            with suppress(StoreError):  # it is read, and missed, by those whom it concerns
                self._pool.note_memory(Ledger(self._job.work).metrics(self._job.key).get("cost/peak_memory", 0) * 1e6)
        return outcome

    def _killed(self, worker: Any, allowed: int) -> Outcome:
        """More workers have died with the run than the scheduler allows: it may be the cause."""
        key, ledger = self._job.key, Ledger(self._job.work)
        if ledger.done(key):
            return Outcome(key, "done", trained=True)
        reason = _died("it trained this run", worker, allowed)
        ledger.fail(key, reason, "", so_far=costs_so_far(self._job.spec, ledger, key))
        return Outcome(key, "failed", reason=reason)


def _died(what: str, worker: Any, allowed: int) -> str:
    others = f", as {allowed} other{'' if allowed == 1 else 's'} before it" if allowed else ""
    remedy = "is there enough memory and time for the jobs of the batch system?"
    return f"the worker {worker.name} on {worker.host} died while {what}{others}; {remedy}"


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0].rstrip(": ")
