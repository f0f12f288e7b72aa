"""Named training recipes and pipelines of augmentation with their sources: what a suite names, and may override key by key."""

from __future__ import annotations

from dataclasses import dataclass, field

from jetbench.registry import Entry, Registry
from jetbench.spaces import Space, Spaces
from jetbench.spec import Component, Recipe, options

__all__ = ["RECIPE_SPACES", "PipelineEntry", "RecipeEntry", "pipelines", "recipes"]

# where a study searches a scalar of a recipe unless it says otherwise
RECIPE_SPACES: Spaces = (
    ("learning_rate", Space(low=1e-5, high=1e-1, log=True)),
    ("encoder_rate", Space(low=0.01, high=1.0, log=True)),
    ("weight_decay", Space(low=1e-6, high=1e-1, log=True)),
    ("warmup", Space(low=0.0, high=0.3)),
    ("batch_size", Space(choices=(16, 32, 64, 128, 256))),
)


@dataclass(frozen=True)
class RecipeEntry(Entry):
    """A recipe's values stand in the entry itself; `spaces` is where a study searches those that need another range than that of
    `RECIPE_SPACES`."""

    recipe: Recipe = field(kw_only=True)
    spaces: Spaces = ()


@dataclass(frozen=True)
class PipelineEntry(Entry):
    """Steps of augmentation, one after the other, under a name."""

    steps: tuple[Component, ...] = field(kw_only=True)


def _step(name: str, **strengths: float | bool) -> Component:
    return Component(name=name, options=options(strengths))


# of a supervised stage: exact symmetries of a jet image and less than a pixel of shift; every arm has the same
SUPERVISED_AUGMENTATION = (_step("rotation"), _step("flip"), _step("translation", distance=0.05))
# of contrastive pretraining: the symmetries, and detector effects that hit soft deposits and leave the mass nearly in place.
# Chosen by the accuracy of a linear probe on one pretraining of another sample: weaker ones are solved by trivial features.
CONTRASTIVE_AUGMENTATION = (
    _step("rotation"),
    _step("flip"),
    _step("translation", distance=0.1),
    _step("smearing", scale=0.3),
    _step("drop", rate=0.5, pt_scale=5.0),
    _step("energy_scale", sigma=0.05, resolution=0.2),
)
PUBLISHED_AUGMENTATION = (_step("flip", eta=True, phi=False), _step("crop_zoom"), _step("energy_scale", sigma=0.2))
# with the strengths of the contrastive one; were splittings smeared, soft prongs would move by radians and masses by ±56 GeV
PHYSICS_AUGMENTATION = (
    _step("rotation"),
    _step("translation", distance=0.1),
    _step("smearing", scale=0.3),
    _step("collinear_splitting"),
    _step("drop", rate=0.5, pt_scale=5.0),
    _step("energy_scale", sigma=0.05, resolution=0.2),
)
JETCLR_AUGMENTATION = (
    _step("rotation"),
    _step("collinear_splitting", number=50),
    _step("smearing", scale=0.1),
    _step("translation", distance=0.0, extents=1.0),
)
SSL_JET_IMAGE = "the SSL jet-image recipe (ResNet-15 and SimCLR on 125×125×8 images of the ML4SCI self-supervised set)"
JETCLR = "Dillon et al., arXiv:2108.04253, and its code, JetCLR"


pipelines: Registry[PipelineEntry] = Registry(
    "augmentation pipeline",
    [
        PipelineEntry(
            "published",
            "",
            "of jet images: mirror, crop of at least 80 % that is resized, brightness",
            f"{SSL_JET_IMAGE}; it gives no strength of the brightness",
            steps=PUBLISHED_AUGMENTATION,
        ),
        PipelineEntry(
            "physics",
            "",
            "of images and constituents: symmetries, detector effects and collinear splittings",
            f"{JETCLR}; drop, energy scale and all strengths as in simclr-small, chosen by a labelled probe of another sample",
            steps=PHYSICS_AUGMENTATION,
        ),
        PipelineEntry(
            "jetclr",
            "",
            "of 50 constituents, with the published strengths: its translation throws images out of their frame",
            f"{JETCLR}, where one jet of a pair is rotated and translated alone",
            steps=JETCLR_AUGMENTATION,
        ),
    ],
)


def _entry(recipe: Recipe, summary: str, source: str = "", spaces: Spaces = ()) -> RecipeEntry:
    return RecipeEntry(recipe.name, "", summary, source, recipe=recipe, spaces=spaces)


recipes: Registry[RecipeEntry] = Registry(
    "recipe",
    [
        _entry(
            Recipe(
                name="supervised-small",
                learning_rate=1e-3,
                weight_decay=1e-4,
                warmup=0.1,
                passes=7500,
                batch_size=32,
                epochs=5,
                augmentation=SUPERVISED_AUGMENTATION,
            ),
            "few labels on a CPU: a fixed schedule and the last weights",
        ),
        _entry(
            Recipe(
                name="simclr-small",
                learning_rate=1e-3,
                weight_decay=1e-4,
                warmup=0.1,
                passes=60_000,
                batch_size=128,
                epochs=8,
                augmentation=CONTRASTIVE_AUGMENTATION,
            ),
            "SimCLR on a CPU, with symmetries and detector effects, chosen by a labelled probe of another sample",
        ),
        _entry(
            Recipe(
                name="ssl-jet-image-pretrain",
                learning_rate=1e-3,
                weight_decay=1e-4,
                warmup=0.1,
                passes=0,
                batch_size=256,
                epochs=100,
                augmentation=PUBLISHED_AUGMENTATION,
            ),
            "AdamW, batch 256, 100 epochs, cosine with 10 warm-up epochs",
            SSL_JET_IMAGE,
        ),
        _entry(
            Recipe(
                name="ssl-jet-image-finetune",
                optimizer="adam",
                learning_rate=5e-4,
                schedule="plateau",
                passes=0,
                batch_size=64,
                epochs=50,
                select="best",
                select_by="accuracy",
                patience=10,
                augmentation=PUBLISHED_AUGMENTATION,
            ),
            "Adam, plateau schedule, 50 epochs, patience 10, best epoch by validation accuracy",
            f"{SSL_JET_IMAGE}; it states no batch size",
        ),
        _entry(
            Recipe(
                name="ssl-jet-image-mass",
                learning_rate=1e-3,
                weight_decay=1e-4,
                schedule="warm-restarts",
                passes=0,
                batch_size=64,
                epochs=50,
                clip=1.0,
                select="best",
                augmentation=PUBLISHED_AUGMENTATION[:1],  # the others change the mass
            ),
            "of a mass: AdamW, cosines with warm restarts after 10 and 30 epochs, gradients clipped at 1",
            f"{SSL_JET_IMAGE}; decay as in its pretraining, epochs as of its classification, of which it states neither here",
        ),
        _entry(
            Recipe(
                name="electron-photon",
                optimizer="adam",
                learning_rate=1e-3,
                schedule="warm-restarts",
                first_restart=5,
                passes=0,
                batch_size=32,
                epochs=15,
                select="best",
            ),
            "Adam, batch 32, 15 epochs: cosines with warm restarts, over 5 and 10 of them",
            "the ResNet-15 of the ML4SCI electron/photon set; it tells no epoch of the first restart: after 5 it ends at zero",
        ),
        _entry(
            Recipe(
                name="se-vgg",
                optimizer="adam",
                learning_rate=1e-3,
                schedule="one-cycle",
                warmup=0.3,
                passes=0,
                batch_size=64,
                epochs=50,
                select="best",
            ),
            "one cycle; mixup and balanced class weights belong to it as regime and option of the objective",
            "the SE-VGG beside the SSL jet-image recipe; it states no rate, batch or epochs: the rise is that of torch's "
            "OneCycleLR, the rest as of the recipe's ResNet-15",
        ),
        _entry(
            Recipe(name="trees", learning_rate=0.1),
            "gradient boosting: the learning rate is the shrinkage",
            # below, a hundred trees do not fit any more; above, each of them jumps
            spaces=(("learning_rate", Space(low=0.01, high=0.5, log=True)),),
        ),
        _entry(Recipe(name="untuned", learning_rate=0.0), "a fit that has no learning rate"),
    ],
)
