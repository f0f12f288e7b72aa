"""What all jets of a collection share: channels, classes, pixel grid, and where they come from.

A field that is added has a default, which leaves the digests of all jets as they are. A default is never changed: files of jets
do not spell it out.
"""

from __future__ import annotations

from typing import Literal

from jetbench.errors import DataFileError
from jetbench.values import Spec

__all__ = ["PER_DEPOSIT", "PLAIN_COLUMNS", "Channel", "Grid", "Meta", "Provenance", "SourceFile"]

PLAIN_COLUMNS = ("eta", "phi", "values", "jet_eta", "jet_phi", "jet_pt", "event")  # what jets have besides their targets
PER_DEPOSIT = PLAIN_COLUMNS[:3]


class Channel(Spec):
    """One value per deposit, in `unit`; an empty unit says that the source does not tell it (pixels scaled to 0..255).

    `combine` says what rendering does with several deposits in one pixel: "sum" for an extensive quantity (energy, pT),
    "mean" for an average weighted by the channel named in `weight` (time, impact parameter). `role` is "pt" where the
    channel is (a part of) the jet's transverse momentum, so that the sum over those channels counts nothing twice.
    """

    name: str
    unit: str
    combine: Literal["sum", "mean"] = "sum"
    weight: str | None = None
    role: Literal["pt", "energy", "other"] = "other"


class Grid(Spec):
    """The pixel grid that an image came from: `rows` along eta, `columns` along phi, over ±eta_extent and ±phi_extent."""

    rows: int
    columns: int
    eta_extent: float
    phi_extent: float


class SourceFile(Spec):
    """A file that jets were converted from."""

    name: str
    sha256: str
    jets: int


class Provenance(Spec):
    """Where jets come from: generator and version, detector, seed, the code's version, free remarks; for converted jets the
    files, their licence, the cuts that were applied, the repairs by name with the number of jets that each has changed, and the
    rows that were left out by cause with their number."""

    source: str
    generator: str = ""
    version: str = ""
    detector: str = ""
    seed: int | None = None
    code: str = ""
    remarks: tuple[str, ...] = ()
    files: tuple[SourceFile, ...] = ()
    licence: str = ""
    cuts: tuple[str, ...] = ()
    repairs: tuple[tuple[str, int], ...] = ()
    dropped: tuple[tuple[str, int], ...] = ()


class Meta(Spec):
    """What all jets of a collection share.

    `extent` is the half width of the square around the axis that jets fill (the jet radius), the natural frame of their image;
    `isotropic` is false where that square has a preferred direction (a magnetic field), so that only mirrors are symmetries;
    `unknown` names the columns of jet_eta, jet_phi and jet_pt that the source does not have and that hold zeros.
    """

    channels: tuple[Channel, ...]
    class_names: tuple[str, ...] = ()
    grid: Grid | None = None
    extent: float | None = None
    isotropic: bool = True
    unknown: tuple[Literal["jet_eta", "jet_phi", "jet_pt"], ...] = ()
    provenance: Provenance = Provenance(source="unknown")

    def channel(self, name: str) -> int:
        """Return the index of the channel `name`."""
        return [c.name for c in self.channels].index(name)

    def summed(self) -> Meta:
        """Return the same with the pT as the only channel, the sum of those with the role "pt".

        Raises `DataFileError` where there is none.
        """
        units = {self.channels[i].unit for i in self.pt_channels()}
        unit = units.pop() if len(units) == 1 else ""
        return self.replace(channels=(Channel(name="pt", unit=unit, role="pt"),))

    @property
    def in_gev(self) -> bool:
        """Say whether the deposits have a pT in GeV, which masses and most detector effects need."""
        units = {c.unit for c in self.channels if c.role == "pt"}
        return units == {"GeV"}

    def pt_channels(self) -> list[int]:
        """Return the indices of the channels whose sum is the pT (in their unit). Raises `DataFileError` where there is none."""
        mine = [i for i, c in enumerate(self.channels) if c.role == "pt"]
        if not mine:
            raise DataFileError("no channel of these jets has the role 'pt', which this view or observable needs")
        return mine
