"""Where simulated jets come from: Pythia, a fast detector, FastJet, and their production in parallel.

Importing this package imports neither the generator nor the jet finder.
"""

from typing import TYPE_CHECKING, Any

from jetbench.simulation.top_vs_qcd import TopVsQcd

if TYPE_CHECKING:
    from jetbench.simulation.production import simulate

__all__ = ["TopVsQcd", "simulate"]


def __getattr__(name: str) -> Any:
    if name == "simulate":
        from jetbench.simulation.production import simulate

        return simulate
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
