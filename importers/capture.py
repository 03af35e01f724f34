"""CaptureStore: the bytes as received, kept under their SHA-256 and never altered."""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ontology.errors import InvalidData, UnusableSource

_CHUNK_BYTES = 2**20
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Kept(NamedTuple):
    """Where the bytes of one file are kept, and what they are."""

    sha256: str
    size: int
    path: Path


class CaptureStore:
    """Files addressed by what they hold: ``<home>/captures/ab/<sha256>``.

    A file appears whole or not at all, is written once, and only its owner can
    read it.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home / "captures"

    def keep(self, path: Path) -> Kept:
        """Copy a file in and return its SHA-256, size and place; what is already kept stays as it is.

        Raises UnusableSource when it is no readable file.
        """
        self._make_folder(self._folder)
        descriptor, name = tempfile.mkstemp(dir=self._folder, prefix="incoming-")
        incoming = Path(name)
        try:
            sha256, size = _copy(path, descriptor)
            return Kept(sha256, size, self._place(incoming, sha256))
        finally:
            incoming.unlink(missing_ok=True)

    def path_of(self, sha256: str) -> Path:
        """Return where the bytes of this address are, or would be."""
        if not _SHA256.fullmatch(sha256):
            raise InvalidData("a SHA-256 in 64 lower-case hex digits", "other text", path="capture")
        return self._folder / sha256[:2] / sha256

    def verify(self, sha256: str) -> bool:
        """Read the kept bytes again and say whether they are there and still have this address."""
        path = self.path_of(sha256)
        if not path.is_file():
            return False
        digest = hashlib.sha256()
        for chunk in _iter_chunks(path):
            digest.update(chunk)
        return digest.hexdigest() == sha256

    def _place(self, incoming: Path, sha256: str) -> Path:
        target = self.path_of(sha256)
        self._make_folder(target.parent)
        if not target.exists():
            incoming.replace(target)
            _sync_folder(target.parent)
        return target

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)


def _copy(path: Path, descriptor: int) -> tuple[str, int]:
    digest = hashlib.sha256()
    with os.fdopen(descriptor, "wb") as target:
        for chunk in _iter_chunks(path):
            digest.update(chunk)
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
        return digest.hexdigest(), target.tell()


def _iter_chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                yield chunk
    except OSError as exc:
        raise UnusableSource("a readable file", exc.strerror or "an error", path=path.name) from exc


def _sync_folder(folder: Path) -> None:
    # Windows cannot open a folder; there the rename alone has to do.
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
