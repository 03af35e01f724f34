"""Checked documents: none is checked twice for an organisation, and all are measured every time."""

import asyncio
from collections import Counter
from typing import Any

import graphql
import orjson
import pytest
from graphql import DocumentNode, parse

from api import answering
from api.answering import Answered, answer
from api.checked import CheckedDocuments
from api.loaders import Context
from api.schema import TierSchema
from ontology.observer import Observer
from ontology.policy_file import default_policy
from tests.api.backend import MemoryBackend
from tests.factory import make_observer

TEXT = "query($ids: [ID!]!) { nodes(ids: $ids) { id } counts { schema } }"


@pytest.fixture(name="validated")
def _validated(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the documents that are validated, under schemata that have met none."""
    made = {tier: TierSchema(tier, default_policy()) for tier in default_policy().tiers}
    monkeypatch.setattr(answering, "make_schema", lambda tier, _: made[tier])
    seen: Counter[str] = Counter()
    honest = graphql.validate

    def count(schema: Any, document: DocumentNode, rules: Any) -> Any:
        seen[document.loc.source.body if document.loc else ""] += 1
        return honest(schema, document, rules)

    monkeypatch.setattr(answering, "validate", count)
    return seen


def _ask(text: str, observer: Observer, **variables: object) -> Answered:
    return asyncio.run(answer(Context(MemoryBackend(), observer), text, variables or None))


def test_a_text_is_validated_once_for_an_organisation(validated: Counter[str]) -> None:
    """Colleagues share it; another organisation and another tier do not, so that nobody learns what others ask."""
    mine, theirs = make_observer(organisation="MINE"), make_observer(organisation="THEIRS")
    answers = [_ask(TEXT, mine, ids=["x"]) for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert validated[TEXT] == 1
    assert _ask(TEXT, theirs, ids=["x"]) == answers[0]
    assert validated[TEXT] == 2
    _ask(TEXT, make_observer("ngo", organisation="MINE"), ids=["x"])
    assert validated[TEXT] == 3


def test_limits_hold_for_a_known_text(validated: Counter[str]) -> None:
    """What a document asks for depends on its variables, which are measured whenever it comes."""
    observer = make_observer()
    text = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Person { neighbours(first: 100) { totalCount } } } }"

    assert _ask(text, observer, ids=["x"]).is_run
    refused = _ask(text, observer, ids=["x"] * 100)

    assert not refused.is_run
    assert "rows" in orjson.loads(refused.body)["errors"][0]["message"]
    assert validated[text] == 1


def test_an_invalid_text_is_refused_each_time(validated: Counter[str]) -> None:
    """What was refused is not remembered as good."""
    answers = [_ask("{ nobody }", make_observer()) for _ in range(2)]

    assert answers[0] == answers[1]
    assert not answers[0].is_run
    assert validated["{ nobody }"] == 2


def test_what_was_found_longest_ago_is_dropped() -> None:
    """The texts kept are never longer together than there is room for."""
    document = parse("{ a }")
    kept = CheckedDocuments(characters=10)
    for text in ("aaaa", "bbbb", "aaaa"):
        kept.add("ORG", text, document)
    assert kept.find("ORG", "aaaa")

    kept.add("ORG", "cccc", document)

    assert [kept.find("ORG", text) is not None for text in ("aaaa", "bbbb", "cccc")] == [True, False, True]
    kept.add("ORG", "d" * 11, document)
    assert [kept.find("ORG", text) for text in ("aaaa", "cccc", "d" * 11)] == [None, None, None]
