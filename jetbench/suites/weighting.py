"""What weighs the jets of a suite or study, in words."""

from __future__ import annotations

from collections.abc import Iterator

from jetbench.suites.choices import Common

__all__ = ["weighting_lines"]


def weighting_lines(settings: Common) -> Iterator[str]:
    """Say what weighs the jets in the supervised losses of all arms, and that metrics are as without; nothing where all weigh
    alike."""
    if (name := settings.sample_weight) is not None:
        yield (
            f"the supervised loss of every arm weighs the jets by {name!r} (sample_weight), and so do the validation losses that "
            "epochs and trials are chosen by; all metrics weigh every jet alike"
        )
