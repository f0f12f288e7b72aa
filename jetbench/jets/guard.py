"""What is wrong with a file is one clear error; what is wrong with this program must not be taken for it."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jetbench.errors import DataFileError, JetbenchError

__all__ = ["OWN", "guarded", "is_bug"]

OWN = {"jetbench"}  # packages whose faults are bugs; a plug-in's reader adds its own
# what no file should provoke in code that looks before it believes; libraries raise these on damaged bytes all the same
KINDS = (AttributeError, TypeError, NameError, LookupError, AssertionError, NotImplementedError, ImportError)


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong in a foreign file into one `DataFileError` that names it; a bug passes as it is."""
    try:
        yield
    except JetbenchError:
        raise
    except FileNotFoundError as error:
        raise DataFileError(f"{path}: no such file") from error
    except Exception as error:
        if is_bug(error):
            raise
        cause = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        raise DataFileError(f"{path}: damaged, truncated or of another format ({cause})") from error


def is_bug(error: BaseException) -> bool:
    """Say whether an error is a fault of this program: of a kind that no file should provoke, and raised by our own code."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return isinstance(error, KINDS) and bool(frames) and frames[-1].f_globals.get("__name__", "").partition(".")[0] in OWN
