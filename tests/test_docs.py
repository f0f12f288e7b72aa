"""What the documents show works as it stands there."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from typing import Any, get_args

import click
import numpy as np
import pytest
import torch
from cli.program import command, wait
from cli.test_tracking import REPORTING
from click.testing import CliRunner
from tiny_runs import toys_of

from jetbench.cli import main
from jetbench.data.catalog import FIXED, datasets
from jetbench.engine.reclaim import RULES
from jetbench.engine.survey import STATES
from jetbench.errors import SuiteError
from jetbench.formats import formats
from jetbench.formats.cards import read_card
from jetbench.formats.conversion import Request, convert
from jetbench.jets import Jets, open_jets
from jetbench.models import models
from jetbench.objectives import objectives
from jetbench.plugins import TABLES
from jetbench.recipes import pipelines
from jetbench.spaces import Allowed
from jetbench.spec import Component, Options, options
from jetbench.strict import read_yaml
from jetbench.suites.choices import Arm
from jetbench.suites.fairness import GROUPS
from jetbench.suites.planning import make_plan
from jetbench.suites.settings import Primary
from jetbench.suites.stages import regimes
from jetbench.suites.suite import find_suite, instantiate
from jetbench.tracking.tracker import Kind
from jetbench.views import augmentations

ROOT = Path(__file__).parents[1]
__all__ = ["toys_of"]
DATA = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")


def test_every_format_has_its_layout() -> None:
    described = re.findall(r"^## (\S+)$", (ROOT / "docs" / "layouts.md").read_text(encoding="utf-8"), re.M)
    assert sorted(described) == sorted(entry.name for entry in formats.own if not entry.carded)


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", DATA, re.S), ids=lambda text: text.splitlines()[0])
def test_cards_are_valid(text: str, tmp_path: Path) -> None:
    card = tmp_path / "card.yaml"
    card.write_text(text, encoding="utf-8")
    read = read_card(card)
    assert len(read.class_names) == 2
    assert read.label in ("is_signal", "y")


LAYOUTS = (ROOT / "docs" / "cards.md").read_text(encoding="utf-8")
SECTIONS = {text.partition("\n")[0]: text for text in LAYOUTS.split("\n## ")[1:] if "```yaml" in text}


@pytest.mark.parametrize("name", SECTIONS)
def test_the_description_of_a_layout_is_enough_to_write_and_convert_it(name: str, tmp_path: Path) -> None:
    written: dict[str, Any] = {}
    (first,), (code,) = (re.findall(r"```python\n(.*?)```", text, re.S) for text in (LAYOUTS.split("\n## ")[0], SECTIONS[name]))
    (card,) = re.findall(r"```yaml\n(.*?)```", SECTIONS[name], re.S)
    (tmp_path / "card.yaml").write_text(card, encoding="utf-8")
    with chdir(tmp_path):
        exec(first + code, written)
        done = convert(sorted(Path().glob("jets_in*")), "jets.h5", Request(card="card.yaml"))
    assert done.jets == 200
    jets = open_jets(tmp_path / "jets.h5").read()
    assert jets.meta.class_names == ("qcd", "top")
    assert np.bincount(jets.targets["label"]).tolist() == np.bincount(written["label"]).tolist()
    if "kind: images" in card:
        np.testing.assert_allclose(np.sort(jets.values[:, 0]), np.sort(written["images"][written["images"] > 0]))
        return
    assert not done.remarks
    values, real = {key: written[key].astype(np.float64) for key in ("pt", "eta", "phi")}, written["real"]
    px, py = ((values["pt"] * of(values["phi"])).sum(axis=1) for of in (np.cos, np.sin))
    np.testing.assert_allclose(np.sort(jets.jet_pt), np.sort(np.hypot(px, py)), rtol=1e-5)
    energy = (values["pt"] * np.cosh(values["eta"]))[real]
    np.testing.assert_allclose(np.sort(jets.values[:, 1]), np.sort(energy), rtol=1e-5)


def test_every_format_stands_in_the_table() -> None:
    rows = re.findall(r"^\| (`.*?`) \| ", DATA, re.M)
    named = {name for row in rows for name in re.findall(r"`([\w-]+)`", row)}
    assert {entry.name for entry in formats} | {entry.name for entry in datasets} == named


def test_every_option_of_a_simulation_stands_in_the_table() -> None:
    for entry in datasets:
        row = next(line for line in DATA.splitlines() if line.startswith(f"| `{entry.name}`"))
        assert set(re.findall(r"`(\w+)`", row.rsplit("|", 2)[1])) == set(entry.load().model_fields) - FIXED


SUITES = (ROOT / "docs" / "suites.md").read_text(encoding="utf-8")


def test_the_suite_that_is_shown_is_planned_as_it_stands(tmp_path: Path) -> None:
    suite, asked, taught, also, several, seeds, grid, tuning, stable = re.findall(r"```yaml\n(.*?)```", SUITES, re.S)
    (tmp_path / "shown.yaml").write_text(suite, encoding="utf-8")
    plan = make_plan(instantiate(find_suite(str(tmp_path / "shown.yaml"))))
    assert plan.arms == ["narrow", "wide", "wide-simclr"]
    assert len([Primary.model_validate(one) for one in read_yaml(asked, "docs", SuiteError)["primary"]]) == 2
    student = read_yaml(taught, "docs", SuiteError)
    arm = Arm.model_validate(student["arms"]["distilled"])
    assert regimes[arm.regime].taught
    assert arm.scores == "trees.h5"
    assert {stage.recipe for stage in regimes[arm.regime].stages} - {"supervised"} == set(student["recipes"])
    second = read_yaml(also, "docs", SuiteError)["also_test"]
    instance = instantiate(find_suite(str(tmp_path / "shown.yaml")), overrides=(f"also_test={json.dumps(second)}",))
    assert make_plan(instance).instance.also[""].jets == 4000
    varied = read_yaml(several, "docs", SuiteError)["also_test"]
    instance = instantiate(find_suite(str(tmp_path / "shown.yaml")), overrides=(f"also_test={json.dumps(varied)}",))
    assert next(run.spec.variations for run in make_plan(instance).runs.values() if run.spec.on_budget) == instance.variations
    assert {name: other.jets for name, other in instance.also.items()} == {"interactions": 3000, "shower-low": 3000}
    factors = f"sensitivity={json.dumps(read_yaml(stable, 'docs', SuiteError)['sensitivity'])}"
    instance = instantiate(find_suite(str(tmp_path / "shown.yaml")), overrides=("tuning=null", factors))
    assert len(make_plan(instance).grid) == 2 * 3 * 3 * 5
    looked = tuple(f"{key}={value}" for key, value in read_yaml(seeds, "docs", SuiteError).items())
    assert instantiate(find_suite(str(tmp_path / "shown.yaml")), overrides=looked).settings.fresh_from == 5
    for text, paths in (
        (grid, {"recipe.learning_rate", "pretraining.recipe.learning_rate"}),
        (tuning, {"recipe.learning_rate", "recipe.weight_decay", "model.dropout"}),
    ):
        given = read_yaml(text, "docs", SuiteError)["tuning"]
        overrides = ("tuning=null", f"tuning={json.dumps(given)}")
        searched = make_plan(instantiate(find_suite(str(tmp_path / "shown.yaml")), overrides=overrides))
        assert {one.path for study in searched.studies.values() for one in study.searched} == paths


def test_every_word_under_varies_stands_in_the_table() -> None:
    assert set(re.findall(r"^\| `(\w+)` \| ", SUITES, re.M)) == set(GROUPS)


AUGMENTATIONS = (ROOT / "docs" / "augmentations.md").read_text(encoding="utf-8")


def test_every_augmentation_and_every_pipeline_stands_in_a_table() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \| ", AUGMENTATIONS, re.M))
    assert set(rows) == {entry.name for entry in (*augmentations, *pipelines)}
    for entry in augmentations:
        assert set(re.findall(r"`(\w+)`", rows[entry.name])) == {name for name, _ in entry.defaults}


def test_the_augmentations_that_are_shown_are_those_of_a_suite() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", AUGMENTATIONS, re.S)
    given = f"recipes={json.dumps(read_yaml(text, 'docs', SuiteError)['recipes'])}"
    chosen = instantiate(find_suite("ssl-vs-scratch"), "smoke", overrides=(given,)).settings.recipes
    assert chosen["simclr"].augmentation == pipelines["physics"].steps
    assert [step.name for step in chosen["supervised"].augmentation or ()] == ["rotation", "translation"]


def test_every_objective_without_a_head_stands_in_the_table_with_its_options() -> None:
    rows = {
        row[0]: set(re.findall(r"`(\w+)`", row[1]))
        for row in re.findall(r"^\| [\w ]+, `([\w-]+)` \| .* \| (.*) \|$", SUITES, re.M)
    }
    assert rows == {entry.name: {name for name, _ in entry.defaults} for entry in objectives if not entry.trains_head}


def test_every_state_and_every_rule_stands_in_the_table() -> None:
    running = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    assert tuple(re.findall(r"^\| (\w+) \| ", running, re.M)[1:-1]) == STATES
    assert re.findall(r"^\| `(checkpoints|trials|pretrainings|aside|plugins)` \|", running, re.M) == list(RULES)


def test_every_kind_of_run_stands_in_the_table_of_filters() -> None:
    pages = (ROOT / "docs" / "mlflow.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| .* \| ``tags.`jetbench.kind` = '(\w+)'`` \|", pages, re.M)) == set(get_args(Kind))


SERVICES = (ROOT / "docs" / "services.md").read_text(encoding="utf-8")


def test_every_service_and_every_profile_stands_in_the_table() -> None:
    content = read_yaml((ROOT / "docker-compose.yml").read_text(encoding="utf-8"), "docker-compose.yml", SuiteError)["services"]
    rows = re.findall(r"^\| ((?:`[\w-]+`(?:, | or )?)+) \| ", SERVICES, re.M)
    named = {name for row in rows for name in re.findall(r"`([\w-]+)`", row)}
    profiles = {profile for service in content.values() for profile in service.get("profiles", ())}
    assert named - {"JETBENCH_TRACKING_URI", "MLFLOW_TRACKING_URI"} == content.keys() | profiles - {"command"}


def test_every_command_that_reports_to_a_server_is_named() -> None:
    (row,) = re.findall(r"^\| `--tracking-uri URI` \| of (.*) \|$", SERVICES, re.M)
    assert sorted(re.findall(r"`([\w ]+)`", row)) == sorted(REPORTING)


MODELS = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
SETS = "## Networks of constituents"


def rows_of(text: str) -> list[list[str]]:
    """The cells of tables of networks, which have six columns."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")]
    return [row for row in rows if len(row) == 6]


def options_of(cell: str) -> Options:
    """The options that a cell lists, as in "`width: 1000`, `layers: 4`"."""
    return options(read_yaml(f"{{{', '.join(re.findall('`(.*?)`', cell))}}}", "cell", SuiteError))


def test_the_table_of_networks_says_what_they_have() -> None:
    from jetbench.models.cost import network_cost
    from jetbench.models.network import build_network

    networks = rows_of(MODELS.split(SETS)[0])
    images = {entry.name for entry in models if entry.kind == "network" and entry.view == "image"}
    assert {row[0].split("`")[1] for row in networks} == images
    for name, _, parameters, small, large, _ in networks:
        given = options({"stages": "16-32-64"} if "stages" in name else {})
        component = Component(name=name.split("`")[1], options=given)
        for shape, mflop in (((3, 32, 32), small), ((8, 125, 125), large)):
            cost = network_cost(build_network(component, {"image": shape}, 2, seed=0), {"image": shape}, 2)
            assert f"{cost.flops / 1e6:.1f}" == mflop, name
            assert cost.parameters == int(parameters.replace(" ", "")) or shape[0] != 3, name


def test_the_table_of_networks_of_constituents_says_what_they_have() -> None:
    from jetbench.models.cost import network_cost
    from jetbench.models.network import build_network

    networks, shapes = rows_of(MODELS.split(SETS)[1]), {"constituents": (80, 8)}
    there = {entry.name: entry for entry in models if entry.kind == "network" and entry.view == "constituents"}
    assert {row[0].strip("`") for row in networks} == set(there)
    told = [(row[0].strip("`"), options_of(row[2])) for row in networks]
    assert {(entry.name, entry.published) for entry in there.values() if entry.published} <= set(told)
    for (name, given), (_, _, _, parameters, mflop, _) in zip(told, networks, strict=True):
        cost = network_cost(build_network(Component(name=name, options=given), shapes, 2, seed=0), shapes, 2)
        assert f"{cost.flops / 1e6:.1f}" == mflop, name
        assert cost.parameters == int(parameters.replace(" ", "")), name


def test_every_head_stands_in_the_table() -> None:
    named = re.findall(r"^\| `(\w+)` \| .* \| .* \|$", MODELS.split("## Heads")[1], re.M)
    assert named == ["head", *dict(models["resnet15"].allowed)["head"].choices]


USING = (ROOT / "docs" / "using.md").read_text(encoding="utf-8")


def test_what_using_shows_are_commands_that_there_are() -> None:
    """Each command of the page has the options that it is shown with."""
    shown = [line.split("#")[0].split() for block in re.findall(r"```sh\n(.*?)```", USING, re.S) for line in block.splitlines()]
    commands = [words[1:] for words in shown if words[0] == "jetbench"]
    assert {words[0] for words in commands} == {"predict", "model"}
    for words in commands:
        named = main.commands[words[0]]
        found = named.commands[words[1]] if isinstance(named, click.Group) else named
        options = {name for parameter in found.params for name in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= options


def test_the_python_that_using_shows_runs(toys_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As it stands there, but for the names of the runs: predicting, and loading what is registered."""
    toys = toys_of()
    toys.run("scratch")
    call = CliRunner().invoke(
        main, ["model", "register", "scratch/n60", "top-tagger", "--alias", "best", "--store", str(toys.store)]
    )
    assert call.exit_code == 0, call.output
    monkeypatch.chdir(toys.folder)
    monkeypatch.setenv("JETBENCH_STORE", str(toys.store))
    (toys.folder / "mlruns").symlink_to(toys.store)
    expected = toys.predictor("scratch").predict(toys.jets)
    loading, opening, making, registered = (dedent(block) for block in re.findall(r"```python\n(.*?)```", USING, re.S))
    done: dict[str, Any] = {}
    exec(loading.replace("n1000", "n60"), done)
    np.testing.assert_array_equal(done["scores"], expected)
    assert not done["network"].training
    exec(opening, done)
    np.testing.assert_array_equal(done["scores"], expected)
    assert len(done["jets"]) == len(done["some"]) == len(expected)
    exec(making.replace("n1000", "n60"), done)
    fitted = done["predictor"].preprocessing.fitted
    assert torch.equal(fitted.scale(done["inputs"])["image"], fitted(done["batch"])["image"])
    code = registered + f"\nimport numpy\nnumpy.save({str(tmp_path / 'scores.npy')!r}, scores)\n"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=toys.folder)
    np.testing.assert_array_equal(np.load(tmp_path / "scores.npy"), expected)


def test_every_line_of_the_doctor_stands_in_the_table() -> None:
    rows = re.findall(r"^\| ((?:`\w+`\*?(?:, )?)+) \| ", USING.split("## When something")[1], re.M)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    source = "".join(path.read_text() for path in (ROOT / "jetbench" / "doctor").glob("*.py"))
    said = set(re.findall(r'what="(\w+)"', source)) | {"store", "cache"}
    assert named == said


README = (ROOT / "README.md").read_text(encoding="utf-8")
EXTENDING = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
EXAMPLES = ROOT / "tests" / "plugins" / "examples"


def test_the_plug_in_that_the_readme_shows_is_trained_as_it_stands_there(tmp_path: Path, toy_file: Path) -> None:
    """The file, and the command below it with a scale and nothing else; then with its arm alone, to the end."""
    own = README.split("## Your own components")[1]
    (code,) = re.findall(r"```python\n(.*?)```", own, re.S)
    (line,) = re.findall(r"```sh\n(.*?)```", own, re.S)
    (tmp_path / "my_model.py").write_text(code, encoding="utf-8")
    assert len(code.splitlines()) < 30
    words = shlex.split(line)
    assert words[:2] == ["jetbench", "run"]
    planned = wait(command(*words[1:], "--scale", "smoke", "--dry-run", cwd=tmp_path), 60)
    assert re.search(r"^small-cnn +50 +2 planned$", planned, re.M), planned
    few = ("arms.resnet15={model: boosted-trees, regime: fit}", "primary={arm: small-cnn, baseline: resnet15}", "seeds=1")
    short = (*few, *(f"arms.{name}=null" for name in find_suite("architectures").common["arms"] if name != "resnet15"))
    more = [word for setting in (*short, "test_jets=60", "labels=[60]") for word in ("--set", setting)]
    done = command(*words[1:], "--scale", "smoke", "--dataset", toy_file, *more, cwd=tmp_path)
    output = wait(done, 300)
    assert done.returncode == 0, output
    assert re.search(r"^small-cnn", output, re.M)
    assert re.search(r"^compared with resnet15: small-cnn", output, re.M)


def test_the_columns_of_jets_and_the_limits_of_options_stand_there() -> None:
    """The columns in the order in which `Jets` takes them."""
    table = EXTENDING.split("**What a dataset or reader makes**")[1].split("**The values of an option**")
    columns = [name for cell in re.findall(r"^\| (`.*?) \| ", table[0], re.M) for name in re.findall(r"`(\w+)`", cell)]
    assert [*columns, "stored"] == [field.name for field in fields(Jets)]
    said = set(re.findall(r"`(\w+)`", table[1].split("`Space`")[0]))
    assert {field.name for field in fields(Allowed)} <= said


def test_the_arms_that_the_docs_add_are_compared_with_each_other(tmp_path: Path) -> None:
    (line,) = re.findall(r"```sh\n(jetbench run --suite ssl-vs-scratch .*?)```", EXTENDING, re.S)
    words = [str(EXAMPLES / word) if word == "my_model.py" else word for word in shlex.split(line.replace("\\\n", ""))]
    planned = wait(command(*words[1:], "--scale", "smoke", "--dry-run", cwd=tmp_path), 60)
    assert re.search(r"^compared with mine: mine-simclr$", planned, re.M), planned
    assert re.search(r"^compared with scratch: simclr$", planned, re.M), planned


def test_every_table_that_plug_ins_add_to_stands_there_with_its_row_and_example() -> None:
    text = EXTENDING.split("## From your own package or file")[1]
    rows = re.findall(r"^\| (\w+) \| `([\w.]+)`.* \[\w+\.py\]\(\.\./(.*?)\) \|$", text, re.M)
    assert {f"{kind}s" for kind, _, _ in rows} == set(TABLES)
    for kind, entry, example in rows:
        module, name = entry.rsplit(".", 1)
        assert getattr(import_module(module), name).table == f"{kind}s"
        assert (ROOT / example).is_file()
    assert set(re.findall(r"`jetbench\.(\w+s)`", text)) - {"plugins"} == set(TABLES)


def test_every_example_of_a_plug_in_is_linked() -> None:
    linked = set(re.findall(r"\]\(\.\./tests/plugins/examples/(\w+\.py)\)", EXTENDING))
    assert linked == {path.name for path in (ROOT / "tests" / "plugins" / "examples").glob("*.py")}
