"""Plug-ins of really installed packages: found by their entry points, imported when they are named, known by their source."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).with_name("examples")
IMPORTS = "from jetbench.models import HEAD, HEAD_ALLOWED, ModelEntry\nfrom jetbench.spaces import Allowed\n"


SUITE = """
suite: mini
question: Is it trained?
common:
  dataset: {{name: {dataset}}}
  task: {{name: least-squares, options: {{target: mass}}}}
  view: {{image: {{pixels: 8}}}}
  varies: [model]
  primary: {{arm: mine, baseline: trees}}
  arms:
    mine: {{model: small-cnn, regime: scratch}}
    trees: {{model: boosted-trees, regime: fit}}
  recipes:
    supervised: {{base: supervised-small, passes: 320, epochs: 2}}
scales:
  quick: {{test_jets: 100, labels: [60], seeds: 1}}
"""


def install(site: Path, name: str, points: dict[str, str], files: dict[str, str], version: str = "1.2") -> None:
    """What a wheel's installation leaves: the files, and the metadata with the entry points, by group and name."""
    metadata = site / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [f"[jetbench.{key.split('/')[0]}]\n{key.split('/')[1]} = {value}\n" for key, value in points.items()]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    for file, text in files.items():
        (site / file).parent.mkdir(exist_ok=True)
        (site / file).write_text(text)


def jetbench(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python(site, f"from jetbench.cli import main\nmain({list(arguments)!r})")


def python(site: Path, code: str) -> subprocess.CompletedProcess[str]:
    paths = [str(site), *filter(None, [os.environ.get("PYTHONPATH", "")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=site, timeout=200)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A place where a package lies whose rows are in another file than their code."""
    model = (EXAMPLES / "my_model.py").read_text()
    code, rows = model.split("\n\nJETBENCH")
    rows = rows.replace("{__name__}", "my_jets.nets")
    files = {
        "my_jets/__init__.py": "",
        "my_jets/nets.py": code,
        "my_jets/rows.py": f"{IMPORTS}JETBENCH{rows}",
    }
    folder = tmp_path / "site"
    install(folder, "my-jets", {"models/small-cnn": "my_jets.rows"}, files)
    return folder


def test_what_is_installed_is_listed_and_shown(site: Path) -> None:
    listed = jetbench(site, "ls", "models")
    assert "small-cnn" in listed.stdout.splitlines(), listed.stderr
    marked = jetbench(site, "ls").stdout
    assert "[plug-in my-jets 1.2 (" in marked
    shown = jetbench(site, "show", "small-cnn").stdout
    assert "code: my_jets.nets:SmallCNN" in shown
    assert "plug-in: my-jets 1.2, sha256 " in shown


def test_nothing_is_imported_before_it_is_named(site: Path) -> None:
    code = """
import sys
from jetbench.models import models
models["resnet15"]
print("my_jets" in sys.modules, models["small-cnn"].name, "my_jets.rows" in sys.modules, "my_jets.nets" in sys.modules)
"""
    assert python(site, code).stdout.split() == ["False", "small-cnn", "True", "False"]


def digest(site: Path) -> str:
    code = "from jetbench.models import models\nprint(models['small-cnn'].component().digest())"
    return python(site, code).stdout


def test_runs_are_known_by_all_of_its_source(site: Path) -> None:
    before = digest(site)
    assert len(before.strip()) == 64
    assert digest(site) == before
    with (site / "my_jets" / "nets.py").open("a") as file:
        file.write("# changed\n")
    assert digest(site) != before


def test_a_run_is_refused_whose_package_has_changed(site: Path) -> None:
    code = """
from jetbench.models import models
from jetbench.plugins import adopt
from jetbench.spec import PluginRef
now = models["small-cnn"].plugin
adopt([now])
try:
    adopt([now.replace(sha256="0" * 64, version="1.1")])
except Exception as error:
    print(type(error).__name__, error)
"""
    told = python(site, code).stdout
    assert told.startswith("PluginError the plug-in my-jets 1.1 (000000000000) is my-jets 1.2 (")
    assert "install it as it was" in told


@pytest.mark.slow
def test_a_suite_trains_it_with_a_task_of_a_file_and_refuses_to_mix_its_versions(site: Path, toy_file: Path) -> None:
    suite = SUITE.format(dataset=toy_file)
    (site / "mini.yaml").write_text(suite)
    task = ("--plugin", str(EXAMPLES / "my_task.py"))
    done = jetbench(site, "run", "--suite", "mini.yaml", *task)
    assert done.returncode == 0, done.stdout + done.stderr
    told = jetbench(site, "report", "mini")
    assert "test RMSE" in told.stdout, told.stderr
    (page,) = site.glob("mlruns/reports/*/report.html")
    assert "my-jets 1.2 (" in page.read_text()
    with (site / "my_jets" / "nets.py").open("a") as file:
        file.write("# changed\n")
    refused = jetbench(site, "report", "mini")
    assert refused.returncode == 1
    assert "can no longer be planned (the plug-in my-jets 1.2 (" in refused.stderr
    planned = jetbench(site, "run", "--suite", "mini.yaml", "--dry-run", *task)
    assert re.search(r"^final +2 +1 +1 ", planned.stdout, re.M), planned.stdout  # the trees stay done, the network is new


def test_a_name_that_is_taken_names_both(site: Path) -> None:
    install(site, "other-jets", {"models/small-cnn": "my_jets.rows"}, {})
    told = jetbench(site, "ls", "models").stderr
    assert "the model 'small-cnn' of the plug-in" in told
    assert "my-jets 1.2 (my_jets.rows)" in told
    assert "other-jets 1.2 (my_jets.rows)" in told


def test_a_built_in_name_that_is_taken_names_both(site: Path) -> None:
    rows = (site / "my_jets" / "rows.py").read_text().replace("small-cnn", "resnet15")
    install(site, "shadow", {"models/resnet15": "shadow"}, {"shadow.py": rows})
    told = jetbench(site, "show", "resnet15").stderr
    assert (
        "the model 'resnet15' of the plug-in shadow 1.2 (shadow) has the name of a built-in one (jetbench.models.resnet" in told
    )


@pytest.mark.parametrize(
    ("points", "files", "message"),
    [
        ({"models/x": "broken"}, {"broken.py": "1 / 0"}, "broken-jets 1.2 (broken) cannot be imported: ZeroDivisionError"),
        ({"models/x": "gone"}, {}, "broken-jets 1.2 (gone) cannot be imported: ModuleNotFoundError"),
        ({"models/x": "my_jets.rows:JETBENCH"}, {}, "names more than a module"),
        ({"models/x": "my_jets.rows"}, {}, "has no 'x' of models, which its entry point promises, but small-cnn of models"),
        ({"views/small-cnn": "my_jets.rows"}, {}, "has no 'small-cnn' of views"),
    ],
)
def test_a_broken_package_is_one_error_that_names_it_and_the_cause(
    points: dict[str, str], files: dict[str, str], message: str, site: Path
) -> None:
    install(site, "broken-jets", points, files)
    (kind, _), *_ = (key.split("/") for key in points)
    told = jetbench(site, "ls", kind)
    assert told.returncode == 1
    assert message in told.stderr
    assert "Traceback" not in told.stderr
