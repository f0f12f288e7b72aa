"""The canonical form of jets: ragged deposits relative to the jet axis, with channels and targets, in one file."""

from jetbench.jets.container import Jets, concatenate
from jetbench.jets.file import save_jets
from jetbench.jets.images import jets_from_images
from jetbench.jets.meta import Channel, Grid, Meta, Provenance, SourceFile
from jetbench.jets.shards import open_jets
from jetbench.jets.verification import verify

__all__ = [
    "Channel",
    "Grid",
    "Jets",
    "Meta",
    "Provenance",
    "SourceFile",
    "concatenate",
    "jets_from_images",
    "open_jets",
    "save_jets",
    "verify",
]
