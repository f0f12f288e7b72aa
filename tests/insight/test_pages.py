"""The pages of `inspect` and `compare`, of runs that were really trained and of stored scores alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from report.conftest import Fake, fake_instance, fake_store
from report.pages import Checked
from scipy.stats import norm

from jetbench.errors import MissingPackageError, StoreError, UnknownNameError
from jetbench.insight import agreement, attributions
from jetbench.insight.compare import compare_subjects
from jetbench.insight.evidence import find_jets, gather
from jetbench.insight.inspect import inspect_subject
from jetbench.insight.inspection import Inspection
from jetbench.insight.sections import activations, curves_together, disagreements, specs, summary, verdicts
from jetbench.insight.sections import attributions as attributions_section
from jetbench.insight.sections.correlation import similarities
from jetbench.insight.sections.gallery import draw, gallery
from jetbench.insight.side_by_side import SideBySide
from jetbench.insight.similarity import linear_cka
from jetbench.report.subjects import find_subject
from jetbench.statistics.delong import paired_delong
from jetbench.suites.instances import remember
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store

REGRESSION = "task={name: regression, options: {target: gen_sdmass}}"
ONE = "seeds=1"
LARGEST = 3e6  # bytes of a page
Make = Callable[..., Any]


def read(page: Path) -> Checked:
    """A page that stands by itself: nothing is fetched from elsewhere."""
    found = Checked(page.read_text())
    assert not found.open
    assert all(source.startswith("data:image/png;base64,") for source in found.sources)
    assert page.stat().st_size < LARGEST
    return found


@cache
def inspected(trained: Any, what: str) -> tuple[Any, Checked]:
    """A subject, looked at once for all tests."""
    found = inspect_subject(trained.subject(what), trained.store.root)
    return found, read(found.files[0])


def test_the_page_of_an_arm_has_all_there_is_to_see(trained: Make) -> None:
    found, page = inspected(trained(), "scratch/n60")
    sections = ["summary", "curves", "wrongest", "attributions", "prongs", "activations", "embedding"]
    assert page.anchors == sections
    assert "What does scratch/n60 look at" in page.text
    assert "resnet15/scratch/n60/s0, the first of 2 seeds" in page.text
    assert "linear probe" in page.text
    assert found.told[0] in page.text
    _reference_is_told(trained().inspection("scratch/n60"), " ".join(page.text.split()))
    names = {re.sub(r"^inspect_|\.\w+$", "", path.name) for path in found.files[1:]}
    assert {"curves", "attributions_mean", "attributions_0", "attributions_1", "prongs", "activations", "embedding"} <= names
    assert len(page.sources) == len(names)


def _reference_is_told(inspection: Inspection, text: str) -> None:
    """What maps count from, with its score and what it is taken for."""
    start = inspection.explanations[1].starts[0]
    probability = inspection.shown.predictor.task.predictions(torch.tensor([[0.0, float(start)]])).item()
    assert "that of a reference, the mean image of the test jets, among the pixels" in text
    assert f"The reference itself is given a probability of {probability:.2g} of being {inspection.groups[1]}" in text
    assert f"the reference, {start:.3g}".replace("-", "−") + " (log-odds of top)" in text
    assert "Grad-CAM has no reference" in text


def test_all_pictures_of_a_plot_have_the_scale_of_its_bar(trained: Make) -> None:
    inspection = trained().inspection("scratch/n60/s0")
    found = gallery(inspection, inspection.shown.jets.take(np.arange(3)), 1, ["", "", ""])
    figure = draw(found, True)
    for axes in figure.axes[:3]:
        assert axes.images[0].get_clim() == pytest.approx((1e-4 * found.pictures.max(), found.pictures.max()))


def test_every_plot_stands_beside_the_page_as_png_and_pdf_with_its_data(trained: Make) -> None:
    found, _ = inspected(trained(), "scratch/n60")
    kinds = {suffix: [path for path in found.files if path.suffix == suffix] for suffix in (".png", ".pdf", ".json")}
    assert len({len(paths) for paths in kinds.values()}) == 1
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in kinds[".png"])
    assert all(path.read_bytes().startswith(b"%PDF") for path in kinds[".pdf"])
    curves = json.loads(next(path for path in kinds[".json"] if path.stem == "inspect_curves").read_text())
    assert curves["courses"][0]["axes"]["epochs"] == [1, 2, 3, 4]
    assert len(curves["courses"][0]["curves"]["val/loss"]) == 4
    assert curves["kept"] == 3


def test_the_page_is_an_artifact_of_a_run_that_stays_finished(trained: Make) -> None:
    found, _ = inspected(trained(), "boosted-trees")
    run = trained().subject("boosted-trees").runs[0]
    assert set(found.files) <= set(run.folder.artifacts())
    assert not set(found.files) & set(run.folder.artifacts(sealed=True))
    assert Ledger(trained().store.work).done(run.planned.key, thorough=True)


def test_of_a_set_constituents_are_shown(trained: Make) -> None:
    found, page = inspected(trained(), "sets/n60/s0")
    assert "among the constituents" in " ".join(page.text.split())
    assert re.search(
        r"The output of the layer “jet” has no place in the plane of the jet and is not drawn", " ".join(page.text.split())
    )
    content = json.loads(next(path for path in found.files if path.name == "inspect_attributions_1.json").read_text())
    assert np.shape(content["found"]["maps"]) == np.shape(content["found"]["there"])
    assert content["found"]["cams"] is None


def test_of_trees_there_is_what_needs_no_network(trained: Make) -> None:
    found, page = inspected(trained(), "boosted-trees")
    assert page.anchors == ["summary", "curves", "wrongest", "attributions"]
    assert found.told == ("Nothing inside the model is shown: boosted-trees is fitted at once: it has no layers.",)


def test_of_a_pretraining_there_are_curves_and_what_its_encoder_knows(trained: Make) -> None:
    store = trained().store
    pretraining = trained().subject("simclr/n60/s0").runs[0].chain[0]
    _, page = inspected(trained(), pretraining.name)
    assert page.anchors == ["summary", "curves", "activations", "embedding"]
    assert "nothing tells where overfitting begins" in page.text
    with pytest.raises(StoreError, match="is a pretraining, which predicts nothing"):
        compare_subjects([trained().subject("scratch/n60/s0"), trained().subject(pretraining.name)], store)


def test_of_a_regression_response_and_worst_jets_are_shown(trained: Make) -> None:
    found, page = inspected(trained(2, REGRESSION, ONE), "sets/n60/s0")
    assert page.anchors[:3] == ["summary", "curves", "residuals"]
    _, truth, predicted = trained(2, REGRESSION, ONE).evidence("sets/n60/s0")[0].scores
    worst = np.abs(predicted - truth).argmax()
    assert f"{truth[worst]:.1f}" in page.text
    assert "RMSE [GeV]" in page.text
    assert "the sizes of their residuals lie in the middle of the class; gen_sdmass in GeV" in page.text
    assert "a jet of as many average deposits" in page.text
    assert {"inspect_residuals.png", "inspect_worst.png"} <= {path.name for path in found.files}


def test_many_classes_have_a_row_each(trained: Make) -> None:
    found, page = inspected(trained(4, ONE), "scratch/n60/s0")
    assert "prongs" in page.anchors
    content = json.loads(next(path for path in found.files if path.name == "inspect_attributions_mean.json").read_text())
    assert list(content["found"]["maps"]) == ["QCD", "W→qq", "t→bqq'", "X3"]


def test_chosen_layers_are_shown_and_others_refused(trained: Make) -> None:
    subject, store = trained().subject("scratch/n60/s0"), trained().store.root
    (plot,) = activations.render(Inspection(subject, gather(subject, store), ("layer2.1.conv1",))).plots
    assert [list(maps) for maps in plot.given[0].maps.values()] == [["layer2.1.conv1"]] * 4
    with pytest.raises(UnknownNameError, match="no layer 'layer9'"):
        inspect_subject(subject, store, ("layer9",))


def test_without_captum_the_extra_is_named_where_it_is_needed(trained: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attributions, "find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"jetbench\[insight\]"):
        inspect_subject(trained().subject("scratch/n60/s0"), trained().store.root)
    with pytest.raises(MissingPackageError, match=r"jetbench\[insight\]"):
        compare_subjects([trained().subject("scratch"), trained().subject("boosted-trees")], trained().store)


def test_a_second_look_needs_no_captum_without_a_network_and_leaves_nothing_of_the_first(
    trained: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = inspected(trained(), "boosted-trees")
    monkeypatch.setattr(attributions, "find_spec", lambda name: None)
    stale = found.files[0].with_name("inspect_other.png")
    stale.write_bytes(b"of an earlier version")
    before = {path: path.read_bytes() for path in found.files}
    again = inspect_subject(trained().subject("boosted-trees"), trained().store.root)
    assert not stale.exists()
    assert {path: path.read_bytes() for path in again.files} == before


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Runs whose jets and weights are gone, with their scores."""
    small = ("dataset.jets=1200", "test_jets=400", "labels=[50]", "seeds=3", "tuning=null")
    plan, store = fake_store(tmp_path_factory.mktemp("alone") / "store", fake_instance(*small), Fake())
    remember(store.root, plan.instance)
    return store


def test_from_scores_alone_a_page_says_so(alone: Store) -> None:
    found = inspect_subject(find_subject("scratch", alone), alone.root)
    page = read(found.files[0])
    assert page.anchors == ["summary", "curves", "wrongest"]
    assert "no longer in the cache" in found.told[0]
    assert "made from stored scores and curves alone" in " ".join(page.text.split())
    assert "its probability" in page.text


def test_a_run_that_calls_every_jet_one_class_is_warned_of(alone: Store) -> None:
    """On the page and in the terminal; of others nothing is said."""
    prior = find_subject("class-prior/n50/s0", alone)
    (sentence,) = summary.one_class(Inspection(prior, gather(prior, alone.root)))
    assert sentence.startswith("Warning: class-prior/n50/s0 calls every one of its 400 test jets top, so that its accuracy is")
    found = inspect_subject(prior, alone.root)
    assert sentence in found.told
    assert sentence in " ".join(read(found.files[0]).text.split())
    other = find_subject("scratch", alone)
    assert summary.one_class(Inspection(other, gather(other, alone.root))) == []


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A frozen encoder on purpose, beside the honest arms."""
    small = ("dataset.jets=1200", "test_jets=400", "labels=[50]", "seeds=3", "tuning=null", "faults=[frozen-encoder]")
    plan, store = fake_store(tmp_path_factory.mktemp("spoilt") / "store", fake_instance(*small), Fake())
    remember(store.root, plan.instance)
    return store


def test_whoever_looks_at_a_faulty_run_is_told_what_its_fault_is(spoilt: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is inspected and where it is compared, and no longer training is advised for it."""
    said = "is faulty on purpose (frozen-encoder: the pretrained encoder is frozen and its head alone is trained"
    faulty, honest = (find_subject(name, spoilt) for name in ("faulty-frozen-encoder-simclr", "simclr"))
    (warning,) = inspect_subject(faulty, spoilt.root).warnings
    assert warning.startswith(f"faulty-frozen-encoder-simclr/n50 {said}")
    assert warning.endswith("and is no result.")
    found = compare_subjects([honest, faulty], spoilt)
    assert found.warnings[0] == warning
    assert "Faulty on purpose: frozen-encoder: the pretrained encoder is frozen" in found.files[0].read_text()
    assert inspect_subject(honest, spoilt.root).warnings == ()
    monkeypatch.setattr(summary, "THRESHOLD", -1e9)  # all of its jets are called one class
    sentences = summary.one_class(Inspection(faulty, gather(faulty, spoilt.root)))
    assert len(sentences) == 3
    assert all(said.removeprefix("is ") in one and "may help" not in one for one in sentences)


@pytest.mark.parametrize(("gap", "judged"), [(0.04, "4.0 % of its mean size, which is small"), (0.06, "show where, and not how")])
def test_the_gap_of_integrated_gradients_is_judged(trained: Make, gap: float, judged: str) -> None:
    inspection = trained().inspection("sets/n60/s0")
    known = {k: replace(one, gap=gap) for k, one in inspection.explanations.items()}
    vars(inspection)["explanations"] = known
    body = " ".join(attributions_section.render(inspection).body.split())
    assert judged in body
    assert "5 % that Sundararajan et al. (arXiv:1703.01365, section 5) ask for" in body


def test_scores_alone_are_compared_with_a_sentence(alone: Store) -> None:
    subjects = [find_subject(what, alone) for what in ("scratch", "simclr")]
    found = compare_subjects(subjects, alone)
    page = read(found.files[0])
    assert page.anchors == ["verdicts", "specs", "roc", "correlation", "disagreements"]
    assert "stored scores" in found.told[0]
    assert re.search(r"test AUC of simclr/n50 less that of scratch/n50: \+0\.0\d+ .*over 3 common seeds: \w+", found.told[1])
    assert "No encoder is compared" in page.text


def test_runs_are_compared_on_the_same_jets(trained: Make) -> None:
    store = trained().store
    found = compare_subjects([trained().subject(what) for what in ("scratch/n60", "sets/n60", "boosted-trees")], store)
    page = read(found.files[0])
    assert found.files[0].parent.parent == store.root / "reports" / trained().subject("sets").plan.instance.name / "compare"
    assert re.search(r"model\.name\s+resnet15\s+deep-sets", page.text)
    assert "No encoder is compared for boosted-trees/n60/s0" in page.text
    content = json.loads(next(path for path in found.files if path.name == "compare_disagreements.json").read_text())
    assert list(content["found"]) == ["scratch/n60/s0", "sets/n60/s0"]
    assert "is of the runs scratch/n60/s0, sets/n60/s0 and boosted-trees/n60/s0" in " ".join(page.text.split())
    (_, truth, one), (_, _, other) = (trained().evidence(what)[0].scores for what in ("scratch/n60", "sets/n60"))
    task = trained().evidence("scratch")[0].task
    (_, one_1), (_, other_1) = ((e.scores[1], e.scores[2]) for e in (trained().evidence(what)[1] for what in ("scratch", "sets")))
    difference = task.compare(truth, np.stack([other, other_1]), np.stack([one, one_1])).difference
    assert f"{difference:+.4f}".replace("-", "−") in found.told[0]


def test_two_single_runs_have_the_error_of_the_test_sample(trained: Make, alone: Store) -> None:
    pair = [find_subject(what, alone) for what in ("scratch/n50/s0", "simclr/n50/s1")]
    found = compare_subjects(pair, alone)
    one, other = (gather(subject, alone.root)[0] for subject in pair)
    (area,), (baseline,), (variance,) = paired_delong(one.scores[1], other.scores[2][None], one.scores[2][None])
    p = 2 * norm.sf(abs(area - baseline) / np.sqrt(variance))
    told = f"{area - baseline:+.4f} ±{np.sqrt(variance):.4f} from the test sample, p = {p:.2g}"
    assert told in found.told[1]
    assert "what another seed would change is not in it" in " ".join(read(found.files[0]).text.split())
    perfect = verdicts.sentences(SideBySide((trained().inspection("scratch/n60/s0"), trained().inspection("sets/n60/s1"))))
    assert "+0.0000, to which the test sample gives no error" in perfect[0]


def test_an_arm_beside_a_run_is_the_run_of_that_seed(alone: Store) -> None:
    """Test, names and plots are of the seed that both have, and of which of how many it is, is said."""
    subjects = [find_subject(what, alone) for what in ("simclr/n50", "scratch/n50/s1")]
    assert len(subjects[0].runs) > 1
    found = compare_subjects(subjects, alone)
    told = next(one for one in found.told if "less that of" in one)
    assert told.startswith("test AUC of scratch/n50/s1 less that of simclr/n50/s1: ")
    assert told.endswith(f" (1 of the {len(subjects[0].runs)} seeds of simclr/n50)")
    text = " ".join(read(found.files[0]).text.split())
    assert "is of the runs simclr/n50/s1 and scratch/n50/s1" in text
    roc = json.loads(next(path for path in found.files if path.name == "compare_roc.json").read_text())
    assert [line["name"] for line in roc["lines"]] == ["simclr/n50/s1", "scratch/n50/s1"]
    assert not found.warnings


def test_arms_at_two_budgets_are_warned_of(tmp_path: Path) -> None:
    small = ("dataset.jets=1200", "test_jets=400", "labels=[50,200]", "seeds=1", "tuning=null")
    plan, store = fake_store(tmp_path / "store", fake_instance(*small), Fake())
    remember(store.root, plan.instance)
    found = compare_subjects([find_subject(what, store) for what in ("scratch/n50", "simclr/n200")], store)
    (warning,) = found.warnings
    assert warning.startswith(
        "simclr/n200 has 200 labels and scratch/n50 has 50: what differs between them is not about the arms"
    )
    assert warning in read(found.files[0]).text
    same = compare_subjects([find_subject(f"scratch/n{labels}", store) for labels in (50, 200)], store)
    assert not same.warnings


@pytest.mark.parametrize(
    ("encoders", "told", "errors"),
    [
        (1, r"\(±0\.\d+ from the test sample\), over 3 common seeds of 1 encoder: undecided", verdicts.SHARED),
        (2, r"between encoders, .*over 3 common seeds of 2 encoders: undecided", "with the errors between encoders and of"),
    ],
)
def test_seeds_that_share_encoders_are_no_single_runs(tmp_path: Path, encoders: int, told: str, errors: str) -> None:
    small = ("dataset.jets=1200", "test_jets=400", "labels=[50]", "seeds=3", "tuning=null", f"pretraining_seeds={encoders}")
    plan, store = fake_store(tmp_path / "store", fake_instance(*small), Fake())
    remember(store.root, plan.instance)
    subjects = [find_subject(what, store) for what in ("scratch", "simclr", "simclr/n50/s0")]
    given = SideBySide(tuple(Inspection(one, gather(one, store.root)) for one in subjects))
    together, single = verdicts.sentences(given)
    assert re.search(told, together)
    assert re.search(r"from the test sample, p = ", single)
    body = verdicts.render(given).body
    assert errors in body
    assert verdicts.ONE in body


@pytest.mark.parametrize(("asked", "plots"), [((2, REGRESSION, ONE), ["residuals", "scores"]), ((4, ONE), ["roc", "scores"])])
def test_regressions_and_many_classes_are_compared_too(trained: Make, asked: tuple[Any, ...], plots: list[str]) -> None:
    given = SideBySide(tuple(trained(*asked).inspection(f"{arm}/n60/s0") for arm in ("scratch", "simclr")))
    given.check()
    content = curves_together.render(given)
    assert [plot.name for plot in content.plots] == plots
    for plot in content.plots:
        assert len(plot.draw(*plot.given).axes) == 1
    assert "pretraining" in specs.render(given).body
    shown = disagreements.render(given)
    row = int(given.scores[0][0][np.abs(given.predictions[0] - given.predictions[1]).reshape(100, -1).max(axis=1).argmax()])
    assert f">{row}<" in "".join(shown.body.split())


def test_of_many_classes_jets_that_are_disputed_are_explained_by_their_own(trained: Make) -> None:
    given = SideBySide(tuple(trained(4, ONE).inspection(f"{arm}/n60/s0") for arm in ("scratch", "simclr")))
    (plot,) = disagreements.render(given).plots
    places = agreement.disagreements(given.predictions, disagreements.MOST)
    classes = given.truth[places].astype(int).tolist()
    assert len(set(classes)) > 1
    for one in given.inspections:
        shown = plot.given[0][one.shown.run.name]
        for k, (place, number) in enumerate(zip(places, classes, strict=True)):
            wanted = one.explainer.explain(given.baseline.shown.jets_at(np.array([place])), number).maps[0]
            np.testing.assert_allclose(shown.maps[k], wanted, atol=1e-6)
        assert len(shown.pictures) == len(shown.texts) == len(places)
    assert "of the score of each jet's true class" in plot.caption


def test_likeness_of_encoders_has_the_seeds_on_its_diagonal(trained: Make) -> None:
    encoders = {what: trained().evidence(what) for what in ("scratch", "sets")}
    jets = encoders["scratch"][0].jets
    found = similarities(encoders, jets)
    features = [one.predictor.network.encoder(inputs_of(one, jets)).detach().float().numpy() for one in encoders["scratch"]]
    assert found[0, 0] == pytest.approx(linear_cka(*features), abs=0.02)  # fp32 against bf16
    assert found[0, 1] == pytest.approx(found[1, 0])
    alone = similarities({what: some[:1] for what, some in encoders.items()}, jets)
    assert np.isnan(alone.diagonal()).all()
    assert alone[0, 1] == found[0, 1]


def inputs_of(one: Any, jets: Any) -> Any:
    from jetbench.insight.explanations import Explainer

    return Explainer(one.predictor, jets).inputs(jets)


def test_what_cannot_be_set_side_by_side_is_refused(trained: Make) -> None:
    two, masses = trained(), trained(2, REGRESSION, ONE)
    with pytest.raises(StoreError, match="name the same thing"):
        compare_subjects([two.subject("scratch"), two.subject("scratch/n60")], two.store)
    with pytest.raises(StoreError, match="different tasks"):
        compare_subjects([two.subject("scratch"), masses.subject("simclr")], two.store)
    with pytest.raises(StoreError, match="not tested on the same jets"):
        compare_subjects([two.subject("scratch"), trained(4, ONE).subject("sets")], two.store)


def test_jets_of_another_content_are_not_those_of_the_run(trained: Make) -> None:
    one = trained().evidence("scratch")[0]
    instance = trained().subject("scratch").plan.instance
    assert find_jets(instance, one.spec).jets is not None
    other = find_jets(instance, one.spec.replace(dataset=one.spec.dataset.replace(sha256="0" * 64)))
    assert other.jets is None
    assert "holds other jets than the run was tested on" in other.reason
