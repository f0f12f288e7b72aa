"""The house itself: rooms import from floors below, start-up is light, nothing is left out of the package."""

from __future__ import annotations

import ast
import configparser
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import jetbench
from jetbench.models import models
from jetbench.objectives import TASK_LOSS, objectives

ROOT = Path(jetbench.__file__).parent
FLOORS = [
    {"errors", "files", "processes", "registry", "seeds", "values", "strict", "spaces", "spec", "recipes", "plugins"}
    | {"__init__", "benchmarks", "studies"},
    {"jets", "statistics"},
    {"simulation"},
    {"formats"},
    {"data", "tracking"},
    {"views", "evaluation"},
    {"models"},
    {"tasks", "datainfo"},
    {"objectives"},
    {"training"},
    {"faults"},
    {"runs", "inference"},
    {"suites"},
    {"engine"},
    {"report", "doctor"},
    {"insight", "testing"},
    {"api"},
    {"cli"},
]


def room(module: str) -> str:
    return module.removeprefix("jetbench").lstrip(".").split(".")[0] or "__init__"


def floor(name: str) -> int:
    return next(i for i, rooms in enumerate(FLOORS) if name in rooms)


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("jetbench"):
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("jetbench")}
    return found


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_imports_only_from_floors_below(path: Path) -> None:
    mine = room(path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."))
    above = {m for m in imports(path) if room(m) != mine and floor(room(m)) >= floor(mine) and floor(mine) > 0}
    assert not above, f"{path.relative_to(ROOT)} is on floor {floor(mine)} and imports {sorted(above)}"


# circles that are still to be opened; whoever opens one takes it out of here
KNOWN_CIRCLES: set[frozenset[str]] = set()
OWN_WAYS = {
    "files.py": "where it is done",
    "tracking/folder.py": "a cache of checksums, which may be torn",
    "tracking/lease.py": "signs of life, which may be torn, and a lease that is linked to its name",
    "training/checkpoint.py": "a whole file that is moved aside",
}


def modules() -> dict[str, Path]:
    paths = {".".join(("jetbench", *path.relative_to(ROOT).with_suffix("").parts)): path for path in ROOT.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for name, path in paths.items()}


def imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Module and name of every import, wherever it stands but under TYPE_CHECKING; the name is empty where a module is meant."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for other in node.orelse:
                yield from imported(other)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        else:
            yield from imported(node)


def import_graph(trees: dict[str, ast.AST]) -> dict[str, set[str]]:
    """The modules that each module imports. A name that a package passes on counts for the module that it comes from."""
    passed_on = {module: {name: source for source, name in imported(tree)} for module, tree in trees.items()}

    def source(module: str, name: str) -> str:
        if f"{module}.{name}" in trees:
            return f"{module}.{name}"
        origin = passed_on.get(module, {}).get(name)
        return source(origin, name) if origin in trees else module

    return {module: {origin for pair in imported(tree) if (origin := source(*pair)) in trees} for module, tree in trees.items()}


def circles(graph: dict[str, set[str]]) -> set[frozenset[str]]:
    """The largest groups of modules that all reach one another."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            for module in graph[waiting.pop()] - seen:
                seen.add(module)
                waiting.append(module)
        return seen

    reach = {module: reached(module) for module in graph}
    return {frozenset(o for o in reach[module] if module in reach[o]) for module in graph if module in reach[module]}


def test_a_circle_is_seen_however_it_is_closed() -> None:
    sources = {
        "p": "from p.b import thing",
        "p.a": "from p import thing",
        "p.b": "def late():\n    from p.c import x",
        "p.c": "from p import thing as other",
        "p.d": "from __future__ import annotations\nif TYPE_CHECKING:\n    from p.e import y",
        "p.e": "import p.d",
    }
    graph = import_graph({module: ast.parse(text) for module, text in sources.items()})
    assert graph == {"p": {"p.b"}, "p.a": {"p.b"}, "p.b": {"p.c"}, "p.c": {"p.b"}, "p.d": set(), "p.e": {"p.d"}}
    assert circles(graph) == {frozenset({"p.b", "p.c"})}


def test_files_import_each_other_in_no_circle() -> None:
    found = circles(import_graph({module: ast.parse(path.read_text()) for module, path in modules().items()}))
    assert found == KNOWN_CIRCLES


def test_files_are_replaced_and_locked_in_one_place() -> None:
    """A file that is written in place is lost to a crash; what `jetbench.files` does is synced and whole."""
    own_way = re.compile(r"\bfcntl\b|\bos\.(replace|rename)\b|\.write_(text|bytes)\(")
    found = {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if own_way.search(path.read_text())}
    assert found == set(OWN_WAYS)


def test_all_plots_share_one_frame_and_resolution() -> None:
    own_way = re.compile(r"\bDPI =|\bdpi=\d|\.spines\b")
    found = {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if own_way.search(path.read_text())}
    assert found == {"evaluation/plots.py"}


@pytest.mark.parametrize(
    ("command", "heavy"),
    [
        (["--help"], {"torch", "mlflow", "sklearn", "matplotlib", "optuna", "distributed", "h5py", "scipy"}),
        (["calibrate", "--help"], {"torch", "mlflow", "sklearn", "matplotlib", "optuna", "distributed", "h5py", "scipy"}),
        (["ls"], {"torch", "mlflow", "sklearn", "matplotlib", "optuna", "distributed"}),
        (["run", "--suite", "ssl-vs-scratch", "--scale", "smoke", "--dry-run"], {"torch", "sklearn", "matplotlib"}),
        (["study", "ls"], {"torch", "mlflow", "sklearn", "matplotlib", "optuna", "distributed"}),
    ],
)
def test_start_up_is_light(command: list[str], heavy: set[str], tmp_path: Path) -> None:
    code = f"""
import sys
from jetbench.cli import main
try:
    main({command})
except SystemExit:
    pass
print(*sys.modules, file=sys.stderr)
"""
    # elsewhere, or the checkout would stand in for the installed package
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout
    assert not heavy & set(done.stderr.split())


def test_every_package_is_shipped() -> None:
    config = configparser.ConfigParser()
    assert config.read(Path(__file__).parents[1] / "setup.cfg")
    declared = set(config["options"]["packages"].split())
    found = {"jetbench", "jetbench.benchmarks", "jetbench.studies"}
    found |= {".".join(("jetbench", *p.parent.relative_to(ROOT).parts)) for p in ROOT.rglob("__init__.py")}
    assert declared == found


@pytest.mark.parametrize("path", sorted(ROOT.rglob("__init__.py")), ids=lambda p: p.parent.name)
def test_no_module_hides_what_its_package_offers(path: Path) -> None:
    """Importing package.name as a module would replace the package's attribute of that name, for whoever comes later."""
    tree = ast.parse(path.read_text())
    offered = {alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    offered |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    offered |= {t.id for node in tree.body if isinstance(node, ast.Assign) for t in node.targets if isinstance(t, ast.Name)}
    offered |= {node.target.id for node in tree.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)}
    modules = {p.stem for p in path.parent.glob("*.py")} | {p.parent.name for p in path.parent.glob("*/__init__.py")}
    assert not offered & modules


# words that have one meaning, and files where another thing was once called so: a task is physics, a job is what a worker is
# sent, a stage is a training of an arm; a view is what a model sees, an augmentation what is done to a jet before
ONE_MEANING = {
    "task": ("errors.py", "processes.py", "engine/pool.py", "engine/worker.py", "engine/engine.py"),
    "stage": ("cli/progress.py", "engine/cards.py"),
    "view": ("recipes.py", "datainfo/invariance.py"),
}


@pytest.mark.parametrize(("word", "file"), [(word, file) for word, files in ONE_MEANING.items() for file in files])
def test_a_word_has_one_meaning(word: str, file: str) -> None:
    text = re.sub(r"\bjetbench\.\w+", "", (ROOT / file).read_text())  # a room has the name of what it is mostly about
    assert not re.findall(rf"(?i).*(?<![a-z]){word}s?(?![a-z]).*", text)


def test_metrics_are_numbers_and_plots_are_pictures() -> None:
    paths = [*ROOT.rglob("*.py"), *Path(__file__).parent.rglob("*.py")]
    assert not [path for path in paths if re.search(r"\bfigures\b", path.read_text())]


NO_VERBS = {
    "A",
    "All",
    "An",
    "Each",
    "For",
    "How",
    "In",
    "It",
    "Of",
    "One",
    "That",
    "The",
    "This",
    "Two",
    "What",
    "Which",
    "Whether",
    "With",
}


def documented(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Name and docstring of every public function and method; properties, of a class or of a contract, say what is."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and (text := ast.get_docstring(node)):
            if not any(re.search("property|^holds$", ast.unparse(decorator)) for decorator in node.decorator_list):
                yield node.name, text
        elif isinstance(node, ast.ClassDef):
            yield from documented(node)


def begins_with_a_verb(text: str) -> bool:
    """Tell, as well as a first word shows it, whether a sentence is an order: "Return", not "Returns" or "The"."""
    first = text.split()[0]
    return bool(re.fullmatch(r"[A-Z][a-z]+,?", first)) and not re.search(r"[^s]s$|s,$", first) and first not in NO_VERBS


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_function_says_first_what_it_does(path: Path) -> None:
    nouns = {name: text for name, text in documented(ast.parse(path.read_text())) if not begins_with_a_verb(text)}
    assert not nouns


def test_a_noun_is_told_from_a_verb() -> None:
    assert all(map(begins_with_a_verb, ("Return it.", "Say, in one line, what is.", "Pass it on.")))
    assert not any(map(begins_with_a_verb, ("Returns it.", "The name.", "Classes, channels.", "+0.01.", "`spec` is.", "a, b")))


NAMELESS = ("data", "training", "suites", "runs", "engine")  # they serve every task, model and objective alike
STATISTICS = {"auc", "accuracy", "cross_entropy", "f1", "log_loss", "rmse"}


def words_of(path: Path) -> set[str]:
    """Identifiers, and the words of all strings but docstrings."""
    tree = ast.parse(path.read_text())
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    docs = {id(text.value) for text in texts}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            found |= set(re.split(r"[^\w-]+", node.value))
        elif isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.name for alias in node.names}
    return {word.lower() for word in found}


@pytest.mark.parametrize("path", sorted(p for room in NAMELESS for p in (ROOT / room).rglob("*.py")), ids=lambda p: p.name)
def test_what_serves_all_names_none(path: Path) -> None:
    named = {entry.name for table in (models, objectives) for entry in table} - {TASK_LOSS} | STATISTICS  # "supervised" is a word
    assert not named & words_of(path)
