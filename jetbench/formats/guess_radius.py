"""The radius of jets, by how far their constituents reach, and whether one jet can reach so far."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

__all__ = ["radius_line", "too_wide"]

REACH = 0.98  # quantile over jets of the distance of the furthest constituent: what lies beyond are damaged jets
WIDE = 2.0  # median distance of the furthest constituent from the hardest: jets of radius 1.5 stay below, two jets do not
UNKNOWN = "# CHECK: radius: R  is the jet radius, which frames images and tells masses that cannot be"


def radius_line(meant: Mapping[str, np.ndarray], mask: np.ndarray | None = None) -> str:
    """Write the line of a card with the radius of the jets whose quantities (n, M) these are, zero-padded or with a mask (n, M);
    a comment where they do not tell it."""
    if (polar := _polar(meant, mask)) is None:
        return UNKNOWN
    weight, real, deta, dphi = polar
    total = np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
    columns = [away - (weight * away).sum(axis=1, keepdims=True) / total for away in (deta, dphi)]
    distance = np.where(real, np.hypot(*columns), 0).max(axis=1)[real.any(axis=1)]
    reach = float(np.quantile(distance, REACH)) if len(distance) else 0.0
    if not 0 < reach < np.inf:
        return UNKNOWN
    told = f"{100 * REACH:.0f} % of the jets reach no further than {reach:.3g} from their pT-weighted axis"
    return f"radius: {np.ceil(10 * reach) / 10:.1f}  # CHECK: {told}"


def too_wide(meant: Mapping[str, np.ndarray], mask: np.ndarray | None = None) -> bool | None:
    """Tell whether rows of these quantities reach further than any jet, as events do; None where they do not tell it."""
    if (polar := _polar(meant, mask)) is None:
        return None
    _, real, deta, dphi = polar
    several = real.sum(axis=1) > 1
    return bool(np.median(np.hypot(deta, dphi).max(axis=1)[several]) > WIDE) if several.any() else None


def _polar(
    meant: Mapping[str, np.ndarray], mask: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
    """pT, what is real, and the differences in eta (or rapidity) and phi to the hardest, (n, M) each."""
    every = [*meant.values(), *([] if mask is None else [mask])]
    lengths = {len(column) for column in every}
    if not lengths or not all(column.shape[1] for column in meant.values()):
        return None
    # of types of different sizes different numbers of rows were looked at: the same jets stand at the beginning of each
    rows = min(lengths) if len(lengths) == 1 else (min(lengths) + 1) // 2
    q = {name: np.asarray(column[:rows], np.float64) for name, column in meant.items()}
    if {"px", "py", "pz"} <= q.keys():
        pt = np.hypot(q["px"], q["py"])
        eta, phi = np.arcsinh(q["pz"] / np.where(pt > 0, pt, 1)), np.arctan2(q["py"], q["px"])
    elif "pt" in q and ("eta" in q or "rapidity" in q) and "phi" in q:
        pt, eta, phi = q["pt"], q["eta"] if "eta" in q else q["rapidity"], q["phi"]
    else:
        return None
    pt = pt if mask is None else np.where(mask[:rows] != 0, pt, 0)
    real = np.isfinite(pt) & np.isfinite(eta) & np.isfinite(phi) & (pt > 0)
    weight = np.where(real, pt, 0)
    hardest = weight.argmax(axis=1)[:, None]
    deta, dphi = (np.where(real, one - np.take_along_axis(one, hardest, axis=1), 0) for one in (eta, phi))
    return weight, real, deta, np.where(real, (dphi + np.pi) % (2 * np.pi) - np.pi, 0)
