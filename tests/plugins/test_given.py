"""Local files as plug-ins: what they add, what is refused, and whose content runs are known by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from jetbench.data.catalog import datasets, find_dataset
from jetbench.errors import PluginError, SimulationError, UnknownNameError
from jetbench.formats import formats
from jetbench.models import models
from jetbench.plugins import adopt, keep, scope, use
from jetbench.plugins.given import active, restore, snapshot
from jetbench.simulation.chunk_files import make_chunk
from jetbench.simulation.chunks import plan as plan_chunks
from jetbench.spec import PluginRef
from jetbench.suites.stages import regimes

EXAMPLES = Path(__file__).with_name("examples")


@pytest.fixture(autouse=True)
def own_scope() -> Iterator[None]:
    with scope():
        yield


def test_a_file_adds_a_name_until_its_scope_ends() -> None:
    with scope():
        use(EXAMPLES / "my_model.py")
        entry = models["small-cnn"]
        assert "small-cnn" in models
        assert entry in list(models)
        assert entry.load().__name__ == "SmallCNN"
        content = (EXAMPLES / "my_model.py").read_bytes()
        assert entry.plugin == PluginRef(sha256=hashlib.sha256(content).hexdigest(), file=str(EXAMPLES / "my_model.py"))
        assert entry.component().plugin == entry.plugin
    assert "small-cnn" not in models
    with pytest.raises(UnknownNameError, match="no model 'small-cnn'"):
        models["small-cnn"]


def test_built_in_entries_stay_as_they_are() -> None:
    before = list(models)
    use(EXAMPLES / "my_model.py")
    assert models.own == before
    assert list(models)[:-1] == before
    assert all(entry.plugin is None and entry.component().plugin is None for entry in models.own)


def test_the_same_content_counts_once() -> None:
    use(EXAMPLES / "my_model.py")
    use(EXAMPLES / "my_model.py")
    assert len(active()) == 1


def test_a_file_that_was_edited_takes_the_place_of_what_it_was(tmp_path: Path) -> None:
    """As in a notebook; a name that it no longer has is gone."""
    path = tmp_path / "mine.py"
    for number, name in enumerate(("first", "second", "second")):
        path.write_text(ROW.format(name=name) + f"# {number}\n")
        use(path)
        assert [entry.name for entry in formats if entry.plugin] == [name]
    assert formats["second"].plugin == PluginRef(sha256=hashlib.sha256(path.read_bytes()).hexdigest(), file=str(path))


def test_an_objective_brings_its_regimes() -> None:
    use(EXAMPLES / "my_objective.py")
    there = {entry.name for entry in regimes if entry.plugin is not None}
    assert there == {"queued", "queued-frozen", "queued-lpft"}
    assert [stage.objective for stage in regimes["queued-frozen"].stages] == ["queued", "supervised"]


def test_an_objective_that_trains_the_head_brings_one_regime(tmp_path: Path) -> None:
    text = (EXAMPLES / "my_objective.py").read_text().replace('"trains_head": False', '"trains_head": True')
    (tmp_path / "other.py").write_text(text)
    use(tmp_path / "other.py")
    assert {entry.name for entry in regimes if entry.plugin is not None} == {"queued"}
    assert "queued-lpft" not in regimes
    with pytest.raises(UnknownNameError, match="no regime 'queued-lpft'"):
        regimes["queued-lpft"]


ROW = (
    "from jetbench.formats import FormatEntry\nclass A: pass\nJETBENCH = [FormatEntry({name!r}, f'{{__name__}}:A', 'a format')]\n"
)
REGIME = (
    "from jetbench.suites.stages import TRAINING, RegimeEntry\n"
    "JETBENCH = [RegimeEntry({name!r}, '', 'a regime', stages=(TRAINING,))]\n"
)


@pytest.mark.parametrize(
    ("text", "name", "other"),
    [
        (ROW, "jetnet", r"a built-in one \(jetbench.formats.jetnet:JetNet\)"),
        (REGIME, "simclr-frozen", "a built-in one"),
    ],
)
def test_a_name_that_shadows_a_built_in_one_is_an_error_that_names_both(text: str, name: str, other: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text.format(name=name))
    with pytest.raises(PluginError, match=rf"'{name}' of the plug-in {path} has the name of {other}"):
        use(path)
    assert not active()


@pytest.mark.parametrize(("first", "second"), [(ROW, ROW), ("", REGIME)])
def test_a_name_of_another_plug_in_is_an_error_that_names_both(first: str, second: str, tmp_path: Path) -> None:
    one, other = (EXAMPLES / "my_objective.py" if not first else tmp_path / "one.py"), tmp_path / "other.py"
    if first:
        one.write_text(first.format(name="ours"))
    other.write_text("# other\n" + second.format(name="ours" if first else "queued-lpft"))
    use(one)
    with pytest.raises(PluginError, match=r"of the plug-in (\S+) has the name of the plug-in (\S+);") as raised:
        use(other)
    assert str(one) in str(raised.value)
    assert str(other) in str(raised.value)
    assert [given.plugin.file for given in active()] == [str(one)]


MODEL = "from jetbench.models import ModelEntry\nclass A: pass\nJETBENCH = [ModelEntry({})]"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", r"adds nothing: give it a list JETBENCH"),
        ("JETBENCH = []", r"adds nothing"),
        ("1 / 0", r"cannot be imported, line 1: ZeroDivisionError: division by zero"),
        ("\n\nraise SystemExit(3)", r"cannot be imported, line 3: SystemExit: 3"),
        ("def f(:\n", r"cannot be imported: SyntaxError"),
        ("import no_such_package", r"ModuleNotFoundError: No module named 'no_such_package'"),
        ("JETBENCH = ['my-model']", r"JETBENCH holds a str; what can be added are entries of tasks, models"),
        ("from jetbench.models import ModelEntry\nJETBENCH = [ModelEntry]", r"holds the class ModelEntry itself"),
        (
            "from jetbench.recipes import recipes\nJETBENCH = [recipes['trees']]",
            r"JETBENCH holds a RecipeEntry; what can be added",
        ),
        (
            "from jetbench.models import ModelEntry\nJETBENCH = [ModelEntry('m', f'{__name__}:Gone', 's')]",
            r"'m' is to be Gone, which is not in it",
        ),
        (MODEL.format("'m', A, 's'"), r"the target of 'm' is <class .*; write f\"\{__name__\}:NAME\""),
        (MODEL.format("'my model', f'{__name__}:A', 's'"), r"'my model' is no name; write letters, digits and - _ \. \+ without"),
        (MODEL.format("'', f'{__name__}:A', 's'"), r"'' is no name"),
        (
            MODEL.format("'m', f'{__name__}:A', 's', defaults={'width': 16}"),
            r"defaults of 'm' is \{'width': 16\}; write defaults=\(\('NAME'",
        ),
        (
            MODEL.format("'m', f'{__name__}:A', 's', defaults=(('width', 16))"),
            r"defaults of 'm' is \('width', 16\); write defaults=",
        ),
        (MODEL.format("'m', f'{__name__}:A', 's', tasks=('regression')"), r"tasks of 'm' is 'regression'; write tasks=\(…,\)"),
        (
            "from jetbench.models import ModelEntry\nJETBENCH = [ModelEntry('m', 'Gone', 's')]",
            r"the target of 'm' is 'Gone'; write f\"\{__name__\}:NAME\"",
        ),
    ],
)
def test_a_broken_file_is_one_error_that_names_file_and_cause(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text(text)
    with pytest.raises(PluginError, match=message) as raised:
        use(path)
    assert str(path) in str(raised.value)
    assert not active()


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"gone\.py cannot be read \(No such file or directory\)"):
        use(tmp_path / "gone.py")


@pytest.mark.parametrize("reached", [False, True], ids=["out of reach", "on the path"])
@pytest.mark.parametrize(
    "line", ["import helper", "from helper.parts import WIDTH", "from .helper import WIDTH", "from . import helper"]
)
@pytest.mark.parametrize("file", ["helper.py", "helper/parts.py"])
def test_a_file_beside_it_is_no_part_of_it(
    line: str, file: str, reached: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it is imported, and where the folder happens to be on the path, its changes would be unseen."""
    if reached:
        monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("WIDTH = 8")
    (tmp_path / "mine.py").write_text(f"{ROW.format(name='mine')}\ndef later():\n    {line}\n")
    with pytest.raises(
        PluginError, match=r"mine\.py imports helper from helper(\.py)? beside it, .*; put all of it into the one file"
    ):
        use(tmp_path / "mine.py")
    assert not active()


def test_what_is_installed_is_imported_whatever_lies_beside(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("1 / 0")
    (tmp_path / "jetbench").mkdir()
    (tmp_path / "mine.py").write_text(f"import json\n{ROW.format(name='mine')}")
    use(tmp_path / "mine.py")
    assert len(active()) == 1


def test_code_elsewhere_that_cannot_be_imported_is_an_error_that_names_the_plug_in(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("from jetbench.models import ModelEntry\nJETBENCH = [ModelEntry('m', 'no_such_package:Net', 's')]")
    use(path)
    with pytest.raises(PluginError, match=r"mine.py \(\w{12}\): 'm' is no_such_package:Net, which fails: ModuleNotFoundError"):
        models["m"].load()


def test_jets_of_changed_code_are_other_jets(tmp_path: Path) -> None:
    def seed_key(text: str) -> str:
        (tmp_path / "mine.py").write_text(text)
        with scope():
            use(tmp_path / "mine.py")
            return find_dataset("prongs", 100).ref.sha256

    text = (EXAMPLES / "my_dataset.py").read_text()
    assert seed_key(text) == seed_key(text) != seed_key(text + "# changed\n")


def test_jets_are_made_by_no_other_code_than_their_recipe_names(tmp_path: Path) -> None:
    """As a worker would make them on whose path another version is installed."""
    use(EXAMPLES / "my_dataset.py")
    recipe = find_dataset("prongs", 40).recipe
    make_chunk(plan_chunks(recipe)[0], lambda jets: None, tmp_path)
    (made,) = tmp_path.iterdir()
    made.unlink()
    with pytest.raises(SimulationError, match=r"prongs is .* of digest 111111111111, and the code here is that of my_dataset.py"):
        make_chunk(plan_chunks(recipe.replace(plugin="1" * 64))[0], lambda jets: None, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_store_keeps_what_it_needs_and_gives_it_back(tmp_path: Path) -> None:
    with scope():
        use(EXAMPLES / "my_dataset.py")
        plugin = datasets["prongs"].plugin
        assert plugin is not None
        keep(tmp_path, [plugin])
    adopt([plugin], tmp_path / "elsewhere", tmp_path)
    assert datasets["prongs"].plugin == plugin
    assert find_dataset("prongs", 100, options={"distance": 0.3}).recipe.distance == 0.3


def test_what_is_adopted_takes_the_place_of_another_form_of_it(tmp_path: Path) -> None:
    text = (EXAMPLES / "my_dataset.py").read_text()
    with scope():
        use(EXAMPLES / "my_dataset.py")
        older = datasets["prongs"].plugin
        assert older is not None
        keep(tmp_path, [older])
    (tmp_path / "my_dataset.py").write_text(text + "# newer\n")
    use(tmp_path / "my_dataset.py")
    assert datasets["prongs"].plugin != older
    with scope():
        adopt([older], tmp_path)
        assert datasets["prongs"].plugin == older
    assert datasets["prongs"].plugin != older


def test_a_kept_file_that_is_gone_or_has_changed_is_an_error(tmp_path: Path) -> None:
    with scope():
        use(EXAMPLES / "my_dataset.py")
        plugin = datasets["prongs"].plugin
        assert plugin is not None
        keep(tmp_path, [plugin])
    (path,) = tmp_path.rglob("my_dataset.py")
    path.write_text("1 / 0")
    with pytest.raises(PluginError, match=r"my_dataset.py has changed since it was kept; give the plug-in as it was"):
        adopt([plugin], tmp_path)
    path.unlink()
    with pytest.raises(PluginError, match=rf"my_dataset.py \({plugin.sha256[:12]}\) is not kept in .*; give the file as it was"):
        adopt([plugin], tmp_path)


def test_an_installed_package_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"my-jets 1.0 \(1+\) is not installed; install it as it was"):
        adopt([PluginRef(sha256="1" * 64, distribution="my-jets", version="1.0")], tmp_path)


def test_another_process_is_given_the_same_files() -> None:
    use(EXAMPLES / "my_dataset.py")
    files = snapshot()
    with scope():
        restore(())
        assert "prongs" not in datasets
        restore(files)
        assert datasets["prongs"].plugin == files[0][0]
