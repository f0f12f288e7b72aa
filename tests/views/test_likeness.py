"""What a view would find otherwise in other jets, with both sides."""

from __future__ import annotations

import pytest

from jetbench.formats.particles import ENERGY, PT
from jetbench.jets import Channel, Grid, Meta
from jetbench.views import views
from jetbench.views.likeness import differences, unlike

HERE = Meta(channels=(Channel(name="charged", unit="GeV", role="pt"), Channel(name="neutral", unit="GeV", role="pt")), extent=0.8)
GRID = Grid(rows=8, columns=8, eta_extent=0.8, phi_extent=0.8)


@pytest.mark.parametrize(
    ("there", "found"),
    [
        (HERE, []),
        (HERE.replace(extent=None, class_names=("a", "b")), []),
        (HERE.replace(channels=HERE.channels[:1]), ["channels charged against charged, neutral"]),
        (
            HERE.replace(channels=(HERE.channels[0].replace(unit="MeV"), HERE.channels[1])),
            ["unit of the channel charged MeV against GeV"],
        ),
        (HERE.replace(grid=GRID), ["grid 8×8 over ±0.8 × ±0.8 against none (constituents)"]),
        (HERE.replace(extent=0.4), ["extent ±0.4 against ±0.8"]),
        (HERE.replace(isotropic=False), ["isotropic False against True"]),
    ],
)
def test_both_sides_are_named(there: Meta, found: list[str]) -> None:
    assert list(differences(HERE, there)) == found
    assert unlike(views["image"], "all", HERE, there) == "; ".join(found)


def test_a_view_of_the_pt_alone_sees_other_channels_alike_and_one_of_no_deposits_sees_anything() -> None:
    there = HERE.replace(channels=(PT, ENERGY))
    assert not unlike(views["observables"], "pt", HERE, there)
    assert "channels" in unlike(views["constituents"], "all", HERE, there)
    other = Meta(channels=(ENERGY,), grid=GRID)
    assert unlike(views["observables"], "pt", HERE, other).startswith(
        "for the view 'observables' a channel of the role 'pt' is needed"
    )
    assert not unlike(views["nothing"], "nothing", HERE, other)
