"""Imported once by the fork server, so that a training child starts in milliseconds. Nothing is computed here."""

import skops.io  # noqa: F401

