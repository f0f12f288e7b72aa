from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jetbench.datainfo.plots import dataset_plot
from jetbench.datainfo.summary import summarise
from jetbench.evaluation.plots import PALETTE, save_png
from jetbench.jets import Channel, Jets


def labels(figure: object) -> set[str]:
    parts = figure.subfigs  # type: ignore[attr-defined]
    return {axes.get_xlabel().split("\n")[0] for part in parts for axes in part.axes} - {""}


def test_labelled_jets_show_every_panel(toy_jets: Jets) -> None:
    figure = dataset_plot(*summarise(toy_jets, "/data/jets.h5"))
    names = labels(figure)
    assert names >= {"jets", "jet $p_T$ [GeV]", "jet mass [GeV]", "multiplicity", "AUC of the column alone"}
    assert [axes.get_title() for axes in figure.subfigs[1].axes[:2]] == ["qcd", "top"]
    assert figure.subfigs[0].get_suptitle() == "jets.h5: 400 jets"


def test_a_leak_has_the_colour_of_an_alarm(toy_jets: Jets) -> None:
    from matplotlib.colors import to_hex

    leak = {"leak": toy_jets.targets["label"].astype(np.float32)}
    summary, sample = summarise(replace(toy_jets, targets={**toy_jets.targets, **leak}), "jets.h5")
    figure = dataset_plot(summary, sample)
    axes = next(axes for axes in figure.subfigs[0].axes if axes.get_xlabel().startswith("AUC"))
    colours = {
        tick.get_text(): to_hex(bar.get_facecolor()).upper()
        for tick, bar in zip(axes.get_yticklabels(), axes.patches, strict=True)
    }
    assert colours["targets/leak"] == PALETTE[1]
    assert colours["targets/gen_mass"] != PALETTE[1]


@pytest.mark.parametrize("case", ["unlabelled", "no units", "ten classes", "one class", "no jets", "dollars"])
def test_every_kind_of_jets_can_be_drawn(toy_jets: Jets, case: str, tmp_path: Path) -> None:
    channels = (Channel(name="a", unit="", role="pt"), Channel(name="b", unit=""), Channel(name="c", unit=""))
    names = ("QCD", "Hbb", "Hcc", "Hgg", "H4q", "Hqql", "Zqq", "Wqq", "Tbqq", "Tbl")
    ten = replace(toy_jets, meta=toy_jets.meta.replace(class_names=names))
    cases = {
        "unlabelled": replace(toy_jets, targets={}),
        "no units": replace(toy_jets, meta=toy_jets.meta.replace(channels=channels, unknown=("jet_pt",))),
        "ten classes": replace(ten, targets={"label": (np.arange(400) % 10).astype(np.int32)}),
        "one class": replace(toy_jets, targets={"label": np.zeros(400, np.int32)}),
        "no jets": toy_jets[:0],
        "dollars": replace(toy_jets, values=-toy_jets.values, meta=toy_jets.meta.replace(class_names=("a$b_$c", "$\\frac$"))),
    }
    figure = dataset_plot(*summarise(cases[case], "jets.h5"))
    assert ("AUC of the column alone" in labels(figure)) == (case in ("no units", "ten classes", "dollars"))
    assert ("jet $p_T$ [no unit]" in labels(figure)) == (case == "no units")
    save_png(figure, tmp_path / "jets.png")
    assert (tmp_path / "jets.png").stat().st_size > 10_000
