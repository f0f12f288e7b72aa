"""Classes whose labels are smoothed in the training."""

from jetbench.spaces import Allowed
from jetbench.tasks import TaskEntry
from jetbench.tasks.classification import Classification


class Smoothed(Classification):
    def __init__(self, smoothing=0.1):
        super().__init__()
        self.smoothing = smoothing

    def encode(self, target, meta):
        return (1 - self.smoothing) * super().encode(target, meta) + self.smoothing / self.outputs(meta)


JETBENCH = [
    TaskEntry(
        "smoothed-classes",
        f"{__name__}:Smoothed",
        "which class a jet is of, by smoothed labels",
        "Szegedy et al., arXiv:1512.00567",
        defaults=(("smoothing", 0.1),),
        allowed=(("smoothing", Allowed(least=0, below=1)),),
    )
]
