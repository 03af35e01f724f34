"""Where a store is, from what its address says."""

import pytest

from graph.open import split_address


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("bolt://localhost:7687", ("bolt://localhost:7687", "neo4j")),
        ("bolt://localhost:7687/", ("bolt://localhost:7687", "neo4j")),
        ("neo4j+s://graph.example/vinculum", ("neo4j+s://graph.example", "vinculum")),
        ("neo4j://a.example:7687/cases?region=eu", ("neo4j://a.example:7687?region=eu", "cases")),
    ],
)
def test_a_path_names_the_database(address: str, expected: tuple[str, str]) -> None:
    """The last part is the database; what routing needs stays with the address."""
    assert split_address(address) == expected
