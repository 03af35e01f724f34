"""Models of resolution: what is compared, what each finding weighs, and which keys propose pairs.

A model is a released data file. Its version comes from its content, so that two
pairs under one version were scored by the same numbers. Nothing in it is
counted from the records at hand: no term frequencies, no key too common to use.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from math import log2
from pathlib import Path
from typing import Any

import yaml

from ontology.errors import SchemaError
from ontology.pair import BlockingKey
from resolution.column import READERS, WHOLE
from resolution.level import ELSE, TESTS
from resolution.part import PARTS

MODELS_FOLDER = Path(__file__).parent / "models"

_MODEL_KEYS = {"name", "release", "description", "prior", "stop", "comparisons", "keys"}
_COMPARISON_KEYS = {"name", "reads", "as", "ignored", "equality", "levels"}
_LEVEL_KEYS = {"words", "test", "columns", "bound", "m", "u"}
_KEY_KEYS = {"name", "parts", "most"}
_IDENTIFIER = re.compile("[a-z]+")


@dataclass(frozen=True, slots=True)
class Chance:
    """How often a finding shows among records of one thing (`m`) and of two (`u`)."""

    m: float
    u: float

    @property
    def weight(self) -> float:
        """The match weight of the finding in bits."""
        return log2(self.m / self.u)

    @property
    def opposite_weight(self) -> float:
        """The match weight in bits when the finding does not show."""
        return log2((1 - self.m) / (1 - self.u))


@dataclass(frozen=True, slots=True)
class Level:
    """One finding of a comparison: it is reached when its test holds and none before it did."""

    words: str
    test: str
    columns: tuple[str, ...]
    bound: float
    chance: Chance


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two records say about one matter.

    `equality` is what somebody learns who can tell only whether a whole value
    is in both records. The last level takes what no other one took. `ignored`
    are folded words that the reader leaves out.
    """

    name: str
    reads: tuple[str, ...]
    reader: str
    ignored: frozenset[str]
    equality: Chance
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class KeyRule:
    """A rule that proposes pairs: records that have every part (comparison, part of its columns) in common.

    One with `most` is for tables, where all records are there at once and one
    reader sees them whole: a key that more of them have than that proposes
    nothing, which would tell others how many there are.
    """

    key: BlockingKey
    parts: tuple[tuple[str, str], ...]
    most: int | None = None


@dataclass(frozen=True)
class Model:
    """A released model; `prior` and `stop` are in bits (see Pair)."""

    name: str
    version: str
    prior: float
    stop: float
    comparisons: tuple[Comparison, ...]
    keys: tuple[KeyRule, ...]


@cache
def load_model(name: str) -> Model:
    """Return a shipped model by the name that a schema gives in `model`.

    Raises SchemaError when there is none.
    """
    path = MODELS_FOLDER / f"{name}.yaml"
    if not path.is_file():
        raise SchemaError(f"model: expected one of {', '.join(list_models())}, found {name}")
    return read_model(path)


def list_models() -> list[str]:
    """Return the names of the shipped models in alphabetical order."""
    return sorted(path.stem for path in MODELS_FOLDER.glob("*.yaml"))


def read_model(path: Path) -> Model:
    """Read a model from its file.

    Raises SchemaError, naming file and key, for an unknown key, reader, test,
    column or part, for chances that are not between 0 and 1, and for levels of
    one comparison that weigh the same.
    """
    content = path.read_bytes()
    data = yaml.safe_load(content)
    _check_keys(path.name, data, _MODEL_KEYS)
    comparisons = tuple(_comparison(f"{path.name}: {c.get('name')}", c) for c in data["comparisons"])
    by_name = {c.name: c for c in comparisons}
    return Model(
        name=data["name"],
        version=f"{data['name']}-{data['release']}-{sha256(content).hexdigest()[:8]}",
        prior=float(data["prior"]),
        stop=float(data["stop"]),
        comparisons=comparisons,
        keys=tuple(_key(f"{path.name}: {k.get('name')}", k, by_name) for k in data["keys"]),
    )


def _comparison(where: str, data: Mapping[str, Any]) -> Comparison:
    _check_keys(where, data, _COMPARISON_KEYS)
    if not _IDENTIFIER.fullmatch(data["name"]):
        raise SchemaError(f"{where}: name: expected lower-case letters")
    if data["as"] not in READERS:
        raise SchemaError(f"{where}: as: expected one of {', '.join(READERS)}, found {data['as']}")
    levels = tuple(_level(f"{where}: {v.get('words')}", v, READERS[data["as"]].columns) for v in data["levels"])
    if [level.test == ELSE for level in levels] != [False] * (len(levels) - 1) + [True]:
        raise SchemaError(f"{where}: levels: expected the test {ELSE} at the end and only there")
    if len({0.0} | {level.chance.weight for level in levels}) <= len(levels):
        raise SchemaError(f"{where}: levels: expected different weights, none of them 0")
    return Comparison(
        name=data["name"],
        reads=tuple(data["reads"]),
        reader=data["as"],
        ignored=frozenset(data.get("ignored") or ()),
        equality=_chance(f"{where}: equality", data["equality"]),
        levels=levels,
    )


def _level(where: str, data: Mapping[str, Any], known: Sequence[str]) -> Level:
    _check_keys(where, data, _LEVEL_KEYS)
    columns = tuple(data.get("columns") or ())
    if data["test"] not in TESTS:
        raise SchemaError(f"{where}: test: expected one of {', '.join(TESTS)}, found {data['test']}")
    if not set(columns) <= set(known) or len(columns) != TESTS[data["test"]].columns:
        raise SchemaError(f"{where}: columns: expected {TESTS[data['test']].columns} of {', '.join(known)}")
    return Level(
        words=data["words"],
        test=data["test"],
        columns=columns,
        bound=float(data.get("bound") or 0),
        chance=_chance(where, data),
    )


def _chance(where: str, data: Mapping[str, Any]) -> Chance:
    chance = Chance(float(data["m"]), float(data["u"]))
    if not (0 < chance.m < 1 and 0 < chance.u < 1):
        raise SchemaError(f"{where}: expected m and u between 0 and 1")
    return chance


def _key(where: str, data: Mapping[str, Any], comparisons: Mapping[str, Comparison]) -> KeyRule:
    _check_keys(where, data, _KEY_KEYS)
    parts = tuple((p["of"], p["part"]) for p in data["parts"])
    for of, part in parts:
        if of not in comparisons:
            raise SchemaError(f"{where}: of: expected one of {', '.join(comparisons)}, found {of}")
        if part not in PARTS or PARTS[part].column not in READERS[comparisons[of].reader].columns:
            raise SchemaError(f"{where}: part: {part} cannot be made of {of}")
    key = BlockingKey(
        name=data["name"],
        properties=tuple(sorted({name for of, _ in parts for name in comparisons[of].reads})),
        is_equality=all(part == WHOLE for _, part in parts),
    )
    most = data.get("most")
    if most is not None and (type(most) is not int or most < 2):
        raise SchemaError(f"{where}: most: expected a whole number from 2")
    return KeyRule(key, parts, most)


def _check_keys(where: str, data: Any, known: set[str]) -> None:
    if not isinstance(data, dict):
        raise SchemaError(f"{where}: expected a mapping, found {type(data).__name__}")
    for key in data:
        if key not in known:
            raise SchemaError(f"{where}: {key}: unknown key")
