"""Imported once by the fork server, so that a training child starts in milliseconds. Nothing is computed here."""

# ruff: noqa: F401

from importlib import import_module

import matplotlib.backends.backend_agg
import matplotlib.figure
import sklearn.ensemble
import skops.io
import torch._dynamo  # an optimiser's first step would import it, 800 modules and two seconds in each child

import jetbench.runs.run
from jetbench.models import models
from jetbench.objectives import objectives
from jetbench.tasks import tasks
from jetbench.views import augmentations, views

for table in (models, objectives, tasks, views, augmentations):
    for entry in table.own:  # what plug-ins add a child imports itself: nobody knows what their code does here
        import_module(entry.target.split(":")[0])
