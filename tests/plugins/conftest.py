from tiny_runs import toys_of

__all__ = ["toys_of"]
