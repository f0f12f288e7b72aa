"""The parts of the pages of `inspect` and `compare`, a file for each."""
