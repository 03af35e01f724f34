"""What every value type can do: clean, compare, mask and generalise."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def make_no_mask(value: str) -> str | None:
    """Say that nothing of a value may stay when it is masked or generalised."""
    del value
    return None


def compare_equal(left: str, right: str) -> float:
    """Compare two cleaned values by equality: 1.0 or 0.0."""
    return float(left == right)


@dataclass(frozen=True, slots=True)
class ValueType:
    """One kind of value that a property can have.

    `clean` turns what a source wrote into the one stored form and raises
    InvalidValue when it cannot; cleaning twice equals cleaning once. `compare`
    takes two cleaned values and is symmetric, 0.0 (nothing in common) to 1.0
    (the same). `mask` and `generalise` take a cleaned value and give what is
    shown instead under those treatments of the policy; None means that nothing
    useful may remain. `grains` are other ways to generalise, by the name that
    the policy asks for them by.
    """

    name: str
    description: str
    clean: Callable[[str], str]
    compare: Callable[[str, str], float] = compare_equal
    mask: Callable[[str], str | None] = make_no_mask
    generalise: Callable[[str], str | None] = make_no_mask
    grains: Mapping[str, Callable[[str], str | None]] = field(default_factory=dict)

    @property
    def is_generalised(self) -> bool:
        """Whether a coarser form of its values exists."""
        return self.generalise is not make_no_mask
