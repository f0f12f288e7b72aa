from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from jetbench.data.splits import split_jets
from jetbench.engine.checks import check_also_test, check_data
from jetbench.engine.prepare import prepare
from jetbench.errors import DataFileError, LeakError, SuiteError
from jetbench.jets import Grid, Jets, concatenate, save_jets
from jetbench.suites.needs import differences
from jetbench.suites.plan import Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.suite import find_suite, instantiate


def test_equal_jets_on_both_sides_are_a_leak(plan_of: Callable[..., Plan], toy_jets: Jets, tmp_path: Path) -> None:
    twice = concatenate([toy_jets, replace(toy_jets, event=np.asarray(toy_jets.event) + 10**6)])
    save_jets(tmp_path / "twice.h5", [twice])
    with pytest.raises(LeakError, match="jets are also test jets"):
        check_data(plan_of(), tmp_path / "twice.h5", None)


def test_a_foreign_pool_holds_no_test_jet(plan_of: Callable[..., Plan], toy_file: Path) -> None:
    check_data(plan_of(), toy_file, None)
    with pytest.raises(LeakError, match="jets are also test jets"):
        check_data(plan_of(), toy_file, toy_file)


def test_jets_that_look_like_test_jets_are_a_warning_with_examples(
    plan_of: Callable[..., Plan], toy_jets: Jets, toy_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plan = plan_of()
    split = split_jets(toy_jets.targets["label"], toy_jets.event, 100, None, 0, plan.instance.dataset.sha256)
    other = replace(toy_jets, values=toy_jets.values.astype(np.float16).astype(np.float32))
    foreign, row = tmp_path / "pool.h5", int(np.sort(split.test)[0])
    save_jets(foreign, [other.take(split.pool)])
    check_also_test(plan, {"": foreign}, toy_file, None)
    assert re.search(r"toy\.h5: 2\d\d jets look like test jets of .*pool\.h5: their 6 hardest", caplog.text)
    caplog.clear()
    save_jets(foreign, [other.take(np.append(split.pool, [row]))])
    check_data(plan, toy_file, foreign)
    assert re.search(rf"pool\.h5: 1 jets look like test jets of .*toy\.h5: .* \(rows {row} and {len(split.pool)} of", caplog.text)
    caplog.clear()
    check_data(plan, toy_file, None)
    assert not caplog.records


def test_a_pool_without_a_jet_of_a_named_class_is_told_before_any_training(plan_of: Callable[..., Plan], toy_file: Path) -> None:
    check_data(plan_of("pool={top: 0.01, qcd: 0.99}"), toy_file, None)
    with pytest.raises(SuiteError, match=r"\d+ qcd, \d+ top jets, and with the shares .* none of 'top' is left; raise its share"):
        check_data(plan_of("pool={top: 0.0001, qcd: 0.9999}"), toy_file, None)


def test_a_pool_of_less_than_a_batch_is_told_before_any_training(plan_of: Callable[..., Plan], toy_file: Path) -> None:
    with pytest.raises(SuiteError, match=r"has 44 jets \(40 qcd, 4 top\), fewer than a batch of 64; take more jets"):
        check_data(plan_of("pool={qcd: 0.9, top: 0.1}", "test_jets=320", "labels=[50]"), toy_file, None)


def test_a_pool_has_the_jets_that_a_pretraining_asks_for(
    plan_of: Callable[..., Plan], pronged_jets: Callable[[int, int], Jets], toy_file: Path, tmp_path: Path
) -> None:
    check_data(plan_of("pool_jets=300"), toy_file, None)
    with pytest.raises(SuiteError, match=r"has 151 jets \(149 qcd, 2 top\), fewer than the 300 of `pool_jets`; lower it"):
        check_data(plan_of("pool_jets=300", "pool={qcd: 0.99, top: 0.01}"), toy_file, None)
    save_jets(tmp_path / "pool.h5", [pronged_jets(90, 2)])
    foreign = f"unlabelled={{name: {tmp_path / 'pool.h5'}}}"
    check_data(plan_of("pool_jets=90", foreign), toy_file, tmp_path / "pool.h5")
    with pytest.raises(SuiteError, match=r"has 90 jets, fewer than the 91 of `pool_jets`"):
        check_data(plan_of("pool_jets=91", foreign), toy_file, tmp_path / "pool.h5")
    with pytest.raises(SuiteError, match=r"`pool_jets` of .* is 63, fewer than a batch of 64; raise it or lower batch_size"):
        check_data(plan_of("pool_jets=63"), toy_file, None)


def summed(jets: Jets) -> Jets:
    """The same jets by their pT alone."""
    return replace(jets, meta=jets.meta.summed(), values=jets.pt()[:, None])


@pytest.mark.parametrize("change", [lambda jets: jets, summed], ids=["same channels", "other channels"])
def test_no_jet_of_the_second_test_set_is_trained_on(
    plan_of: Callable[..., Plan], toy_jets: Jets, toy_file: Path, tmp_path: Path, change: Callable[[Jets], Jets]
) -> None:
    plan, jets = plan_of(), change(toy_jets)
    split = split_jets(toy_jets.targets["label"], toy_jets.event, 100, None, 0, plan.instance.dataset.sha256)
    save_jets(tmp_path / "tested.h5", [jets.take(split.test)])
    check_also_test(
        plan, {"": tmp_path / "tested.h5"}, toy_file, None
    )  # the own test jets by another detector are a fair question
    save_jets(tmp_path / "trained.h5", [jets.take(np.append(split.test, split.pool[:3]))])
    with pytest.raises(LeakError, match=r"trained\.h5: 3 of its jets are also in the pool of .*toy\.h5"):
        check_also_test(plan, {"": tmp_path / "trained.h5"}, toy_file, None)
    save_jets(tmp_path / "pool.h5", [toy_jets.take(split.test[:5])])
    with pytest.raises(LeakError, match=r"tested\.h5: 5 of its jets are also in the pool of .*pool\.h5"):
        check_also_test(plan, {"": tmp_path / "tested.h5"}, toy_file, tmp_path / "pool.h5")


def test_a_second_test_set_has_jets_of_every_class(
    plan_of: Callable[..., Plan], toy_jets: Jets, toy_file: Path, tmp_path: Path
) -> None:
    save_jets(tmp_path / "few.h5", [toy_jets[:3]])
    with pytest.raises(SuiteError, match=r"few\.h5: the class 'top' has 1 of 3 test jets and needs 2; take a larger"):
        check_also_test(plan_of(), {"": tmp_path / "few.h5"}, toy_file, None)


def test_enough_jets_of_every_class_are_left_of_own_test_jets_that_are_thinned(
    plan_of: Callable[..., Plan], toy_file: Path
) -> None:
    check_also_test(plan_of("also_test={few: {shares: {top: 0.1, qcd: 0.9}}}"), {}, toy_file, None)
    with pytest.raises(SuiteError, match=r"test set 'few': the class 'top' has 1 of 51 test jets and needs 2; raise its share"):
        check_also_test(plan_of("also_test={few: {shares: {top: 0.02, qcd: 0.98}}}"), {}, toy_file, None)


WIDE, FINE = (Grid(rows=n, columns=n, eta_extent=0.8, phi_extent=0.8) for n in (8, 16))


@pytest.mark.parametrize(
    ("dataset", "pool", "message"),
    [
        ({}, {"grid": WIDE}, r"grid 8×8 over ±0\.8 × ±0\.8 against none \(constituents\)"),
        ({"grid": WIDE}, {"grid": FINE}, r"grid 16×16 over .* against 8×8"),
        ({"extent": 0.8}, {"extent": 0.4}, r"extent ±0\.4 against ±0\.8"),
        ({}, {"isotropic": False}, "isotropic False against True"),
        ({}, {"extent": 0.4}, None),
        ({}, {"class_names": ("a", "b")}, None),
    ],
)
def test_each_trait_of_a_pool_is_compared(
    toy_jets: Jets, dataset: dict[str, object], pool: dict[str, object], message: str | None
) -> None:
    found = "; ".join(differences(toy_jets.meta.replace(**dataset), toy_jets.meta.replace(**pool)))
    assert re.match(message, found) if message else not found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "tracks"}, "channels tracks, photon, neutral against charged, photon, neutral"),
        ({"unit": ""}, "unit of the channel charged none against GeV"),
        ({"role": "energy"}, "role of the channel charged energy against pt"),
        ({"combine": "mean", "weight": "photon"}, "combine .* mean against sum; weight .* photon against none"),
    ],
)
def test_each_trait_of_a_channel_is_compared(toy_jets: Jets, change: dict[str, str], message: str) -> None:
    meta = toy_jets.meta
    pool = meta.replace(channels=(meta.channels[0].replace(**change), *meta.channels[1:]))
    assert re.fullmatch(message, "; ".join(differences(meta, pool)))


def test_labels_of_one_class_only_are_refused(plan_of: Callable[..., Plan], toy_jets: Jets, tmp_path: Path) -> None:
    labels = np.zeros(len(toy_jets), np.int32)
    save_jets(tmp_path / "one.h5", [replace(toy_jets, targets={**toy_jets.targets, "label": labels})])
    with pytest.raises(SuiteError, match="the class 'top' has 0 of 100 test jets and needs 2; the dataset has too few of them"):
        check_data(plan_of(), tmp_path / "one.h5", None)


def test_the_dataset_is_no_pool_for_itself(suite_path: Path, toy_file: Path) -> None:
    with pytest.raises(SuiteError, match="the dataset itself"):
        instantiate(find_suite(str(suite_path)), unlabelled=str(toy_file))


def test_a_suite_that_does_not_fit_its_data_is_refused_before_it_runs(plan_of: Callable[..., Plan]) -> None:
    with pytest.raises(SuiteError, match="100 test jets and 301 labels do not fit into the 400 jets"):
        plan_of("labels=[50,301]")
    with pytest.raises(SuiteError, match="77 labels, which is none of the budgets"):
        plan_of("arms.boosted-trees.labels=[77]")
    with pytest.raises(SuiteError, match="where the arm 'scratch' is not"):
        plan_of("arms.scratch.labels=[100]")


def test_a_label_that_was_changed_inside_a_file_is_found_before_any_run(
    suite_text: str, toy_jets: Jets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file still says of itself what it said: neither a new plan nor one that was made before believes it."""
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "jets.h5"
    save_jets(path, [toy_jets])
    (tmp_path / "mini.yaml").write_text(suite_text.format(dataset=path))
    plan = make_plan(instantiate(find_suite(str(tmp_path / "mini.yaml"))))
    prepare(plan, 1, lambda what, done, total: None)
    with h5py.File(path, "r+") as file:
        file["targets/label"][7] = 1 - file["targets/label"][7]
    for look in (
        lambda: instantiate(find_suite(str(tmp_path / "mini.yaml"))),
        lambda: prepare(plan, 1, lambda what, done, total: None),
    ):
        with pytest.raises(DataFileError, match="it was changed after it was written; make or convert it again"):
            look()


def test_a_file_that_was_replaced_between_plan_and_run_is_an_error(suite_text: str, toy_jets: Jets, tmp_path: Path) -> None:
    path = tmp_path / "jets.h5"
    save_jets(path, [toy_jets])
    (tmp_path / "mini.yaml").write_text(suite_text.format(dataset=path))
    plan = make_plan(instantiate(find_suite(str(tmp_path / "mini.yaml"))))
    save_jets(path, [toy_jets[:300]])
    with pytest.raises(DataFileError, match="replaced by other jets since the plan was made"):
        prepare(plan, 1, lambda what, done, total: None)
