"""Where results go: a run's journal, the tracking store, and MLflow as a sink that can be filled again at any time.

`journal` is written by the training child and needs only the standard library; `mlflow_tracker` imports MLflow when it first
connects, and is used by the parent alone.
"""
