"""Options of components that a suite or a study gives: are there such, and may they have these values?"""

from __future__ import annotations

from jetbench.models import models
from jetbench.objectives import objectives
from jetbench.spaces import check_given
from jetbench.suites.choices import Common
from jetbench.views import views

__all__ = ["check_options"]


def check_options(settings: Common) -> None:
    """Check the options of models, views and objectives before a run would stumble over them. Raises `SuiteError` for one that
    there is not, and for a value that makes no sense."""
    for name, given in settings.model_options.items():
        check_given(f"model_options.{name}", given, models[name])
    for name, given in settings.objective_options.items():
        check_given(f"objective_options.{name}", given, objectives[name])
    for name, given in settings.view.items():
        check_given(f"view.{name}", given, views[name])
    for name, arm in settings.arms.items():
        model = models[arm.model]
        check_given(f"arms.{name}.model_options", arm.model_options, model)
        check_given(f"arms.{name}.view", arm.view, views[model.view])
        for objective, given in arm.objective_options.items():
            check_given(f"arms.{name}.objective_options.{objective}", given, objectives[objective])
