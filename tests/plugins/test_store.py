"""What a store keeps of plug-ins, and what it says of them: a name that only a kept file has, a file that has changed, and one
that nothing rests on any more."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from jetbench.cli import main
from jetbench.engine.changed import changed_lines
from jetbench.engine.forecast import describe
from jetbench.plugins import keep, kept_files, kept_with, scope, use
from jetbench.spec import PluginRef
from jetbench.suites.instances import forget, remember
from jetbench.suites.plan import Plan
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store

EXAMPLES = Path(__file__).with_name("examples")
SETTINGS = ("arms.scratch={model: small-cnn, regime: scratch}", "tuning=null")


@pytest.fixture(autouse=True)
def own_scope() -> Iterator[None]:
    with scope():
        yield


def given(folder: Path, example: str, more: str = "") -> None:
    path = folder / example
    path.write_text((EXAMPLES / example).read_text() + more)
    use(path)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = Store(tmp_path / "store")
    found.work.mkdir(parents=True)
    return found


def begun(plan: Plan, store: Store) -> None:
    """Have a store remember a plan, every run of which has begun and was stopped."""
    remember(store.root, plan.instance)
    for key in plan.runs:
        folder = Ledger(store.work).run(key)
        folder.path.mkdir(exist_ok=True)
        folder.environment.write_text("{}")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("run", "--suite", "{suite}", "--set", "arms.scratch.model=small-cnn"), "my_model.py"),
        (("run", "--suite", "{suite}", "--set", "arms.scratch.regime=queued-lpft"), "my_objective.py"),
        (("run", "--suite", "{suite}", "--dataset", "prongs", "--set", "dataset.jets=200"), "my_dataset.py"),
        (("show", "small-cnn"), "my_model.py"),
        (("data", "make", "prongs", "--jets", "10", "-o", "jets.h5"), "my_dataset.py"),
    ],
)
def test_a_name_that_only_a_kept_file_has_leads_to_it(
    words: tuple[str, ...], name: str, store: Store, suite_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JETBENCH_STORE", str(store.root))
    monkeypatch.chdir(tmp_path)
    with scope():
        for example in ("my_model.py", "my_objective.py", "my_dataset.py"):
            given(tmp_path, example)
        for one in tmp_path.glob("my_*.py"):
            plugin = PluginRef(sha256=_sha256(one), file=str(one))
            keep(store.root, [plugin])
    (path,) = store.root.glob(f"plugins/*/{name}")
    done = CliRunner().invoke(main, [word.format(suite=suite_path) for word in words])
    assert done.exit_code == 1
    assert f"; {store.root} keeps the plug-in {name}, which has it: add --plugin {path}" in done.output


def _sha256(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_name_that_no_kept_file_has_is_unknown(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JETBENCH_STORE", str(store.root))
    with scope():
        given(tmp_path, "my_model.py")
        keep(store.root, [PluginRef(sha256=_sha256(tmp_path / "my_model.py"), file="my_model.py")])
    done = CliRunner().invoke(main, ["show", "small-cnm"])
    assert "nothing is called 'small-cnm'" in done.output
    assert "keeps the plug-in" not in done.output


def test_of_several_forms_the_one_that_was_kept_last_is_named(store: Store, tmp_path: Path) -> None:
    for more, when in (("", 1000), ("# newer\n", 2000)):
        with scope():
            given(tmp_path, "my_model.py", more)
            keep(store.root, [PluginRef(sha256=_sha256(tmp_path / "my_model.py"), file="my_model.py")])
        os.utime(store.root / "plugins" / _sha256(tmp_path / "my_model.py") / "my_model.py", (when, when))
    assert [path.read_text().endswith("# newer\n") for path in kept_with(store.root, "small-cnn")] == [True, False]


def test_a_file_that_has_changed_is_named_with_the_runs_that_are_trained_anew(
    plan_of: Callable[..., Plan], store: Store, tmp_path: Path
) -> None:
    with scope():
        given(tmp_path, "my_model.py")
        first = plan_of(*SETTINGS)
        begun(first, store)
        assert changed_lines(first, store) == []
    given(tmp_path, "my_model.py", "# changed\n")
    plan = plan_of(*SETTINGS)
    assert len(set(first.runs) - set(plan.runs)) == 4  # two budgets of two seeds; those of the other arms are what they were
    (line,) = changed_lines(plan, store)
    assert line == f"my_model.py has changed since {first.instance.name} was run: 4 runs of before are trained anew"
    assert f"! {line}" in describe(plan, store, 1, 1).splitlines()
    assert len(changed_lines(plan_of(*SETTINGS, "seeds=3"), store)) == 1  # other settings, the same runs of before
    remember(store.root, plan.instance)
    assert changed_lines(plan, store) == []  # told once: the store knows the new form


def test_jets_of_changed_code_are_trained_on_anew(plan_of: Callable[..., Plan], store: Store, tmp_path: Path) -> None:
    settings = ("dataset={name: prongs, jets: 400}", "tuning=null", "view.image.extent=0.8")
    with scope():
        given(tmp_path, "my_dataset.py")
        first = plan_of(*settings)
        begun(first, store)
    given(tmp_path, "my_dataset.py", "# changed\n")
    (line,) = changed_lines(plan_of(*settings), store)
    assert line.endswith(f": {len(first.runs)} runs of before are trained anew")


def test_an_installed_package_that_has_changed_is_named_where_the_same_suite_was_run(
    plan_of: Callable[..., Plan], store: Store
) -> None:
    """What the older form was nobody can plan any more."""
    older, now = (PluginRef(sha256=digit * 64, distribution="my-jets", version=digit) for digit in "12")
    plan = plan_of("tuning=null")
    remember(store.root, plan.instance.replace(plugins=(older,)))
    plan.instance = plan.instance.replace(plugins=(now,))
    (line,) = changed_lines(plan, store)
    assert line.startswith("my-jets has changed since mini.quick.")
    assert line.endswith(" was run: runs that rest on it are trained anew")
    plan.instance = plan.instance.replace(scale="full")
    assert changed_lines(plan, store) == []


def test_a_changed_file_that_had_no_runs_is_not_worth_a_word(plan_of: Callable[..., Plan], store: Store, tmp_path: Path) -> None:
    with scope():
        given(tmp_path, "my_model.py")
        remember(store.root, plan_of(*SETTINGS).instance)
    given(tmp_path, "my_model.py", "# changed\n")
    assert changed_lines(plan_of(*SETTINGS), store) == []


def test_kept_files_go_once_nothing_rests_on_them(plan_of: Callable[..., Plan], store: Store, tmp_path: Path) -> None:
    given(tmp_path, "my_model.py")
    plan = plan_of(*SETTINGS)
    begun(plan, store)
    size = (tmp_path / "my_model.py").stat().st_size
    gc = [*("store", "gc", "plugins", "--store"), str(store.root)]
    key, run = next((key, run) for key, run in plan.runs.items() if run.spec.plugins)
    Ledger(store.work).run(key).spec.write_text(run.spec.model_dump_json())
    assert "freed 0 bytes of 0: files of plug-ins" in CliRunner().invoke(main, gc).output
    forget(store.root, plan.instance.name)
    assert "freed 0 bytes of 0: files of plug-ins" in CliRunner().invoke(main, gc).output  # the run rests on it
    Ledger(store.work).run(key).spec.unlink()
    assert f"would free {size} bytes of 1" in CliRunner().invoke(main, [*gc, "--dry-run"]).output
    assert kept_files(store.root)
    assert f"freed {size} bytes of 1" in CliRunner().invoke(main, gc).output
    assert not list(store.root.glob("plugins/*"))
