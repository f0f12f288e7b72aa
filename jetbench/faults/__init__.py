"""Faults of comparisons, as they were made in public or easily are, by name: what a suite can switch on on purpose, one at a
time, to see which of them creates or reverses a verdict.

A fault is one class, in a file here, and one row of this table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from jetbench.registry import Entry, Registry

__all__ = ["FAULTY", "FaultEntry", "fault_text", "faults", "watermark_text"]

FAULTY = "faulty on purpose"  # what stands on all that a fault had a part in


@dataclass(frozen=True)
class FaultEntry(Entry):
    """`summary` says what is done wrong, and `source` who did it. `spoils` are the arms that have it: the baseline of a primary
    comparison, the arm that is compared with it, both, or none where the runs are right and are read wrongly. `stage` is the
    training that it begins with. `differs` are the dotted paths of a run at which a spoilt one differs besides `fault` itself.
    `expected` is what follows from `summary` for the difference: that it moves for the arm, for the baseline, or for neither
    since the fault does the same to both; or that its interval is narrower. `mixes` says what else a spoilt run has that an
    honest one has not, and what else a reader of the row must know; empty where there is nothing."""

    spoils: Literal["baseline", "arm", "both", "none"] = field(kw_only=True)
    expected: Literal["arm", "baseline", "neither", "narrower"] = field(kw_only=True)
    stage: Literal["pretraining", "supervised"] = "supervised"
    differs: tuple[str, ...] = ()
    mixes: str = ""

    def touches(self, part: Literal["baseline", "arm"]) -> bool:
        """Tell whether that part of a comparison has the fault."""
        return self.spoils in (part, "both")


def fault_text(name: str) -> str:
    """Say of runs with a fault what it is: "faulty on purpose (one-seed: the first seed alone, …)"."""
    return f"{FAULTY} ({name}: {faults[name].summary})"


def watermark_text(fault: str = "") -> str:
    """Write what stands across a picture of runs with this fault, or with faults of several kinds."""
    return f"{FAULTY}: {fault}" if fault else FAULTY


STUDY = "every public version of the fine-tuning script of one well-known study"
SUCCESSOR = "public code of that study and of a successor"
UNKNOWN = "nobody whom we could name"
SHARED = "what it does to scratch is the same for all arms that are compared with it: several rows are one finding"
BEST = "a faulty run has the weights of its best epoch, and an honest one those of its last where its recipe keeps these"

faults: Registry[FaultEntry] = Registry(
    "fault",
    [
        FaultEntry(
            "scratch-at-1e-6",
            "jetbench.faults.trainings:At1e6",
            "the encoder from scratch learns at the rate 1e-6, which is for fine-tuning, and stays where it began",
            f"{STUDY}: both arms share one optimiser, encoder 1e-6, head 1e-4; here the pretrained arm keeps the recipe's",
            spoils="baseline",
            expected="arm",
            mixes=SHARED,
        ),
        FaultEntry(
            "scratch-at-1e-5",
            "jetbench.faults.trainings:At1e5",
            "the encoder from scratch learns at the rate 1e-5, ten times that of the published script",
            f"{UNKNOWN}; the milder form of scratch-at-1e-6",
            spoils="baseline",
            expected="arm",
            mixes=SHARED,
        ),
        FaultEntry(
            "range-255",
            "jetbench.faults.range_255:Range255",
            "fine-tuning shows its inputs 255 times as large as the pretraining did, in both arms, as 0..255 stands to [0, 1]",
            f"{UNKNOWN}; a trap of image recipes that divide by 255 in one script only, here of the scaled inputs of any view",
            spoils="both",
            expected="baseline",
            mixes="the same factor for both arms, but it breaks what a pretraining has fitted, which scratch has not",
        ),
        FaultEntry(
            "frozen-encoder",
            "jetbench.faults.trainings:FrozenEncoder",
            "the pretrained encoder is frozen and its head alone is trained, against all of a network from scratch",
            f"{UNKNOWN}; {STUDY} nearly freezes both arms",
            spoils="arm",
            expected="baseline",
            differs=("trains", "recipe.encoder_rate"),
            mixes="the head keeps the rate of the recipe, which is for all of a network, and none that suits a head alone",
        ),
        FaultEntry(
            "selection-on-test",
            "jetbench.faults.selections:SelectionOnTest",
            "the test set is the validation set: the best epoch, and the rate where rates are tuned, by the loss on test jets",
            "the published jet-image recipe, whose 80/20 split has no third part, so that its figure was probably so selected",
            spoils="both",
            expected="neither",
            differs=("recipe.select", "recipe.select_by"),
            mixes=BEST,
        ),
        FaultEntry(
            "best-epoch-on-test",
            "jetbench.faults.selections:BestEpochOnTest",
            "each trial reports its best epoch on the test set, and the mean over trials is taken of these",
            f"{SUCCESSOR}: rejection as the maximum over epochs, then the mean over trials",
            spoils="both",
            expected="neither",
            differs=("recipe.select", "recipe.select_by"),
            mixes=BEST,
        ),
        FaultEntry(
            "no-augmentation",
            "jetbench.faults.trainings:NoAugmentation",
            "the arm from scratch sees its jets without augmentation, the pretrained one with it, before and while fine-tuning",
            f"{UNKNOWN}; where pretraining alone augments, a gain of augmentation passes for one of pretraining",
            spoils="baseline",
            expected="arm",
            differs=("recipe.augmentation",),
            mixes=SHARED,
        ),
        FaultEntry(
            "first-rows",
            "jetbench.faults.selections:FirstRows",
            "the label subset is the first rows of a file in blocks of ten jets of one label, the same for all seeds",
            f"{SUCCESSOR}: label subset = first N rows, of a file whose training rows come in blocks of ten of one label",
            spoils="both",
            expected="narrower",
            mixes="both arms are trained on other labels than the honest ones",
        ),
        FaultEntry(
            "too-few-steps",
            "jetbench.faults.trainings:TooFewSteps",
            "supervised trainings are a tenth as long in both arms, so that who starts ahead stays ahead",
            f"{STUDY}: about 300 steps at 1000 labels; hand-set steps and patience in the public code of arXiv:2606.14870 too",
            spoils="both",
            expected="arm",
            differs=("recipe.passes",),
        ),
        FaultEntry(
            "one-seed",
            "",
            "the first seed alone, with the error of the test sample alone",
            f"{UNKNOWN}; seeds are few, unpaired and without a test in the public results of arXiv:2606.14870",
            spoils="none",
            expected="narrower",
        ),
        FaultEntry(
            "leaked-test",
            "jetbench.faults.selections:LeakedTest",
            "the unlabelled pool that the encoder is pretrained on has the test jets among it, without their labels",
            f"{UNKNOWN}; an easy slip, where a pool is what is left of a file that the test set was never taken out of",
            spoils="arm",
            expected="arm",
            stage="pretraining",
            mixes="the pool has more jets than the honest one, and the encoders are pretrained anew, by other random numbers",
        ),
        FaultEntry(
            "large-validation",
            "jetbench.faults.selections:LargeValidation",
            "all labels of the budget are trained on, and up to twenty times as many others choose the epoch, and the rate",
            "the public code of arXiv:2606.14870: selection on the full set of 403 000 validation jets even at 1000 labels",
            spoils="both",
            expected="neither",
            differs=("recipe.select", "recipe.select_by"),
            mixes=f"{BEST}; it is trained on more labels too, those with which an honest run validates",
        ),
    ],
)
