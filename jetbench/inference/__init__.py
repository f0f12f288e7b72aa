"""Finished runs in use: what predicts, exports and registers them needs a run's folder, and no suite."""

from jetbench.inference.ensemble import Ensemble
from jetbench.inference.loading import load_predictor
from jetbench.inference.predictor import Predictor

__all__ = ["Ensemble", "Predictor", "load_predictor"]
