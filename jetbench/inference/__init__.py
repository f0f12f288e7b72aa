"""Finished runs in use: what predicts, exports and registers them needs a run's folder, and no suite."""

from jetbench.inference.loading import load_predictor
from jetbench.inference.predictor import Predictor

__all__ = ["Predictor", "load_predictor"]
