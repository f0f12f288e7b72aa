"""A worker process: reads chunks from its standard input, one JSON a line, and answers with JSON lines.

A process of its own instead of a forked or spawned one, so that a plain script, a notebook and the command line can start it
alike, whatever their main module is.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from pathlib import Path
from queue import SimpleQueue
from typing import IO

from jetbench.errors import JetbenchError

__all__ = ["main"]


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the generators' C++ prints banners
    tasks: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_listen, args=(tasks,), daemon=True).start()
    while task := tasks.get():
        _answer(answers, _work(task, answers))


def _listen(tasks: SimpleQueue[str]) -> None:
    """End of input means that the parent has gone or wants no more, even in the middle of a chunk."""
    for line in sys.stdin:
        tasks.put(line)
    os._exit(0)


def _work(task: str, answers: IO[str]) -> dict[str, object]:
    from jetbench.jets import save_jets
    from jetbench.simulation.chunks import Chunk

    try:
        request = json.loads(task)
        chunk = Chunk.requested(request)
        jets = chunk.recipe.make(chunk, lambda done: _answer(answers, {"jets": done}))
        save_jets(chunk.file(Path(request["folder"])), [jets])
    except JetbenchError as error:
        return {"error": str(error)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}
    return {"done": True}


def _answer(answers: IO[str], message: dict[str, object]) -> None:
    answers.write(json.dumps(message) + "\n")


if __name__ == "__main__":
    main()
