"""The observables view: a table of jet-substructure observables per jet, by FastJet where it has them.

Constituents are massless with the deposit's pT at its (eta, phi). FastJet and its contribs: Cacciari, Salam, Soyez,
arXiv:1111.6097; N-subjettiness: Thaler, Van Tilburg, arXiv:1011.2268; energy correlators C2, D2: Larkoski, Salam, Thaler,
arXiv:1305.0007, and Larkoski, Moult, Neill, arXiv:1409.6298; soft drop: Larkoski, Marzani, Soyez, Thaler, arXiv:1402.2657;
pTD: CMS-PAS-JME-13-002.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from jetbench.errors import DataFileError
from jetbench.jets import Jets
from jetbench.jets.kinematics import deposit_momenta, jet_masses
from jetbench.jets.ragged import owners
from jetbench.spec import Options
from jetbench.views.needs import unmet
from jetbench.views.table import Table

__all__ = [
    "OBSERVABLES",
    "SIMPLE",
    "Nothing",
    "Observables",
    "fill_undefined",
    "measure",
    "no_banner",
    "observables",
    "simple_observables",
    "undefined_text",
]

RADIUS = 0.8
SIMPLE = ("mass", "multiplicity", "width", "ptd", "leading_fraction")
SUBSTRUCTURE = ("softdrop_mass", "tau1", "tau21", "tau32", "tau43", "c2", "d2")
OBSERVABLES = (*SIMPLE, *SUBSTRUCTURE)  # masses in GeV, the rest without unit


# how many deposits apart from each other an observable divides by or correlates; a jet with fewer has no such number
NEEDED = {"tau21": 2, "tau32": 3, "tau43": 4, "c2": 2, "d2": 2}
NEGLIGIBLE = 1e-9  # an N-subjettiness below it is rounding: as many deposits as axes


def observables(jets: Jets) -> np.ndarray:
    """Compute all `OBSERVABLES` of jets in memory, (n, 12) float32, with 0 where `measure` has NaN.

    Who writes them down for others to use takes `measure` and `fill_undefined`, and tells what was filled. Raises
    `DataFileError` as `measure` does.
    """
    table = measure(jets)
    fill_undefined(table)
    return table


def measure(jets: Jets) -> np.ndarray:
    """Compute all `OBSERVABLES` of jets in memory, (n, 12) float32, NaN where a jet has no such number.

    An empty jet has zeros. Raises `DataFileError` where no channel carries the jet's pT in GeV.
    """
    if reason := unmet(jets.meta, ("GeV",)):
        raise DataFileError(f"for the view 'observables' {reason}")
    pt = jets.pt()
    table = np.zeros((len(jets), len(OBSERVABLES)), np.float32)
    table[:, : len(SIMPLE)] = simple_observables(jets)
    full = np.add.reduceat(np.append(pt, 0), jets.offsets[:-1]) * (np.diff(jets.offsets) > 0) > 0
    if full.any():
        table[full, len(SIMPLE) :] = _substructure(jets.take(np.flatnonzero(full)))
    return table


def fill_undefined(table: np.ndarray) -> dict[str, int]:
    """Write 0 for every NaN of a table (n, 12) of `measure`, in place; return the number of such jets by observable."""
    undefined = np.isnan(table)
    table[undefined] = 0
    return {name: int(count) for name, count in zip(OBSERVABLES, undefined.sum(axis=0), strict=True) if count}


def undefined_text(undefined: Mapping[str, int], jets: int) -> list[str]:
    """Say, in a sentence per observable, how many of all jets have no such number and why, from `fill_undefined`'s counts."""
    return [
        f"{count} of {jets} jets have no {name}"
        + (f" (fewer than {NEEDED[name]} separate deposits)" if name in NEEDED else "")
        + ": 0 stands for it"
        for name, count in undefined.items()
    ]


class Observables(Table):
    """The table of all `OBSERVABLES`."""

    columns = OBSERVABLES

    @classmethod
    def rows(cls, jets: Jets, options: Options = ()) -> np.ndarray:
        return observables(jets)

    @classmethod
    def counted_rows(cls, jets: Jets) -> tuple[np.ndarray, dict[str, int]]:
        table = measure(jets)
        return table, fill_undefined(table)

    @classmethod
    def remarks(cls, undefined: Mapping[str, int], jets: int) -> list[str]:
        return undefined_text(undefined, jets)


class Nothing(Table):
    """The table of a model that looks at labels alone."""

    @classmethod
    def rows(cls, jets: Jets, options: Options = ()) -> np.ndarray:
        return np.zeros((len(jets), 0), np.float32)


def simple_observables(jets: Jets) -> np.ndarray:
    """Compute `SIMPLE` of jets in memory: (n, 5) float32.

    Multiplicity counts deposits with pT > 0; width is the pT-weighted mean distance to the axis; pTD = sqrt(Σ pT²)/Σ pT.
    """
    pt, jet = jets.pt().astype(np.float64), owners(jets.offsets)

    def total(x: np.ndarray) -> np.ndarray:
        return np.bincount(jet, x, minlength=len(jets))

    sum_pt = np.maximum(total(pt), 1e-12)
    leading = np.zeros(len(jets))
    np.maximum.at(leading, jet, pt)
    return np.stack(
        [
            jet_masses(jets),
            total(pt > 0),
            total(pt * np.hypot(jets.eta, jets.phi)) / sum_pt,
            np.sqrt(total(pt**2)) / sum_pt,
            leading / sum_pt,
        ],
        axis=1,
    ).astype(np.float32)


def _substructure(jets: Jets) -> np.ndarray:
    """`SUBSTRUCTURE` of jets that are not empty: (n, 7)."""
    import awkward as ak
    import fastjet
    import vector

    pt, momenta = deposit_momenta(jets)
    counts = np.bincount(owners(jets.offsets)[pt > 0], minlength=len(jets))
    fields = dict(zip(("px", "py", "pz", "E"), momenta[pt > 0].T, strict=True))
    particles = ak.unflatten(ak.zip(fields, with_name="Momentum4D"), counts)
    vector.register_awkward()
    with no_banner():
        return _clustered(fastjet, particles)


@contextmanager
def no_banner() -> Iterator[None]:
    """Keep the banner off the standard output that FastJet prints from C++ at its first clustering: tables may go there."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _clustered(fastjet: Any, particles: Any) -> np.ndarray:
    """`SUBSTRUCTURE` of clusters of particles, which is an awkward array (jets, particles) of momenta; NaN where undefined."""
    n = len(particles)
    # one cluster per jet: a radius far above the jet's own, so that nothing is left out
    cluster: Any = fastjet.ClusterSequence(particles, fastjet.JetDefinition(fastjet.cambridge_algorithm, 10 * RADIUS))
    mass = np.asarray(cluster.exclusive_jets_softdrop_grooming(symmetry_cut=0.1, beta=0.0, R0=RADIUS).msoftdrop)
    tau = np.asarray(cluster.njettiness(njets=[1, 2, 3, 4], beta=1.0, R0=RADIUS)).reshape(n, 4)
    c2, d2 = (np.asarray(cluster.exclusive_jets_energy_correlator(func=f, beta=1)).reshape(-1) for f in ("c2", "d2"))
    ratios = np.divide(tau[:, 1:], tau[:, :-1], out=np.full((n, 3), np.nan), where=tau[:, :-1] > NEGLIGIBLE)
    table = np.column_stack([mass.reshape(-1), tau[:, 0], ratios, c2, d2])
    return np.where(np.isfinite(table), table, np.nan)
