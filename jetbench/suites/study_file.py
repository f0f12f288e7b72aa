"""Study files: read strictly, found by name or path, merged with a scale and overrides into an instance."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from jetbench.errors import SuiteError
from jetbench.spaces import Space
from jetbench.strict import parse, read_yaml
from jetbench.suites.choices import Arm, Common
from jetbench.suites.instance import AnyInstance, resolved
from jetbench.suites.settings import NAME, ScaledFile
from jetbench.suites.shipped import STUDIES
from jetbench.suites.studies import Pruner, Sampler

__all__ = [
    "StudyArm",
    "StudyFile",
    "StudyInstance",
    "StudySettings",
    "find_study",
    "instantiate_study",
    "study_names",
    "study_text",
]


class StudyArm(Arm):
    """An arm with ranges of its own: what it has no range for, the study's `search` says."""

    search: dict[str, Space | None] = {}

    @model_validator(mode="after")
    def _one_budget(self) -> StudyArm:
        if self.labels != "all" or self.seed_offset:
            raise ValueError("all arms of a study have its one budget of labels and its seeds; leave out labels and seed_offset")
        return self


class StudySettings(Common):
    """A study at one scale, resolved. Each arm is searched by itself, at one budget of `labels`, with `seeds` trainings per trial
    on labels that no reported run has; `search` names parameters by their paths, each with a range or choices, or null for the
    default range beside the component."""

    labels: int = Field(ge=10)
    arms: dict[str, StudyArm] = Field(min_length=1)
    search: dict[str, Space | None] = {}
    sampler: Sampler = "tpe"
    pruner: Pruner = "none"
    trials: int | None = Field(None, ge=1)  # of each arm; a grid has its own number
    aims: tuple[str, ...] = Field(("val/loss",), min_length=1)

    @field_validator("aims")
    @classmethod
    def _differ(cls, aims: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(aims)) < len(aims):
            raise ValueError("aims differ from each other")
        return aims

    @model_validator(mode="after")
    def _consistent(self) -> StudySettings:
        if (self.sampler != "grid") != (self.trials is not None):
            raise ValueError("trials belong to every sampler but a grid, which tries each combination once, and are needed there")
        if len(self.aims) > 1 and self.pruner != "none":
            raise ValueError("nothing is pruned where a study has several aims; set pruner: none")
        if self.pruner == "wilcoxon" and self.seeds < 5:
            raise ValueError("the pruner wilcoxon compares trials over their first 4 seeds, and needs 5 of them or more")
        if self.also_test is not None:
            raise ValueError("a study selects by validation labels alone; a second test set, also_test, belongs to a suite")
        return self


class StudyFile(ScaledFile):
    study: str = Field(pattern=NAME)

    @property
    def title(self) -> str:
        return f"study {self.study!r}"


class StudyInstance(AnyInstance):
    """A study with scale, dataset and overrides."""

    study: str
    settings: StudySettings

    @property
    def title(self) -> str:
        return self.study

    @property
    def kind(self) -> Literal["suite", "study"]:
        return "study"

    @property
    def budgets(self) -> tuple[int, ...]:
        return (self.settings.labels,)


def study_names() -> list[str]:
    """List the names of the shipped studies."""
    return STUDIES.names()


def study_text(name: str) -> str:
    """Return the text of a shipped study by name, or of any study file by path, as `Shelf.text` does."""
    return STUDIES.text(name)


def find_study(name: str) -> StudyFile:
    """Read a shipped study by name, or any study file by path, strictly."""
    return parse(StudyFile, read_yaml(study_text(name), name, SuiteError), name, SuiteError)


def instantiate_study(
    study: StudyFile,
    scale: str | None = None,
    dataset: str | None = None,
    unlabelled: str | None = None,
    overrides: tuple[str, ...] = (),
) -> StudyInstance:
    """Make an instance of the study at a scale, with another dataset or unlabelled pool, and `key=value` overrides (dots
    descend)."""
    given = {"dataset": dataset, "unlabelled": unlabelled}
    return StudyInstance(study=study.study, **resolved(StudySettings, study, scale, given, overrides))
