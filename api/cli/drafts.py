"""Drafts: files that a command writes whole or not at all."""

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TextIO, cast

import typer

from ontology.errors import InvalidData

STDOUT = "-"

_COPIED_AT_ONCE = 2**20


@contextmanager
def open_drafts(targets: Iterable[str]) -> Iterator[list[TextIO]]:
    """Open a draft of each file, `-` for standard output; all take effect at the end, or none after a fault.

    Raises InvalidData where a file cannot be written.
    """
    with ExitStack() as stack:
        drafts = []
        for target in targets:
            drafts.append(_Draft(target))
            stack.callback(drafts[-1].discard)
        yield [draft.stream for draft in drafts]
        for draft in drafts:
            draft.finish()
        for draft in drafts:
            draft.publish()


class _Draft:
    """A file that is to become another one, or, where that is no plain file, to be copied into it."""

    def __init__(self, target: str) -> None:
        self._target = target
        path, real = Path(target), Path(target).resolve()
        is_plain = target != STDOUT and (path.is_file() or not path.exists())
        self._path = real.with_name(f".{real.name}.{os.getpid()}.draft") if is_plain else None
        with self._translate():
            if target != STDOUT and path.is_dir():
                raise OSError(errno.EISDIR, "a folder")
            self.stream = cast(TextIO, self._open())

    def _open(self) -> IO[str]:
        if self._path is None:
            return TemporaryFile("w+", encoding="utf-8", newline="")
        return self._path.open("w", encoding="utf-8", newline="")

    def finish(self) -> None:
        """Bring all that was written to the disk, where there may be no room for it."""
        with self._translate():
            self.stream.flush()

    def publish(self) -> None:
        """Let the draft take effect."""
        with self._translate():
            if self._path is not None:
                self._path.replace(Path(self._target).resolve())
                return
            self.stream.seek(0)
            if self._target == STDOUT:
                self._copy_out()
                return
            with open(self._target, "w", encoding="utf-8", newline="") as file:
                file.writelines(self.stream)

    def _copy_out(self) -> None:
        while text := self.stream.read(_COPIED_AT_ONCE):
            typer.echo(text.encode(), nl=False)

    def discard(self) -> None:
        """Leave no draft behind."""
        self.stream.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    @contextmanager
    def _translate(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise InvalidData("a file that can be written", exc.strerror or "an error", path=self._target) from exc
