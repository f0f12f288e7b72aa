from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from jetbench.errors import SuiteError
from jetbench.jets import Jets
from jetbench.seeds import numpy_rng
from jetbench.statistics.comparison import Verdict
from jetbench.tasks.regression import Regression

TRUTH = torch.tensor([80.0, 170.0, 40.0, 300.0])
OUTPUTS = torch.tensor([[0.9], [1.6], [0.4], [0.5]])


def test_outputs_stand_for_the_target_over_its_scale(toy_jets: Jets) -> None:
    task = Regression()
    np.testing.assert_allclose(task.encode(TRUTH, toy_jets.meta)[:, 0], [0.8, 1.7, 0.4, 3.0])
    np.testing.assert_allclose(task.predict(OUTPUTS), [90, 160, 40, 50], rtol=1e-6)
    assert task.predict(OUTPUTS).dtype == np.float64
    assert task.predict(OUTPUTS).shape == (4,)


def test_the_loss_is_quadratic_up_to_the_scale_and_linear_beyond(toy_jets: Jets) -> None:
    task = Regression()
    loss = task.loss(OUTPUTS, task.encode(TRUTH, toy_jets.meta))
    assert float(loss) == pytest.approx((0.1**2 / 2 + 0.1**2 / 2 + 0 + 2.5 - 0.5) / 4, rel=1e-6)
    judged = task.validate(OUTPUTS, TRUTH)
    assert judged["loss"] == pytest.approx(float(loss), rel=1e-6)
    assert judged["rmse"] == pytest.approx(np.sqrt((100 + 100 + 0 + 250**2) / 4), rel=1e-6)
    assert task.choose(TRUTH, task.predict(OUTPUTS), toy_jets.meta)["loss"] == judged["loss"]


def test_the_metrics_do_not_depend_on_the_scale(toy_jets: Jets) -> None:
    found = [Regression(scale=scale).validate(OUTPUTS * 100 / scale, TRUTH)["rmse"] for scale in (10.0, 100.0, 500.0)]
    np.testing.assert_allclose(found, found[0], rtol=1e-6)


def test_strata_are_the_classes_or_tenths_of_the_target(toy_jets: Jets) -> None:
    task = Regression(target="mass")
    np.testing.assert_array_equal(task.strata(toy_jets), toy_jets.targets["label"])
    bare = replace(toy_jets, targets={"mass": toy_jets.targets["mass"]})
    strata = task.strata(bare)
    assert np.bincount(strata).tolist() == [40] * 10
    assert np.all(np.diff(bare.targets["mass"][np.argsort(strata, kind="stable")].reshape(10, 40).mean(axis=1)) > 0)
    same = replace(toy_jets, targets={"mass": np.full(400, 80.0)})
    assert len(set(task.strata(same).tolist())) == 1


def test_jets_need_the_target_and_no_classes(toy_jets: Jets) -> None:
    task = Regression(target="msd")
    names = "gen_mass, gen_pt, gen_sdmass, mass, pt"
    assert task.unmet(toy_jets.meta, set(toy_jets.targets)) == f"have no 'msd' to predict; targets that they have: {names}"
    assert task.unmet(toy_jets.meta, {"label"}).endswith("targets that they have: pt")
    assert task.unmet(toy_jets.meta.replace(unknown=("jet_pt",)), {"label"}).endswith("targets that they have: none")
    assert Regression().unmet(toy_jets.meta.replace(class_names=()), {"gen_sdmass"}) == ""


def test_two_jets_validate_and_two_are_tested(toy_jets: Jets) -> None:
    task, meta = Regression(), toy_jets.meta
    assert task.shortage("train", np.zeros(1, int), meta) == task.shortage("validation", np.arange(2), meta) == ""
    assert task.shortage("test", np.zeros(1, int), meta) == "2 test jets are needed, at the least, and there are 1"
    assert task.choose(np.ones(1), np.ones(1), meta) == {}


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_is_positive(scale: float) -> None:
    with pytest.raises(SuiteError, match="positive number of GeV"):
        Regression(scale=scale)


def trained(rng: np.random.Generator, truth: np.ndarray, width: float) -> np.ndarray:
    """Predictions (5, n) of five seeds: errors of this width, a part of which all seeds share, and 2 % between trainings."""
    widths = width * (1 + 0.02 * rng.normal(size=(5, 1)))
    return truth + widths * (np.sqrt(0.6) * rng.normal(size=len(truth)) + np.sqrt(0.4) * rng.normal(size=(5, len(truth))))


def test_an_arm_rarely_beats_its_equal_and_is_found_when_it_is_better() -> None:
    """Both arms have an RMSE of 6 GeV and errors of their own; then one has 5."""
    rng, task = numpy_rng("test-null"), Regression()
    verdicts = {5.0: [], 6.0: []}
    for width, found in verdicts.items():
        for _ in range(150):
            truth = rng.gamma(4, 25, 300)
            found.append(task.compare(truth, trained(rng, truth, width), trained(rng, truth, 6.0)).verdict)
    assert verdicts[6.0].count(Verdict.BETTER) + verdicts[6.0].count(Verdict.WORSE) <= 17  # nominal: 7.5 ± 2.7
    assert verdicts[5.0].count(Verdict.BETTER) >= 120
    assert verdicts[5.0].count(Verdict.WORSE) == 0
