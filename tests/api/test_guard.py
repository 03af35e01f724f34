"""The guard: what a document may ask for, and that asking the guard is cheap."""

import pytest
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    build_schema,
    get_introspection_query,
    is_interface_type,
    is_object_type,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from api.errors import BadInput
from api.guard import MAX_PAGE, PAGES, Limits, read_document
from api.schema import print_sdl

EDGE = "{ edges { node { id } } }"


def chain(length: int, spreads: int) -> str:
    """Return a document whose fragments each spread the next some times; expanded it is spreads ** length."""
    fragments = (f"fragment f{i} on Query {{ {' '.join([f'...f{i + 1}'] * spreads)} }}" for i in range(length))
    return f"{{ ...f0 }} {' '.join(fragments)} fragment f{length} on Query {{ node(id: 1) {{ id }} }}"


def refuse(document: str, **variables: object) -> str:
    """Return why a document is refused."""
    with pytest.raises(BadInput) as caught:
        read_document(document, variables)
    return caught.value.message


def test_introspection_of_graphiql_fits() -> None:
    """The largest document that the page itself sends is within the limits."""
    assert isinstance(read_document(get_introspection_query(input_value_deprecation=True)), DocumentNode)


def test_three_hops_fit() -> None:
    """A search with the neighbours of the neighbours of its hits is within the limits."""
    hop = "neighbours(first: 10) { edges { node { id %s } } }"
    text = f'{{ search(text: "a", first: 10) {{ edges {{ node {{ {hop % (hop % "caption")} }} }} }} }}'

    assert isinstance(read_document(text), DocumentNode)


@pytest.mark.parametrize("spreads", [1, 2, 10])
def test_nested_fragments_are_refused(spreads: int) -> None:
    """About a kilobyte of fragments that spread each other is refused, exponential or not."""
    text = chain(60 // spreads + 20, spreads)

    assert "levels" in refuse(text) or "fields" in refuse(text)


def test_fragments_that_multiply_within_the_depth_are_refused() -> None:
    """Ten to the tenth power of fields is counted without being written out."""
    assert refuse(chain(10, 10)) == "expected at most 1000 fields, found more"


def test_fragment_cycle_is_left_to_the_validator() -> None:
    """A fragment that spreads itself neither hangs the guard nor is refused by it."""
    assert isinstance(read_document("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }"), DocumentNode)


@pytest.mark.parametrize("text", ["{" + "a{" * 900, "{a(b:" + "[" * 1500, "{" + "a{" * 400 + "b" + "}" * 401])
def test_deep_nesting_is_refused(text: str) -> None:
    """A document as deep as its tokens allow is refused and exhausts no stack."""
    with pytest.raises(GraphQLError):
        read_document(text)


def test_long_document_is_refused() -> None:
    """The parser stops after so many tokens."""
    with pytest.raises(GraphQLError, match="more than 2000 tokens"):
        read_document("{" + "a " * 3000 + "}")


def test_aliases_are_counted_through_fragments() -> None:
    """Thirty-one aliases are one too many, wherever they are written."""
    aliases = " ".join(f"a{i}: __typename" for i in range(16))

    assert refuse(f"{{ ...f x: node(id: 1) {{ ...f }} }} fragment f on Query {{ {aliases} }}") == (
        "expected at most 30 aliases, found more"
    )


def test_fields_of_one_name_are_counted_over_the_whole_document() -> None:
    """What the validator would compare pair by pair is bounded, in one selection or in many fragments."""
    fragments = " ".join(f"fragment f{i} on Query {{ observer {{ tier }} }}" for i in range(51))
    spreads = " ".join(f"...f{i}" for i in range(51))

    for text in ("{" + "observer(a: 1) " * 51 + "}", f"{{ {spreads} }} {fragments}"):
        assert refuse(text) == "expected at most 50 fields of one name, found more"


def test_directives_are_counted() -> None:
    """A flood of directives is refused."""
    assert refuse("{ id " + "@skip(if: true) " * 51 + "}") == "expected at most 50 directives, found more"


@pytest.mark.parametrize("first", ["100", "99999999999", "$n", "$unknown", "$text"])
def test_pages_within_pages_are_refused(first: str) -> None:
    """A hundred of a hundred is too many, however the hundred is given."""
    text = f"{{ search(first: {first}) {{ edges {{ node {{ neighbours(first: {first}) {EDGE} }} }} }} }}"

    assert refuse(text, n=100, text="100") == "expected at most 10000 rows on all pages together, found more"


def test_listed_ids_count_as_rows() -> None:
    """The neighbours of many listed ids are as many pages."""
    text = f"query Q($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Entity {{ neighbours(first: 100) {EDGE} }} }} }}"

    assert isinstance(read_document(text, {"ids": ["x"] * 90}), DocumentNode)
    assert "rows" in refuse(text, ids=["x"] * 100)


def test_counting_everything_is_dear() -> None:
    """A document cannot count the whole of many moments."""
    counts = " ".join(f'a{i}: counts(asOf: "2026-01-{i + 1:02}T00:00:00Z") {{ count }}' for i in range(11))

    assert refuse(f"{{ {counts} }}") == "expected at most 10000 rows on all pages together, found more"


def test_guard_knows_every_paged_field() -> None:
    """Each field of the schema that takes `first` is one that the guard multiplies."""
    schema: GraphQLSchema = build_schema(print_sdl("investigator"))
    types = [t for t in schema.type_map.values() if is_object_type(t) or is_interface_type(t)]

    assert {name for t in types for name, field in t.fields.items() if "first" in field.args} == PAGES.keys()
    assert MAX_PAGE == 100


@settings(max_examples=40)
@given(st.integers(1, 6), st.integers(1, 4))
def test_cost_is_that_of_the_document_written_out(length: int, spreads: int) -> None:
    """Fragments count as what they stand for: the limit is met exactly at the number of fields written out."""
    written_out = 2 * spreads**length

    read_document(chain(length, spreads), limits=Limits(fields=written_out))
    with pytest.raises(BadInput):
        read_document(chain(length, spreads), limits=Limits(fields=written_out - 1))


@pytest.mark.parametrize("number", ["9" * 21, "-" + "1" * 90_000, "1." + "0" * 30])
def test_numbers_that_nobody_needs_are_refused(number: str) -> None:
    """A number of very many digits is refused before anything reads it, wherever it stands; in a text it is text."""
    for text in (f"{{ a(b: {number}) }}", f"query($x: Int = {number}) {{ a(b: $x) }}"):
        assert refuse(text) == "expected numbers of at most 20 characters, found a longer one"
    assert isinstance(read_document(f'{{ a(b: "{number}", c: 99999999999999999999) }}'), DocumentNode)


def test_introspection_is_asked_for_a_few_times_at_most() -> None:
    """The whole schema is dear to list, so a document lists it a few times at most."""
    listed = " ".join(f"a{place}: __schema {{ types {{ name }} }}" for place in range(6))

    assert "rows" in refuse(f"{{ {listed} }}")
