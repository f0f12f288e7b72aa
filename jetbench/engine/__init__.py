"""Executes a plan: prepares the data, starts a child for each run, and tells the tracker what has become of it."""
