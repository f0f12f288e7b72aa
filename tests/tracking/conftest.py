import hashlib
import shutil

import pytest

from jetbench.tracking.store import Store
from jetbench.tracking.tracker import RunCard


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """A store whose database is made once; tests work on copies of it."""
    store = Store(tmp_path_factory.mktemp("prepared"))
    store.prepare()
    return store


@pytest.fixture
def store(prepared, tmp_path):
    store = Store(tmp_path / "mlruns")
    store.work.mkdir(parents=True)
    shutil.copy(prepared.database, store.database)
    store.settle()
    return store


@pytest.fixture
def card(store):
    """Makes the card of a run by its name."""

    def make(name="resnet15/scratch/n100/s0", **fields):
        key = hashlib.sha256(name.encode()).hexdigest()
        folder = store.work / key
        folder.mkdir(exist_ok=True)
        return RunCard(**{"key": key, "name": name, "kind": "final", "folder": folder, **fields})

    return make
