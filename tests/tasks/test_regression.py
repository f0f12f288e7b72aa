from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from jetbench.errors import SuiteError
from jetbench.jets import Jets, Meta
from jetbench.seeds import numpy_rng
from jetbench.statistics.comparison import Verdict
from jetbench.tasks.regression import Regression

TRUTH = torch.tensor([80.0, 170.0, 40.0, 300.0])
OUTPUTS = torch.tensor([[0.9], [1.6], [0.4], [0.5]])


def fitted(*labels: float) -> Regression:
    """A task with these training labels [GeV]."""
    return Regression().fitted(np.array(labels), META)


META = Meta(channels=())
TASK = fitted(50.0, 250.0)  # mean 150, spread 100


def test_outputs_stand_for_the_target_in_units_of_the_spread_of_the_training_labels() -> None:
    np.testing.assert_allclose(TASK.encode(TRUTH, META)[:, 0], [-0.7, 0.2, -1.1, 1.5])
    np.testing.assert_allclose(TASK.predict(OUTPUTS), [240, 310, 190, 200], rtol=1e-6)
    np.testing.assert_allclose(TASK.predict(TASK.encode(TRUTH, META)), TRUTH, rtol=1e-6)
    assert TASK.predict(OUTPUTS).dtype == np.float64
    assert TASK.predict(OUTPUTS).shape == (4,)


def test_what_is_learnt_gives_predictions_without_the_task() -> None:
    learnt = json.loads(json.dumps(TASK.learnt()))
    assert learnt == {"mean": 150.0, "spread": 100.0}
    np.testing.assert_array_equal(learnt["mean"] + learnt["spread"] * OUTPUTS[:, 0].double(), TASK.predict(OUTPUTS))


def test_a_task_is_fitted_without_a_change_to_itself() -> None:
    blank = Regression()
    blank.fitted(np.array([1.0, 3.0]), META)
    assert blank.learnt() == {"mean": 0.0, "spread": 1.0}
    assert fitted(80.0, 80.0).learnt() == {"mean": 80.0, "spread": 1.0}


def test_the_loss_is_that_of_torch_on_normalised_targets() -> None:
    outputs = torch.tensor([[-0.6], [0.1], [-1.1], [-1.0]])
    loss = TASK.loss(outputs, TASK.encode(TRUTH, META))
    assert float(loss) == pytest.approx((0.1**2 / 2 + 0.1**2 / 2 + 0 + 2.5 - 0.5) / 4, rel=1e-5)
    judged = TASK.validate(outputs, TRUTH)
    assert judged["loss"] == pytest.approx(float(loss), rel=1e-5)
    assert judged["rmse"] == pytest.approx(np.sqrt((100 + 100 + 0 + 250**2) / 4), rel=1e-6)
    assert TASK.choose(TRUTH, TASK.predict(outputs), META)["loss"] == judged["loss"]


def test_the_metrics_do_not_depend_on_the_training_labels() -> None:
    """Predictions that are the same in GeV: losses are in other units then, errors are not."""
    tasks = [TASK, fitted(0.0, 20.0), fitted(300.0, 900.0, 301.0)]
    outputs = [torch.from_numpy((np.array([90.0, 160.0, 40.0, 50.0]) - one.mean) / one.spread)[:, None] for one in tasks]
    found = [one.validate(given, TRUTH) for one, given in zip(tasks, outputs, strict=True)]
    np.testing.assert_allclose([judged["rmse"] for judged in found], found[0]["rmse"], rtol=1e-6)
    assert len({round(judged["loss"], 3) for judged in found}) == 3


def test_trainings_on_the_same_labels_have_comparable_losses() -> None:
    """Whatever a trial predicts, the unit of its loss is that of its labels alone: what is nearer has a smaller loss."""
    labels = np.array([60.0, 90.0, 210.0])
    near, far = (fitted(*labels).losses(TRUTH, TRUTH.numpy() + error) for error in (5.0, 40.0))
    assert (near < far).all()
    np.testing.assert_array_equal(near, fitted(*labels[::-1]).losses(TRUTH, TRUTH.numpy() + 5.0))


def test_a_regression_has_no_classes_to_weigh() -> None:
    with pytest.raises(SuiteError, match="class_weights are for a task with classes"):
        Regression().balanced()


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
    told = f"have no 'msd' to predict; targets that they have: {names}; --set task.options.target=NAME takes another"
    assert task.unmet(toy_jets.meta, set(toy_jets.targets)) == told
    assert task.unmet(toy_jets.meta, {"label"}).endswith("targets that they have: pt; --set task.options.target=pt takes that")
    assert task.unmet(toy_jets.meta, {"label", "m0", "ieta"}).endswith("; --set task.options.target=m0 takes that")
    assert task.unmet(toy_jets.meta.replace(unknown=("jet_pt",)), {"label"}).endswith("targets that they have: none")
    assert Regression().unmet(toy_jets.meta.replace(class_names=()), {"gen_sdmass"}) == ""


def test_two_jets_validate_and_two_are_tested(toy_jets: Jets) -> None:
    task, meta = Regression(), toy_jets.meta
    assert task.shortage("train", np.zeros(1, int), meta) == task.shortage("validation", np.arange(2), meta) == ""
    assert task.shortage("test", np.zeros(1, int), meta) == "2 test jets are needed, at the least, and there are 1"
    assert task.choose(np.ones(1), np.ones(1), meta) == {}


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
