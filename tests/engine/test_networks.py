"""Networks of plug-ins, tried before anything is simulated."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jetbench.engine.forecast import describe
from jetbench.engine.networks import try_networks
from jetbench.engine.prepare import prepare
from jetbench.errors import PluginError
from jetbench.plugins import scope, use
from jetbench.suites.plan import Plan
from jetbench.tracking.store import Store

EXAMPLES = Path(__file__).parents[1] / "plugins" / "examples"
TOPS = "dataset={name: top-vs-qcd, jets: 400}"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path / "cache"))
    with scope():
        yield tmp_path / "cache"


def given(folder: Path, example: str, before: str = "", after: str = "") -> None:
    text = (EXAMPLES / example).read_text()
    assert before in text
    (folder / example).write_text(text.replace(before, after))
    use(folder / example)


def arms(model: str) -> tuple[str, ...]:
    return tuple(f"arms.{name}={{model: {model}, regime: {name}}}" for name in ("scratch", "simclr"))


@pytest.mark.parametrize(
    ("example", "model", "before", "after", "message"),
    [
        ("my_model.py", "small-cnn", "features=width)", "features=2 * width)", r"shape \(12, 16\), and \(12, 32\) is declared"),
        ("my_model.py", "small-cnn", "(nn.Conv2d(inputs, width", "(nn.Conv2d(inputs + 1, width", r"RuntimeError: Given groups=1"),
        ("my_set_model.py", "mean-set", "self.features = width", "self.width = width", r"AttributeError: .*'features'"),
        ("my_set_model.py", "mean-set", "found.sum(1) /", "found.sum(1)[0] /", None),
        ("my_set_model.py", "mean-set", "return found.sum(1)", "return found", r"the size of tensor|features have the shape"),
    ],
)
def test_a_network_that_does_not_fit_is_one_error_before_any_jet_is_made(
    example: str,
    model: str,
    before: str,
    after: str,
    message: str | None,
    plan_of: Callable[..., Plan],
    tmp_path: Path,
    cache: Path,
) -> None:
    """A wrong mean that has the right shape is left to the contract."""
    given(tmp_path, example, before, after)
    plan = plan_of("tuning=null", TOPS, *arms(model))
    if message is None:
        try_networks(plan)
        return
    option = f"`jetbench show {model} --plugin {tmp_path / example}`"
    told = rf"arms scratch and simclr: the network '{model}' with {example} \(.*\), tried on .*{message}.*{re.escape(option)}"
    with pytest.raises(PluginError, match=told) as dry:
        describe(plan, Store(tmp_path), 1, 1)
    with pytest.raises(PluginError) as made:
        prepare(plan, 1, lambda *told: None)
    assert str(made.value) == str(dry.value)
    assert str(dry.value).count("tried on toy jets") == 1
    assert not list(cache.rglob("*.h5"))


def test_networks_of_plug_ins_that_fit_are_tried_once_for_all_their_runs(
    plan_of: Callable[..., Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jetbench.runs import tried

    found, whole = list[str](), tried.network_fault

    def counted(spec: object, meta: object) -> str:
        found.append(whole(spec, meta))  # type: ignore[arg-type]
        return found[-1]

    monkeypatch.setattr(tried, "network_fault", counted)
    for example in ("my_model.py", "my_set_model.py", "my_view.py"):
        given(tmp_path, example)
    try_networks(plan_of("tuning=null"))
    assert found == []
    varied = "varies=[model, view, regime]"
    try_networks(plan_of("tuning=null", varied, *arms("small-cnn"), "arms.sets={model: mean-set, regime: scratch}"))
    assert found == ["", ""]
    try_networks(plan_of("tuning=null", *arms("resnet15-mirrored")))
    assert found == ["", "", ""]
