"""Imported once by the fork server, so that a training child starts in milliseconds. Nothing is computed here."""

# ruff: noqa: F401

import matplotlib.backends.backend_agg
import matplotlib.figure
import sklearn.ensemble
import skops.io
import torch._dynamo  # an optimiser's first step would import it, 800 modules and two seconds in each child

import jetbench.evaluation.plots
import jetbench.models.fitted
import jetbench.models.resnet15
import jetbench.objectives.simclr
import jetbench.objectives.supervised
import jetbench.runs.run
import jetbench.tasks.classification
import jetbench.views.image
import jetbench.views.transforms
