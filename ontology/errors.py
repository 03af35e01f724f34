"""Every error family of Vinculum.

A message says what was expected, what was found and where. It never holds a
protected value: what was *found* is described (a type, a length, a term of a
closed list), never quoted from a record.
"""

from collections.abc import Mapping

_KINDS = {type(None): "nothing", str: "text", bool: "true or false", int: "number", float: "number"}


def describe_kind(value: object) -> str:
    """Return what kind of value was read from YAML or JSON, in the words of errors, and nothing of the value."""
    if isinstance(value, Mapping):
        return "mapping"
    return "list" if isinstance(value, list | tuple) else _KINDS.get(type(value), "another value")


class VinculumError(Exception):
    """Whatever a caller may want to catch from us."""


class SchemaError(VinculumError):
    """A schema file contradicts itself or another; the message names file and key."""


class PolicyError(VinculumError):
    """The policy file is not total or names something unknown; the message names the cell."""


class SettingError(VinculumError):
    """A setting has a value that cannot be used; the message names the key."""


class InvalidData(VinculumError):
    """A value does not fit its property.

    `path` says where the value sat in the input, e.g. ``people.csv:17.birthDate``.
    """

    def __init__(self, expected: str, found: str, *, path: str) -> None:
        super().__init__(f"{path}: expected {expected}, found {found}")
        self.expected = expected
        self.found = found
        self.path = path


class InvalidValue(VinculumError):
    """A raw value cannot be cleaned to its type; whoever knows the place adds it."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}, found {found}")
        self.expected = expected
        self.found = found


class UnusableSource(InvalidData):
    """A file as a whole cannot be read; what was read before the fault stays."""


class StoreError(VinculumError):
    """The graph engine cannot be reached, or refused what was asked."""


class NotVisible(VinculumError):
    """Absent, hidden and erased give this one error, with this one text."""

    def __init__(self) -> None:
        super().__init__("nothing by that id is visible to this observer")


class InvalidCursor(VinculumError):
    """A cursor of another list, observer or policy, or a forged one, give this one error, with this one text."""

    def __init__(self) -> None:
        super().__init__("after: expected a cursor that this same question returned, found another")


class NotPermitted(VinculumError):
    """An observer's tier has no right to do this; told before anything is looked up."""

    def __init__(self, right: str) -> None:
        super().__init__(f"expected an observer with the right to {right}, found one without")
        self.right = right


class AccessError(VinculumError):
    """A caller is not who they say, or is nobody we know."""
