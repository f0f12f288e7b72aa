"""What a recipe's jets are drawn from stays what it was, however values are digested and whatever options are added."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jetbench.data.catalog import find_dataset
from jetbench.simulation import TopVsQcd
from jetbench.simulation.chunks import plan
from jetbench.simulation.jetclass import JetClassMini
from jetbench.simulation.quark_vs_gluon import QuarkVsGluon
from jetbench.simulation.recipe import SimulationRecipe
from jetbench.simulation.showers.recipe import ElectronVsPhoton
from jetbench.simulation.simulators import make_meta
from jetbench.values import Value

# Never change these: another key gives other jets, other splits and other names to all that anybody has simulated.
KEYS = [
    (TopVsQcd(jets=40, seed=9, detector="cms"), "3920a6e95cb8753ea873caf173d11ad7cce7c1d359beb6862e018c73f4f87f6a"),
    (
        TopVsQcd(jets=20, seed=2, detector="cms", contained=False),
        "668a3dbf65bdbd4a010e493e424995bad876b1b24a051675ca3131737c6e1c0a",
    ),
    (
        TopVsQcd(jets=20, seed=2, detector="none", shower_scale=2, eta_max=1),
        "cffc636b12108d9d15d915f7d4ae9a3c305af2f83569650f754d430e3eccd676",
    ),
    (QuarkVsGluon(jets=40, seed=1), "020126a7a654f0130af82105e4f27a72da5282860ee5ef267fc25cdb86c5855e"),
    (QuarkVsGluon(jets=20, seed=1, heavy=True), "40e2621cef132d8a7af87ffab8164791ee715931d353b49b6c778606a5b5b2ef"),
    (JetClassMini(jets=60, seed=3), "efb2a881c4851a90361a0bc619375d2cb90589a2081ad3b9b036413e69ba7972"),
    (JetClassMini(jets=60, seed=3, pt_max=800), "205fd862fe0c2a6c03c09fbac07d0d14d9320140b0f6f3eed7184b95701016bb"),
    (ElectronVsPhoton(jets=40, seed=3), "53e3cbbcd50cba3f4d096878b5e5c5ca25e189c3e4890e5cdfc01c1d8af42945"),
    (ElectronVsPhoton(jets=40, seed=3, revision=2), "b490dcb5628820202a65092709f2947dd309bb9f348019935726afe1a72cbe9e"),
]
RECIPE, KEY = KEYS[0]


class LaterTopVsQcd(TopVsQcd):
    """top-vs-qcd of a later release, with one more option."""

    pile_up: int = 0


@pytest.mark.parametrize(("recipe", "key"), KEYS, ids=lambda value: getattr(value, "name", None) or value[:4])
def test_seed_keys_never_change(recipe: SimulationRecipe, key: str) -> None:
    assert recipe.seed_key == key


def test_what_is_derived_from_them_never_changes() -> None:
    assert [chunk.seed for chunk in plan(RECIPE)] == [798719737, 798719738]
    assert plan(RECIPE)[1].event_ids(np.arange(2)).tolist() == [7429672747782897664, 7429672747782897665]
    assert make_meta(RECIPE).provenance.remarks == (
        'recipe {"contained":true,"detector":true,"energy_scale":1.0,"eta_max":2.0,"jets":40,"mpi":false,"name":"top-vs-qcd",'
        '"pt_max":650.0,"pt_min":550.0,"revision":1,"seed":9,"shower_scale":1.0}',
        f"recipe digest {KEY}",
    )


def test_they_are_independent_of_the_canonical_form_of_values(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [(chunk.seed, chunk.event_ids(np.arange(3)).tolist(), chunk.rng("x").random()) for chunk in plan(RECIPE)]
    path = find_dataset("top-vs-qcd", 40, 9, {"detector": "cms"}).path

    def unused(value: Value) -> str:
        raise AssertionError("the canonical form was asked for")

    monkeypatch.setattr(Value, "canonical", unused)
    assert RECIPE.seed_key == KEY
    assert [(chunk.seed, chunk.event_ids(np.arange(3)).tolist(), chunk.rng("x").random()) for chunk in plan(RECIPE)] == before
    assert find_dataset("top-vs-qcd", 40, 9, {"detector": "cms"}).path == path


def test_a_later_option_counts_only_where_it_is_used() -> None:
    later = LaterTopVsQcd(jets=40, seed=9, detector="cms")
    assert later.seed_key == KEY
    assert later.remarks == RECIPE.remarks
    assert later.replace(pile_up=1).seed_key != KEY


@pytest.mark.parametrize("kind", [TopVsQcd, QuarkVsGluon, JetClassMini, ElectronVsPhoton], ids=lambda kind: kind.__name__)
def test_every_field_counts(kind: type[SimulationRecipe]) -> None:
    recipe = kind(jets=12, seed=3)
    others: dict[str, Any] = {
        "jets": 24,
        "seed": 4,
        "revision": 2,
        "plugin": "0" * 64,
        **{"mpi": not getattr(recipe, "mpi", False), "detector": "none", "contained": False, "heavy": True},
        **{"pt_min": 510.0, "pt_max": 540.0, "shower_scale": 2.0, "energy_scale": 1.01, "eta_max": 1.5, "y_max": 1.5},
    }
    if kind is TopVsQcd:
        others |= {"pt_max": 640.0, "pt_min": 560.0}
    keys = {recipe.replace(**{name: others[name]}).seed_key for name in kind.model_fields if name != "name"}
    assert len(keys | {recipe.seed_key}) == len(kind.model_fields)


def test_names_and_splits_of_a_dataset_come_from_its_key() -> None:
    found = find_dataset("top-vs-qcd", 40, 9, {"detector": "cms"})
    assert found.path.name == f"top-vs-qcd-40-{KEY[:12]}.h5"
    assert found.ref.sha256 == KEY
