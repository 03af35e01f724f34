"""Checked documents: those lately parsed and found valid, so that the same text need not be checked again.

Parsing and validating take longer than most answers do. What is kept holds for
one schema and is found by those of one organisation alone: how quickly an answer
comes must not tell others what was asked.
"""

import threading
from collections import OrderedDict

from graphql.language import DocumentNode

# A document takes up to some hundred times its text in memory.
_CHARACTERS = 200_000


class CheckedDocuments:
    """Keeps the valid documents of a schema, up to so many characters of text; the one found longest ago goes first."""

    def __init__(self, characters: int = _CHARACTERS) -> None:
        self._room = characters
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], DocumentNode] = OrderedDict()

    def find(self, organisation: str, text: str) -> DocumentNode | None:
        """Return the document of a text that somebody of an organisation sent before, None for one to be checked."""
        with self._lock:
            found = self._kept.get((organisation, text))
            if found is not None:
                self._kept.move_to_end((organisation, text))
        return found

    def add(self, organisation: str, text: str, document: DocumentNode) -> None:
        """Keep a document that was found valid."""
        with self._lock:
            if (organisation, text) not in self._kept:
                self._kept[organisation, text] = document
                self._room -= len(text)
            while self._room < 0:
                (_, dropped), _ = self._kept.popitem(last=False)
                self._room += len(dropped)
