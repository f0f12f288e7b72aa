"""Rows of components that break one property each: the contract's module, the property, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jetbench.models import HEAD, HEAD_ALLOWED
from jetbench.suites.stages import FINE_TUNING, PROBE, TRAINING, Stage

__all__ = ["BROKEN", "GOOD", "Broken"]


@dataclass(frozen=True)
class Broken:
    """A registered component's row with `changes`, and a pattern of what its failure `says`."""

    kind: str
    base: str
    says: str
    changes: dict[str, Any] = field(default_factory=dict)
    metric: str = ""  # the one of a broken task that is tried in its place


SUMS = {"target": "contracts.broken_networks:Sums", "defaults": HEAD, "allowed": HEAD_ALLOWED, "spaces": (), "published": ()}
LOSS = {"target": "contracts.broken_objectives:Good", "defaults": (), "allowed": (), "spaces": ()}
TORCH = "jetbench.training.loop:fit"  # which imports torch
TOYS = {"module": "contracts.broken_datasets", "targets": ("label", "mass", "gen_mass", "gen_sdmass", "gen_pt")}
GOOD = [
    ("model", "deep-sets", SUMS),
    ("objective", "supervised", LOSS),
    ("objective", "supervised", {**LOSS, "tasks": ("regression",)}),
    ("model", "mass-likelihood", {"target": "contracts.broken_fitted:Good"}),
    ("view", "constituents", {"target": "contracts.broken_views:Good"}),
    ("view", "observables", {"target": "contracts.broken_tables:Good"}),
    ("dataset", "top-vs-qcd", {**TOYS, "target": "contracts.broken_datasets:Good"}),
    ("task", "classification", {"target": "contracts.broken_tasks:Good"}),
]


def network(code: str, says: str, base: str = "deep-sets", **changes: Any) -> Broken:
    return Broken("model", base, says, {**SUMS, "target": f"contracts.broken_networks:{code}", **changes})


def objective(code: str, says: str, base: str = "supervised", **changes: Any) -> Broken:
    return Broken("objective", base, says, {**LOSS, "target": f"contracts.broken_objectives:{code}", **changes})


def augmentation(code: str, says: str, **changes: Any) -> Broken:
    plain = {"target": f"contracts.broken_augmentations:{code}", "defaults": (), "allowed": (), "spaces": ()}
    return Broken("augmentation", "flip", says, {**({} if code == "flip" else plain), **changes})


def fitted(code: str, says: str, base: str = "mass-likelihood", **changes: Any) -> Broken:
    return Broken("model", base, says, {"target": f"contracts.broken_fitted:{code}", **changes})


def view(code: str, says: str, **changes: Any) -> Broken:
    return Broken("view", "constituents", says, {"target": f"contracts.broken_views:{code}", **changes})


def table(code: str, says: str, **changes: Any) -> Broken:
    return Broken("view", "observables", says, {"target": f"contracts.broken_tables:{code}", "tabled": False, **changes})


def task(code: str, says: str, base: str = "classification", **changes: Any) -> Broken:
    return Broken("task", base, says, {"target": f"contracts.broken_tasks:{code}", **changes})


def metric(code: str, says: str, base: str = "classification", key: str = "accuracy") -> Broken:
    return Broken("task", base, says, {"target": f"contracts.broken_tasks:{code}"}, key)


def dataset(code: str, says: str) -> Broken:
    return Broken("dataset", "top-vs-qcd", says, {**TOYS, "target": f"contracts.broken_datasets:{code}"})


def reader(code: str, says: str) -> Broken:
    return Broken("format", "energyflow", says, {"target": f"contracts.broken_formats:{code}"})


def regime(says: str, *stages: Stage, **changes: Any) -> Broken:
    return Broken("regime", "scratch", says, {**({"stages": stages} if stages else {}), **changes})


POOL = Stage(name="pretraining", objective="simclr", data="pool", labels="none", recipe="simclr")
LABELLED = POOL.replace(labels="true")

BROKEN: dict[str, dict[str, Broken]] = {
    "networks": {
        "the row describes the code": network("Sums", "has the defaults", defaults=(("width", 3), *HEAD)),
        "features have the shape that the encoder declares": network("Wide", r"\(12, 9\) is declared"),
        "weights are float32": network("DoubleBuffer", "fp32, and these are not"),
        "local features have their shape and mask": network("OtherMask", "not that of the constituents"),
        "the seed alone decides the initial weights": network("Counted", "two encoders of one seed differ"),
        "a gradient reaches every weight": network("Unused", "no gradient reaches spare"),
        "inputs are left as they are": network("InPlace", "it writes into its input"),
        "evaluation is repeatable": network("Dropout", "other features the second time"),
        "evaluation changes no state": network("LeakyNorm", "evaluation changes the encoder, norm.running_mean"),
        "in evaluation a jet is what it is alone": network("OfTheBatch", "depend on the other jets"),
        "training leaves no trace but in the state": network("Unregistered", "sees something else"),
        "the state comes back from a file": network("LoadsOther", "the state that was loaded differs"),
        "a stopped training goes on bit for bit": network("Unregistered", "stopped after 3 steps goes on otherwise"),
        "it is finite and nearly the same in bf16": network("Coarse", "in bf16 features differ by"),
        "it learns toy jets": network("Chaotic", "it ranks toy jets with an AUC of"),
        "the order of constituents does not matter": network("Ordered", "depend on the order"),
        "padding does not matter": network("Unmasked", "depend on what fills the padding"),
        "an empty jet and a lonely constituent are finite": network("Divided", "not finite for jets of 0"),
        "padding has no gradient and constituents have one": network("Unmasked", "the padding of constituents has a gradient"),
        "images of any size have features": network("FixedImages", "shapes cannot be multiplied", base="resnet15-bn"),
        "what the row names is registered": network("Sums", "no recipe 'none'", recipe="none"),
    },
    "objectives": {
        "the row describes the code": objective("Good", "has the defaults", defaults=(("width", 3),)),
        "the loss is a finite number in fp32": objective("Double", "torch.float64"),
        "it looks at each jet as often as it says": objective("Good", "its row says views=2, by which passes", views=2),
        "it sees no more of jets than is counted": objective("Thrice", "it looks at 48; count every look", base="vicreg"),
        "a gradient reaches the encoder and its own weights": objective("Detached", "no gradient reaches the encoder"),
        "the seed alone decides what it begins with": objective("Counted", "two of one seed differ, start"),
        "what it shows follows its generator alone": objective("Global", "draws views from torch's own generator"),
        "labels count only where they are declared": objective("Labelled", "label", base="vicreg"),
        "weights of jets count where the row says so": objective("Weightless", "whatever the weights of jets"),
        "labels of the pool do not count": objective("BesideLabelled", "label", beside="ssl"),
        "inputs are left as they are": objective("InPlace", "it writes into its inputs, target"),
        "after a step it moves its own state alone": objective("MovesNetwork", "it moves the network"),
        "its state comes back from a file": objective("Unregistered", "goes on otherwise; teachers and queues"),
        "a stopped training goes on bit for bit": objective("Unregistered", "stopped after 3 steps goes on otherwise"),
        "it is finite and nearly the same in bf16": objective("Coarse", "under bf16 the loss is"),
    },
    "augmentations": {
        "the row describes the code": augmentation("flip", "the row has the strengths", defaults=(("eta", False), ("phi", True))),
        "the result is a batch of as many jets": augmentation("reversed_jets", "do not stand jet by jet"),
        "the batch is left as it is": augmentation("in_place", "it writes into the batch, eta"),
        "its generator alone decides": augmentation("of_global_generator", "draws from torch's own generator"),
        "jets without deposits stay empty": augmentation("filled", "jets without deposits have some"),
        "a jet takes nothing of the others": augmentation("centred_on_all", "depends on the jets beside it"),
        "energies are not below zero": augmentation("below_zero", "an energy below zero"),
        "sums of a jet are kept unless the row says otherwise": augmentation("doubled", "the sum of charged changes"),
        "the mass is kept unless the row says otherwise": augmentation("widened", "the mass changes by"),
        "pixels stay pixels unless the row says that deposits move": augmentation("widened", "off the centres of their pixels"),
        "what it needs of jets is a need that there is": augmentation("flip", "it needs tracks of jets", needs=("tracks",)),
    },
    "fitted": {
        "the row describes the code": fitted("Good", "the row has the defaults", defaults=(("width", 3),)),
        "what the row names is registered": fitted("Good", "no recipe 'none'", recipe="none"),
        "two classes have the probability of signal": fitted("Scores", "no probabilities, 0 to 1"),
        "more classes have probabilities that add up": fitted("Scores", "do not add up to one"),
        "numbers are regressed in their own unit": fitted("Coarse", "predictions are float32", base="analytic-mass"),
        "it ranks jets or says that it does not": fitted("Good", "its row says ranks=False", ranks=False),
        "the same jets and seed give the same predictions": fitted("Global", "under one seed predict otherwise"),
        "equal weights of jets change nothing": fitted("Weightless", "its row says sample_weight=True, and its fit takes none"),
        "what it is given is left as it is": fitted("InPlace", "it writes into the table"),
        "a prediction is what it is alone": fitted("OfTheBatch", "depends on the jets beside it"),
        "predictions are the same after storage": fitted("Forgetful", "after saving and loading differ"),
        "a file that is cut off is refused": fitted("Lenient", "a file whose end is missing is loaded"),
    },
    "views": {
        "the row describes the code": view("Good", "nothing says what values the option 'channels' may have", allowed=()),
        "options are settled once and for all": view("Good", "not sorted by name", settles="contracts.broken_views:unsorted"),
        "what is needed of jets is told": view("Good", "it has none of that name", option_needs=(("align", ("pt",)),)),
        "tensors have the declared shapes": view("Shapeless", "and declares"),
        "what is masked is zero": view("Unmasked", "is not zero where there is no element"),
        "labels have no part in it": view("Labelled", "label"),
        "a jet is shown as it is alone": view("OfTheBatch", "depends on the jets beside it"),
        "the order of deposits does not matter": view("Ordered", "depends on the order of a jet's deposits"),
        "a jet without deposits is shown": view("Divided", "a jet without deposits is not finite"),
        "the batch is left as it is": view("InPlace", "it writes into the batch, eta"),
        "a fitted view comes back from json": view("Forgetful", "JSON gives back another view"),
        "what is shown unscaled is scaled to what is shown": view("Unscaled", "is not what it shows"),
        "mixed jets look like jets": view("Unmixed", "mixed with itself is another"),
        "what is hidden has the declared widths": view("Narrow", "`place` has the shape"),
        "it reads no more channels than it says": view("Good", "must match the size", reads="pt"),
    },
    "tables": {
        "the row describes the code": table("Twice", "columns of one name"),
        "options are settled once and for all": table("Good", "not sorted by name", settles="contracts.broken_views:unsorted"),
        "what is needed of jets is told": table("Good", "it has none of that name", option_needs=(("align", ("pt",)),)),
        "each jet has a finite number in each column": table("Double", "the table is float64"),
        "a row is what it is alone": table("OfTheBatch", "depends on the jets beside it"),
        "the order of deposits does not matter": table("First", "depends on the order of a jet's deposits"),
        "a jet without deposits has a row": table("Divided", "a jet without deposits has no row"),
        "it reads no more than it says": table("Labelled", "looks at labels or masses"),
        "the jets are left as they are": table("InPlace", "it writes into the jets"),
        "what jets have not is counted": table("Miscounted", "another table than `rows`"),
    },
    "tasks": {
        "the row describes the code": task("Good", "the row has the defaults", defaults=(("width", 3),)),
        "it costs no torch to load": Broken("task", "classification", "importing it imports torch", {"target": TORCH}),
        "outputs become a loss and metrics that rank them": task("Reversed", "validation loss of better outputs is not smaller"),
        "the loss has a gradient and diagnostics have none": task("Detached", "the loss is torch.float64"),
        "an epoch is judged by what the task names": task("Unnamed", "a validation gives"),
        "predictions are float64 and perfect outputs predict the truth": task("Coarse", "predictions are float32"),
        "models predict together": task("First", "together they are no better"),
        "what is learnt is plain and comes back": task("Forgetful", "what is restored has learnt something else"),
        "a finished training is judged by the headline and the loss": task("NoError", "the headline has no error"),
        "an evaluation writes its files and finite metrics": task("NotANumber", "metrics of an evaluation are finite"),
        "predictions without sense are refused": task("Lenient", "predictions that are not finite are evaluated"),
        "the paired metric is that of the evaluation": task("Swapped", "paired it is"),
        "the error of a mean contains what the models share": task("Independent", "is not that of its models|of the paired"),
        "a better arm is called better": task("Strict", "the better arm is called"),
        "strata are small integers and the classes where there are some": task("ByTens", "no integers from 0 on"),
        "what jets lack is told": task("Silent", "of jets without targets it says ''"),
        "enough jets stay enough": task("Fickle", "with more jets|are not"),
        "the report has what it names": task("Sectionless", "no sections nowhere"),
    },
    "metrics": {
        "it says what it is": metric("NoKey", "its range is from 1.0 to 0.0"),
        "values are finite and in its range": metric("Beyond", "outside of its range"),
        "better predictions are better": metric("Backwards", "larger_is_better is False"),
        "perfect predictions have the best value": metric("NeverPerfect", "perfect predictions have 1.0, not 2.0"),
        "the order of jets does not matter": metric("FirstHalf", "in another order of the same jets"),
        "it scales with its unit": metric("Unitless", "a thousand times the target", base="regression", key="rmse"),
        "only the order of scores matters to a metric of ranks": metric("OfLogits", "after a rising map", key="auc"),
    },
    "datasets": {
        "the row describes the recipe": dataset("Slow", "a core makes 0.0 jets"),
        "a plan waits for no generator": Broken("dataset", "top-vs-qcd", "leave that to its module", {"target": TORCH}),
        "classes share the jets and alternate": dataset("Lenient", "it takes 3 jets"),
        "what makes no sense is refused": dataset("Lenient", "with the options"),
        "its key is of all that decides the jets": dataset("Keyless", "has the same key"),
        "jets are as the recipe says before they are made": dataset("Renamed", "classes are"),
        "a chunk holds the jets of its class": dataset("Mislabelled", "have other labels"),
        "the seed alone decides the jets": dataset("Restless", "has other jets the second time"),
        "progress is told": dataset("Mute", "it tells"),
        "chunks travel to a worker": dataset("Stuck", "cannot be sent"),
    },
    "formats": {
        "the row names a reader": reader("Shy", "found by nothing else"),
        "foreign files are not recognised": reader("Greedy", "it takes an empty file for its own"),
        "foreign files are one clear error": reader("Raw", "toys"),
        "its own file is recognised and by no other": reader("Blind", "is recognised by"),
        "a file becomes valid jets": reader("Miscounted", "does not count the rows"),
        "blocks of any size are the same jets": reader("Restarting", "from a later block on, the jets are others"),
        "a file that is cut off is one clear error": reader("Torn", "zip|pickled|seek"),
    },
    "regimes": {
        "the row is described and has stages": regime("each stage has a name", TRAINING, FINE_TUNING.replace(name="training")),
        "objectives are registered and see what they need": regime("uses none, and the labels", LABELLED, PROBE),
        "each stage starts from the one before": regime("takes nothing of 'pretraining'", POOL, TRAINING),
        "it ends with a model of the label budget": regime("is trained on 'pool'", POOL),
        "only a control sees labels of the pool": regime("is no control", TRAINING.replace(labels="shuffled")),
        "it becomes the runs of a plan": regime("its last run has None labels", TRAINING.replace(data="pool-labelled")),
    },
}
