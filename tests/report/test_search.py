"""How the searches of a suite's tuning went on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from jetbench.report.results import Results
from jetbench.report.sections.search import mean_history, render
from jetbench.report.study.history import History

TPE = (
    *("tuning.per=study", "tuning.sampler=tpe", "tuning.trials=1", "tuning.factors=[0.1,10.0]", "seeds=2"),
    *("tuning.labels=each", "longer=null"),
)


def test_a_grid_has_no_history(planted: Callable[..., Results]) -> None:
    assert render(planted("seeds=2")) is None


def test_what_each_arm_spent_and_its_best_so_far(planted: Callable[..., Results]) -> None:
    """A search of one trial, which is the recipe's own."""
    content = render(planted(*TPE))
    assert content is not None
    assert [plot.name for plot in content.plots] == ["search_n50", "search_n200"]
    what, past = content.plots[0].given
    assert what == "validation loss, lower is better"
    assert {"scratch", "simclr"} <= set(past)
    assert past["scratch"].best.tolist() == [pytest.approx(0.3)]
    assert past["scratch"].labelled.tolist() == [past["simclr"].labelled[0]]
    assert content.body.count("1 trial: 1 complete") == sum(len(plot.given[1]) for plot in content.plots)
    assert content.plots[0].draw(*content.plots[0].given).axes


def test_seeds_that_tune_for_themselves_are_averaged_as_far_as_all_reach() -> None:
    def one(*best: float) -> History:
        return History(10.0 * np.arange(1, len(best) + 1), np.zeros(len(best)), np.array(best))

    mean = mean_history([one(4.0, 2.0, 1.0), one(6.0, 6.0)])
    assert mean.best.tolist() == [5.0, 4.0]
    assert mean.labelled.tolist() == [10.0, 20.0]
