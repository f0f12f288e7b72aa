"""A small convolutional network of jet images."""

from torch import nn

from jetbench.models import HEAD, HEAD_ALLOWED, ModelEntry
from jetbench.models.blocks import GlobalPool
from jetbench.models.image_encoder import ImageEncoder
from jetbench.spaces import Allowed


class SmallCNN(ImageEncoder):
    def __init__(self, shapes, width=16):
        first, second = (nn.Conv2d(inputs, width, 3, padding=1) for inputs in (shapes["image"][0], width))
        parts = {"first": first, "relu1": nn.ReLU(), "halved": nn.MaxPool2d(2), "second": second, "relu2": nn.ReLU()}
        super().__init__({**parts, "pool": GlobalPool("mean")}, features=width)


JETBENCH = [
    ModelEntry(
        "small-cnn",
        f"{__name__}:SmallCNN",
        "two convolutions and the mean of all pixels",
        defaults=(("width", 16), *HEAD),
        allowed=(("width", Allowed(least=1)), *HEAD_ALLOWED),
    )
]
