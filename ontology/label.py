"""Labels: how an assertion must be handled.

The parts and their closed lists come from Europol Regulation (EU) 2016/794
Articles 19 and 29 and its handling codes, FIRST TLP 2.0, the MISP PAP
taxonomy, NATO AJP-2.1 (Admiralty) and Directive (EU) 2016/680 Articles 4 to 7
and 10. What is not said is taken strictest: TLP RED, handling H2, category
victim. Classified material (Council Decision 2013/488/EU) is refused.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, Self

from ontology.digest import canonical_json
from ontology.errors import InvalidData, describe_kind

HANDLINGS = ("H0", "H1", "H2", "H3")
TLPS = ("CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED")
PAPS = ("CLEAR", "GREEN", "AMBER", "RED")
SOURCE_GRADES = ("A", "B", "C", "X")
INFORMATION_GRADES = ("1", "2", "3", "4")
NO_PERSON = "none"
WITNESS = "witness"
CATEGORIES = (NO_PERSON, "other", "suspect", "convicted", "victim", WITNESS)
BASES = ("fact", "assessment")
PURPOSES = ("prevention", "investigation", "prosecution", "protection", "statistics")
OPERATIONAL_PURPOSES = ("investigation", "prevention", "prosecution", "protection")
UNCLASSIFIED = ""
# Joins two cases, or two compartments, of which both are needed.
BOTH = " & "

_CLOSED = {
    "handling": HANDLINGS,
    "source_grade": SOURCE_GRADES,
    "information_grade": INFORMATION_GRADES,
    "tlp": TLPS,
    "pap": PAPS,
    "category": CATEGORIES,
    "basis": BASES,
}


@dataclass(frozen=True)
class Label:
    """How one assertion must be handled; all parts must pass before it is shown.

    `owner` and `release` name organisations; `release` lists who may have it
    besides the owner. `cases` and `compartments` are need to know: any one of
    the named kind suffices, but each kind named must be met; a name such as
    ``A & B`` needs both. `purposes` limits what it may be used for. `category` is that of the data subject (Directive
    2016/680 Art. 6): ``none`` says that no natural person is concerned.
    `special` marks the special categories of Art. 10. `minor` is True, False or
    None for unknown (a victim of unknown age counts as a minor). `admiralty` is
    kept beside the European grades and never converted. Dates are ISO 8601
    days, empty when not set. Lists are kept in alphabetical order, each name once,
    so that one label has one lid.
    """

    handling: str = "H2"
    handling_text: str = ""
    source_grade: str = "X"
    information_grade: str = "4"
    admiralty: str = ""
    tlp: str = "RED"
    pap: str = "RED"
    classification: str = UNCLASSIFIED
    owner: str = ""
    release: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    compartments: tuple[str, ...] = ()
    purposes: tuple[str, ...] = OPERATIONAL_PURPOSES
    category: str = "victim"
    basis: str = "assessment"
    special: bool = False
    minor: bool | None = None
    review_date: str = ""
    expiry_date: str = ""
    legal_hold: bool = False

    def __post_init__(self) -> None:
        for part in _LISTS:
            object.__setattr__(self, part, tuple(sorted({*getattr(self, part)})))

    @cached_property
    def lid(self) -> int:
        """The interned label: 52 bits of the content's SHA-256, so it is the same in every store."""
        return int.from_bytes(sha256(canonical_json(self.to_dict())).digest()[:8], "big") >> 12

    def to_dict(self) -> dict[str, Any]:
        """Return every part; `from_dict` is its inverse for what was not joined."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, path: str = "label") -> Self:
        """Read parts, taking those not said strictest.

        Raises InvalidData, naming the part, for one that is unknown, whose value
        is not on its list, or for classified material.
        """
        return cls(**read_parts(data, path=path))

    def to_filled(self, said: Mapping[str, Any], *, path: str = "label") -> Self:
        """Return this label with the parts that a source's own marking said put in."""
        return replace(self, **read_parts(said, path=path)) if said else self

    def join(self, other: Self) -> Self:
        """Return the label of what is derived from both: the strictest of each part.

        Whoever may have the result may have both parts. Release lists and
        purposes intersect; two owners give none, so that neither alone may
        release what both made; of cases and compartments one of each part is
        needed. Where a part that is not for everybody names no case, a case of
        the other part opens nothing: TLP is then AMBER+STRICT at least. Where one
        that concerns a witness names no case or compartment, none of the other part
        may stand in for it: the result is then nobody's.
        """
        is_nobodys = _lacks_what(self, other) or _lacks_what(other, self)
        return type(self)(
            handling=_last(HANDLINGS, self.handling, other.handling),
            handling_text=_join_texts(self.handling_text, other.handling_text),
            source_grade=_last(SOURCE_GRADES, self.source_grade, other.source_grade),
            information_grade=_last(INFORMATION_GRADES, self.information_grade, other.information_grade),
            admiralty=self.admiralty if self.admiralty == other.admiralty else "",
            tlp=TLPS[-1] if is_nobodys else _join_tlps(self, other),
            pap=_last(PAPS, self.pap, other.pap),
            classification=self.classification or other.classification,
            owner=self.owner if self.owner == other.owner and not is_nobodys else "",
            release=() if is_nobodys else _both(self.release, other.release),
            cases=() if is_nobodys else _each(self.cases, other.cases),
            compartments=_each(self.compartments, other.compartments),
            purposes=_both(self.purposes, other.purposes),
            category=_last(CATEGORIES, self.category, other.category),
            basis=_last(BASES, self.basis, other.basis),
            special=self.special or other.special,
            minor=_strictest_minor(self.minor, other.minor),
            review_date=_earliest(self.review_date, other.review_date),
            expiry_date=_earliest(self.expiry_date, other.expiry_date),
            legal_hold=self.legal_hold or other.legal_hold,
        )


_FIELDS = {f.name: f for f in fields(Label)}
_LISTS = ("release", "cases", "compartments", "purposes")
_FLAGS = ("special", "legal_hold")
_DATES = ("review_date", "expiry_date")
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BETWEEN_TEXTS = "; "
_LONGEST = 1_000


def read_parts(data: Mapping[str, Any], *, path: str) -> dict[str, Any]:
    """Check the parts of a label that somebody wrote down and give them their types.

    Raises InvalidData, naming the part.
    """
    parts: dict[str, Any] = {}
    for part, value in data.items():
        where = f"{path}.{part}"
        if part not in _FIELDS:
            raise InvalidData(f"one of {', '.join(_FIELDS)}", "an unknown part", path=where)
        if value is None and part != "minor":
            continue
        parts[part] = _read_part(part, value, where)
    if parts.get("classification"):
        raise InvalidData(
            "unclassified material",
            "a security classification",
            path=f"{path}.classification",
        )
    return parts


def _read_part(part: str, value: Any, where: str) -> Any:
    if part in _LISTS:
        return _read_list(part, value, where)
    if part in _FLAGS or part == "minor":
        if not (isinstance(value, bool) or (part == "minor" and value is None)):
            raise InvalidData("true or false", describe_kind(value), path=where)
        return value
    if part in _DATES:
        return _read_day(value, where)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InvalidData("text", describe_kind(value), path=where)
    text = _plain(str(value).strip(), where)
    if part == "tlp":
        text = text.upper().removeprefix("TLP:").replace("WHITE", "CLEAR")
    if part in _CLOSED and text not in _CLOSED[part]:
        raise InvalidData(f"one of {', '.join(_CLOSED[part])}", "another term", path=where)
    return text


def _read_list(part: str, value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise InvalidData("a list of texts such as [A, B]", describe_kind(value), path=where)
    if not all(isinstance(v, str | int) and not isinstance(v, bool) for v in value):
        raise InvalidData("a list of texts such as [A, B]", "a list with something else", path=where)
    items = tuple(sorted({_plain(str(v).strip(), where) for v in value}))
    if part == "purposes":
        _check_purposes(items, where)
    elif "" in items:
        raise InvalidData("names", "an empty one", path=where)
    # Around the sign there is nothing at the end of a name, but there will be when it is joined to another.
    elif part in ("cases", "compartments") and any(BOTH in f" {item} " for item in items):
        raise InvalidData(f"names without the sign{BOTH}that joins two", "a name with it", path=where)
    return items


def _plain(text: str, where: str) -> str:
    if len(text) > _LONGEST or not all(character.isprintable() for character in text):
        raise InvalidData(f"at most {_LONGEST} printable characters", "others", path=where)
    return text


def _check_purposes(items: tuple[str, ...], where: str) -> None:
    if not items:
        raise InvalidData("at least one purpose", "none", path=where)
    if not set(items) <= set(PURPOSES):
        raise InvalidData(f"terms of {', '.join(PURPOSES)}", "another term", path=where)


def _read_day(value: Any, where: str) -> str:
    # YAML reads a day as a date, and a moment as a datetime, which is one too.
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    text = value.strip() if isinstance(value, str) else None
    if text == "":
        return text
    with suppress(ValueError):
        if text is not None and _DAY.fullmatch(text):
            return date.fromisoformat(text).isoformat()
    raise InvalidData("a day as YYYY-MM-DD", "another value", path=where)


def _last(order: tuple[str, ...], left: str, right: str) -> str:
    return max(left, right, key=order.index)


def _both(left: tuple[str, ...], right: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(left) & set(right)))


def _each(left: tuple[str, ...], right: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of which one meets both sides; an empty side asks for nothing."""
    if not left or not right:
        return left or right
    needed = {frozenset(f"{one}{BOTH}{other}".split(BOTH)) for one in left for other in right}
    return tuple(sorted(BOTH.join(sorted(n)) for n in needed if not any(less < n for less in needed)))


def _lacks_what(one: Label, other: Label) -> bool:
    """Whether a label that concerns a witness names nothing of what opens it, where another does."""
    opens = ((one.cases, other.cases), (one.compartments, other.compartments))
    return one.category == WITNESS and any(theirs and not mine for mine, theirs in opens)


def _join_tlps(left: Label, right: Label) -> str:
    tlp = _last(TLPS, left.tlp, right.tlp)
    if bool(left.cases) == bool(right.cases):
        return tlp
    caseless = right if left.cases else left
    is_open = caseless.tlp in ("CLEAR", "GREEN") and caseless.handling in ("H0", "H1")
    return tlp if is_open else _last(TLPS, tlp, "AMBER+STRICT")


def _join_texts(left: str, right: str) -> str:
    texts = {text for side in (left, right) for text in side.split(_BETWEEN_TEXTS)}
    return _BETWEEN_TEXTS.join(sorted(texts - {""}))


def _earliest(left: str, right: str) -> str:
    return min(d for d in (left, right) if d) if left or right else ""


def _strictest_minor(left: bool | None, right: bool | None) -> bool | None:
    if True in (left, right):
        return True
    return None if None in (left, right) else False
