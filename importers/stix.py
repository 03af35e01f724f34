"""STIX 2.1: bundles (or a single object), read object by object.

Domain objects and observables become records, known by their STIX id;
relationships, sightings and references become links. TLP markings become the
label of what they mark; a property that a granular marking holds stricter than
its object becomes a facet of the record, named for that marking, and leaves
the main one. A marking that cannot be resolved counts as TLP RED. A type that
the ontology has no place for is rejected, the rest kept.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from importers.assembly import Assembler, Found, Item
from importers.delivery import Delivery
from importers.guard import JsonStream, open_bytes
from ontology.errors import InvalidData, InvalidValue, UnusableSource
from ontology.label import TLPS, read_parts
from ontology.rejection import Rejection
from ontology.schema import Ontology
from ontology.values import VALUE_TYPES

# What a first reading remembers; beyond, markings count as unknown and identities as legal entities.
MAX_MARKINGS = 10_000
MAX_IDENTITIES = 100_000
LABEL_PROPERTY = "x_vinculum_label"
# STIX has no birth date or nationality: custom properties may name the ontology's own, as a mapping.
VALUES_PROPERTY = "x_vinculum_properties"

# The marking definitions that the standard and TLP 2.0 fix by id.
_KNOWN_MARKINGS = {
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": "CLEAR",
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": "GREEN",
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": "AMBER",
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": "RED",
    "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487": "CLEAR",
    "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb": "GREEN",
    "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421": "AMBER",
    "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003": "AMBER+STRICT",
    "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1": "RED",
}

_COMMON = {
    "name": "name",
    "description": "description",
    "created": "createdAt",
    "modified": "modifiedAt",
    "confidence": "confidence",
    "labels": "keywords",
    "aliases": "alias",
}
_ACTOR = {**_COMMON, "sectors": "sector", "threat_actor_types": "classification"}
_REPORT = {
    **_COMMON,
    "name": "title",
    "kind": "kind",
    "abstract": "title",
    "content": "bodyText",
    "explanation": "bodyText",
    "authors": "author",
    "published": "publishedAt",
    "pattern": "pattern",
    "valid_from": "validFrom",
    "valid_until": "validUntil",
    "first_observed": "firstSeen",
    "last_observed": "lastSeen",
    "first_seen": "firstSeen",
    "last_seen": "lastSeen",
    "number_observed": "seenCount",
    "report_types": "keywords",
    "indicator_types": "keywords",
    "opinion": "keywords",
}


class Kind(NamedTuple):
    """What a STIX type becomes: a schema, and which of its properties are which of ours."""

    schema: str
    properties: Mapping[str, str]


KINDS = {
    "identity": Kind("Organization", _ACTOR),
    "threat-actor": Kind("Organization", _ACTOR),
    "intrusion-set": Kind("Organization", _ACTOR),
    "location": Kind(
        "Address",
        {
            **_COMMON,
            "latitude": "latitude",
            "longitude": "longitude",
            "country": "country",
            "region": "region",
            "administrative_area": "state",
            "city": "city",
            "street_address": "street",
            "postal_code": "postalCode",
        },
    ),
    **{
        name: Kind("Report", _REPORT)
        for name in (
            "report", "incident", "campaign", "indicator", "observed-data", "note", "opinion", "grouping",
        )
    },
    "attack-pattern": Kind("ModusOperandi", _COMMON),
    "user-account": Kind(
        "UserAccount",
        {
            "account_login": "username",
            "account_type": "service",
            "user_id": "userId",
            "display_name": "displayName",
        },
    ),
    "email-addr": Kind("Email", {"value": "address", "display_name": "displayName"}),
    "email-message": Kind(
        "Message", {"subject": "subject", "body": "bodyText", "date": "sentAt", "message_id": "messageId"}
    ),
    "url": Kind("URL", {"value": "url"}),
    "domain-name": Kind("Domain", {"value": "domain"}),
    "file": Kind("Document", {"name": "fileName", "size": "fileSize", "mime_type": "mimeType"}),
    "artifact": Kind("EvidenceItem", {"url": "sourceUrl"}),
    "cryptocurrency-wallet": Kind("CryptoWallet", {"value": "publicKey", "symbol": "currency", "currency": "currency"}),
    "cryptocurrency-transaction": Kind(
        "Transaction", {"value": "transactionHash", "symbol": "currency", "execution_time": "date"}
    ),
    "bank-account": Kind(
        "BankAccount",
        {"iban": "iban", "bic": "bic", "account_number": "accountNumber", "currency": "currency", "bank": "bankName"},
    ),
    "payment-card": Kind(
        "BankAccount", {"value": "accountNumber", "format": "accountType", "currency": "currency"}
    ),
    "phone-number": Kind("Phone", {"value": "number", "provider": "carrier", "country": "country"}),
}  # fmt: skip


class Reference(NamedTuple):
    """A property that names other objects: which link it is; `is_left` when the named one is its left end."""

    link: str
    is_left: bool = False
    role: str = ""


REFERENCES = {
    "created_by_ref": Reference("UnknownLink", role="created_by"),
    "object_refs": Reference("ReportedIn", is_left=True),
    "belongs_to_ref": Reference("Contact"),
    "holder_ref": Reference("Holder"),
    "issuer_ref": Reference("UnknownLink", role="issuer"),
    "from_ref": Reference("Sender"),
    "sender_ref": Reference("Sender"),
    "to_refs": Reference("Recipient"),
    "cc_refs": Reference("Recipient", role="cc"),
    "country_ref": Reference("HasAddress"),
}
# Relationship types that are links of ours, when their ends fit; every other is an UnknownLink with its type as role.
RELATIONSHIPS = {
    "uses": "Uses",
    "located-at": "HasAddress",
    "sighted-at": "SeenAt",
    "owns": "Ownership",
    "member-of": "Membership",
    "part-of": "Membership",
    "employed-by": "Employment",
    "works-for": "Employment",
    "directs": "Directorship",
    "represents": "Representation",
    "family-of": "Family",
    "associate-of": "Associate",
    "has-account": "HasAccount",
    "involved": "Involved",
    "paid-to": "PaidTo",
}
_LINK_PROPERTIES = {
    "relationship_type": "role",
    "description": "description",
    "start_time": "startDate",
    "stop_time": "endDate",
    "first_seen": "startDate",
    "last_seen": "endDate",
    "created": "createdAt",
    "modified": "modifiedAt",
    "confidence": "confidence",
}
# What is read by itself, and the code of a card, which nobody may keep.
_NOT_VALUES = frozenset(
    {"type", "id", "spec_version", "granular_markings", "object_marking_refs", LABEL_PROPERTY, "security_code",
     "payload_bin", "input", "output", *REFERENCES}
)  # fmt: skip


def read_stix(path: Path, delivery: Delivery) -> Iterator[Item]:
    """Stream a bundle; each object's place in errors is ``objects[3]``.

    It is read twice: markings may be defined after what they mark. Raises
    UnusableSource where the text stops being JSON.
    """
    assembler = Assembler(delivery)
    reader = _ObjectReader(assembler, _read_index(path, delivery.file))
    with open_bytes(path, delivery.file) as stream:
        for where, value in _iter_objects(JsonStream(stream, delivery.file), delivery.file):
            if isinstance(value, InvalidValue):
                yield assembler.reject(where, value.expected, value.found)
            elif not isinstance(value, dict):
                yield assembler.reject(where, "a JSON object", type(value).__name__)
            else:
                yield from reader.read_object(value, where)


class _Index(NamedTuple):
    """What must be known before the first object is read: markings by id, and identities that are persons or not."""

    tlps: dict[str, str]
    statements: dict[str, str]
    identities: dict[str, str]


def _read_index(path: Path, file: str) -> _Index:
    index = _Index(dict(_KNOWN_MARKINGS), {}, {})
    with open_bytes(path, file) as stream:
        try:
            for _, value in _iter_objects(JsonStream(stream, file), file):
                if isinstance(value, dict) and isinstance(value.get("id"), str):
                    _add_to_index(index, value)
        except UnusableSource:
            # The second reading says so, after what is good.
            pass
    return index


def _add_to_index(index: _Index, value: Mapping[str, Any]) -> None:
    key = value["id"]
    if value.get("type") == "marking-definition" and len(index.tlps) + len(index.statements) < MAX_MARKINGS:
        tlp, statement = _read_marking(value)
        if tlp is not None:
            index.tlps.setdefault(key, tlp)
        elif statement is not None:
            index.statements[key] = statement
    elif value.get("type") in ("identity", "threat-actor") and len(index.identities) < MAX_IDENTITIES:
        index.identities[key] = _find_schema(value)


def _read_marking(value: Mapping[str, Any]) -> tuple[str | None, str | None]:
    definition, extensions = value.get("definition"), value.get("extensions")
    said = [definition.get("tlp"), definition.get("statement")] if isinstance(definition, dict) else [None, None]
    for extension in extensions.values() if isinstance(extensions, dict) else ():
        if isinstance(extension, dict) and "tlp_2_0" in extension:
            said[0] = extension["tlp_2_0"]
    tlp = None if said[0] is None else str(said[0]).upper().replace("WHITE", "CLEAR")
    if tlp is not None and tlp not in TLPS:
        tlp = TLPS[-1]
    return tlp, said[1] if isinstance(said[1], str) else None


def _iter_objects(stream: JsonStream, file: str) -> Iterator[tuple[str, Any]]:
    single: dict[str, Any] = {}
    is_bundle = False
    for where, value in stream.iter_members("objects"):
        if where.startswith("objects["):
            is_bundle = True
            yield where, value
        elif isinstance(value, InvalidValue):
            raise UnusableSource(value.expected, value.found, path=f"{file}: {where}")
        else:
            single[where] = value
    if not is_bundle and single.get("type") != "bundle":
        yield "object", single


class _Marking(NamedTuple):
    """How an object is marked: parts said of it as a whole, and stricter TLPs by property."""

    said: Mapping[str, Any]
    stricter: Mapping[str, str]

    def of(self, name: str) -> Mapping[str, Any]:
        """Return what is said of one property."""
        return {**self.said, "tlp": self.stricter[name]} if name in self.stricter else self.said

    def of_all(self) -> Mapping[str, Any]:
        """Return what is said of the object with all of its properties."""
        tlps = [*self.stricter.values(), *([self.said["tlp"]] if "tlp" in self.said else [])]
        return {**self.said, "tlp": max(tlps, key=TLPS.index)} if self.stricter else self.said


class _ObjectReader:
    def __init__(self, assembler: Assembler, index: _Index) -> None:
        self._assembler = assembler
        self._index = index
        self._default_tlp = assembler.delivery.label.tlp

    def read_object(self, value: Mapping[str, Any], where: str) -> Iterator[Item]:
        kind, key = value.get("type"), value.get("id")
        if not isinstance(kind, str) or not isinstance(key, str) or not key.startswith(f"{kind}--"):
            yield self._assembler.reject(f"{where}.id", "a type, and an id that begins with it", "another id")
            return
        if kind in ("marking-definition", "extension-definition", "language-content"):
            return
        try:
            marking = self._read_marking(value)
        except InvalidData as fault:
            yield self._assembler.reject(f"{where}.{fault.path}", fault.expected, fault.found)
            return
        if kind == "relationship":
            yield from self._read_relationship(value, where, marking)
        elif kind == "sighting":
            yield from self._read_sighting(value, where, marking)
        elif kind in KINDS:
            yield from self._read_thing(value, where, marking)
        else:
            yield self._assembler.reject(f"{where}.type", "a type that the ontology has a place for", _name(kind))

    def _read_thing(self, value: Mapping[str, Any], where: str, marking: _Marking) -> Iterator[Item]:
        made = False
        for facet in ("", *sorted(set(marking.stricter.values()), key=TLPS.index)):
            found = [
                part for part in self._describe(value) if marking.stricter.get(part.path.split(".")[0], "") == facet
            ]
            if not any(part.property for part in found) and marking.stricter:
                continue
            said = {**marking.said, "tlp": facet} if facet else marking.said
            record = yield from self._assembler.make_record(
                _find_schema(value), value["id"], found, where=where, said=said, facet=facet.lower()
            )
            made = made or record is not None
        if made:
            yield from self._make_references(value, where, marking)
            yield from self._make_flows(value, where, marking)

    def _describe(self, value: Mapping[str, Any]) -> Iterator[Found]:
        properties = KINDS[value["type"]].properties
        for name, raw in value.items():
            if name in _SPECIAL:
                yield from _SPECIAL[name](value, raw)
            elif name not in _NOT_VALUES:
                yield Found(properties.get(name, ""), name, raw)
        if "kind" in properties:
            yield Found("kind", "type", value["type"])
        for key in _texts(value.get("object_marking_refs")):
            if key in self._index.statements:
                yield Found("", "object_marking_refs", self._index.statements[key])

    def _make_references(self, value: Mapping[str, Any], where: str, marking: _Marking) -> Iterator[Item]:
        for name, reference in REFERENCES.items():
            for other in _texts(value.get(name)):
                if (end := self._schema_of(other)) is None:
                    continue
                left, right = (value["id"], _find_schema(value)), (other, end)
                if reference.is_left:
                    left, right = right, left
                link = _fit(self._assembler.ontology, reference.link, left[1], right[1])
                role = reference.role or (name if link != reference.link else "")
                yield from self._assembler.make_link(
                    link,
                    left[0],
                    right[0],
                    [Found("role", name, role)],
                    key=f"{value['id']}/{name}",
                    where=f"{where}.{name}",
                    said=marking.of(name),
                )

    def _make_flows(self, value: Mapping[str, Any], where: str, marking: _Marking) -> Iterator[Item]:
        if value["type"] != "cryptocurrency-transaction":
            return
        for name, link in (("input", "Spent"), ("output", "ReceivedIn")):
            for index, flow in enumerate(value[name] if isinstance(value.get(name), list) else []):
                wallet = flow.get("address_ref") if isinstance(flow, dict) else None
                if isinstance(wallet, str) and self._schema_of(wallet) == "CryptoWallet":
                    found = [Found("amount", "amount", flow.get("amount")), Found("currency", "", value.get("symbol"))]
                    yield from self._assembler.make_link(
                        link,
                        wallet,
                        value["id"],
                        found,
                        key=f"{value['id']}/{name}/{index}",
                        where=f"{where}.{name}[{index}]",
                        said=marking.of(name),
                    )

    def _read_relationship(self, value: Mapping[str, Any], where: str, marking: _Marking) -> Iterator[Item]:
        ends = []
        for name in ("source_ref", "target_ref"):
            schema = self._schema_of(value.get(name))
            if schema is None:
                yield self._reject_end(value, name, where)
                return
            ends.append(schema)
        wanted = RELATIONSHIPS.get(str(value.get("relationship_type")), "UnknownLink")
        link = _fit(self._assembler.ontology, wanted, ends[0], ends[1])
        found = _describe_link(value)
        if link == wanted != "UnknownLink":
            found = [part for part in found if part.property != "role"]
        yield from self._assembler.make_link(
            link,
            value["source_ref"],
            value["target_ref"],
            found,
            key=value["id"],
            where=where,
            said=marking.of_all(),
        )

    def _read_sighting(self, value: Mapping[str, Any], where: str, marking: _Marking) -> Iterator[Item]:
        seen, said = value.get("sighting_of_ref"), marking.of_all()
        if not isinstance(seen, str) or (seen_schema := self._schema_of(seen)) is None:
            yield self._reject_end(value, "sighting_of_ref", where)
            return
        links = [("ReportedIn", ref) for ref in _texts(value.get("observed_data_refs"))]
        links += [("SeenAt", ref) for ref in _texts(value.get("where_sighted_refs"))]
        if not links:
            yield self._assembler.reject(where, "observed data, or where it was sighted", "neither")
        for wanted, other in links:
            if (schema := self._schema_of(other)) is not None:
                link = _fit(self._assembler.ontology, wanted, seen_schema, schema)
                found = [*_describe_link(value), Found("role", "type", "sighting")]
                key = f"{value['id']}/{other}"
                yield from self._assembler.make_link(link, seen, other, found, key=key, where=where, said=said)

    def _reject_end(self, value: Mapping[str, Any], name: str, where: str) -> Rejection:
        found = _name(str(value.get(name)).split("--")[0])
        return self._assembler.reject(f"{where}.{name}", "a thing that the ontology has a place for", found)

    def _schema_of(self, key: Any) -> str | None:
        """Return the schema of what an id names, as exactly as the id tells, None for what has no place."""
        kind = key.split("--")[0] if isinstance(key, str) else ""
        if kind in ("identity", "threat-actor"):
            return self._index.identities.get(key, "LegalEntity")
        return KINDS[kind].schema if kind in KINDS else None

    def _read_marking(self, value: Mapping[str, Any]) -> _Marking:
        stated = value.get(LABEL_PROPERTY, {})
        if not isinstance(stated, dict):
            raise InvalidData("a mapping of label parts", type(stated).__name__, path=LABEL_PROPERTY)
        said = read_parts(stated, path=LABEL_PROPERTY)
        tlps = [tlp for ref in _texts(value.get("object_marking_refs")) if (tlp := self._tlp_of(ref))]
        if tlps:
            said["tlp"] = max([*tlps, *([said["tlp"]] if "tlp" in said else [])], key=TLPS.index)
        return _Marking(said, self._read_granular(value, said.get("tlp", self._default_tlp)))

    def _read_granular(self, value: Mapping[str, Any], whole: str) -> dict[str, str]:
        stricter: dict[str, str] = {}
        markings = value.get("granular_markings")
        for marking in markings if isinstance(markings, list) else []:
            if not isinstance(marking, dict) or "marking_ref" not in marking:
                continue
            tlp = self._tlp_of(marking["marking_ref"])
            # A selector inside a property marks all of it: stricter than asked, never looser.
            for name in {selector.split(".")[0] for selector in _texts(marking.get("selectors"))} if tlp else ():
                if TLPS.index(str(tlp)) > TLPS.index(stricter.get(name, whole)):
                    stricter[name] = str(tlp)
        return stricter

    def _tlp_of(self, ref: Any) -> str | None:
        """Return the TLP of a marking, None for a statement, RED for what cannot be resolved."""
        if isinstance(ref, str) and ref in self._index.statements:
            return None
        return self._index.tlps.get(ref, TLPS[-1]) if isinstance(ref, str) else TLPS[-1]


def _find_schema(value: Mapping[str, Any]) -> str:
    is_person = value.get("identity_class") == "individual" or (
        value.get("type") == "threat-actor" and value.get("resource_level") == "individual"
    )
    return "Person" if is_person else KINDS[value["type"]].schema


def _fit(ontology: Ontology, link: str, left: str, right: str) -> str:
    """Return this schema of links when both ends fit it, else UnknownLink."""
    schema = ontology[link]
    if schema.left is None or schema.right is None:
        return "UnknownLink"
    fits = ontology.is_a(left, schema.left.schema) and ontology.is_a(right, schema.right.schema)
    return link if fits else "UnknownLink"


def _describe_link(value: Mapping[str, Any]) -> list[Found]:
    return [Found(ours, name, value.get(name)) for name, ours in _LINK_PROPERTIES.items()]


def _find_contact(_: Mapping[str, Any], raw: Any) -> Iterator[Found]:
    for kind in ("email", "phone"):
        if isinstance(raw, str) and _is_clean(kind, raw):
            yield Found(kind, "contact_information", raw)
            return
    yield Found("", "contact_information", raw)


def _find_digests(_: Mapping[str, Any], raw: Any) -> Iterator[Found]:
    # Fuzzy hashes such as SSDEEP tell likeness, not identity.
    exact = raw if isinstance(raw, dict) else {}
    for name, digest in exact.items():
        is_exact = name.upper().replace("-", "") in ("MD5", "SHA1", "SHA256", "SHA512", "SHA3256", "SHA3512")
        yield Found("contentHash" if is_exact else "", f"hashes.{name}", digest)


def _find_phases(_: Mapping[str, Any], raw: Any) -> Iterator[Found]:
    phases = [phase.get("phase_name") for phase in raw if isinstance(phase, dict)] if isinstance(raw, list) else []
    yield Found("step", "kill_chain_phases", [phase for phase in phases if isinstance(phase, str)])


def _find_value(value: Mapping[str, Any], raw: Any) -> Iterator[Found]:
    is_bare = value["type"] == "phone-number" and isinstance(raw, str) and raw.isdigit()
    prop = KINDS[value["type"]].properties.get("value", "")
    # The extension writes numbers with their country code and without the plus sign.
    yield Found(prop, "value", f"+{raw}" if is_bare and not raw.startswith("00") else raw)


def _find_stated(_: Mapping[str, Any], raw: Any) -> Iterator[Found]:
    if not isinstance(raw, dict):
        yield Found("", VALUES_PROPERTY, raw)
        return
    for name, value in raw.items():
        yield Found(name, f"{VALUES_PROPERTY}.{name}", value)


_SPECIAL: Mapping[str, Callable[[Mapping[str, Any], Any], Iterator[Found]]] = {
    "contact_information": _find_contact,
    "hashes": _find_digests,
    "kill_chain_phases": _find_phases,
    "value": _find_value,
    VALUES_PROPERTY: _find_stated,
}


def _is_clean(value_type: str, raw: str) -> bool:
    try:
        VALUE_TYPES[value_type].clean(raw)
    except InvalidValue:
        return False
    return True


def _texts(value: Any) -> Sequence[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _name(kind: str) -> str:
    return kind if len(kind) <= 40 and kind.replace("-", "").isalnum() else "another name"
