"""Errors the library raises, as a tree.

StanceError (ValueError)
├── DataError          a file or row is not in the format it claims; starts ``path:line:``
├── TargetError        a target or actor table cannot be used (empty name, duplicate id, ...)
├── ModelError         a model folder is missing, damaged or not ours
└── ConfigError        training settings are unknown, contradictory or out of range

Every message has three beats: what was expected, what was got, what to do.
"""

from __future__ import annotations

from pathlib import Path


class StanceError(ValueError):
    """Base of every error that a user's input can cause."""


class DataError(StanceError):
    """Report a data file that breaks its format.

    ``path`` and ``line`` (1-based) are kept as attributes and open the message as ``path:line:``.
    """

    def __init__(self, message: str, path: str | Path | None = None, line: int | None = None) -> None:
        self.path = None if path is None else Path(path)
        self.line = line
        where = "" if path is None else f"{path}: " if line is None else f"{path}:{line}: "
        super().__init__(where + message)

    @classmethod
    def unwritable(cls, path: str | Path, error: OSError) -> DataError:
        """Make the error of a file that the system does not let us write."""
        return cls(f"expected a file to write to; got {error.strerror}; check the path", path)


class TargetError(StanceError):
    """Report a target or actor table that cannot be used."""


class ModelError(StanceError):
    """Report a model folder that is missing, damaged or not a stance model."""


class ConfigError(StanceError):
    """Report training settings that are unknown, contradictory or out of range."""
