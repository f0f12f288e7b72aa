"""Masked deposits first, SimCLR from there on, then fine-tuning."""

from jetbench.suites.stages import FINE_TUNING, RegimeEntry, Stage

JETBENCH = [
    RegimeEntry(
        "masked-simclr",
        "",
        "pretraining by masked deposits, then by SimCLR, then fine-tuning",
        stages=(
            Stage(name="masking", objective="masked", data="pool", labels="none", recipe="masked"),
            Stage(name="contrast", objective="simclr", data="pool", labels="none", takes="encoder", recipe="simclr"),
            FINE_TUNING,
        ),
    )
]
