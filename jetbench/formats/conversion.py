"""Foreign files into one file of jets: block by block in bounded memory, resumable, with everything that a later reader needs.

A first pass writes each block of a source to a file of its own beside the output; a killed conversion goes on from those. A
second pass finds the duplicates among all jets and writes the blocks in an order drawn from the sources' digests, so that files
of one class each do not make stretches of one class.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator

import jetbench
from jetbench.errors import DataFileError
from jetbench.formats.blocks import SOURCE_LABEL, Block, Remarks, Seen, added, events, look_at, made_of, omissions, workplace
from jetbench.formats.classes import Classes, FileClasses, card_classes, given_classes, named_class, settle_classes
from jetbench.formats.files import Patterns, Progress, expand, find_sources
from jetbench.formats.reading import Part, Source, Stretch, holds_jets, read
from jetbench.formats.unlabelled import copy_unlabelled
from jetbench.jets import Jets, Meta, SourceFile, open_jets, save_jets
from jetbench.jets.plausibility import Plausibility
from jetbench.jets.shards import partition
from jetbench.registry import nearest
from jetbench.seeds import numpy_rng
from jetbench.values import Value

__all__ = ["Converted", "Request", "convert"]

EMPTY = "jets without a deposit in the channels that were kept"


class Request(Value):
    """What is asked of a conversion besides its files. `format` is a registered name, by default what the content says; `card` is
    the path of a YAML file; `class_names` stand in the order of the labels, and one name alone is the class of files whose reader
    only guesses theirs; `channels` are those to keep, empty for all; `unlabelled` leaves the labels out; `drop` "bad" leaves out
    rows that cannot be jets, and counts them; `part` (i, n) converts the i-th, from 1 on, of n parts of the rows, which are
    opened together."""

    format: str | None = None
    card: Annotated[str | Path | None, AfterValidator(lambda card: card and str(card))] = None
    class_names: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    unlabelled: bool = False
    drop: Literal["bad"] | None = None
    part: tuple[int, int] | None = None


@dataclass(frozen=True)
class Converted:
    """`duplicates` are jets that are copies of an earlier one; `remarks` are what a user should know about the sources."""

    digest: str
    jets: int
    duplicates: int
    remarks: tuple[str, ...]


def convert(
    patterns: Patterns | Mapping[str, Patterns],
    output: str | Path,
    request: Request | None = None,
    progress: Progress | None = None,
) -> Converted:
    """Write the jets of the files, given by paths and globs, to `output`; the same files give the same jets, interrupted or not.
    Files of one class each may stand under the name of theirs.

    `progress(what, done, total)` hears of it. Copies of a jet share the event id of the first, which keeps them on one side of a
    split. An output that is there already is replaced only where the same files made it. Of a file of jets the only conversion is
    a copy without labels, which replaces nothing. Raises `DataFileError` for what a file or the request has wrong, `BusyError`
    where another process converts to the same output.
    """
    output, request, progress = Path(output).expanduser(), request or Request(), progress or (lambda what, done, total: None)
    given = given_classes(patterns) if isinstance(patterns, Mapping) else FileClasses()
    if isinstance(patterns, Mapping):
        patterns = list(given.places)
    if request == Request(unlabelled=True) and any(map(holds_jets, paths := expand(patterns))):
        digest, copied = copy_unlabelled(paths, output, partial(progress, "copying jets"))
        return Converted(digest, copied, 0, ())
    with workplace(output) as folder:
        before = made_of(output, expand(patterns))
        sources = find_sources(patterns, request.format, Path(request.card) if request.card else None, progress)
        files = tuple(SourceFile(name=s.path.name, sha256=s.sha256, jets=s.jets) for s in sources)
        if before not in (None, files):
            raise DataFileError(f"{output} is there already and was made of other files; remove it, or choose another output")
        keep = _kept_channels(sources[0].meta, request.channels)
        meta = sources[0].meta.replace(channels=tuple(sources[0].meta.channels[i] for i in keep))
        of_files = given or named_class(sources, request.class_names) or card_classes(sources)
        blocks = _part(list(_blocks(sources, folder, request, of_files)), request.part)
        remarks = _read_missing(blocks, keep, request, progress)
        plausibility = Plausibility(meta)
        seen = list(look_at(blocks, plausibility, progress))
        left_out = omissions(seen, sum(block.rows for block in blocks))
        carried = of_files.names or meta.class_names
        classes = settle_classes([one.labels for one in seen], carried, request.class_names, whole=request.part is None)
        _check_targets(blocks, seen)
        event, duplicates = events(seen)
        part = () if request.part is None else ("part {} of {} of its files".format(*request.part),)
        readers = tuple(dict.fromkeys(f"read by the plug-in {s.entry.plugin.text}" for s in sources if s.entry.plugin))
        told = (*part, *readers, *plausibility.remarks())
        meta = _meta(meta.replace(class_names=classes.names), files, seen, told, plausibility.disproved)
        digest = save_jets(output, _final(blocks, meta, classes, event, progress), workplace=folder)
    return Converted(digest, sum(map(len, event)), duplicates, (*classes.remarks, *remarks, *left_out, *plausibility.remarks()))


def _kept_channels(meta: Meta, wanted: tuple[str, ...]) -> list[int]:
    """Indices of the channels to keep; a mean needs the channel that weights it."""
    names = [channel.name for channel in meta.channels]
    for name in wanted:
        if name not in names:
            raise DataFileError(f"there is no channel {name!r}; {nearest(name, names)}")
    kept = [i for i, name in enumerate(names) if not wanted or name in wanted]
    for channel in (meta.channels[i] for i in kept):
        if channel.weight is not None and wanted and channel.weight not in wanted:
            raise DataFileError(f"the channel {channel.name!r} is a mean weighted by {channel.weight!r}; keep that one too")
    return kept


def _blocks(sources: list[Source], folder: Path, request: Request, of_files: FileClasses) -> Iterator[Block]:
    """Every source in blocks of its reader's size; the name of a block's file says all that its content depends on."""
    said = Path(request.card).read_text(encoding="utf-8") if request.card else ""
    asked = f"{jetbench.__version__} {request.replace(class_names=(), part=None).canonical()} {said}"
    for source in sources:
        # the name of a JetNet file tells its class
        reader = f" {source.entry.plugin.sha256}" if source.entry.plugin else ""
        label = of_files.places.get(source.path)
        given = "" if label is None else f" {label}"
        code = hashlib.sha256(f"{source.path.name} {asked}{reader}{given}".encode()).hexdigest()[:8]
        for start in range(0, source.jets, source.block):
            stop = min(start + source.block, source.jets)
            yield Block(source, start, stop, folder / f"{source.sha256[:16]}-{start}-{stop}-{code}.h5", label)


def _part(blocks: list[Block], part: tuple[int, int] | None) -> list[Block]:
    """The blocks of one part, in which no other part has a share."""
    if part is None:
        return blocks
    number, parts = part
    if not 1 <= number <= parts:
        raise DataFileError(f"there is no part {number} of {parts}; they count from 1")
    if len(blocks) == 1:
        raise DataFileError("these files are read in one block, too small to be parted; convert them whole, without --part")
    if parts > len(blocks):
        raise DataFileError(f"these files are read in {len(blocks)} blocks, which make no {parts} parts; take fewer")
    rows = partition(len(blocks), parts)[number - 1]
    return blocks[rows.start : rows.stop]


def _read_missing(blocks: list[Block], keep: list[int], request: Request, progress: Progress) -> list[str]:
    """Make the files of blocks that are not there yet. Returns the remarks of all readers; those of an earlier conversion wait
    beside the blocks."""
    runs = itertools.groupby(blocks, key=lambda block: (block.source.sha256, block.stored()))
    missing = [list(run) for (_, stored), run in runs if not stored]
    waiting = list(itertools.chain.from_iterable(missing))
    total, left = (sum(block.rows for block in some) for some in (blocks, waiting))
    remarks = Remarks(blocks[0].path.with_name("remarks.json"))
    stretches = [Stretch(run[0].source, run[0].start, run[-1].stop, request.drop == "bad") for run in missing]
    with closing(read(stretches)) as parts:
        for block, (stretch, part) in zip(waiting, parts, strict=True):
            save_jets(block.path, [_waiting(block, part, keep, request.unlabelled)])
            said = [f"{block.source.path.name}: {remark}" for remark in (*part.remarks, *_of_labels(block, part, request))]
            remarks.keep(f"{block.source.sha256} {stretch.start}", said)
            left -= block.rows
            progress("reading jets", total - left, total)
    return remarks.all()


def _of_labels(block: Block, part: Part, request: Request) -> Iterator[str]:
    """Remarks on where labels come from, where that is not the content of the file alone."""
    if request.unlabelled:
        return
    if block.label is None and part.guess:
        without = "" if "label" in part.jets.targets else ": these jets have no labels"
        yield f"{part.guess}{without}; --class-names NAME decides, or --label-from-files NAME=FILE …"
    elif block.label is not None and "label" in part.jets.targets:
        left = f"{part.guess}; it is" if part.guess else "the labels of the file itself are"
        yield f"{left} left aside, since its class is given"


def _waiting(block: Block, part: Part, keep: list[int], unlabelled: bool) -> Jets:
    """A block as it waits: with the channels that stay, and with its label as it stands in the source. A pixel that is empty in
    those channels is no deposit of theirs; a jet without any other counts as repaired."""
    jets, repaired = _reduced(part.jets, keep), part.repaired
    if empty := int((np.diff(jets.offsets) == 0).sum()):
        repaired = {**repaired, EMPTY: empty}
    targets = {name: column for name, column in jets.targets.items() if name != "label"}
    label = jets.targets.get("label") if block.label is None else np.full(len(jets), block.label)
    if label is not None and not unlabelled:
        targets[SOURCE_LABEL] = np.asarray(label, np.int32)
    meta = jets.meta.replace(
        channels=tuple(jets.meta.channels[i] for i in keep),
        class_names=(),
        provenance=jets.meta.provenance.replace(
            repairs=tuple(sorted(repaired.items())), dropped=tuple(sorted(part.dropped.items()))
        ),
    )
    return replace(jets, meta=meta, targets=targets, stored=None)


def _reduced(jets: Jets, keep: list[int]) -> Jets:
    """Only those channels, and of pixels only those that they fill."""
    values = jets.values[:, keep]
    if jets.meta.grid is None or len(keep) == len(jets.meta.channels):
        return replace(jets, values=values)
    full = (values != 0).any(axis=1)
    before = np.concatenate([[0], np.cumsum(full)])
    return replace(jets, offsets=before[jets.offsets], eta=jets.eta[full], phi=jets.phi[full], values=values[full])


def _check_targets(blocks: list[Block], seen: list[Seen]) -> None:
    for block, one in zip(blocks, seen, strict=True):
        if differing := one.targets ^ seen[0].targets:
            raise DataFileError(
                f"{blocks[0].source.path} and {block.source.path} differ in {', '.join(sorted(differing))}, which only one of "
                "them has; convert them apart"
            )


def _meta(
    meta: Meta, files: tuple[SourceFile, ...], seen: list[Seen], remarks: tuple[str, ...], disproved: tuple[str, ...]
) -> Meta:
    """The metadata of the output: where each of its jets came from, and remarks on them; a cut that they disprove is none."""
    said = meta.provenance
    provenance = said.replace(
        code=jetbench.__version__,
        files=files,
        cuts=tuple(cut for cut in said.cuts if cut not in disproved),
        remarks=(*said.remarks, *remarks),
        repairs=added(one.repairs for one in seen),
        dropped=added(one.dropped for one in seen),
    )
    return meta.replace(provenance=provenance)


def _final(blocks: list[Block], meta: Meta, classes: Classes, event: list[np.ndarray], progress: Progress) -> Iterator[Jets]:
    """The blocks as they go into the output, in an order drawn from the sources."""
    order = numpy_rng("blocks", *(file.sha256 for file in meta.provenance.files)).permutation(len(blocks))
    for done, i in enumerate(order):
        jets = open_jets(blocks[i].path).read()
        targets = dict(jets.targets)
        if SOURCE_LABEL in targets:
            targets["label"] = classes.translate(targets.pop(SOURCE_LABEL))
        yield replace(jets, meta=meta, targets=targets, event=event[i], stored=None)
        progress("writing jets", done + 1, len(blocks))
