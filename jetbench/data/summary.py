"""What a file of jets holds, in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jetbench.jets import open_jets

__all__ = ["summarise"]


def summarise(path: Path) -> Iterator[tuple[str, str]]:
    """Pairs of a name and what is to be said of it."""
    jets = open_jets(path)
    meta = jets.meta
    counts = np.diff(jets.offsets)
    yield "file", str(path)
    yield "jets", str(len(jets))
    if "label" in jets.targets:
        labels = jets.targets["label"][:]
        yield "classes", ", ".join(f"{name}: {int((labels == i).sum())}" for i, name in enumerate(meta.class_names))
    yield "deposits", f"{int(jets.offsets[-1])}, {counts.mean():.1f} per jet ({counts.min()} to {counts.max()})"
    for channel in meta.channels:
        yield "channel", f"{channel.name} [{channel.unit}], {channel.combine}, role {channel.role}"
    for name, column in jets.targets.items():
        if name != "label":
            yield "target", f"{name}: mean {column[:].mean():.4g}, standard deviation {column[:].std():.4g}"
    pt = jets.jet_pt[:]
    yield "jet pT", f"{pt.min():.4g} to {pt.max():.4g} GeV"
    if meta.grid:
        yield "grid", f"{meta.grid.rows}×{meta.grid.columns} over ±{meta.grid.eta_extent} × ±{meta.grid.phi_extent}"
    origin = meta.provenance
    parts = (
        origin.source,
        f"{origin.generator} {origin.version}".strip(),
        origin.detector,
        f"code {origin.code}" if origin.code else "",
    )
    yield "provenance", "; ".join(part for part in parts if part)
    yield "digest", jets.digest
