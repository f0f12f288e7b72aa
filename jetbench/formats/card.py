"""Cards: what the keys of a data file mean, said by its owner in YAML."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import isnan
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from jetbench.formats.particles import CHARGE, ENERGY, KINDS, PT
from jetbench.jets import Channel, Meta, Provenance
from jetbench.values import Value

__all__ = ["Card", "CardChannel", "ConstituentCard", "Events", "Place", "split"]

# a dataset, array or column of the file, or one column of it along its last dimension: "features" or "features:2"
Place = Annotated[str, Field(min_length=1)]
Quantity = Literal["px", "py", "pz", "energy", "pt", "eta", "rapidity", "phi", "mass"]

COORDINATES = ({"px", "py", "pz"}, {"pt", "eta", "phi"}, {"pt", "rapidity", "phi"})
THIRD = ({"energy"}, {"mass"}, set[str]())
RESERVED = {"pt", "energy"}
SAID = ("source", "generator", "detector", "licence", "cuts", "remarks")  # of the jets' origin
KEYS_OF_THEIR_OWN = {"label", "weight"}  # targets that no card names as such


def split(place: str) -> tuple[str, int | None]:
    """Split a place into its key and its column, None where it names no column: a colon before anything but a number is part of
    the key."""
    key, _, column = place.rpartition(":")
    return (key, int(column)) if key and column.isdecimal() else (place, None)


def kept(places: Mapping[Any, str], missing: Collection[str]) -> dict[Any, str]:
    """Return the named places that lie in no key that is missing."""
    return {name: place for name, place in places.items() if split(place)[0] not in missing}


def refuse_needed(optional: Sequence[str], spare: Sequence[str], needed: Sequence[str]) -> None:
    """Raise `ValueError` for an optional key in which no `spare` place lies, or a `needed` one."""
    keys = {split(place)[0] for place in spare} - {split(place)[0] for place in needed}
    if strange := [key for key in optional if key not in keys]:
        raise ValueError(
            f"optional are keys of channels, labels, weights, targets, columns or checks alone, and {strange[0]!r} is none"
        )


class Card(Value):
    """What every card says of the jets' origin and classes, in words of its owner, of which `remarks` are whole sentences.

    `label` is one place of whole numbers, a place of one-hot rows, or a list of places, one for each class; `label_values` are
    the numbers that stand for the classes, where they are not 0, 1, …. `label_from_files` are patterns for the names of files
    that hold one class each, by the name of the class. `targets` are places of a number for each jet, by the name of the
    target; `weights` is one of numbers that are not negative, which become the target `weight`. `optional` are keys that not
    every file has: what is taken from a missing one is left out.
    """

    source: str
    generator: str = ""
    detector: str = ""
    licence: str = ""
    cuts: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    label: Place | tuple[Place, ...] | None = None
    label_values: tuple[int, ...] = ()
    label_from_files: dict[str, str] = {}
    weights: Place | None = None
    targets: dict[str, Place] = {}
    optional: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _classes_are_told_once(self) -> Self:
        if self.label_from_files and (self.class_names or self.label):
            raise ValueError("label_from_files names classes and tells them; label and class_names do not belong beside it")
        if len(set(self.class_names)) != len(self.class_names):
            raise ValueError(f"class_names {', '.join(self.class_names)} are not all different")
        values = set(self.label_values)
        if values and not (isinstance(self.label, str) and len(values) == len(self.label_values) == len(self.class_names)):
            raise ValueError("label_values are different numbers, one for each of class_names, in the one place of the label")
        return self

    @field_validator("targets")
    @classmethod
    def _targets_are_names(cls, targets: dict[str, str]) -> dict[str, str]:
        for name in targets:
            if not name.isidentifier() or name in KEYS_OF_THEIR_OWN:
                raise ValueError(
                    f"{name!r} is no name for a target; use letters, digits and _, and the keys label and weights for these"
                )
        return targets

    def label_places(self) -> tuple[str, ...]:
        """List the places that tell the label: none, one, or one for each class."""
        return (self.label,) if isinstance(self.label, str) else self.label or ()

    def told_places(self) -> list[str]:
        """List the places of labels and weights."""
        return [*self.label_places(), *([self.weights] if self.weights else [])]

    def without(self, missing: Collection[str]) -> Self:
        """Return the card of a file that lacks these of the `optional` keys."""
        labelled = not any(split(place)[0] in missing for place in self.label_places())
        weighted = self.weights is not None and split(self.weights)[0] not in missing
        return self.model_copy(
            update={
                "label": self.label if labelled else None,
                "weights": self.weights if weighted else None,
                "targets": kept(self.targets, missing),
            }
        )

    def provenance(self) -> Provenance:
        return Provenance(**{name: getattr(self, name) for name in SAID})


def _nan_by_name(given: Any) -> Any:
    """YAML's `.nan` as a word, which equals itself and is the same in JSON."""
    return "nan" if isinstance(given, float) and isnan(given) else given


class CardChannel(Value):
    """One more value per constituent, beside pt and energy; see `Channel` for unit, combine and weight. What the file has times
    `scale` is of that unit; `missing` is the number, or `.nan`, that stands in the file where nothing was measured, which becomes
    zero."""

    name: str
    place: Place
    scale: float = 1.0
    missing: Annotated[float | Literal["nan"] | None, BeforeValidator(_nan_by_name)] = None
    unit: str = ""
    combine: Literal["sum", "mean"] = "mean"
    weight: str | None = "pt"

    def channel(self) -> Channel:
        return Channel(
            name=self.name, unit=self.unit, combine=self.combine, weight=self.weight if self.combine == "mean" else None
        )


class Events(Value):
    """Rows that are events with any number of jets. `jets` is that number, or a list with a value for each jet.

    Links say which of the event's candidates are constituents of which jet: lists `jet` and `candidate` of their indices in the
    event, from 0 on, −1 for none. Without `candidate` the links are the candidates; without `jet`, `candidate` has a list for
    each jet. The places of constituents then have a value for each candidate, those `of_links` one for each link. Without any
    links they have a list for each jet. Places of jets have a value for each jet, or one for the event.
    """

    jets: Place
    jet: Place | None = None
    candidate: Place | None = None
    of_links: tuple[Place, ...] = ()

    @model_validator(mode="after")
    def _whole_lists_and_links(self) -> Events:
        if any(split(place)[1] is not None for place in self.places()):
            raise ValueError("events name whole lists, or numbers; no :column belongs behind their names")
        if self.of_links and not self.candidate:
            raise ValueError("of_links belong beside `candidate`; without it every value of a constituent is one of a link")
        return self

    def places(self) -> list[str]:
        """List the places of the jets' number and of the links."""
        return [key for key in (self.jets, self.jet, self.candidate) if key]


class ConstituentCard(Card):
    """A table of constituents.

    `layout`: "padded" or "NCF" (arrays (jets, constituents, …), zero-padded or with a `mask`), "NFC" (features before
    constituents), "flat" (arrays (constituents of all jets, …) with `counts` per jet, or with `offsets` of each jet and the
    end), these in HDF5, npz, or npy, whose one array is called `array`; "padded" also in the format `pandas`, HDF5 of one frame
    in the layout "table", where `PX_*` are the columns PX_0, PX_1, …; "lists" (list columns of parquet, or branches of the
    `tree` of a ROOT file). A field of a compound dataset, or of records in parquet, is a place `dataset/field`. With "lists"
    places may be expressions of columns, as "label_a | label_b", and `selection` is one: rows where it is false are left out.
    `events` says that rows are events: `jets` is their number of jets or a list of theirs, `jet` and `candidate` are lists of
    the indices of links between them, and `of_links` places of constituents with a value for each link; see docs/cards.md.
    `momentum` names px, py, pz or pt, eta (or rapidity), phi, and energy or mass; with neither, constituents are massless.
    `axis`: the sum of the four-vectors, the pT-weighted mean direction, or `given` by `jet_eta` and `jet_phi`; `relative`: eta
    and phi are differences to it. `checks` are the file's own values, compared with the computed ones. `radius` is the jet
    radius, the frame of images. `pdg` is the place of PDG numbers: they tell the channels charge, charged_hadron,
    neutral_hadron, photon, electron and muon, and the masses where neither energy nor mass is named.
    """

    kind: Literal["constituents"]
    format: Literal["hdf5", "npz", "npy", "pandas", "parquet", "root"]
    layout: Literal["padded", "NCF", "NFC", "flat", "lists"]
    tree: str | None = None
    selection: Place | None = None
    events: Events | None = None
    momentum: dict[Quantity, Place]
    unit: Literal["GeV", "MeV"] = "GeV"
    mask: Place | None = None
    counts: Place | None = None
    offsets: Place | None = None
    axis: Literal["four-vector", "pt-weighted", "given"] = "four-vector"
    relative: bool = False
    jet_eta: Place | None = None
    jet_phi: Place | None = None
    radius: float | None = Field(None, gt=0)
    channels: tuple[CardChannel, ...] = ()
    pdg: Place | None = None
    checks: dict[Literal["pt", "eta", "mass", "constituents"], Place] = {}

    @model_validator(mode="after")
    def _layout_fits(self) -> ConstituentCard:
        if (self.layout == "lists") != (self.format in ("parquet", "root")):
            raise ValueError("parquet and ROOT files have the layout 'lists', HDF5, npz and npy files 'padded' or 'flat'")
        if self.format == "pandas" and self.layout != "padded":
            raise ValueError("frames of pandas have the layout 'padded'")
        if (self.format == "root") != (self.tree is not None):
            raise ValueError("a ROOT file, and no other, needs the name of its tree in the key 'tree'")
        if self.layout == "lists" and any(split(place)[1] is not None for place in self.constituent_places()):
            raise ValueError("a column of lists is one quantity; no :column belongs behind its name")
        if self.selection is not None and self.layout != "lists":
            raise ValueError("a selection belongs to the layout 'lists'; select the rows of arrays before you write them")
        if (self.layout == "flat") != ((self.counts is None) != (self.offsets is None)) or (self.counts and self.offsets):
            raise ValueError(
                "the layout 'flat' needs counts, the number of constituents of each jet, or offsets, and no other has them"
            )
        if self.mask is not None and not self.padded:
            raise ValueError("a mask belongs to the layout 'padded'")
        if self.events is not None and self.layout != "lists":
            raise ValueError("events belong to the layout 'lists', of parquet and ROOT files")
        of_links = set(self.events.of_links if self.events else ())
        if strange := of_links - set(self.constituent_places()):
            raise ValueError(f"of_links are places of constituents, and {min(strange)!r} is none")
        if of_links and set(self.momentum.values()) <= of_links:
            raise ValueError("where the momenta are those of links, these are the constituents; leave out candidate and of_links")
        return self

    @property
    def padded(self) -> bool:
        """Whether every jet has the same room for constituents."""
        return self.layout in ("padded", "NCF", "NFC")

    @model_validator(mode="after")
    def _momentum_and_axis_fit(self) -> ConstituentCard:
        given = set(self.momentum)
        if not any(given == base | third for base in COORDINATES for third in THIRD):
            raise ValueError("momentum names px, py, pz or pt, eta (or rapidity), phi, and at most one of energy and mass")
        if {"rapidity", "energy"} <= given:
            raise ValueError("with a rapidity the energy follows from the mass; name the mass, or nothing if it is zero")
        if (self.axis == "given") != (self.jet_eta is not None):
            raise ValueError("jet_eta (and jet_phi, if the file has it) belong to the axis 'given' and are needed there")
        if self.axis == "given" and self.jet_phi is None and not self.relative:
            raise ValueError("the axis 'given' needs jet_phi where phi is not relative")
        if self.relative and (self.axis != "given" or "eta" not in self.momentum):
            raise ValueError("relative are eta and phi, to the axis 'given'")
        return self

    @model_validator(mode="after")
    def _channels_and_targets_fit(self) -> ConstituentCard:
        names = [channel.name for channel in self.channels]
        there = RESERVED | ({CHARGE.name, *(kind.name for kind in KINDS)} if self.pdg else set())
        if len(set(names)) != len(names) or there & set(names):
            raise ValueError(f"channels have names of their own; {', '.join(sorted(there))} are there already")
        if strange := {c.weight for c in self.channels if c.combine == "mean"} - {None, *RESERVED, *names}:
            raise ValueError(f"no channel {sorted(map(str, strange))[0]!r} to weight with")
        if "mass" in self.targets:
            raise ValueError("the mass is computed; give the target another name")
        single = (self.pdg, self.mask, self.counts, self.offsets, self.jet_eta, self.jet_phi, self.selection)
        spare = [*(c.place for c in self.channels), *self.targets.values(), *self.checks.values(), *self.told_places()]
        needed = [*self.momentum.values(), *(place for place in single if place), *(self.events.places() if self.events else [])]
        refuse_needed(self.optional, spare, needed)
        return self

    def without(self, missing: Collection[str]) -> ConstituentCard:
        """Return the card of a file that lacks these of the `optional` keys."""
        channels = tuple(channel for channel in self.channels if split(channel.place)[0] not in missing)
        return super().without(missing).model_copy(update={"channels": channels, "checks": kept(self.checks, missing)})

    def meta(self) -> Meta:
        """Return the metadata of the jets."""
        return Meta(
            channels=(PT, ENERGY, *(channel.channel() for channel in self.channels), *((CHARGE, *KINDS) if self.pdg else ())),
            class_names=self.class_names,
            extent=self.radius,
            unknown=("jet_phi",) if self.axis == "given" and self.jet_phi is None else (),
            provenance=self.provenance(),
        )

    def provenance(self) -> Provenance:
        told = super().provenance()
        return told if self.selection is None else told.replace(cuts=(*told.cuts, f"selection {self.selection}"))

    def constituent_places(self) -> list[str]:
        """List the places with a value per constituent."""
        return [*self.momentum.values(), *(c.place for c in self.channels), *(place for place in (self.pdg, self.mask) if place)]

    def jet_places(self) -> list[str]:
        """List the places with a value per jet; neither counts nor labels nor weights are among them."""
        single = [place for place in (self.jet_eta, self.jet_phi, self.selection) if place]
        return [*single, *self.targets.values(), *self.checks.values()]
