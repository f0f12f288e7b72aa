"""Aims and searched parameters as people read them, with their units."""

from __future__ import annotations

from jetbench.report.words import count
from jetbench.spec import Scalar
from jetbench.suites.studies import Aim, Searched

__all__ = ["aim_heading", "aim_name", "parameter_name", "plain_number", "value_text"]

# units of options; all others are numbers, shares and probabilities, or lengths in eta and phi, which have none
UNITS = {"max_angle": "rad", "scale": "GeV", "pt_scale": "GeV", "softest": "GeV", "mass": "GeV"}
PARTS = {"val": "validation", "trained": "training", "cost": ""}
METRICS = {
    "auc": "AUC",
    "rmse": "RMSE [GeV]",
    "mae": "MAE [GeV]",
    "flops": "FLOPs per jet",
}


def aim_name(aim: Aim) -> str:
    """Name what an aim measures: "validation loss", "FLOPs per jet"."""
    part, _, key = aim.metric.partition("/")
    return f"{PARTS.get(part, part)} {METRICS.get(key, key.replace('_', ' '))}".strip()


def aim_heading(aim: Aim) -> str:
    """Name an aim with its direction: "validation loss, lower is better"."""
    return f"{aim_name(aim)}, {'higher' if aim.larger_is_better else 'lower'} is better"


def parameter_name(one: Searched) -> str:
    """Name a searched parameter with its unit: "learning rate", "augmentation drop pt scale [GeV]"."""
    unit = UNITS.get(one.path.rsplit(".", 1)[-1])
    return f"{one.name.replace('.', ' ')} [{unit}]" if unit else one.name.replace(".", " ")


def value_text(value: Scalar) -> str:
    """Write a value of a parameter in three digits: "0.00316", "64-64", "yes"."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def plain_number(value: float) -> str:
    """Write a score or a cost: four digits of a small number, whole thousands of a large one."""
    return count(round(value)) if abs(value) >= 10_000 else f"{value:.4g}".replace("-", "−")
