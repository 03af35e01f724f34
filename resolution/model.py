"""Models of resolution: what is compared, what each finding weighs, and which keys propose pairs.

A model is a released data file. Its version comes from its content, so that two
pairs under one version were scored by the same numbers. Nothing in it is
counted from the records at hand: no term frequencies, no key too common to use.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from math import isfinite, log2
from pathlib import Path
from typing import Any, TypeVar

import yaml

from ontology.errors import SchemaError, describe_kind
from ontology.pair import BlockingKey
from resolution.column import READERS, WHOLE
from resolution.level import ELSE, TESTS
from resolution.part import PARTS

T = TypeVar("T")

MODELS_FOLDER = Path(__file__).parent / "models"

_MODEL_KEYS = {"name", "release", "description", "prior", "stop", "comparisons", "keys"}
_COMPARISON_KEYS = {"name", "reads", "as", "ignored", "equality", "levels"}
_LEVEL_KEYS = {"words", "test", "columns", "bound", "m", "u", "fixed"}
_KEY_KEYS = {"name", "parts", "most"}
# Which of them propose a pair is kept as the bits of one number.
_MOST_KEYS = 62
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
    """One finding of a comparison: it is reached when its test holds and none before it did.

    What is `fixed` weighs what it does whatever training finds: it stands for more than it shows.
    """

    words: str
    test: str
    columns: tuple[str, ...]
    bound: float
    chance: Chance
    is_fixed: bool = False


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
    release: int
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

    Raises SchemaError, naming file and key, for what is no model, an unknown or
    missing key, an unknown reader, test, column or part, for chances that are not
    between 0 and 1, and for levels of one comparison that weigh the same.
    """
    try:
        content = path.read_bytes()
        data = yaml.safe_load(content)
    except OSError as exc:
        raise SchemaError(f"{path.name}: expected a file that can be read, found {exc.strerror}") from exc
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise SchemaError(f"{path.name}: expected a model in YAML, found other text") from exc
    _check_keys(path.name, data, _MODEL_KEYS)
    name, release = _get(path.name, data, "name", str), _get(path.name, data, "release", int)
    comparisons = tuple(_comparison(path.name, c) for c in _get(path.name, data, "comparisons", list))
    by_name = {c.name: c for c in comparisons}
    keys = tuple(_key(path.name, key, by_name) for key in _get(path.name, data, "keys", list))
    if not comparisons or len(by_name) < len(comparisons):
        raise SchemaError(f"{path.name}: comparisons: expected one or more, each of another name")
    if len(keys) > _MOST_KEYS:
        raise SchemaError(f"{path.name}: keys: expected at most {_MOST_KEYS}, found {len(keys)}")
    return Model(
        name=name,
        release=release,
        version=f"{name}-{release}-{sha256(content).hexdigest()[:8]}",
        prior=_number(path.name, data, "prior"),
        stop=_number(path.name, data, "stop"),
        comparisons=comparisons,
        keys=keys,
    )


def dump_model(model: Model, description: str) -> str:
    """Return the text of a file that `read_model` reads as the model, but for its version, which is of the text."""
    data = {
        "name": model.name,
        "release": model.release,
        "description": description,
        "prior": model.prior,
        "stop": model.stop,
        "comparisons": [_dump_comparison(comparison) for comparison in model.comparisons],
        "keys": [_dump_key(rule) for rule in model.keys],
    }
    return yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=120)


def _dump_comparison(comparison: Comparison) -> dict[str, Any]:
    levels = [
        {
            "words": level.words,
            "test": level.test,
            **({"columns": list(level.columns)} if level.columns else {}),
            **({"bound": level.bound} if level.bound else {}),
            **asdict(level.chance),
            **({"fixed": True} if level.is_fixed else {}),
        }
        for level in comparison.levels
    ]
    return {
        "name": comparison.name,
        "reads": list(comparison.reads),
        "as": comparison.reader,
        **({"ignored": sorted(comparison.ignored)} if comparison.ignored else {}),
        "equality": asdict(comparison.equality),
        "levels": levels,
    }


def _dump_key(rule: KeyRule) -> dict[str, Any]:
    parts = [{"of": of, "part": part} for of, part in rule.parts]
    return {"name": rule.key.name, "parts": parts, **({"most": rule.most} if rule.most else {})}


def _comparison(file: str, data: Any) -> Comparison:
    _check_keys(f"{file}: comparisons", data, _COMPARISON_KEYS)
    name = _get(f"{file}: comparisons", data, "name", str)
    where = f"{file}: {name}"
    if not _IDENTIFIER.fullmatch(name):
        raise SchemaError(f"{where}: name: expected lower-case letters")
    reader = _get(where, data, "as", str)
    if reader not in READERS:
        raise SchemaError(f"{where}: as: expected one of {', '.join(READERS)}, found {reader}")
    levels = tuple(_level(where, level, READERS[reader].columns) for level in _get(where, data, "levels", list))
    if [level.test == ELSE for level in levels] != [False] * (len(levels) - 1) + [True]:
        raise SchemaError(f"{where}: levels: expected the test {ELSE} at the end and only there")
    if len({0.0} | {level.chance.weight for level in levels}) <= len(levels):
        raise SchemaError(f"{where}: levels: expected different weights, none of them 0")
    return Comparison(
        name=name,
        reads=_texts(where, data, "reads"),
        reader=reader,
        ignored=frozenset(_texts(where, data, "ignored")) if data.get("ignored") else frozenset(),
        equality=_chance(f"{where}: equality", _get(where, data, "equality", dict)),
        levels=levels,
    )


def _level(of: str, data: Any, known: Sequence[str]) -> Level:
    _check_keys(f"{of}: levels", data, _LEVEL_KEYS)
    words = _get(f"{of}: levels", data, "words", str)
    where = f"{of}: {words}"
    test = _get(where, data, "test", str)
    columns = _texts(where, data, "columns") if data.get("columns") else ()
    if test not in TESTS:
        raise SchemaError(f"{where}: test: expected one of {', '.join(TESTS)}, found {test}")
    if not set(columns) <= set(known) or len(columns) != TESTS[test].columns:
        raise SchemaError(f"{where}: columns: expected {TESTS[test].columns} of {', '.join(known)}")
    bound = _number(where, data, "bound") if data.get("bound") else 0.0
    is_fixed = data.get("fixed", False)
    if not isinstance(is_fixed, bool):
        raise SchemaError(f"{where}: fixed: expected true or false, found {describe_kind(is_fixed)}")
    return Level(words, test, columns, bound, _chance(where, data), is_fixed)


def _chance(where: str, data: Mapping[str, Any]) -> Chance:
    chance = Chance(_number(where, data, "m"), _number(where, data, "u"))
    if not (0 < chance.m < 1 and 0 < chance.u < 1):
        raise SchemaError(f"{where}: expected m and u between 0 and 1")
    return chance


def _key(file: str, data: Any, comparisons: Mapping[str, Comparison]) -> KeyRule:
    _check_keys(f"{file}: keys", data, _KEY_KEYS)
    name = _get(f"{file}: keys", data, "name", str)
    where = f"{file}: {name}"
    read = _get(where, data, "parts", list)
    for part in read:
        _check_keys(f"{where}: parts", part, {"of", "part"})
    parts = tuple((_get(where, part, "of", str), _get(where, part, "part", str)) for part in read)
    for of, part in parts:
        if of not in comparisons:
            raise SchemaError(f"{where}: of: expected one of {', '.join(comparisons)}, found {of}")
        if part not in PARTS or PARTS[part].column not in READERS[comparisons[of].reader].columns:
            raise SchemaError(f"{where}: part: {part} cannot be made of {of}")
    key = BlockingKey(
        name=name,
        properties=tuple(sorted({name for of, _ in parts for name in comparisons[of].reads})),
        is_equality=all(part == WHOLE for _, part in parts),
    )
    most = data.get("most")
    if most is not None and (type(most) is not int or most < 2):
        raise SchemaError(f"{where}: most: expected a whole number from 2")
    return KeyRule(key, parts, most)


def _get(where: str, data: Mapping[str, Any], key: str, kind: type[T]) -> T:
    value = data.get(key)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise SchemaError(f"{where}: {key}: expected {_KINDS[kind]}, found {describe_kind(value)}")
    return value


def _number(where: str, data: Mapping[str, Any], key: str) -> float:
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise SchemaError(f"{where}: {key}: expected a number, found {describe_kind(value)}")
    return float(value)


def _texts(where: str, data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = _get(where, data, key, list)
    if not all(isinstance(value, str) for value in values):
        raise SchemaError(f"{where}: {key}: expected texts, found another kind")
    return tuple(values)


_KINDS: Mapping[type, str] = {str: "text", int: "a whole number", list: "a list", dict: "a mapping"}


def _check_keys(where: str, data: Any, known: set[str]) -> None:
    if not isinstance(data, dict):
        raise SchemaError(f"{where}: expected a mapping, found {describe_kind(data)}")
    for key in data:
        if key not in known:
            raise SchemaError(f"{where}: {key}: unknown key")
