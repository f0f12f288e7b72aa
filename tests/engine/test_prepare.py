from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from jetbench.engine.prepare import prepare
from jetbench.jets import Jets, concatenate, save_jets
from jetbench.jets.ragged import gather
from jetbench.suites.planning import make_plan
from jetbench.suites.suite import find_suite, instantiate
from jetbench.views.observables import OBSERVABLES, observables


def single(jets: Jets) -> Jets:
    """The jets with their first deposit alone."""
    _, places = gather(jets.offsets, np.arange(len(jets)))
    first = places[jets.offsets[:-1]]
    columns = {name: getattr(jets, name)[first] for name in ("eta", "phi", "values")}
    return Jets(**{**vars(jets), **columns, "offsets": np.arange(len(jets) + 1)})


def test_jets_without_an_observable_are_named_where_the_table_is_made(
    suite_text: str, toy_jets: Jets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path / "cache"))
    jets = concatenate([toy_jets[:393], single(toy_jets[393:])])
    save_jets(tmp_path / "jets.h5", [jets])
    (tmp_path / "mini.yaml").write_text(suite_text.format(dataset=tmp_path / "jets.h5"))
    plan = make_plan(instantiate(find_suite(str(tmp_path / "mini.yaml"))))
    monkeypatch.setattr("jetbench.engine.prepare.BLOCK", 100)
    prepared = prepare(plan, 1, lambda what, done, total: None)
    assert "jets.h5: 7 of 400 jets have no d2 (fewer than 2 separate deposits): 0 stands for it" in caplog.messages
    table = np.load(prepared.tables["observables"])
    np.testing.assert_array_equal(table, observables(jets))
    assert (table[393:, OBSERVABLES.index("d2")] == 0).all()
