"""A number of each jet by least squares, which few jets far away decide more than by the smooth L1 that is built in."""

import numpy as np

from jetbench.tasks import TaskEntry
from jetbench.tasks.regression import Regression


class LeastSquares(Regression):
    def loss(self, outputs, encoded):
        return (outputs - encoded).square().mean()

    def losses(self, truth, predictions):
        return np.square((np.asarray(predictions) - np.asarray(truth)) / self.spread)

    def validate(self, outputs, target):
        truth, predicted = target.double().numpy(), self.predict(outputs)
        rmse = np.sqrt(np.square(predicted - truth).mean())
        return {"loss": float(self.losses(truth, predicted).mean()), "rmse": float(rmse)}


WHAT = "a mass or another number of each jet [GeV] by least squares, judged by the RMSE"
JETBENCH = [TaskEntry("least-squares", f"{__name__}:LeastSquares", WHAT, defaults=(("target", "gen_sdmass"),))]
