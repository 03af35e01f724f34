"""The ontology that ships, and what its loader says of faulty files."""

from pathlib import Path

import pytest

from ontology.errors import SchemaError
from ontology.schema import RESERVED, Property, Schema, default_ontology, load_ontology

THINGS = {
    "Person", "Organization", "Company", "UserAccount", "OnlineService", "Advertisement", "HyperText",
    "Message", "Call", "Document", "Image", "Mention", "Phone", "Email", "URL", "Domain", "CryptoWallet",
    "Transaction", "BankAccount", "Identification", "Passport", "Address", "Vehicle", "Trip", "Event",
    "ModusOperandi", "Case", "Report", "EvidenceItem",
}  # fmt: skip
LINKS = {
    "Ownership", "Directorship", "Employment", "Membership", "Family", "Associate", "Representation",
    "UnknownLink", "Payment", "PostedOn", "PaidTo", "SeenAt", "HasRole", "PartOfCase", "HasAddress",
    "HasAccount", "Holder", "Contact", "Sender", "Recipient", "Caller", "Receiver", "Pictured", "Mentions",
    "FoundOn", "TravelledOn", "Involved", "EvidenceOf", "Uses",
}  # fmt: skip
FIELD_CLASSES = {
    "identity", "contact", "address", "shelter", "birth_date", "special", "profile", "advert", "place", "notes",
    "event_time", "registry", "amount", "technical",
}  # fmt: skip
STANDARDS = {
    "ftm", "uco-core", "uco-identity", "uco-observable", "uco-location", "uco-role", "uco-victim", "uco-action",
    "case-investigation", "htcds", "gs", "stix", "misp", "schema",
}  # fmt: skip
KEYS = {
    "Phone": ("number",),
    "Email": ("address",),
    "URL": ("url",),
    "Domain": ("domain",),
    "CryptoWallet": ("publicKey",),
    "UserAccount": ("service", "username"),
    "BankAccount": ("iban",),
    "Identification": ("type", "number", "country"),
    "Passport": ("number", "country"),
    "Vehicle": ("registrationNumber", "country"),
    "Image": ("contentHash",),
    "Transaction": ("transactionHash",),
    "OnlineService": ("domain",),
}
THING = "name: Thing\nlabel: Thing\ndescription: Anything.\n"
LINK = "name: Link\nlabel: Link\ndescription: Any link.\nabstract: true\n"


def test_the_default_ontology_has_every_promised_thing() -> None:
    """Each type of thing is there, is concrete and descends from Thing."""
    ontology = default_ontology()

    assert {schema.name for schema in ontology.things()} >= THINGS
    assert all(ontology.is_a(schema.name, "Thing") for schema in ontology.things())


def test_the_default_ontology_has_every_promised_link() -> None:
    """Each type of link is there, with two ends that read as phrases."""
    ontology = default_ontology()

    assert {schema.name for schema in ontology.links()} >= LINKS
    for schema in ontology.links():
        assert ontology.is_a(schema.name, "Link")
        for end in (schema.left, schema.right):
            assert end is not None
            assert ontology.is_a(end.schema, "Thing")
            assert end.label


def test_every_schema_and_property_names_its_terms() -> None:
    """A term is that of a known standard; a property belongs to one known field class."""
    for schema in default_ontology().values():
        everything: list[Schema | Property] = [schema, *schema.properties.values()]
        for described in everything:
            assert described.terms, f"{schema.name}.{described.name}"
            assert {term.partition(":")[0] for term in described.terms} <= STANDARDS
            assert described.description.endswith(".")
            assert described.label
        assert {p.field_class for p in schema.properties.values()} <= FIELD_CLASSES
        assert not RESERVED & set(schema.properties)


def test_only_strong_identifiers_are_keys() -> None:
    """People and organisations have no key: statistics decide on them."""
    ontology = default_ontology()

    assert {schema.name: schema.key for schema in ontology.values() if schema.key} == KEYS
    assert {schema.name: schema.model for schema in ontology.values() if schema.model} == {
        "Address": "address",
        "Person": "person",
        "Organization": "organization",
        "Company": "organization",
    }


def test_names_of_people_are_protected_and_of_organisations_registered() -> None:
    """One property has the class that fits whose it is."""
    ontology = default_ontology()

    assert ontology["Person"].properties["name"].field_class == "identity"
    for name in ("Organization", "Company", "OnlineService"):
        assert ontology[name].properties["name"].field_class == "registry"
    assert ontology["Person"].properties["shelterAddress"].field_class == "shelter"


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("A", "extends: [Nobody]", r"A\.yaml: extends: unknown parent Nobody"),
        ("A", "extends: [A]", r"A\.yaml: extends: A is its own ancestor"),
        ("A", "colour: red", r"A\.yaml: colour: unknown key"),
        ("A", "key: [x]", r"A\.yaml: key: no property x"),
        ("A", "caption: [x]", r"A\.yaml: caption: no property x"),
        ("A", "left: {schema: Thing, label: has}", r"A\.yaml: left, right: a link needs two ends, found one"),
        ("A", "extends: [Link]", r"A\.yaml: left, right: a link needs two ends, found none"),
        (
            "A",
            "left: {schema: Nobody, label: has}\nright: {schema: Thing, label: of}",
            r"A\.yaml: left\.schema: unknown schema Nobody",
        ),
        ("A", "left: {schema: Thing}\nright: {schema: Thing, label: of}", r"A\.yaml: left: expected the keys"),
        ("A", "properties: {x: {type: nonsense, class: notes, description: X.}}", r"properties\.x\.type: unknown"),
        ("A", "properties: {x: {type: name, description: X.}}", r"A\.yaml: properties\.x\.class: expected text"),
        ("A", "properties: {x: {type: name, class: notes, description: X., y: 1}}", r"properties\.x\.y: unknown key"),
        ("A", "properties: {id: {type: name, class: notes, description: X.}}", r"A\.yaml: properties\.id: the name is"),
        ("A", "properties: {x: name}", r"A\.yaml: properties\.x: expected a mapping, found str"),
        ("A", "properties: {x: [", r"A\.yaml: expected YAML, found a syntax error"),
    ],
)
def test_a_faulty_schema_is_named_with_its_key(tmp_path: Path, file: str, text: str, message: str) -> None:
    """The error says which file and which key to mend."""
    _write(tmp_path, "Thing", THING)
    _write(tmp_path, "Link", LINK)
    _write(tmp_path, file, f"name: {file}\nlabel: A\ndescription: A thing.\n{text}\n")

    with pytest.raises(SchemaError, match=message):
        load_ontology(tmp_path)


def test_a_cycle_of_parents_is_named(tmp_path: Path) -> None:
    """Two schemata that descend from each other are refused."""
    _write(tmp_path, "A", "name: A\nlabel: A\ndescription: A thing.\nextends: [B]\n")
    _write(tmp_path, "B", "name: B\nlabel: B\ndescription: A thing.\nextends: [A]\n")

    with pytest.raises(SchemaError, match=r"[AB]\.yaml: extends: [AB] is its own ancestor"):
        load_ontology(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a list", r"A\.yaml: expected a mapping, found list"),
        ("name: B\nlabel: B\ndescription: B.", r"A\.yaml: name: expected A, found B"),
        ("name: A\ndescription: A.", r"A\.yaml: label: expected text, found NoneType"),
    ],
)
def test_a_file_that_is_no_schema_is_named(tmp_path: Path, text: str, message: str) -> None:
    """A list, a wrong name or a missing label is reported with its file."""
    _write(tmp_path, "A", text)

    with pytest.raises(SchemaError, match=message):
        load_ontology(tmp_path)


def test_the_nearest_ancestor_says_what_a_property_is(tmp_path: Path) -> None:
    """A child may say again what it inherits, and shares everything else."""
    _write(tmp_path, "Thing", THING + "properties: {x: {type: name, class: identity, description: X.}}\n")
    _write(
        tmp_path,
        "A",
        "name: A\nlabel: A\ndescription: A thing.\nextends: [Thing]\nproperties: "
        "{x: {type: code, class: registry, description: Another X.}}\n",
    )

    ontology = load_ontology(tmp_path)

    assert ontology["A"].lineage == ("A", "Thing")
    assert ontology["A"].properties["x"].field_class == "registry"
    assert ontology["Thing"].properties["x"].type.name == "name"


def _write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
