"""One run in its child process: data, training, evaluation, and the files that prove it."""
