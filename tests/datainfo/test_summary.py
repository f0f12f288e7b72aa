from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jetbench.datainfo import summary
from jetbench.datainfo.sample import sample_rows
from jetbench.datainfo.separation import separations
from jetbench.datainfo.summary import Summary, summarise
from jetbench.datainfo.text import summary_text
from jetbench.datainfo.totals import Range
from jetbench.datainfo.warnings import with_warnings
from jetbench.errors import DataFileError
from jetbench.jets import Channel, Grid, Jets, concatenate, open_jets, save_jets, selection
from jetbench.jets.selection import blocks
from jetbench.seeds import numpy_rng
from jetbench.statistics.delong import auc

PIXELS = (
    Channel(name="track", unit="", role="pt"),
    Channel(name="ecal", unit=""),
    Channel(name="d0", unit="", combine="mean", weight="track"),
)
ENERGY = (Channel(name="energy", unit="GeV", role="energy"), *PIXELS[1:2], PIXELS[2].replace(weight="energy"))


def changed(jets: Jets, targets: dict[str, np.ndarray] | None = None, **meta: Any) -> Jets:
    """The jets with other metadata, and with targets added."""
    return replace(jets, meta=jets.meta.replace(**meta), targets={**jets.targets, **(targets or {})})


def summary_of(jets: Jets) -> Summary:
    return with_warnings(*summarise(jets, "jets.h5"))


def found(summary: Summary, text: str) -> list[str]:
    return [sentence for sentence in summary.warnings if text in sentence]


def test_numbers_agree_with_the_columns(toy_jets: Jets) -> None:
    summary = summary_of(toy_jets)
    assert (summary.jets, summary.deposits) == (400, len(toy_jets.eta))
    assert summary.classes == {"qcd": 200, "top": 200}
    mass = toy_jets.targets["mass"].astype(np.float64)
    assert summary.targets["mass"].mean == pytest.approx(mass.mean(), rel=1e-12)
    assert summary.targets["mass"].standard_deviation == pytest.approx(mass.std(), rel=1e-12)
    for i, channel in enumerate(summary.channels):
        values = toy_jets.values[:, i]
        assert (channel.minimum, channel.maximum) == (values.min(), values.max())
        assert channel.occupancy == pytest.approx((values != 0).mean())
        assert channel.mean == pytest.approx(values[values != 0].mean(dtype=np.float64), rel=1e-12)
    assert summary.multiplicity.mean == pytest.approx(len(toy_jets.eta) / 400)
    pt = toy_jets.jet_pt[toy_jets.targets["label"] == 1]
    assert summary.spectra["pt"].quantiles["top"] == pytest.approx(np.quantile(pt, (0.16, 0.5, 0.84)))
    assert summary.digest == toy_jets.digest


def test_json_is_strict_and_has_the_promised_keys(toy_jets: Jets) -> None:
    def no_constant(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    for jets in (toy_jets, toy_jets[:0], toy_jets[:1]):
        text = summary_of(jets).model_dump_json()
        content = json.loads(text, parse_constant=no_constant)
        assert content.keys() >= {"jets", "classes", "channels", "targets", "grid", "duplicates", "digest", "warnings"}
        assert content["channels"][0].keys() >= {"name", "unit", "combine", "weight", "role", "minimum", "maximum", "occupancy"}
        assert content["targets"]["mass"].keys() >= {"mean", "standard_deviation"}
        assert Summary.model_validate_json(text).jets == len(jets)


def test_blocks_of_any_size_give_the_same_numbers(toy_jets: Jets, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = summary_of(toy_jets)
    monkeypatch.setattr(selection, "BLOCK_BYTES", 2000)  # some two or three jets
    assert [len(block) for _, block in blocks(toy_jets)] != [400]
    parts = summary_of(toy_jets)
    assert parts.duplicates == whole.duplicates
    assert parts.aucs == whole.aucs
    assert parts.targets["mass"].standard_deviation == pytest.approx(whole.targets["mass"].standard_deviation, rel=1e-12)


def test_a_running_range_is_that_of_the_whole() -> None:
    values = numpy_rng("range").normal(1e6, 1, 1000)
    running = Range()
    for part in np.split(values, [1, 1, 300, 310]):
        running.add(part)
    assert running.count == 1000
    assert (running.minimum, running.maximum) == (values.min(), values.max())
    assert running.mean == pytest.approx(values.mean(), rel=1e-14)
    assert running.standard_deviation == pytest.approx(values.std(), rel=1e-9)


def test_a_large_collection_is_sampled_over_its_length_and_both_of_alternating_classes() -> None:
    rows = sample_rows(10_000, 500)
    assert len(rows) == 500
    np.testing.assert_array_equal(rows // 20, np.arange(500))
    assert 0.4 < (rows % 2).mean() < 0.6
    np.testing.assert_array_equal(sample_rows(10, 500), np.arange(10))


def test_an_auc_is_folded_and_says_which_class_has_larger_values() -> None:
    labels = np.arange(200) % 2
    column = numpy_rng("fold").normal(size=200) - 2 * labels
    (it,) = separations(labels, ("qcd", "top"), {"x": column})
    assert it.auc == pytest.approx(1 - auc(labels, column), rel=1e-12)
    assert (it.class_name, it.larger) == ("top", False)
    assert it.low is not None
    assert it.high is not None
    assert it.low < it.auc < it.high


def test_of_many_classes_the_one_that_a_column_sets_apart_is_named() -> None:
    labels = np.arange(300) % 3
    column = numpy_rng("three").normal(size=300) + 5 * (labels == 2)
    (it,) = separations(labels, ("a", "b", "c"), {"x": column})
    assert (it.class_name, it.larger) == ("c", True)
    assert it.auc == pytest.approx(auc(labels == 2, column), rel=1e-12)


@pytest.mark.parametrize("labels", [np.zeros(5, int), np.zeros(0, int), np.array([0, 1]), np.array([0, 0, 0, 1])])
def test_too_few_jets_of_a_class_have_no_auc(labels: np.ndarray) -> None:
    assert separations(labels, ("a", "b"), {"x": np.arange(len(labels))}) == ()


def test_a_leak_is_warned_of_by_name_and_an_honest_column_is_not(toy_jets: Jets) -> None:
    label = toy_jets.targets["label"]
    noise = numpy_rng("leak").normal(size=400)
    summary = summary_of(changed(toy_jets, {"run": (5 * label + noise).astype(np.float32), "flat": noise.astype(np.float32)}))
    assert found(summary, "'targets/run'")
    assert not found(summary, "'targets/flat'")
    assert {it.column for it in summary.aucs} >= {"mass", "pt", "width", "|jet_eta|", "jet_pt", "sum(charged)", "targets/run"}


def test_weights_are_shown_to_no_model_and_leak_nothing(toy_jets: Jets) -> None:
    weight = np.where(toy_jets.targets["label"] == 1, 0.5, 2).astype(np.float32)
    summary = summary_of(changed(toy_jets, {"weight": weight, "heaviness": weight}))
    assert len(found(summary, "'targets/heaviness' alone tells")) == 1
    assert not found(summary, "'targets/weight' alone tells")


def test_no_sentence_stands_twice(toy_jets: Jets) -> None:
    summary = summary_of(toy_jets)
    said, other = "jets are not what they seem", "calibrated elsewhere"
    provenance = summary.provenance.replace(remarks=(said, other))
    text = summary_text(summary.model_copy(update={"provenance": provenance, "warnings": (said,)}))
    assert text.count(said) == text.count(other) == 1
    assert f"warning       {said}" in text


def test_sorted_classes_are_a_remark_and_no_leak(toy_jets: Jets) -> None:
    order = np.argsort(toy_jets.targets["label"], kind="stable")
    summary = summary_of(toy_jets.take(order))
    assert summary.row_auc == 1
    assert len(summary.remarks) == 1
    assert not found(summary, "row")
    assert summary_of(toy_jets).remarks == ()


def test_copies_are_counted_and_contradicting_labels_found(toy_jets: Jets) -> None:
    twice = toy_jets.take(np.array([0, 1, 2, 3, 0, 0, 3]))
    assert summary_of(twice).duplicates == 3
    assert summary_of(twice).contradictions == 0
    labels = twice.targets["label"].copy()
    labels[-1] = 1 - labels[-1]
    summary = summary_of(changed(twice, {"label": labels}))
    assert (summary.duplicates, summary.contradictions) == (3, 1)
    assert found(summary, "copies of an earlier jet: 3")
    assert found(summary, "another label")


def test_empty_jets_are_counted_and_copies_of_nothing(toy_jets: Jets) -> None:
    offsets = np.concatenate([toy_jets.offsets[:5], np.repeat(toy_jets.offsets[4], 2)])
    summary = summary_of(
        replace(toy_jets[:6], offsets=offsets, **{k: getattr(toy_jets[:4], k) for k in ("eta", "phi", "values")})
    )
    assert (summary.empty_jets, summary.duplicates) == (2, 0)
    assert found(summary, "empty jets")


def test_jets_without_labels_have_spectra_but_no_auc(toy_jets: Jets) -> None:
    summary, sample = summarise(replace(toy_jets, targets={"mass": toy_jets.targets["mass"]}), "pool.h5")
    assert (summary.classes, summary.aucs) == ({}, ())
    assert list(summary.spectra["mass"].quantiles) == ["all jets"]
    assert sample.images.shape[0] == 1


def test_the_mean_image_is_rendered_on_the_jets_own_grid(toy_jets: Jets) -> None:
    grid = Grid(rows=6, columns=4, eta_extent=0.3, phi_extent=0.5)
    _, sample = summarise(changed(toy_jets[:30], grid=grid), "jets.h5")
    slow = np.zeros((2, 6, 4))
    for i in range(30):
        for d in range(toy_jets.offsets[i], toy_jets.offsets[i + 1]):
            row, column = (toy_jets.eta[d] / 0.3 + 1) * 3, (toy_jets.phi[d] / 0.5 + 1) * 2
            if 0 <= row < 6 and 0 <= column < 4:
                slow[i % 2, int(row), int(column)] += toy_jets.values[d].sum() / 15
    np.testing.assert_allclose(sample.images, slow, rtol=1e-5)


def test_observables_that_need_gev_are_left_out_with_the_reason(toy_jets: Jets) -> None:
    pixels = summary_of(changed(toy_jets, channels=PIXELS, unknown=("jet_pt",), class_names=("class-0", "class-1")))
    columns = {it.column for it in pixels.aucs}
    assert pixels.left_out == {
        "jet_pt": "the source does not tell it",
        "mass": "deposits with pT in GeV are needed; these jets give no unit",
    }
    assert columns >= {"pt", "width", "multiplicity", "sum(ecal)", "mean(d0)", "hits(d0)"}
    assert not columns & {"mass", "jet_pt", "sum(d0)", "sum(track)"}
    assert found(pixels, "no unit is known of 'track', 'ecal', 'd0'")
    assert found(pixels, "nobody has named 'class-0', 'class-1'")
    crystals = summary_of(changed(toy_jets, channels=ENERGY))
    assert {"mass", "pt", "width"} <= crystals.left_out.keys()
    assert {it.column for it in crystals.aucs} >= {"multiplicity", "sum(energy)"}


def test_every_other_oddity_has_its_sentence(toy_jets: Jets) -> None:
    masses = toy_jets.targets["mass"]
    odd = changed(toy_jets, {"copy": masses, "gen_pt": -masses}, extent=0.2)
    summary = summary_of(odd)
    assert found(summary, "'targets/copy' and 'targets/mass' are equal")
    assert found(summary, "'jet_pt' is 600 for every jet")
    assert found(summary, "'gen_pt' has negative values")
    assert found(summary, "outside the frame")
    assert found(summary_of(replace(odd, values=-odd.values)), "'charged' has the role 'pt' and negative values")
    one = replace(toy_jets, targets={"label": np.zeros(400, np.int32)})
    assert found(summary_of(one), "every jet is of class 'qcd'")
    rare = np.zeros(400, np.int32)
    rare[:5] = 1
    assert found(summary_of(replace(toy_jets, targets={"label": rare})), "very unbalanced: 5 jets of 'top' against 395 of 'qcd'")
    assert found(summary_of(changed(toy_jets, class_names=("qcd", "top", "w"))), "no jets of 'w'")
    assert found(summary_of(toy_jets[:0]), "there are no jets")


def test_values_that_are_not_finite_are_an_error(toy_jets: Jets) -> None:
    broken = toy_jets.values.copy()
    broken[7, 1] = np.nan
    with pytest.raises(DataFileError, match="'values' has values that are NaN"):
        summary_of(replace(toy_jets, values=broken))


def test_a_file_is_read_in_blocks_and_gives_what_memory_gives(
    toy_jets: Jets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "jets.h5"
    save_jets(path, [concatenate([toy_jets] * 3)])
    stored = open_jets(path)
    monkeypatch.setattr(selection, "BLOCK_BYTES", 1 << 16)
    largest = max(len(block.eta) for _, block in blocks(stored))
    assert largest * 4 * 5 <= 1 << 16
    summary = summary_of(stored)
    assert (summary.jets, summary.duplicates) == (1200, 800)
    assert summary.aucs[0].auc == pytest.approx(summary_of(toy_jets).aucs[0].auc)


def test_memory_does_not_grow_with_the_deposits(toy_jets: Jets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "BLOCK_BYTES", 1 << 18)
    monkeypatch.setattr(summary, "sample_rows", lambda jets: sample_rows(jets, 400))
    peaks, sizes = [], []
    for copies in (2, 2, 12):  # the first warms up
        save_jets(tmp_path / "jets.h5", [toy_jets] * copies)
        tracemalloc.start()
        summary_of(open_jets(tmp_path / "jets.h5"))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        sizes.append(copies * len(toy_jets.eta) * 5 * 4)
    assert peaks[2] - peaks[1] < 0.15 * (sizes[2] - sizes[1])  # the rest are some columns of one number per jet


def test_the_text_names_what_was_found(toy_jets: Jets) -> None:
    text = summary_text(summary_of(changed(toy_jets, {"run": toy_jets.targets["label"].astype(np.float32)})))
    assert "qcd: 200, top: 200" in text
    assert "charged [GeV]" in text
    assert "above 0.98" in text
    assert "warning       column 'targets/run' alone tells 'top'" in text
    assert all(line == line.rstrip() for line in text.splitlines())
    assert "no labels" in summary_text(summary_of(replace(toy_jets, targets={})))
