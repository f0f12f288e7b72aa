"""Readers of the field's files. The table is light; the code behind a name is imported when a file is looked at."""

from __future__ import annotations

from dataclasses import dataclass

from jetbench.registry import Entry, Registry

__all__ = ["FormatEntry", "formats"]


@dataclass(frozen=True)
class FormatEntry(Entry):
    """`target` names a `Reader`. `carded`: it needs a card, a YAML file that says what the file's keys mean."""

    carded: bool = False


formats: Registry[FormatEntry] = Registry(
    "format",
    [
        FormatEntry(
            "jetclass",
            "jetbench.formats.jetclass:JetClass",
            "ROOT trees of constituents, ten classes",
            "zenodo 6619768; arXiv:2202.03772",
        ),
        FormatEntry(
            "top-tagging",
            "jetbench.formats.top_tagging:TopTagging",
            "pandas HDF5 tables of four-vectors, top against QCD",
            "zenodo 2603256; arXiv:1902.09914",
        ),
        FormatEntry(
            "energyflow",
            "jetbench.formats.energyflow:EnergyFlow",
            "npz files of particles, quark against gluon",
            "zenodo 3164691; arXiv:1810.05165",
        ),
        FormatEntry(
            "jetnet",
            "jetbench.formats.jetnet:JetNet",
            "HDF5 files of relative particles, one class each",
            "zenodo 6975118; arXiv:2106.11535",
        ),
        FormatEntry(
            "constituents",
            "jetbench.formats.constituents:ConstituentTable",
            "tables of constituents in HDF5, npz or parquet, described by a card",
            carded=True,
        ),
    ],
)
