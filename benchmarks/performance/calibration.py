"""How often the verdict errs, and what it can see: replays with a planted truth, printed as a Markdown table.

python benchmarks/performance/calibration.py [--replays 1000] [--jets 3000]
"""

from __future__ import annotations

import argparse

from jetbench.statistics.calibration import Binormal, Logistic, Rates, Scenario, calibrate

EFFECTS = (0.0025, 0.005, 0.01, 0.015, 0.02)  # planted differences of AUC, on a baseline of 0.93


def scenarios(seeds: int, jets: int) -> dict[str, Scenario]:
    return {
        "same arm, other seeds": Binormal(seeds=seeds, jets=jets),
        "two arms, equal AUC": Binormal(seeds=seeds, jets=jets, same=False),
        "same arm, training dominates": Binormal(seeds=seeds, jets=jets, training=0.02, own=0.02),
        "two arms, test sample dominates": Binormal(seeds=seeds, jets=jets, training=0.0002, own=0.02, same=False),
        "same arm, a few bad trainings": Binormal(seeds=seeds, jets=jets, training=0.01, skewed=True),
        "same arm, five encoders": Binormal(seeds=seeds, jets=jets, encoders=5, encoder=0.01, training=0.002),
        "logistic models, 150 labels": Logistic(seeds=seeds, jets=jets),
        **{f"planted ΔAUC +{effect}": Binormal(seeds=seeds, jets=jets, effect=effect, same=False) for effect in EFFECTS},
        "logistic models, 300 against 150 labels": Logistic(seeds=seeds, jets=jets, arm_labels=300),
    }


def row(name: str, seeds: int, rule: str, rates: Rates) -> str:
    shares = " | ".join(f"{100 * share.mean:.1f}" for share in (rates.better, rates.worse, rates.equivalent, rates.undecided))
    return f"| {name} | {seeds} | {rule} | {shares} | {rates.difference:+.4f} | {rates.deviation:.4f} | {rates.total_error:.4f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replays", type=int, default=1000)
    parser.add_argument("--jets", type=int, default=3000, help="test jets, half of them signal")
    options = parser.parse_args()
    print(f"{options.replays} replays, {options.jets} test jets; shares in %; a false better or worse is nominally 2.5 % each")
    print("| scenario | seeds | test error | better | worse | equivalent | undecided | mean ΔAUC | its sd | claimed error |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for seeds in (5, 10):
        for name, scenario in scenarios(seeds, options.jets).items():
            for sharp, rule in ((False, "mean of variances"), (True, "variance of mean")):
                print(row(name, seeds, rule, calibrate(scenario, options.replays, sharp=sharp)), flush=True)


if __name__ == "__main__":
    main()
