"""Rejection: what an importer could not take, kept aside for review."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rejection:
    """One part of a file that was left out, and why.

    `where` leads to the fault inside the file (``line 17.birthDate``,
    ``objects[3].name``, ``tags[12].address``). `expected` and `found` describe
    without quoting: the value itself stays in the capture.
    """

    file: str
    where: str
    expected: str
    found: str
