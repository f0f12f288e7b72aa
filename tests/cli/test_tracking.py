"""Which server a command reports to, as people say it, and what they read of it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from jetbench.cli import main
from jetbench.cli.progress import Tally
from jetbench.engine.events import Event
from jetbench.suites.instances import remember
from jetbench.suites.suite import find_suite, instantiate

REPORTING = ("compare", "inspect", "model register", "report", "run", "store sync", "study run", "study show", "ui")


def call(*arguments: str | Path, **environment: str) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], env={"JETBENCH_TRACKING_URI": None, **environment})


def commands() -> dict[str, set[str]]:
    """The options of every command."""
    found, left = {}, deque([("", main)])
    while left:
        name, command = left.popleft()
        found[name] = {option for parameter in command.params for option in parameter.opts}
        left += [(f"{name} {one}".strip(), inner) for one, inner in getattr(command, "commands", {}).items()]
    return found


def test_every_command_that_reports_can_be_told_where_to() -> None:
    told = {name for name, options in commands().items() if "--tracking-uri" in options}
    assert told == set(REPORTING)


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (["run", "--suite", "ssl-vs-scratch", "--tracking-uri", "mlruns"], {}, "--tracking-uri names no MLflow server"),
        (["ui"], {"MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"}, "set JETBENCH_TRACKING_URI=local"),
        (["store", "sync", "--tracking-uri", "http://me:pl4nted@host"], {}, "others can read a password"),
        (["store", "sync", "mini"], {}, "has no results of suite 'mini'"),
        (["store", "sync"], {}, "mlruns has no results; name another folder with --store"),
    ],
)
def test_a_wrong_address_is_a_message(
    arguments: list[str], environment: dict[str, str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlruns").mkdir()
    result = call(*arguments, **environment)
    assert result.exit_code == 1
    assert message in result.output
    assert "pl4nted" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_what_only_looks_does_not_ask_where_to_report(suite_path: Path, tmp_path: Path) -> None:
    remember(tmp_path, instantiate(find_suite(str(suite_path))))
    for arguments in (["status", "mini"], ["results", "mini"]):
        result = call(*arguments, "--store", tmp_path, MLFLOW_TRACKING_URI="sqlite:///mlflow.db")
        assert result.exit_code == 0, result.output


def test_the_pages_of_a_server_are_there_already(tmp_path: Path) -> None:
    result = call("ui", "--store", tmp_path, MLFLOW_TRACKING_URI="http://me:planted@127.0.0.1:9")
    assert result.output == "http://127.0.0.1:9/#/experiments?workflowType=machine_learning\n"


@pytest.mark.filterwarnings("ignore:For backward compatibility, 'str' dtypes")  # of MLflow's tables about pandas
def test_all_that_is_shipped_is_counted_and_told_while_it_goes(toys_of: Callable[..., Any]) -> None:
    """In a suite of its own, which no other test ships."""
    toys = toys_of(2, "labels=[70]", "tuning=null")
    for arm in ("sets", "boosted-trees"):
        toys.run(arm)
    (toys.store / "reports" / toys.plan.instance.name).mkdir(parents=True)
    first = call("store", "sync", "--store", toys.store)
    assert first.exit_code == 0, first.output
    name = re.escape(toys.plan.instance.name)
    assert re.search(rf"^{name}: asking sqlite:\S+ for \d+ runs and the page$", first.stderr, re.MULTILINE)
    assert re.search(rf"^{name}: 2 runs, 2 runs of arms and the report shipped to sqlite:", first.stdout)
    again = call("store", "sync", "--store", toys.store)
    assert re.search(rf"^{name}: nothing to ship, all of it is in sqlite:", again.stdout)


def test_one_cause_is_told_once_and_what_it_keeps_back_is_counted() -> None:
    tally = Tally({"a": 1.0, "b": 1.0})
    events = [Event("unpublished", key, "the server is away", key) for key in ("a", "b")]
    first = []
    for event in events:
        first.append(tally.first(event))
        tally.book(event)
    assert first == [True, False]
    assert tally.first(Event("unpublished", "a", "the disk is full", "a"))
    tally.book(Event("published", "a", key="a"))
    assert tally.unpublished == {"b"}
