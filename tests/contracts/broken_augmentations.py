"""Augmentations that each break one property of their contract."""

from __future__ import annotations

import torch
from torch import Generator

from jetbench.data.batch import Batch


def reversed_jets(batch: Batch, rng: Generator) -> Batch:
    return batch.replace(jet=batch.jet.flip(0))


def in_place(batch: Batch, rng: Generator) -> Batch:
    batch.eta.neg_()
    return batch


def of_global_generator(batch: Batch, rng: Generator) -> Batch:
    return batch.replace(eta=batch.eta * torch.randn(()))


def filled(batch: Batch, rng: Generator) -> Batch:
    return batch.replace(jet=(batch.jet - 1).clamp(min=0))


def centred_on_all(batch: Batch, rng: Generator) -> Batch:
    return batch.replace(eta=batch.eta - batch.eta.sum())


def below_zero(batch: Batch, rng: Generator) -> Batch:
    return batch.replace(values=batch.values - 1)


def doubled(batch: Batch, rng: Generator) -> Batch:
    return batch.replace(values=2 * batch.values)


def widened(batch: Batch, rng: Generator) -> Batch:
    return batch.replace(eta=1.5 * batch.eta, phi=1.5 * batch.phi)
