"""One small simulated sample, made once, that the tests of its physics share."""

import numpy as np
import pytest

from jetbench.data.catalog import find_dataset
from jetbench.simulation import TopVsQcd, simulate
from jetbench.simulation.chunks import Chunk, plan
from jetbench.simulation.sample import make_sample

SMALL = TopVsQcd(jets=400, seed=1)


@pytest.fixture(scope="session")
def small_recipe():
    return SMALL


@pytest.fixture(scope="session")
def small_file(tmp_path_factory):
    """400 jets in a file, made by two workers, with its content digest."""
    path = tmp_path_factory.mktemp("simulation") / "small.h5"
    return path, simulate(SMALL, path, workers=2)


@pytest.fixture(scope="session")
def small(small_file):
    from jetbench.jets import open_jets

    return open_jets(small_file[0]).read()


@pytest.fixture(scope="session")
def big_file(own_cache):
    """The jets of ssl-vs-scratch at quick, minutes of work, made once for all processes that test."""
    dataset = find_dataset("top-vs-qcd", 12_000)
    dataset.make(2)
    return dataset.path


@pytest.fixture
def tiny_chunk():
    """The first chunk of a tiny recipe, a second's work."""
    return plan(TopVsQcd(jets=20, seed=5))[0]


def auc(signal: np.ndarray, background: np.ndarray) -> tuple[float, float]:
    """Area under the ROC curve and its standard error (Hanley and McNeil 1982)."""
    both = np.concatenate([signal, background])
    order = np.argsort(both, kind="stable")
    ranks = np.empty(len(both))
    ranks[order] = np.arange(1, len(both) + 1)
    n, m = len(signal), len(background)
    a = (ranks[:n].sum() - n * (n + 1) / 2) / (n * m)
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    return a, float(np.sqrt((a * (1 - a) + (n - 1) * (q1 - a * a) + (m - 1) * (q2 - a * a)) / (n * m)))


@pytest.fixture(scope="session")
def auc_and_error():
    return auc


@pytest.fixture(scope="session")
def make():
    def made(recipe: TopVsQcd, label: int, jets: int, index: int = 0):
        return make_sample(Chunk(recipe=recipe, index=index, label=label, jets=jets))

    return made
