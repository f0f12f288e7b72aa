"""Images of jets that are mirrored, so that the half with more pT has positive eta, and ResNet-15 on them."""

from dataclasses import replace

from torch import where

from jetbench.models import models
from jetbench.views import views
from jetbench.views.image import ImageView


def mirrored(batch):
    side = batch.sum(batch.pt() * batch.eta)
    return batch.replace(eta=where(side < 0, -1.0, 1.0)[batch.jet] * batch.eta)


class MirroredImage(ImageView):
    @classmethod
    def fit(cls, batch, options):
        return super().fit(mirrored(batch), options)

    def unscaled(self, batch):
        return super().unscaled(mirrored(batch))


CODE = {"target": f"{__name__}:MirroredImage", "summary": "images of mirrored jets", "needs": ("pt",), "like": "image"}
JETBENCH = [
    replace(views["image"], name="mirrored-image", **CODE),
    replace(models["resnet15"], name="resnet15-mirrored", view="mirrored-image"),
]
