"""Guard: the bounds within which every importer reads, whatever a file says.

A line, a JSON object, a YAML tree and a gzip stream are all attacks until they
prove small. Whatever breaks a bound becomes one clear error of ours, never a
RecursionError, a MemoryError or a full disk.
"""

import codecs
import gzip
import io
import json
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, NoReturn, cast

import yaml

from ontology.errors import InvalidData, InvalidValue, UnusableSource

MAX_LINE_BYTES = 16 * 2**20
MAX_FIELD_CHARS = 16 * 2**20
MAX_DEPTH = 64
MAX_RATIO = 300
MAX_SMALL_FILE = 2**20
HEAD_BYTES = 64 * 2**10
GZIP_MAGIC = b"\x1f\x8b"

# Below this much output any ratio is harmless.
_FREE_BYTES = 64 * 2**20
# Integers beyond this lose digits in other JSON readers, so they are kept as text.
_EXACT_INTEGER = 2**53
# A word, or an escape, of JSON that the end of the text may cut.
_LONGEST_TOKEN = 16
_EXACT_DIGITS = len(str(-_EXACT_INTEGER))
_SUSPECT = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)|[\ud800-\udfff\0]")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a text file, numbered from 1, without its line break.

    `text` is None, and `fault` says why as (expected, found), when the line is
    too long or not UTF-8.
    """

    number: int
    text: str | None
    fault: tuple[str, str] = ("", "")


def open_bytes(path: Path, file: str) -> BinaryIO:
    """Open a file for reading, decompressing gzip within the bounds.

    The stream raises UnusableSource at the point where gzip data ends early, is
    damaged or expands beyond reason; what came before was good.
    """
    stream = path.open("rb")
    if stream.peek(2)[:2] != GZIP_MAGIC:
        return stream
    return cast(BinaryIO, _ShortReader(_BoundedGzip(stream, file), HEAD_BYTES))


def read_head(path: Path) -> bytes:
    """Return the first 64 KiB of a file's content, of what is inside when it is gzip.

    Damaged gzip gives what could be read.
    """
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if not head.startswith(GZIP_MAGIC):
        return head
    try:
        return zlib.decompressobj(wbits=31).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""


def iter_lines(stream: BinaryIO) -> Iterator[Line]:
    """Stream the lines of a UTF-8 text, a byte order mark left out, each within the bound."""
    number = 0
    while raw := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(raw) > MAX_LINE_BYTES:
            _skip_line(stream, raw)
            yield Line(number, None, (f"a line of at most {MAX_LINE_BYTES} bytes", "a longer one"))
            continue
        yield _decode_line(number, raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw)


def parse_json(text: str, decoder: "StrictJson | None" = None) -> Any:
    """Parse JSON strictly: no NaN, no duplicate key, no lone surrogate, no NUL, bounded depth.

    Integers that other readers could not hold exactly come as text. Another
    decoder may read numbers otherwise. Raises InvalidValue.
    """
    decoder = decoder or StrictJson()
    try:
        value = decoder.decode(text)
    except RecursionError:
        raise InvalidValue(f"at most {MAX_DEPTH} levels of nesting", "more") from None
    except ValueError:
        raise InvalidValue("JSON", "a syntax error") from None
    decoder.check(value, text)
    return value


class StrictJson(json.JSONDecoder):
    """A JSON decoder that notes what the standard one lets pass."""

    def __init__(self) -> None:
        self.fault: InvalidValue | None = None
        super().__init__(
            object_pairs_hook=self._make_object,
            parse_constant=self.read_constant,
            parse_int=_read_integer,
            parse_float=self.read_float,
        )

    def check(self, value: Any, text: str) -> None:
        """Raise InvalidValue for what was noted while `text` gave `value`, and start afresh."""
        fault, self.fault = self.fault, None
        if fault is not None:
            raise fault
        if text.count("{") + text.count("[") > MAX_DEPTH or _SUSPECT.search(text):
            _check_tree(value)

    def _make_object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            self.fault = InvalidValue("each key once in a JSON object", "a key twice")
        return made

    def read_constant(self, _name: str) -> None:
        """Note a NaN or an infinity, which are no JSON; its value is None."""
        self.fault = InvalidValue("a finite number", "NaN or an infinity")

    def read_float(self, text: str) -> float:
        """Return a number with a fraction or an exponent, and note one too large."""
        number = float(text)
        if not math.isfinite(number):
            self.fault = InvalidValue("a finite number", "a number too large")
        return number


class JsonStream:
    """A forward-only reader of one large JSON object, of which one array is streamed."""

    def __init__(self, stream: BinaryIO, file: str) -> None:
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._file = file
        self._buffer = ""
        self._at = 0
        self._is_whole = False
        self._decoder = StrictJson()

    def iter_members(self, array: str) -> Iterator[tuple[str, Any | InvalidValue]]:
        """Stream (where, value) of the top object: each member, but of `array` each element.

        A value that breaks a rule of `parse_json` comes as the InvalidValue that
        says so. Raises UnusableSource where the text stops being JSON.
        """
        self._expect("{", "")
        if self._peek() == "}":
            return
        while True:
            name, _ = self._read_value("")
            if not isinstance(name, str):
                self._fail("", "a name of a member")
            self._expect(":", name)
            if name == array and self._peek() == "[":
                yield from self._iter_elements(array)
            else:
                yield name, self._read_checked(name)
            if self._expect(",}", name) == "}":
                return

    def _iter_elements(self, array: str) -> Iterator[tuple[str, Any | InvalidValue]]:
        self._expect("[", array)
        if self._peek() == "]":
            self._expect("]", array)
            return
        index = 0
        while True:
            where = f"{array}[{index}]"
            yield where, self._read_checked(where)
            if self._expect(",]", where) == "]":
                return
            index += 1

    def _read_checked(self, where: str) -> Any | InvalidValue:
        value, text = self._read_value(where)
        try:
            self._decoder.check(value, text)
        except InvalidValue as fault:
            return fault
        return value

    def _read_value(self, where: str) -> tuple[Any, str]:
        self._peek()
        while True:
            self._decoder.fault = None
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._at)
            except RecursionError:
                self._fail(where, f"at most {MAX_DEPTH} levels of nesting")
            except json.JSONDecodeError as fault:
                if not _is_at_end(fault):
                    self._fail(where, "JSON")
                if self._is_whole:
                    raise UnusableSource("a whole JSON value", "an early end", path=_join(self._file, where)) from None
                self._grow(where)
                continue
            # A number at the very end may go on in what was not read yet.
            if end == len(self._buffer) and not self._is_whole:
                self._grow(where)
                continue
            text, self._at = self._buffer[self._at : end], end
            return value, text

    def _peek(self) -> str:
        while True:
            while self._at < len(self._buffer) and self._buffer[self._at] in " \t\r\n":
                self._at += 1
            if self._at < len(self._buffer) or self._is_whole:
                return self._buffer[self._at : self._at + 1]
            self._grow("")

    def _expect(self, marks: str, where: str) -> str:
        found = self._peek()
        if not found or found not in marks:
            self._fail(where, f"one of {' '.join(marks)}")
        self._at += 1
        return found

    def _grow(self, where: str) -> None:
        left = len(self._buffer) - self._at
        if left > MAX_LINE_BYTES:
            expected = f"JSON with no value over {MAX_LINE_BYTES} characters"
            raise UnusableSource(expected, "a longer one", path=_join(self._file, where))
        try:
            data = self._stream.read(max(HEAD_BYTES, left))
            more = self._decode(data, not data)
        except UnicodeDecodeError:
            raise UnusableSource("UTF-8 text", "other bytes", path=_join(self._file, where)) from None
        self._is_whole = not data
        self._buffer = self._buffer[self._at :] + more
        self._at = 0

    def _fail(self, where: str, expected: str) -> NoReturn:
        found = "the end of the file" if self._is_whole and self._at >= len(self._buffer) else "a syntax error"
        raise UnusableSource(expected, found, path=_join(self._file, where))


def _is_at_end(fault: json.JSONDecodeError) -> bool:
    """Say whether more text could still mend this."""
    return "Unterminated string" in fault.msg or len(fault.doc) - fault.pos < _LONGEST_TOKEN


class YamlEvent(NamedTuple):
    """One step through a YAML document: ``scalar``, ``[``, ``]``, ``{`` or ``}``.

    `value` is the text of a scalar, None for a null. `line` counts from 1.
    """

    kind: str
    value: str | None
    line: int


def iter_yaml(stream: BinaryIO, file: str) -> Iterator[YamlEvent]:
    """Stream the events of the first YAML document, with bounded depth and scalars, in constant memory.

    Raises UnusableSource for a syntax error, for an alias (it can stand for a
    tree of any size), and for what breaks a bound.
    """
    depth = 0
    try:
        for event in yaml.parse(stream, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.DocumentEndEvent):
                return
            if isinstance(event, yaml.ScalarEvent):
                yield YamlEvent("scalar", _read_scalar(event, file), _line_of(event) + 1)
                continue
            kind = _YAML_KINDS.get(type(event), "")
            if kind == "*":
                raise _refuse_yaml("no YAML alias", "one", file, _line_of(event))
            depth += _YAML_STEPS.get(kind, 0)
            if depth > MAX_DEPTH:
                raise _refuse_yaml(f"at most {MAX_DEPTH} levels of nesting", "more", file, _line_of(event))
            if kind:
                yield YamlEvent(kind, None, _line_of(event) + 1)
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line if exc.problem_mark else 0
        raise _refuse_yaml("YAML", "a syntax error", file, line) from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise UnusableSource("YAML in UTF-8", "other bytes", path=file) from exc


def load_yaml(path: Path) -> dict[str, Any]:
    """Read a small YAML file that an operator wrote: a mapping, each key once.

    Raises InvalidData, naming file and line, for anything else.
    """
    if not path.is_file():
        raise InvalidData("a file", "none by that name", path=path.name)
    if path.stat().st_size > MAX_SMALL_FILE:
        raise InvalidData(f"at most {MAX_SMALL_FILE} bytes", "a larger file", path=path.name)
    with path.open("rb") as stream:
        for _ in iter_yaml(stream, path.name):
            pass
    try:
        data = yaml.load(path.read_bytes(), Loader=_UniqueKeyLoader)
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 1
        raise InvalidData("YAML, each key once", "a fault", path=f"{path.name}: line {line}") from exc
    except (yaml.YAMLError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as exc:
        raise InvalidData("YAML", "a value that cannot be read", path=path.name) from exc
    if not isinstance(data, dict):
        raise InvalidData("a YAML mapping", _describe(data), path=path.name)
    return data


class _UniqueKeyLoader(yaml.CSafeLoader):
    """A safe loader that refuses the same key twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = [key.value for key, _ in node.value]
        if len(set(map(str, keys))) != len(keys):
            raise yaml.constructor.ConstructorError(None, None, "a key twice", node.start_mark)
        return super().construct_mapping(node, deep=deep)


class _ShortReader(io.BufferedReader):
    """Reads what is at hand, so that a fault further on never takes what is good with it."""

    def read(self, size: int | None = -1, /) -> bytes:
        return self.read1(HEAD_BYTES if size is None else size)


class _BoundedGzip(io.RawIOBase):
    """Decompressed bytes of a gzip file, whose faults are errors of ours."""

    def __init__(self, stream: BinaryIO, file: str) -> None:
        self._stream = stream
        self._gzip = gzip.GzipFile(fileobj=stream)
        self._file = file
        self._size = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._size

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        # Readers ask where they are by seeking nowhere; more is not to be had.
        target = offset + (self._size if whence == io.SEEK_CUR else 0)
        if whence == io.SEEK_END or target != self._size:
            raise io.UnsupportedOperation("seek")
        return self._size

    def readinto(self, buffer: Any) -> int:
        try:
            # One step at a time: a longer read would lose what came before a fault.
            data = self._gzip.read1(len(buffer))
        except EOFError:
            raise UnusableSource("a whole gzip stream", "its end missing", path=self._where()) from None
        except (OSError, zlib.error):
            raise UnusableSource("gzip data", "damaged bytes", path=self._where()) from None
        self._size += len(data)
        if self._size > _FREE_BYTES and self._size > MAX_RATIO * self._stream.tell():
            raise UnusableSource(f"gzip that expands at most {MAX_RATIO} times", "more", path=self._where())
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._gzip.close()
        self._stream.close()
        super().close()

    def _where(self) -> str:
        return f"{self._file}: after byte {self._size}"


_YAML_KINDS: dict[type, str] = {
    yaml.SequenceStartEvent: "[",
    yaml.SequenceEndEvent: "]",
    yaml.MappingStartEvent: "{",
    yaml.MappingEndEvent: "}",
    yaml.AliasEvent: "*",
}
_YAML_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1}
_YAML_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


def _read_scalar(event: yaml.ScalarEvent, file: str) -> str | None:
    value: str = event.value
    if len(value) > MAX_LINE_BYTES:
        raise _refuse_yaml(f"a scalar of at most {MAX_LINE_BYTES} characters", "more", file, _line_of(event))
    return None if event.implicit[0] and value in _YAML_NULLS else value


def _line_of(event: yaml.Event) -> int:
    return event.start_mark.line if event.start_mark else 0


def _refuse_yaml(expected: str, found: str, file: str, line: int) -> UnusableSource:
    return UnusableSource(expected, found, path=f"{file}: line {line + 1}")


def _decode_line(number: int, raw: bytes) -> Line:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return Line(number, None, ("UTF-8 text", "other bytes"))
    if "\0" in text:
        return Line(number, None, ("text without NUL", "a NUL"))
    return Line(number, text.rstrip("\r\n"))


def _skip_line(stream: BinaryIO, raw: bytes) -> None:
    while raw and not raw.endswith(b"\n"):
        raw = stream.readline(MAX_LINE_BYTES)


def _read_integer(text: str) -> int | str:
    if len(text) > _EXACT_DIGITS:
        return text
    number = int(text)
    return number if abs(number) <= _EXACT_INTEGER else text


def _check_tree(value: Any) -> None:
    pending = [(value, 1)]
    while pending:
        item, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise InvalidValue(f"at most {MAX_DEPTH} levels of nesting", "more")
        if isinstance(item, dict):
            pending += [(part, depth + 1) for pair in item.items() for part in pair]
        elif isinstance(item, list):
            pending += [(part, depth + 1) for part in item]
        elif isinstance(item, str):
            _check_text(item)


def _check_text(text: str) -> None:
    if "\0" in text:
        raise InvalidValue("text without NUL", "a NUL")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidValue("Unicode text", "a lone surrogate")


def _describe(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__


def _join(file: str, where: str) -> str:
    return f"{file}: {where}" if where else file
