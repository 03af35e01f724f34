"""What each importer makes of its format."""

import json
from pathlib import Path
from typing import Any

import pytest

from importers.mentions import find_mentions
from ontology.record import make_thing
from tests.importers.samples import (
    AMBER,
    BITCOIN,
    ENTITIES,
    ETHEREUM,
    GROUP,
    MAPPING,
    PERSON,
    RED,
    SAMPLES,
    STIX,
    TABLE,
    TAGPACK,
    WALLET,
    links,
    make_lines,
    make_warc,
    read,
    records,
    rejections,
)  # fmt: skip


def _thing(key: str) -> str:
    return make_thing("harbour", key)


def test_a_page_is_read_with_what_it_mentions(tmp_path: Path) -> None:
    """A response becomes a page, its contacts records, and its job posting an advertisement."""
    items = read(tmp_path, SAMPLES["warc"])
    page = records(items, "HyperText")[0]

    assert page.source_key == "https://harvest.example/jobs 2026-02-03T04:05:06+00:00"
    assert page.properties["title"] == ("Farm work abroad",)
    assert page.properties["language"] == ("en",)
    assert page.properties["retrievedAt"] == ("2026-02-03T04:05:06Z",)
    assert "color" not in page.properties["bodyText"][0]
    assert records(items, "Phone")[0].properties == {"number": ("+40721234567",)}
    assert records(items, "CryptoWallet")[0].properties == {"publicKey": (BITCOIN,)}
    assert records(items, "UserAccount")[0].properties == {"username": ("harvest_boss",), "service": ("telegram",)}
    assert records(items, "Advertisement")[0].properties["title"] == ("Fruit picker",)
    assert records(items, "Email")[0].properties == {"address": ("jobs@harvest.example",)}
    assert {link.left for link in links(items, "FoundOn")} == {records(items, "Advertisement")[0].thing}


def test_pages_in_other_charsets_are_decoded(tmp_path: Path) -> None:
    """The page's own word on its charset counts when the server says none."""
    body = '<html><head><meta charset="windows-1251"><title>Работа</title></head></html>'.encode("windows-1251")
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + body
    head = make_warc("").split(b"Content-Length")[0] + f"Content-Length: {len(http)}\r\n\r\n".encode()
    items = read(tmp_path, head + http + b"\r\n\r\n")

    assert records(items, "HyperText")[0].properties["title"] == ("Работа",)


@pytest.mark.parametrize(
    ("text", "kind", "keys"),
    [
        ("Call +44 20 7946 0958 or 0040 721 234 567.", "phone", ["Phone/+442079460958", "Phone/+40721234567"]),
        ("Order 12345678901, call 0721 234 567", "phone", []),
        ("https://wa.me/40721234567", "phone", ["Phone/+40721234567"]),
        ("Mail a.b+c@Harvest.example now", "email", ["Email/a.b+c@harvest.example"]),
        (f"pay {BITCOIN}, or {ETHEREUM}.", "wallet", [f"CryptoWallet/{BITCOIN}", f"CryptoWallet/{ETHEREUM}"]),
        (f"pay {BITCOIN}x", "wallet", []),
        ("t.me/Harvest_Boss and Telegram: @other_boss", "account", ["UserAccount/telegram/harvest_boss", "UserAccount/telegram/other_boss"]),
        ("t.me/joinchat/abcdef", "account", []),
        ("see https://harvest.example/a).", "url", ["URL/https://harvest.example/a"]),
    ],
)  # fmt: skip
def test_mentions_are_what_they_look_like(text: str, kind: str, keys: list[str]) -> None:
    """Each kind is found by its form and kept when it cleans."""
    found = [mention.key for mention in find_mentions(text, [kind])]

    assert [key.lower() for key in found] == [key.lower() for key in keys]


def test_tags_inherit_from_the_header(tmp_path: Path) -> None:
    """A tag says what its header says unless it says otherwise; an actor is one record."""
    items = read(tmp_path, TAGPACK)
    first, second = records(items, "CryptoWallet")

    assert first.properties["publicKey"] == (BITCOIN,)
    assert (first.properties["currency"], second.properties["currency"]) == (("BTC",), ("ETH",))
    assert second.properties["tagLabel"] == ("Grey Market",)
    assert second.properties["confidence"] == ("web_crawl",)
    assert [record.properties["name"] for record in records(items, "Organization")] == [("greymarket",)]
    assert [link.left for link in links(items, "Holder")] == [first.thing, second.thing]
    assert records(items, "Transaction")[0].properties["transactionHash"] == ("ab" * 32,)


def test_the_header_may_follow_the_tags(tmp_path: Path) -> None:
    """The order of keys in a pack changes no record."""
    header, tags = TAGPACK.split("tags:\n")
    turned = read(tmp_path, f"tags:\n{tags}{header}")
    flow = read(tmp_path, f"title: T\ntags: [{{address: {BITCOIN}}}]\n{{}}: x\n".replace("{}: x\n", "currency: BTC\n"))

    assert {r.id for r in records(turned)} == {r.id for r in records(read(tmp_path, TAGPACK))}
    assert records(flow)[0].properties["currency"] == ("BTC",)


def test_each_tag_of_an_address_is_a_record(tmp_path: Path) -> None:
    """Two tags on one address are two assertions, in whatever order they stand."""
    tags = f"- {{address: {BITCOIN}, label: One}}\n- {{address: {BITCOIN}, label: Two}}\n"
    items = read(tmp_path, f"title: T\ncreator: C\ntags:\n{tags}")

    assert len({record.thing for record in records(items)}) == 2


def test_a_public_pack_is_tlp_clear(tmp_path: Path) -> None:
    """is_public is the pack's own marking."""
    public = records(read(tmp_path, f"is_public: true\n{TAGPACK}"))

    assert {record.label.tlp for record in public} == {"CLEAR"}
    assert {record.label.tlp for record in records(read(tmp_path, TAGPACK))} == {"GREEN"}


def test_a_marked_property_becomes_a_facet(tmp_path: Path) -> None:
    """What a granular marking holds stricter leaves the main record for a facet of the same thing."""
    items = read(tmp_path, SAMPLES["stix"])
    main, facet = records(items, "Person")

    assert (main.thing, main.facet, main.label.tlp) == (_thing(PERSON), "", "AMBER")
    assert (facet.thing, facet.facet, facet.label.tlp) == (_thing(PERSON), "red", "RED")
    assert "email" not in main.properties
    assert facet.properties == {"email": ("mara@harvest.example",)}
    assert "contact_information" not in main.extra


def test_relationships_become_the_link_that_fits(tmp_path: Path) -> None:
    """A relationship before its ends is read; one that fits no link of ours keeps its type as role."""
    bundle = json.loads(json.dumps(STIX))
    bundle["objects"][0]["relationship_type"] = "employed-by"
    bundle["objects"].append(bundle["objects"][0] | {"relationship_type": "admires"})
    bundle["objects"].append(bundle["objects"][0] | {"relationship_type": "family-of"})
    items = read(tmp_path, json.dumps(bundle))

    membership = links(read(tmp_path, SAMPLES["stix"]), "Membership")[0]
    assert (membership.left, membership.right, membership.label.tlp) == (_thing(PERSON), _thing(GROUP), "AMBER")
    assert len(links(items, "Employment")) == 1
    assert [link.properties["role"] for link in links(items, "UnknownLink")] == [("admires",), ("family-of",)]
    assert [(link.left, link.right) for link in links(items, "Holder")] == [(_thing(WALLET), _thing(GROUP))]


@pytest.mark.parametrize(
    ("marking", "tlp"),
    [
        ({"definition_type": "tlp", "definition": {"tlp": "white"}}, "CLEAR"),
        ({"extensions": {"extension-definition--1": {"extension_type": "property-extension", "tlp_2_0": "amber+strict"}}}, "AMBER+STRICT"),
        ({"definition_type": "statement", "definition": {"statement": "Copyright"}}, "GREEN"),
        ({"definition_type": "tlp", "definition": {"tlp": "mauve"}}, "RED"),
        (None, "RED"),
    ],
)  # fmt: skip
def test_markings_become_labels(tmp_path: Path, marking: dict[str, Any] | None, tlp: str) -> None:
    """Definitions are read wherever they stand; an unknown one counts as the strictest."""
    key = "marking-definition--00000000-0000-4000-8000-0000000000aa"
    person = {"type": "identity", "id": GROUP, "name": "Harvest", "object_marking_refs": [key]}
    definition = [{"type": "marking-definition", "id": key, **marking}] if marking else []
    items = read(tmp_path, json.dumps({"type": "bundle", "id": "bundle--1", "objects": [person, *definition]}))

    assert records(items)[0].label.tlp == tlp


def test_a_stated_label_is_honoured(tmp_path: Path) -> None:
    """x_vinculum_label gives any part; the stricter of two TLPs counts, and a wrong part leaves the object out."""
    person = {"type": "identity", "id": GROUP, "name": "Harvest", "object_marking_refs": [AMBER]}
    stated = person | {"x_vinculum_label": {"tlp": "CLEAR", "cases": ["C-7"], "category": "suspect"}}
    wrong = person | {"x_vinculum_label": {"category": "nobody"}}
    items = read(tmp_path, json.dumps({"type": "bundle", "id": "bundle--1", "objects": [stated, wrong]}))

    label = records(items)[0].label
    assert (label.tlp, label.cases, label.category) == ("AMBER", ("C-7",), "suspect")
    assert [r.where for r in rejections(items)] == ["objects[1].x_vinculum_label.category"]


def test_stated_properties_are_the_ontology_s_own(tmp_path: Path) -> None:
    """x_vinculum_properties carries what STIX has no word for; a name that the schema lacks is kept as unplaced."""
    stated = {"birthDate": "1990-02-03", "nationality": ["ro"], "shoeSize": "38"}
    person = {"type": "identity", "id": GROUP, "name": "Ada", "identity_class": "individual"}
    bundle = {"type": "bundle", "id": "bundle--1", "objects": [person | {"x_vinculum_properties": stated}]}

    [record] = records(read(tmp_path, json.dumps(bundle)))
    assert (record.properties["birthDate"], record.properties["nationality"]) == (("1990-02-03",), ("ro",))
    assert record.extra["x_vinculum_properties.shoeSize"] == "38"


def test_a_granular_marking_raises_its_reference(tmp_path: Path) -> None:
    """A link made of a marked property carries that marking."""
    wallet = STIX["objects"][3] | {"granular_markings": [{"marking_ref": RED, "selectors": ["holder_ref"]}]}
    items = read(tmp_path, json.dumps(STIX | {"objects": [STIX["objects"][2], wallet]}))

    assert [link.label.tlp for link in links(items, "Holder")] == ["RED"]
    assert [record.label.tlp for record in records(items, "CryptoWallet")] == ["GREEN"]


def test_a_card_loses_its_code(tmp_path: Path) -> None:
    """The security code of a payment card is kept nowhere."""
    card = {
        "type": "payment-card",
        "spec_version": "2.1",
        "id": "payment-card--1",
        "value": "4242424242424242",
        "security_code": "987",
    }
    items = read(tmp_path, json.dumps(card))

    assert records(items)[0].schema == "BankAccount"
    assert "987" not in str(records(items)[0])


def test_entities_become_records_and_links(tmp_path: Path) -> None:
    """Things, the addresses that they name, and edges; a schema that we lack is taken as a wider one."""
    items = read(tmp_path, make_lines(ENTITIES))

    assert [record.schema for record in records(items)] == ["Person", "Address", "Organization"]
    assert records(items, "Organization")[0].extra == {"datasets": ["made_up"], "schema": "PublicBody"}
    assert [(link.left, link.right) for link in links(items, "HasAddress")] == [(_thing("p1"), _thing("a1"))]
    directorship = links(items, "Directorship")[0]
    assert (directorship.left, directorship.right) == (_thing("p1"), _thing("c1"))
    assert directorship.properties == {"role": ("head",)}


def test_nested_entities_are_unfolded(tmp_path: Path) -> None:
    """An entity inside a property is read as if it stood on a line of its own."""
    nested = {"id": "p1", "schema": "Person", "properties": {"name": ["Mara Invented"], "addressEntity": [ENTITIES[1]]}}
    flat = read(tmp_path, make_lines(ENTITIES[:2]))

    unfolded = records(read(tmp_path, make_lines([nested])))

    assert {(r.thing, str(r.properties)) for r in unfolded} == {(r.thing, str(r.properties)) for r in records(flat)}


def test_payments_between_accounts_are_kept(tmp_path: Path) -> None:
    """A payment that names accounts and no payer still joins its two ends."""
    payment = {
        "id": "x",
        "schema": "Payment",
        "properties": {"payerAccount": ["b1"], "beneficiary": ["p1"], "amount": ["12.50"]},
    }
    link = links(read(tmp_path, make_lines([*ENTITIES, payment])), "PaidTo")[0]

    assert (link.left, link.right) == (_thing("b1"), _thing("p1"))
    assert link.properties["amount"] == ("12.50",) or link.properties["amount"] == ("12.5",)


def test_rows_become_what_the_mapping_says(tmp_path: Path) -> None:
    """Entities, links between them, dates of another form; what nothing uses is kept aside."""
    items = read(tmp_path, TABLE, MAPPING)
    mara, ion = records(items, "Person")

    assert mara.properties == {"name": ("Mara Invented",), "birthDate": ("1990-02-03",)}
    assert ion.properties["birthDate"] == ("1988-05-06",)
    assert (mara.extra, ion.extra) == ({"note": "seen twice"}, {})
    assert [(link.left, link.right) for link in links(items)] == [(_thing("Phone/+40 721 234 567"), mara.thing)]
    assert links(items)[0].properties == {"role": ("own",)}


def test_dotted_paths_lists_and_labels(tmp_path: Path) -> None:
    """JSON lines are read by path, lists give several values, and a column may say the label."""
    mapping = {
        "format": "jsonl",
        "entities": {
            "ad": {
                "schema": "Advertisement",
                "keys": ["ad.id"],
                "key_literal": "board",
                "properties": {
                    "title": {"column": "ad.title"},
                    "keywords": {"columns": ["ad.tags.name", "more"], "split": ";"},
                    "bodyText": {"columns": ["ad.title", "ad.text"], "join": "\n", "extract": ["phone"]},
                },
                "label": {"category": "none"},
                "label_columns": {"tlp": "tlp", "cases": "cases"},
            }
        },
    }
    row = {
        "ad": {"id": 5, "title": "Work", "text": "call +40 721 234 567", "tags": [{"name": "farm"}, {"name": "south"}], "views": 9},
        "more": "north;east",
        "tlp": "amber",
        "cases": "C-1; C-2",
    }  # fmt: skip
    items = read(tmp_path, json.dumps(row) + "\n", mapping)
    record = records(items, "Advertisement")[0]

    assert record.source_key == "board/5"
    assert record.properties["keywords"] == ("farm", "south", "north", "east")
    assert record.properties["bodyText"] == ("Work\ncall +40 721 234 567",)
    assert (record.label.tlp, record.label.cases, record.label.category) == ("AMBER", ("C-1", "C-2"), "none")
    assert record.extra == {"ad.views": 9}
    assert records(items, "Phone")[0].label.tlp == "AMBER"
    assert len(links(items, "Mentions")) == 1


def test_schema_labels_stand_between_delivery_and_source(tmp_path: Path) -> None:
    """The nearest ancestor's parts count, under what the source itself says."""
    parts = {"Thing": {"category": "witness"}, "LegalEntity": {"category": "suspect"}, "Address": {"tlp": "RED"}}
    items = read(tmp_path, make_lines(ENTITIES), schema_labels=parts)

    assert [(r.label.category, r.label.tlp) for r in records(items)] == [
        ("suspect", "GREEN"), ("other", "RED"), ("suspect", "GREEN"),
    ]  # fmt: skip


def test_a_value_that_does_not_clean_is_left_out_alone(tmp_path: Path) -> None:
    """The record stays without it, and the rejection says where it stood."""
    entity = {"id": "p9", "schema": "Person", "properties": {"name": ["Mara"], "birthDate": ["soon"]}}
    items = read(tmp_path, make_lines([entity]))

    assert records(items)[0].properties == {"name": ("Mara",)}
    assert [r.where for r in rejections(items)] == ["line 1.properties.birthDate"]


def test_three_payments_are_three_links(tmp_path: Path) -> None:
    """Payments between the same two people are told apart by their own ids, and keep them."""
    payments = [
        {"id": f"pay{n}", "schema": "Payment", "properties": {"payer": ["p1"], "beneficiary": ["p2"]}}
        for n in (1, 2, 3)
    ]
    people = [{"id": key, "schema": "Person", "properties": {"name": [f"Mara {key}"]}} for key in ("p1", "p2")]
    first, second = (links(read(tmp_path, make_lines([*people, *payments]))) for _ in range(2))

    assert [link.source_key for link in first] == ["pay1", "pay2", "pay3"]
    assert [link.id for link in first] == [link.id for link in second]


def test_references_are_named_by_object_and_property(tmp_path: Path) -> None:
    """A link that a property makes is known by what holds it."""
    [address] = links(read(tmp_path, make_lines(ENTITIES)), "HasAddress")
    stix = links(read(tmp_path, json.dumps(STIX)))

    assert address.source_key == "p1/addressEntity"
    assert [link.source_key for link in stix] == [STIX["objects"][0]["id"], f"{WALLET}/holder_ref"]


def test_flows_of_a_transaction_are_told_apart(tmp_path: Path) -> None:
    """Two outputs to one wallet are two links; what was sighted in two places is too."""
    flows = [{"address_ref": WALLET, "amount": "1"}, {"address_ref": WALLET, "amount": "1"}]
    transaction: dict[str, Any] = {
        "type": "cryptocurrency-transaction",
        "id": "cryptocurrency-transaction--1",
        "symbol": "BTC",
    }
    transaction |= {"value": "ab" * 32, "output": flows}
    sighting: dict[str, Any] = {"type": "sighting", "id": "sighting--1", "sighting_of_ref": PERSON}
    sighting |= {"where_sighted_refs": ["location--1", "location--2"]}
    made = links(read(tmp_path, json.dumps(STIX | {"objects": [*STIX["objects"], transaction, sighting]})))

    assert [link.source_key for link in made[2:]] == [
        "cryptocurrency-transaction--1/output/0", "cryptocurrency-transaction--1/output/1",
        "sighting--1/location--1", "sighting--1/location--2",
    ]  # fmt: skip


_PAID = """id,payer,payee,amount
1,Mara,Ion,5
2,Mara,Ion,5.0
3,Mara,Ion,7
3,Mara,Ion,8
"""


@pytest.mark.parametrize(("keys", "known"), [(["id"], [0, 1, 2, 2]), ([], [0, 1, 2, 3])])
def test_rows_between_the_same_ends(tmp_path: Path, keys: list[str], known: list[int]) -> None:
    """A link of a row is known by its keys, or else is the row's own: amounts are not for everybody to compare."""
    sides = {
        side: {"schema": "Person", "keys": [side], "properties": {"name": {"column": side}}}
        for side in ("payer", "payee")
    }
    link = {"schema": "Payment", "left": "payer", "right": "payee", "properties": {"amount": {"column": "amount"}}}
    made = links(read(tmp_path, _PAID, {"entities": sides, "links": [link | {"keys": keys}]}))

    assert len(made) == 4
    assert [[link.source_key for link in made].index(link.source_key) for link in made] == known


def test_what_others_rows_say_names_no_link(tmp_path: Path) -> None:
    """A row under another label, or another amount in a row, leaves the names of links as they are."""
    person = {"schema": "Person", "keys": ["payer"], "properties": {"name": {"column": "payer"}}}
    sides = {"payer": person | {"label_columns": {"tlp": "tlp"}}, "payee": person}
    link = {"schema": "Payment", "left": "payer", "right": "payee", "properties": {"amount": {"column": "amount"}}}
    table = "payer,amount,tlp\nMara,{},RED\nMara,7,GREEN\nMara,8,GREEN\n"

    names = [
        [found.source_key for found in links(read(tmp_path, text, {"entities": sides, "links": [link]}))][-2:]
        for text in (table.format(1), table.format(7), table.format(1).replace("Mara,1,RED\n", ""))
    ]

    assert names[0] == names[1] == names[2]
    assert len(set(names[0])) == 2


def test_a_row_without_the_key_of_its_link_is_said(tmp_path: Path) -> None:
    """The entities stay, the link is a rejection, and an unknown column of keys stops the file."""
    mapping = MAPPING | {"links": [MAPPING["links"][0] | {"keys": ["note"]}]}
    items = read(tmp_path, TABLE.replace("seen twice", ""), mapping)

    assert (len(records(items, "Person")), links(items)) == (2, [])
    assert [(r.where, r.expected) for r in rejections(items)] == [("line 2", "a value in each of note")]


def test_the_same_mention_is_the_same_link(tmp_path: Path) -> None:
    """What a page mentions is named by page and place, so that two crawls of two pages never mix."""
    made = links(read(tmp_path, SAMPLES["warc"]), "Mentions")
    page = "https://harvest.example/jobs 2026-02-03T04:05:06+00:00"

    assert f"{page}/text/Phone/0" in {link.source_key for link in made}
    assert len({link.source_key for link in made}) == len(made)


def test_two_texts_name_two_things(tmp_path: Path) -> None:
    """Equal numbers in two texts are two records of two things: that they are one is for who may compare them."""
    properties = {"title": {"column": "id"}, "bodyText": {"column": "text", "extract": ["phone"]}}
    entity = {"schema": "Advertisement", "keys": ["id"], "properties": properties}
    rows = "id,text\n1,call {}\n2,call +40721234567\n"

    same, other = (
        records(read(tmp_path, rows.format(number), {"entities": {"ad": entity}}), "Phone")
        for number in ("+40721234567", "+40721234568")
    )

    assert [record.thing for record in same] == [record.thing for record in other]
    assert len({record.thing for record in same}) == 2
