from __future__ import annotations

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts, OneCycleLR, ReduceLROnPlateau

from jetbench.spec import Recipe
from jetbench.training.optim import Plateau, build_optimizer, rate, set_step


def optimizer_of(recipe: Recipe) -> torch.optim.Optimizer:
    return build_optimizer(recipe, torch.nn.Linear(1, 1))


def test_the_schedule_in_closed_form() -> None:
    recipe = Recipe(name="t", learning_rate=1.0, warmup=0.1)
    assert [rate(recipe, s, 100) for s in (0, 9, 10, 55, 100)] == pytest.approx([0.1, 1.0, 1.0, 0.5, 0.0], abs=1e-12)
    assert rate(recipe.replace(schedule="constant"), 50, 100) == 1.0


def test_the_plateau_agrees_with_torch() -> None:
    losses = [1.0, 0.9, 0.95, 0.9, 0.91, 0.89995, 0.9, 0.93, 0.94, 0.8] + [0.85] * 14
    optimizer = optimizer_of(Recipe(name="t", learning_rate=1.0))
    theirs, ours = ReduceLROnPlateau(optimizer, factor=0.5, patience=5), Plateau()
    for loss in losses:
        theirs.step(loss)
        ours = Plateau(ours.state())
        ours.step(loss)
        assert ours.factor == optimizer.param_groups[0]["lr"]


@pytest.mark.parametrize(("optimizer", "warmup", "steps"), [("adamw", 0.3, 100), ("adam", 0.25, 37), ("adam", 0.0, 10)])
def test_one_cycle_agrees_with_torch_in_rate_and_momentum(optimizer: str, warmup: float, steps: int) -> None:
    recipe = Recipe(name="t", learning_rate=3e-3, optimizer=optimizer, schedule="one-cycle", warmup=warmup)
    ours, other = optimizer_of(recipe), optimizer_of(recipe)
    theirs = OneCycleLR(other, max_lr=3e-3, total_steps=steps, pct_start=warmup)
    for step in range(steps):
        set_step(ours, recipe, recipe.learning_rate * rate(recipe, step, steps), step, steps)
        (mine,), (group,) = ours.param_groups, other.param_groups
        assert mine["lr"] == pytest.approx(group["lr"], rel=1e-9)
        assert mine["betas"] == pytest.approx(group["betas"], rel=1e-12)
        other.step()  # without a gradient; torch warns of a scheduler that no step comes before
        theirs.step()
    assert mine["lr"] == pytest.approx(3e-3 / 25e4)


def test_one_cycle_of_a_step_or_two_has_a_rate() -> None:
    """Where torch's own divides by zero, the first step is the peak."""
    recipe = Recipe(name="t", learning_rate=1.0, schedule="one-cycle", warmup=0.5)
    assert [rate(recipe, step, 2) for step in range(2)] == pytest.approx([1.0, 1 / 25e4])
    assert rate(recipe, 0, 1) == pytest.approx(1 / 25e4)


def test_warm_restarts_agree_with_torch() -> None:
    """35 epochs of four steps: stretches of 10 and 20, and the beginning of one of 40."""
    recipe = Recipe(name="t", learning_rate=0.1, schedule="warm-restarts", epochs=35)
    theirs = CosineAnnealingWarmRestarts(optimizer_of(recipe), T_0=10, T_mult=2)
    for step in range(140):
        theirs.step(step / 4)
        assert 0.1 * rate(recipe, step, 140) == pytest.approx(theirs.get_last_lr()[0], rel=1e-9)
    assert [rate(recipe, step, 140) for step in (0, 40, 120)] == [1.0, 1.0, 1.0]


def test_warm_restarts_begin_after_the_warm_up() -> None:
    recipe = Recipe(name="t", learning_rate=0.1, schedule="warm-restarts", epochs=10, warmup=0.2, first_restart=4)
    assert [rate(recipe, step, 100) for step in (0, 19, 20, 40, 60)] == pytest.approx([0.05, 1.0, 1.0, 0.5, 1.0])


def test_other_schedules_leave_the_momentum_alone() -> None:
    recipe = Recipe(name="t", learning_rate=0.1)
    optimizer = optimizer_of(recipe)
    set_step(optimizer, recipe, 0.05, 3, 10)
    assert (optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["betas"]) == (0.05, (0.9, 0.999))


def test_the_encoder_has_a_rate_of_its_own() -> None:
    """After a step of Adam each weight has moved by its rate, whatever its gradient."""
    encoder, head = torch.nn.Linear(2, 1, bias=False), torch.nn.Linear(2, 1, bias=False)
    before = [module.weight.detach().clone() for module in (encoder, head)]
    recipe = Recipe(name="t", learning_rate=0.1, encoder_rate=0.1, optimizer="adam", schedule="constant")
    optimizer = build_optimizer(recipe, encoder, head)
    set_step(optimizer, recipe, 0.1 * 0.5, 3, 10)
    (encoder.weight.sum() + 3 * head.weight.sum()).backward()
    optimizer.step()
    moved = [then - module.weight.detach() for then, module in zip(before, (encoder, head), strict=True)]
    torch.testing.assert_close(moved[0], torch.full((1, 2), 0.005), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(moved[1], torch.full((1, 2), 0.05), rtol=1e-4, atol=1e-6)


def test_what_has_no_gradient_is_in_no_group() -> None:
    encoder, head = torch.nn.Linear(1, 1).requires_grad_(False), torch.nn.Linear(1, 1)
    (group,) = build_optimizer(Recipe(name="t", learning_rate=0.1), encoder, head).param_groups
    assert group["params"] == list(head.parameters())
