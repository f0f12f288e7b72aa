"""The command line. Nothing heavy is imported before a command that needs it runs."""

from jetbench.cli.group import main

__all__ = ["main"]
