"""The card of a file of dense images: which array is what, and what the file itself cannot say of its pixels."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from jetbench.formats.card import Card
from jetbench.formats.image_reader import Axes, Column
from jetbench.jets import Channel
from jetbench.registry import nearest

__all__ = ["ImageCard", "ImageChannel"]


class ImageChannel(Channel):
    """A channel of the images. A sum that may be negative (of charges) is `signed`; a mean may always be."""

    signed: bool = False


class ImageCard(Card):
    """Images in an HDF5, npz or parquet file.

    `images`, `label`, and the values of `targets` and `columns` are keys of the file. `layout` names the axes of the images:
    N jets, H rows along eta, W columns along phi, C channels, which are listed in the file's order. `eta_extent` and
    `phi_extent` are the half widths of the images around the jet axis, in pseudorapidity and in radians. `columns` are jet_eta,
    jet_phi [rad] and jet_pt [GeV] where the file has them. `cast`: pixels that float32 does not hold exactly are rounded.
    """

    kind: Literal["images"]
    format: Literal["hdf5", "npz", "parquet"]
    images: str
    layout: Axes
    channels: tuple[ImageChannel, ...] = Field(min_length=1)
    # where float32 tells neighbouring pixels apart, and further than any detector
    eta_extent: float = Field(ge=1e-3, le=10)
    phi_extent: float = Field(ge=1e-3, le=10)
    label: str | None = None
    class_names: tuple[str, ...] = ()
    targets: dict[str, str] = {}
    columns: dict[Column, str] = {}
    isotropic: bool = True
    cast: bool = False

    def places(self) -> list[str]:
        """List the keys with a number per jet."""
        return [*([self.label] if self.label is not None else []), *self.targets.values(), *self.columns.values()]

    @field_validator("targets")
    @classmethod
    def _targets_are_names(cls, targets: dict[str, str]) -> dict[str, str]:
        for name in targets:
            if not name.isidentifier() or name == "label":
                raise ValueError(f"{name!r} is no name for a target; use letters, digits and _, and the key `label` for labels")
        return targets

    @field_validator("class_names")
    @classmethod
    def _classes_differ(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) != len(names):
            raise ValueError("two classes have the same name")
        return names

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
        if self.images in self.places():
            raise ValueError(f"{self.images!r} are the images; labels, targets and columns have keys of their own")
        return self
