"""The card of a file of dense images: which array is what, and what the file itself cannot say of its pixels."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from pydantic import Field, model_validator

from jetbench.formats.card import Card, Place, kept, refuse_needed, split
from jetbench.jets import Channel, Grid, Meta
from jetbench.registry import nearest

__all__ = ["ImageCard", "ImageChannel"]

Column = Literal["jet_eta", "jet_phi", "jet_pt"]
COLUMNS: tuple[Column, ...] = ("jet_eta", "jet_phi", "jet_pt")


class ImageChannel(Channel):
    """A channel of the images. A sum that may be negative (of charges) is `signed`; a mean may always be."""

    signed: bool = False


class ImageCard(Card):
    """Images in an HDF5, npz, npy (whose one array is called `array`) or parquet file.

    `images` is a key of the file, the values of `targets` and `columns` are places in it. `layout` names the axes of the images:
    N jets, H rows along eta, W columns along phi, C channels, which are listed in the file's order. `eta_extent` and
    `phi_extent` are the half widths of the images around the jet axis, in pseudorapidity and in radians. `columns` are jet_eta,
    jet_phi [rad] and jet_pt [GeV] where the file has them. `cast`: pixels that float32 does not hold exactly are rounded.
    `pixels` is the number of rows and of columns that the images must have, and `order` that of the jets' channels, where it is
    not the file's.
    """

    kind: Literal["images"]
    format: Literal["hdf5", "npz", "npy", "parquet"]
    images: str
    layout: Literal["NHWC", "NCHW", "NHW"]
    channels: tuple[ImageChannel, ...] = Field(min_length=1)
    # where float32 tells neighbouring pixels apart, and further than any detector
    eta_extent: float = Field(ge=1e-3, le=10)
    phi_extent: float = Field(ge=1e-3, le=10)
    columns: dict[Column, Place] = {}
    isotropic: bool = True
    cast: bool = False
    pixels: int | None = Field(None, gt=0)
    order: tuple[str, ...] = ()

    def jet_places(self) -> list[str]:
        """List the places with a number per jet; neither labels nor weights are among them."""
        return [*self.targets.values(), *self.columns.values()]

    def of_jets(self) -> list[int]:
        """List the indices of the file's channels in the order of the jets'."""
        names = [channel.name for channel in self.channels]
        return [names.index(name) for name in self.order or names]

    def meta(self, rows: int, columns: int) -> Meta:
        """Return the metadata of jets on a grid of so many pixels."""
        return Meta(
            channels=tuple(Channel(**self.channels[i].model_dump(exclude={"signed"})) for i in self.of_jets()),
            class_names=self.class_names,
            grid=Grid(rows=rows, columns=columns, eta_extent=self.eta_extent, phi_extent=self.phi_extent),
            extent=max(self.eta_extent, self.phi_extent),
            isotropic=self.isotropic,
            unknown=tuple(name for name in COLUMNS if name not in self.columns),
            provenance=self.provenance(),
        )

    @model_validator(mode="after")
    def _channels_fit(self) -> ImageCard:
        names = [channel.name for channel in self.channels]
        if len(set(names)) != len(names):
            raise ValueError("two channels have the same name")
        if self.layout == "NHW" and len(names) != 1:
            raise ValueError("images of the layout NHW have one channel")
        extensive = [channel.name for channel in self.channels if channel.combine == "sum" and not channel.signed]
        for channel in self.channels:
            if (channel.combine == "mean") != (channel.weight is not None):
                raise ValueError(f"the channel {channel.name!r}: a mean has a weight, and a sum has none")
            if channel.weight is not None and channel.weight not in extensive:
                valid = nearest(channel.weight, extensive)
                raise ValueError(f"the weight of the channel {channel.name!r} is no extensive channel without sign; {valid}")
            if channel.role != "other" and (channel.combine == "mean" or channel.signed):
                raise ValueError(f"the channel {channel.name!r}: momentum and energy are sums without sign")
        if self.images in [split(place)[0] for place in (*self.jet_places(), *self.told_places())]:
            raise ValueError(f"{self.images!r} are the images; labels, targets and columns have keys of their own")
        refuse_needed(self.optional, [*self.jet_places(), *self.told_places()], [self.images])
        if self.order and sorted(self.order) != sorted(names):
            raise ValueError(f"order has each of the channels {', '.join(names)} once")
        return self

    def without(self, missing: Collection[str]) -> ImageCard:
        """Return the card of a file that lacks these of the `optional` keys."""
        return super().without(missing).model_copy(update={"columns": kept(self.columns, missing)})
