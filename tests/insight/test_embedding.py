"""Planes of features whose shape is known."""

from __future__ import annotations

import numpy as np
import pytest

from jetbench.insight.embedding import principal_plane, tsne_plane


def test_a_plane_that_was_turned_is_found_again() -> None:
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(200, 2)) * [1.0, 0.4]
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0][:2]
    plane, explained = principal_plane(flat @ turn)
    assert plane.shape == (200, 2)
    assert explained.sum() == pytest.approx(1.0)


def test_like_jets_are_neighbours() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 8)) + 30.0 * (np.arange(60) % 2)[:, None]
    plane = tsne_plane(features)
    apart = np.linalg.norm(plane[:, None] - plane[None], axis=2) + 1e9 * np.eye(60)
    assert (apart.argmin(axis=1) % 2 == np.arange(60) % 2).all()
