"""The handbook's label files: that they load and do what the pages say of them."""

import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pytest

from importers.delivery import Delivery
from importers.label_file import read_label_file
from ontology.label import Label
from ontology.policy_file import default_policy
from ontology.source import Source
from tests.factory import make_observer

DOCS = Path(__file__).parents[2] / "docs"
PUBLIC = make_observer("public", organisation="", purpose="statistics")


@pytest.mark.parametrize(
    ("schema", "field_class", "expected"),
    [
        ("CryptoWallet", "contact", "clear"),
        ("Company", "registry", "clear"),
        ("OnlineService", "registry", "clear"),
        ("Person", "identity", "absent"),
        ("Phone", "contact", "absent"),
    ],
)
def test_published_material_shows_the_public_no_person(schema: str, field_class: str, expected: str) -> None:
    """Wallets, organisations and services may be read by everybody; who is named may not."""
    found = read_label_file(DOCS / "labels" / "published.yaml")
    source = Source("publisher", "PUBLISHER")
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    delivery = Delivery(source, found.label, "c" * 64, "f", moment, schema_labels=found.schema_labels)
    label = delivery.label_for(schema, {})

    clearance = default_policy().compile(PUBLIC, {label.lid: label})

    assert clearance.allowed == [label.lid]
    assert clearance.treatment(label.lid, field_class) == expected


@pytest.mark.parametrize(
    ("organisation", "cases", "expected"),
    [
        ("Police North", ("OP-QUAY",), "clear"),
        ("Police South", ("OP-QUAY",), "clear"),
        ("Police North", (), "pseudonym"),
        ("Police South", (), None),
    ],
)
def test_shared_material_is_for_the_case_and_the_release_list(
    organisation: str, cases: tuple[str, ...], expected: str | None
) -> None:
    """An investigator on the case has a victim's name, one of a released organisation a pseudonym, others no record."""
    label = read_label_file(DOCS / "labels" / "shared.yaml").label

    clearance = default_policy().compile(
        make_observer("investigator", organisation=organisation, cases=cases), {label.lid: label}
    )

    assert clearance.allowed == ([label.lid] if expected else [])
    assert expected is None or clearance.treatment(label.lid, "identity") == expected


def test_the_page_names_every_part_of_a_label() -> None:
    """Nobody has to read the source to write a label file."""
    named = set(re.findall(r"`(\w+)`", (DOCS / "labels.md").read_text(encoding="utf-8")))

    assert {part.name for part in fields(Label)} <= named
