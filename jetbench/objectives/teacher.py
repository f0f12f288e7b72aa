"""Momentum teachers: a slowly moving copy of what is trained, without a gradient of its own."""

from __future__ import annotations

import copy
import math
from typing import TypeVar

import torch
from torch import nn

__all__ = ["follow", "rising_momentum", "teacher_of"]

M = TypeVar("M", bound=nn.Module)


def teacher_of(student: M) -> M:
    """Return a copy of a module that no optimiser trains."""
    teacher = copy.deepcopy(student)
    teacher.requires_grad_(False)
    return teacher


@torch.no_grad()
def follow(teacher: nn.Module, student: nn.Module, momentum: float) -> None:
    """Move a teacher towards its student; `momentum` is the share of the old in each of its parameters. Buffers, such as those of
    batch normalisation, are the student's."""
    for old, new in zip(teacher.parameters(), student.parameters(), strict=True):
        old.lerp_(new, 1 - momentum)
    for kept, seen in zip(teacher.buffers(), student.buffers(), strict=True):
        kept.copy_(seen)


def rising_momentum(start: float, progress: float) -> float:
    """Return the momentum after a share `progress` of all steps: from `start` to one along half a cosine (BYOL,
    arXiv:2006.07733, section 3.2)."""
    return 1 - (1 - start) * (math.cos(math.pi * progress) + 1) / 2
