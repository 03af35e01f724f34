"""Pairs of which it is known whether they are one: hand-made checks of names, and transliterated words."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import yaml
from anyascii import anyascii
from rapidfuzz import fuzz

from bench.labelled.tables import DATA, NOW, make_record
from ontology.pair import sum_weights
from resolution.model import load_model
from resolution.pairwise import compare_records

LANGUAGES = ("russian", "arabic", "hebrew")
_CHECKS = "names/opensanctions_entity_checks/checks.yml"
_WORDS = "names/wikidata_transliteration"
_SCHEMATA = frozenset({"Person", "Organization", "Company", "LegalEntity"})
_NAMES = ("name", "alias", "weakAlias", "firstName", "lastName")
_SEED = 1


@dataclass(frozen=True, slots=True)
class ScoredPair:
    """A pair with our weight in bits, the peer's score (rapidfuzz WRatio of romanised names), and the truth."""

    weight: float
    ratio: float
    is_same: bool


def score_checks() -> list[ScoredPair]:
    """Score the checks of nomenklatura's bench: people, organisations and companies, hard on purpose."""
    checks = yaml.safe_load((DATA / _CHECKS).read_text(encoding="utf-8"))["checks"]
    return [_score(c["schema"], c["query"], c["candidate"], c["match"]) for c in checks if c["schema"] in _SCHEMATA]


def score_words(language: str, count: int) -> list[ScoredPair]:
    """Score words beside their transliterations, and beside the transliteration of another that begins alike."""
    lines = (DATA / _WORDS / f"{language}.tsv").read_text(encoding="utf-8").splitlines()
    pairs = [(latin, native) for latin, native, *_ in (line.split("\t") for line in lines)]
    random = Random(_SEED)
    starts: dict[str, list[str]] = {}
    for latin, _ in pairs:
        starts.setdefault(latin[:2].lower(), []).append(latin)
    found = []
    for latin, native in random.sample(pairs, min(count, len(pairs))):
        other = random.choice(starts[latin[:2].lower()])
        found.append(_score("Person", {"name": latin}, {"name": native}, True))
        if other.lower() != latin.lower():
            found.append(_score("Person", {"name": other}, {"name": native}, False))
    return found


def _score(schema: str, left: Mapping[str, Any], right: Mapping[str, Any], is_same: bool) -> ScoredPair:
    model = load_model("person" if schema == "Person" else "organization")
    texts = ({name: map(str, _values(values)) for name, values in said.items()} for said in (left, right))
    one, other = (make_record("checks", schema, number, said) for number, said in enumerate(texts))
    pair = compare_records(one, other, model, recorded_at=NOW)
    names = [[_plain(value) for name in _NAMES for value in _values(said.get(name, []))] for said in (left, right)]
    ratio = max((fuzz.WRatio(x, y) for x in names[0] for y in names[1]), default=0.0)
    return ScoredPair(sum_weights(pair.prior, (e.weight for e in pair.evidence)), ratio, is_same)


def _values(said: Any) -> list[Any]:
    return said if isinstance(said, list) else [said]


def _plain(name: Any) -> str:
    return str(anyascii(str(name))).lower()
