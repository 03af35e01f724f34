"""The command line: thin, taught by its help, and a contract for scripts."""

from api.cli.main import main

__all__ = ["main"]
