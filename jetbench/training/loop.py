"""The one training loop: it serves pretraining and fine-tuning alike and knows neither suites nor trackers.

Every random number of step t is derived from (seed, t), so a training that was stopped after any step goes on as if it had
not been, with no saved generator state.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from jetbench.data.batches import Batches
from jetbench.errors import DataFileError, DivergenceError, RunError, StoreError
from jetbench.models.network import Network
from jetbench.objectives.base import Objective
from jetbench.seeds import derive, torch_rng
from jetbench.spec import Recipe
from jetbench.tasks.task import Metric
from jetbench.tracking.folder import RunFolder
from jetbench.tracking.journal import Journal
from jetbench.training.bundle import save_weights
from jetbench.training.checkpoint import read_checkpoint, restore, save_checkpoint
from jetbench.training.device import Precision, autocast, device, make_repeatable
from jetbench.training.optim import Plateau, build_optimizer, rate, set_step
from jetbench.training.progress import Progress
from jetbench.training.signs import Start, Tail, Trained
from jetbench.training.stops import Flag, Limits, Pruned, Stopped, first_behind
from jetbench.training.watch import Watch, all_finite, jets_in_words

__all__ = ["fit"]

log = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 30.0
LOOK = 50  # steps between two looks at the loss, each of which waits for a GPU to catch up
SLOWER = "a lower learning rate may help"
# of a loss that no step has gone before: the weights are still those that it began with
UNTRAINED = (
    "no step was taken before it, so that no learning rate can be the cause: look at these jets, the view and the objective"
)


@dataclass
class Fit:
    """One training under way."""

    recipe: Recipe
    network: Network
    objective: Objective
    batches: Batches
    pool: Batches | None
    journal: Journal
    folder: Path
    stop: Flag
    seed: int
    precision: Precision
    validate: Callable[[], dict[str, float]] | None
    diagnose: Callable[[], dict[str, float]] | None
    frozen: bool
    limits: Limits
    fault: str | None
    optimizer: torch.optim.Optimizer
    metric: Metric
    tail: Tail = field(init=False)
    watch: Watch = field(default_factory=Watch)
    since: float = 0.0  # when the seconds began that are not booked yet
    progress: Progress = field(default_factory=Progress)
    best: dict[str, Tensor] = field(default_factory=dict)
    sums: dict[str, Tensor] = field(default_factory=dict)  # of the running epoch's diagnostics, where the network is

    def __post_init__(self) -> None:
        self.tail = Tail(self.steps)

    @property
    def steps(self) -> int:
        return max(1, math.ceil(self.recipe.passes / (self.recipe.batch_size * self.objective.views_per_jet)))

    def modules(self) -> dict[str, torch.nn.Module]:
        return {"network": self.network, "objective": self.objective}


def fit(
    recipe: Recipe,
    network: Network,
    objective: Objective,
    batches: Batches,
    journal: Journal,
    folder: Path,
    stop: Flag,
    *,
    seed: int,
    precision: Precision,
    pool: Batches | None = None,
    validate: Callable[[], dict[str, float]] | None = None,
    diagnose: Callable[[], dict[str, float]] | None = None,
    frozen: bool = False,
    limits: Limits | None = None,
    fault: str | None = None,
) -> Trained:
    """Train `network` in place and return its costs, and the signs of its length.

    Steps and passes are those of `batches`; where the objective has one beside it, that is given a batch of the `pool` in each
    step. `validate` gives the validation metrics of the network as it is, once per epoch; the recipe says by which of them the
    best epoch is told. `diagnose` tells as often what the features of its encoder are like. Weights that are written bear the
    name of a `fault` that the run has on purpose. A checkpoint in `folder` is taken up; a damaged one falls back to the one
    before, with a warning. Raises `Stopped` once `stop` is set and `Pruned` where the validation's "loss" is beyond one of the
    `limits`, both after a checkpoint, and `DivergenceError`, with the costs so far, where a loss is not finite; it names the step
    and its jets.
    """
    make_repeatable()
    network.to(device())
    objective.to(device())
    network.encoder.requires_grad_(not frozen)
    start = Start(network.encoder)
    training = Fit(
        recipe=recipe,
        network=network,
        objective=objective,
        batches=batches,
        pool=pool,
        journal=journal,
        folder=folder,
        stop=stop,
        seed=seed,
        precision=precision,
        validate=validate,
        diagnose=diagnose,
        frozen=frozen,
        limits=limits or {},
        fault=fault,
        metric=objective.task.selector(recipe.select_by),
        optimizer=build_optimizer(recipe, network.encoder, network.head, objective),
    )
    _resume(training)
    _refuse_behind(training)
    while training.progress.epoch < recipe.epochs and not training.progress.stopped_early:
        _epoch(training)
        _refuse_behind(training)
    _keep_best(training)
    return Trained(_costs(training), training.tail.signs(training.progress.step) | start.signs(network.encoder))


def _refuse_behind(training: Fit) -> None:
    """Stop where a study has stopped others that were as far and no worse."""
    if (epoch := first_behind(training.journal.path, training.limits)) is not None:
        _keep_best(training)
        raise Pruned(epoch, _costs(training))


def _keep_best(training: Fit) -> None:
    """Give the network its best weights where the recipe asks for them; the last ones then stand in a file beside them."""
    if training.best:
        save_weights(RunFolder(training.folder).last_weights, training.network, training.fault)
        training.network.load_state_dict(training.best)


def _costs(training: Fit) -> dict[str, float]:
    progress, passes = training.progress, _passes(training, training.progress.step)
    costs = {"passes": passes, "seconds": progress.seconds}
    if progress.step_seconds:
        beside = training.objective.beside
        views = training.objective.views_per_jet + (0 if beside is None else beside.views_per_jet)
        costs["training_jets_per_second"] = passes * views / training.objective.views_per_jet / progress.step_seconds
    if progress.best_step:
        costs |= {"passes_to_best": _passes(training, progress.best_step), "seconds_to_best": progress.best_seconds}
    return costs


def _passes(training: Fit, steps: int) -> float:
    return float(steps * training.recipe.batch_size * training.objective.views_per_jet)


def _book(training: Fit) -> float:
    """Add the seconds since the last booking to those of the training, and return them."""
    now = time.monotonic()
    seconds, training.since = now - training.since, now
    training.progress.seconds += seconds
    return seconds


def _resume(training: Fit) -> None:
    """Go on from the last checkpoint that can be read; without one, from step 0 with nothing touched."""
    folder = RunFolder(training.folder)
    for path in (folder.checkpoint, folder.previous_checkpoint):
        if not path.exists():
            continue
        try:
            checkpoint = read_checkpoint(path, training.modules())
            progress = Progress(**checkpoint.scalars)
            training.journal.cut(progress.journal)
        except (DataFileError, StoreError, TypeError) as error:
            log.warning("%s; the training goes on from the checkpoint before it, or from its beginning", error)
            continue
        restore(checkpoint, training.modules(), training.optimizer)
        training.best, training.progress = checkpoint.below("best"), progress
        sums = progress.sums.items()
        training.sums = {name: torch.tensor(total, dtype=torch.float64, device=device()) for name, total in sums}
        training.tail = Tail(training.steps, progress.tail)
        return
    training.journal.cut(0)


def _checkpoint(training: Fit) -> None:
    training.journal.sync()
    training.progress.journal = training.journal.position()
    training.progress.sums = {name: float(total) for name, total in training.sums.items()}
    training.progress.tail = training.tail.sums.tolist()
    scalars = dict(vars(training.progress))
    save_checkpoint(RunFolder(training.folder), training.modules(), training.optimizer, training.best, scalars)
    training.journal.commit()


def _epoch(training: Fit) -> None:
    progress, recipe = training.progress, training.recipe
    last = (progress.epoch + 1) * training.steps // recipe.epochs
    plateau = Plateau(progress.plateau)
    training.network.train()
    if training.frozen:
        training.network.encoder.eval()
    training.since = saved = time.monotonic()
    while progress.step < last:
        _step(training, _learning_rate(training, plateau, progress.step))
        now = time.monotonic()
        if progress.step % LOOK == 0 or progress.step == last:
            _refuse_divergence(training, weights=progress.step == last)
        if training.stop.is_set() or now - saved > CHECKPOINT_SECONDS:
            _refuse_divergence(training)
            progress.step_seconds += _book(training)
            saved = now
            _checkpoint(training)
            if training.stop.is_set():
                raise Stopped
    progress.step_seconds += _book(training)
    metrics = {f"train/{k}": float(v) / max(1, progress.steps_in_epoch) for k, v in training.sums.items()}
    metrics["train/learning_rate"] = _learning_rate(training, plateau, max(progress.step - 1, 0))
    metrics["train/passes"] = _passes(training, progress.step)
    if training.diagnose is not None:
        metrics |= {f"features/{name}": value for name, value in _told(training, "features", training.diagnose).items()}
    _validate(training, plateau, metrics)
    training.journal.append(progress.epoch, metrics)
    _book(training)
    if progress.best_epoch == progress.epoch:
        progress.best_step, progress.best_seconds = progress.step, progress.seconds
    progress.epoch, progress.steps_in_epoch, progress.plateau = progress.epoch + 1, 0, plateau.state()
    training.sums = {}
    _checkpoint(training)


def _learning_rate(training: Fit, plateau: Plateau, step: int) -> float:
    return training.recipe.learning_rate * rate(training.recipe, step, training.steps) * plateau.factor


def _step(training: Fit, learning_rate: float) -> None:
    progress = training.progress
    rng = torch_rng("views", training.seed, progress.step)
    torch.manual_seed(derive("step", training.seed, progress.step))  # dropout's generator is torch's own
    beside = None if training.pool is None else training.pool.batch(progress.step)
    shown = training.objective.shown(training.batches.batch(progress.step), beside, rng)
    inputs = tuple(seen.to(device()) for seen in shown)
    with autocast(training.precision):
        out = training.objective(training.network, inputs)
    set_step(training.optimizer, training.recipe, learning_rate, progress.step, training.steps)
    training.optimizer.zero_grad()
    out["loss"].backward()
    if training.recipe.clip is not None:
        torch.nn.utils.clip_grad_norm_([p for g in training.optimizer.param_groups for p in g["params"]], training.recipe.clip)
    training.optimizer.step()
    training.watch.add(out["loss"].detach())
    training.tail.add(progress.step, out["loss"].detach().double())
    progress.step += 1
    progress.steps_in_epoch += 1
    training.objective.after_step(training.network, progress.step / training.steps)
    for name, value in out.items():
        training.sums[name] = training.sums.get(name, 0.0) + value.detach().double()


def _refuse_divergence(training: Fit, weights: bool = False) -> None:
    """Raise `DivergenceError` where a loss since the last look is not finite, or the weights are not: what the last step has done
    shows in them alone."""
    step = training.progress.step
    if (bad := training.watch.look(step)) is not None:
        remedy = UNTRAINED if bad == 0 else SLOWER
        raise _divergence(training, f"the loss is not finite in step {bad + 1} of {training.steps}", bad, remedy)
    if weights and not all_finite(training.network.parameters()):
        raise _divergence(training, f"the weights are not finite after step {step} of {training.steps}", step - 1)


def _divergence(training: Fit, what: str, step: int | None = None, remedy: str = SLOWER) -> DivergenceError:
    """What there is to say of it, with the jets of the batch of a step, counted from 0, where it began in one."""
    _book(training)
    jets = "" if step is None else f"; its batch has {jets_in_words(training.batches.indices(step))}"
    return DivergenceError(f"{what}{jets}; {remedy}", _costs(training))


def _told(training: Fit, look: str, tell: Callable[[], dict[str, float]]) -> dict[str, float]:
    """What a look at the network after an epoch says; where it finds a divergence, that of the training."""
    try:
        return tell()
    except DivergenceError as error:
        raise _divergence(training, f"{_where(training, look)} {error}") from error


def _where(training: Fit, look: str) -> str:
    return f"in the {look} after step {training.progress.step} of {training.steps}"


def _validate(training: Fit, plateau: Plateau, metrics: dict[str, Any]) -> None:
    """Add validation metrics, move the plateau, keep the best weights, and see whether patience has run out."""
    if training.validate is None:
        return
    progress, recipe, key = training.progress, training.recipe, training.metric.key
    values = _told(training, "validation", training.validate)
    if not math.isfinite(values["loss"]):
        raise _divergence(training, f"{_where(training, 'validation')} the loss is not finite")
    metrics.update({f"val/{name}": value for name, value in values.items()})
    if recipe.schedule == "plateau":
        plateau.step(values["loss"])
    if key not in values:
        raise RunError(f"the recipe selects by {key!r}, which these validation labels do not give; raise the label budget")
    if progress.note_validation(training.metric, values[key], recipe.patience) and recipe.select == "best":
        training.best = {k: t.detach().clone() for k, t in training.network.state_dict().items()}
