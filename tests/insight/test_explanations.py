"""Maps of real networks: they add up, lie where their jets have something, and are compared with what training began with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import logit

from jetbench.insight.explanations import Explainer, untrained_twin
from jetbench.insight.prong_shares import prong_shares, sentence
from jetbench.jets import open_jets
from jetbench.models.network import build_network, network_for
from jetbench.runs import learners
from jetbench.runs.job import JetFiles, Job
from jetbench.runs.run import run
from jetbench.spec import Component, options

REGRESSION = "task={name: regression, options: {target: gen_sdmass}}"
COMPARING = {"transformer": "particle-transformer", "particlenet": "particlenet"}
Make = Callable[..., Any]


@pytest.mark.parametrize("arm", ["scratch", "sets"])
def test_maps_add_up_to_the_log_odds_but_for_a_constant(trained: Make, arm: str) -> None:
    inspection = trained().inspection(f"{arm}/n60/s0")
    for k, found in inspection.explanations.items():
        log_odds = logit(inspection.shown.predictor.predict(inspection.shown.jets.take(inspection.rows(k))))
        sums = found.maps.reshape(len(found.maps), -1).sum(axis=1)
        assert np.corrcoef(sums, log_odds)[0, 1] > 0.98
        assert found.gap < 0.15
        np.testing.assert_allclose(found.scores, log_odds, rtol=0.05, atol=0.05)  # predictions are in bf16
        missed = np.abs(sums - (found.scores - found.starts)).mean()
        assert missed == pytest.approx(found.gap * np.abs(found.scores - found.starts).mean(), rel=1e-2, abs=1e-5)
        assert (np.ptp(found.starts) < 1e-5) == (arm == "scratch")  # sets: by their numbers of deposits
        assert (found.cams is None) == (arm == "sets")


@pytest.mark.parametrize("arm", ["transformer", "particlenet"])
def test_networks_that_compare_constituents_have_maps_of_what_is_there(toys_of: Make, arm: str) -> None:
    """They jump where other constituents become neighbours, and begin where all are at one place."""
    arms = [f"arms.{name}={{model: {model}, regime: scratch}}" for name, model in COMPARING.items()]
    toys = toys_of(2, "precision=fp32", *arms, "model_options.particle-transformer.pairwise=true")
    jets = toys.jets[:30].read()
    explainer = Explainer(toys.predictor(arm), jets)
    found, mask = explainer.explain(jets, 1), explainer.inputs(jets).mask
    assert found.maps.shape == (30, 80)
    assert np.isfinite(found.maps).all()
    assert mask is not None
    assert not found.maps[~mask.numpy()].any()
    assert found.maps[mask.numpy()].all()
    assert found.gap < 0.05


def test_of_many_classes_each_has_a_score_of_its_own(trained: Make) -> None:
    inspection = trained(4, "seeds=1").inspection("scratch/n60/s0")
    assert list(inspection.explanations) == [0, 1, 2, 3]
    for k, found in inspection.explanations.items():
        jets = inspection.shown.jets.take(inspection.rows(k))
        with torch.no_grad():
            outputs = inspection.explainer.network(inspection.explainer.inputs(jets)).double().numpy()
        others = np.delete(outputs, k, axis=1).mean(axis=1)
        assert np.corrcoef(found.maps.sum(axis=(1, 2)), outputs[:, k] - others)[0, 1] > 0.7
    assert inspection.score_text(2) == "score of t→bqq'"


def test_a_map_of_a_regression_is_in_the_targets_unit(trained: Make) -> None:
    inspection = trained(2, REGRESSION, "seeds=1").inspection("scratch/n60/s0")
    for k, found in inspection.explanations.items():
        predicted = inspection.shown.predictor.predict(inspection.shown.jets.take(inspection.rows(k)))
        sums = found.maps.sum(axis=(1, 2))
        assert np.corrcoef(sums, predicted)[0, 1] > 0.9
        assert sums.std() == pytest.approx(predicted.std(), rel=0.2)
    assert inspection.score_text(1) == "predicted gen_sdmass [GeV]"


def test_grad_cam_looks_at_the_last_stage_that_has_places(trained: Make) -> None:
    """Of 8×8 pixels the first stage leaves 8×8, the second 4×4; of 16×16 those of SE-VGG leave 8×8, 4×4, 2×2."""
    explainer = trained().inspection("scratch/n60/s0").explainer
    assert explainer.cam_layer == "layer2"
    vgg = build_network(Component(name="se-vgg", options=options({"stages": "8-8-8"})), {"image": (3, 16, 16)}, 2, seed=0)
    other = explainer.with_network(vgg.eval())
    other.baseline = torch.zeros(1, 3, 16, 16)
    del other.__dict__["cam_layer"]  # of the network before
    assert other.cam_layer == "layer2"


def test_nothing_is_given_to_what_pads_a_set(trained: Make) -> None:
    found = trained().inspection("sets/n60/s0").explanations[1]
    assert found.places.there is not None
    assert not found.maps[~found.places.there].any()
    assert np.isinf(found.apart[~found.places.there]).all()


def test_the_untrained_twin_is_what_training_began_with(trained: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, began = trained().evidence("scratch/n60/s1")[0], []

    def noted(*given: Any) -> Any:
        network = network_for(*given)
        began.append({name: weight.clone() for name, weight in network.state_dict().items()})
        return network

    monkeypatch.setattr(learners, "network_for", noted)
    files = JetFiles(trained().file, open_jets(trained().file).digest)
    job = Job(one.run.planned.key, "again", one.spec, tmp_path, files, None, None)
    (job.work / job.key[:16]).mkdir(parents=True)
    run(job, Event())
    torch.testing.assert_close(dict(untrained_twin(one).state_dict()), began[0])
    assert not torch.equal(began[0]["encoder.conv1.weight"], one.predictor.network.encoder.conv1.weight)


def test_the_twin_of_a_run_whose_seed_shares_an_encoder_begins_where_that_began(trained: Make) -> None:
    first, second = trained().evidence("simclr/n60")
    shared = replace(second, run=replace(second.run, chain=(first.run.chain[0], second.run.planned)))
    first_twin, second_twin, twin = (untrained_twin(one).state_dict() for one in (first, second, shared))
    assert not torch.equal(first_twin["encoder.conv1.weight"], second_twin["encoder.conv1.weight"])
    for name, weight in twin.items():
        assert torch.equal(weight, (first_twin if name.startswith("encoder") else second_twin)[name])


def test_shares_of_all_seeds_and_their_twins_are_told(trained: Make) -> None:
    inspection = trained().inspection("scratch/n60")
    found = prong_shares(inspection)
    assert found is not None
    assert found.by_seed.shape == (2, 2)
    assert found.difference.mean == pytest.approx(found.trained.mean - found.untrained.mean)
    assert found.trained.mean == pytest.approx(found.by_seed[:, 0].mean())
    assert found.trained.mean == pytest.approx(np.mean([one.shares().mean() for one in [inspection.explanations[1]]]), abs=0.2)
    for profile in found.profiles.values():
        assert 0.9 < profile.sum() <= 1 + 1e-9
    text = sentence(found, "scratch/n60")
    assert f"{100 * found.trained.mean:.1f} %" in text
    assert "(30 jets of top, 2 seeds) lie within 0.2 of the three hardest subjets" in text
    assert ("more than" in text) == (found.difference.low > 0)


def test_there_are_no_shares_where_nothing_can_be_explained(trained: Make) -> None:
    assert prong_shares(trained().inspection("boosted-trees")) is None
