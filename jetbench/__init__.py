"""jetbench: does self-supervised pretraining help on your jets, at your label budget, and how sure can you be?"""

from importlib.metadata import version

__version__ = version("jetbench")
__all__ = ["__version__"]
