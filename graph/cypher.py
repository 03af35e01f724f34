"""Every Cypher text of Vinculum, and nothing else.

A text that reads content bounds every node and relationship variable of its
pattern by the labels allowed and by the moment; where `lid` is missing, the
comparison is null and the thing stays hidden. A link shows where each of its
things has a record that does, be it another than the one that it hangs on. Names of schemata are put in
quoted, all other values are parameters. What is read comes as maps, never as
nodes or relationships.
"""

from collections.abc import Iterable, Mapping

from ontology.errors import SchemaError
from ontology.schema import Ontology, Schema

# Labels and types of the store's own; no schema may be called so.
OWN_NAMES = frozenset(
    {
        "Record",
        "Label",
        "Source",
        "Capture",
        "Judgement",
        "Relabelling",
        "Consent",
        "Observer",
        "Watch",
        "Alert",
        "Meta",
        "SAME_AS",
    }
)

# The key of every kind of node, unique.
NODE_KEYS: Mapping[str, str] = {
    "Record": "id",
    "Label": "lid",
    "Source": "name",
    "Capture": "sha256",
    "Judgement": "id",
    "Relabelling": "id",
    "Consent": "id",
    "Observer": "name",
    "Watch": "id",
    "Alert": "id",
    "Meta": "name",
}
_NODE_INDEXES = (
    ("Record", "thing"),
    ("Record", "key"),
    ("Record", "lid"),
    ("Judgement", "left"),
    ("Judgement", "right"),
    ("Alert", "observer"),
    ("Watch", "observer"),
)

PING = "RETURN 1 AS found"
READ_META = "MATCH (m:Meta {name: 'store'}) RETURN properties(m) AS found"
WRITE_META = "MERGE (m:Meta {name: 'store'}) SET m.format = $format, m.prepared = $prepared"
# A change of rights takes this node first, so that two of them come one after the other.
LOCK_META = "MERGE (m:Meta {name: 'store'}) SET m.name = 'store'"
EPOCH = "MATCH (m:Meta {name: 'store'}) RETURN coalesce(m.epoch, 0) AS found"
RAISE_EPOCH = "MATCH (m:Meta {name: 'store'}) SET m.epoch = coalesce(m.epoch, 0) + 1"
KEEP_POLICY = "MATCH (m:Meta {name: 'store'}) SET m.policy = $digest"
AWAIT_INDEXES = "CALL db.awaitIndexes(600)"


def _visible(*names: str) -> str:
    # Beside the pattern rather than within it: the embedded engine reads every
    # relationship for a condition inside its brackets (40 times slower).
    return " AND ".join(f"{name}.lid IN $allowed AND {name}.recorded_at <= $as_of" for name in names)


def _judged(name: str) -> str:
    return f"all(lid IN {name}.grounds WHERE lid IN $allowed) AND {name}.recorded_at <= $as_of"


# One row of many maps: a tenth of the client's work for as many rows.
_RECORDS = "RETURN collect(properties(n)) AS found"
_OF_SCHEMATA = "(size($schemata) = 0 OR n.schema IN $schemata)"


def _records_by(key: str) -> str:
    # Unwound values are looked up one by one; the embedded engine compares a list with itself instead.
    return f"UNWIND $values AS value MATCH (n:Record {{{key}: value}}) WHERE {_visible('n')} {_RECORDS}"


RECORDS_BY_ID = _records_by("id")
RECORDS_BY_THING = _records_by("thing")
RECORDS_BY_KEY = _records_by("key")
# By label first, so that no text is looked at that is hidden, nor time spent on it; then the longest word by itself,
# which is quicker than a list.
RECORDS_BY_WORDS = (
    "UNWIND $allowed AS lid MATCH (n:Record {lid: lid}) WHERE n.text CONTAINS $longest "
    f"AND all(word IN $words WHERE n.text CONTAINS word) AND {_visible('n')} AND {_OF_SCHEMATA} {_RECORDS}"
)
# In a second step, or the embedded engine goes through all that is visible by its label for every range.
RECORDS_IN_RANGE = (
    f"MATCH (n:Record) WHERE n.id >= $low AND n.id < $high WITH n WHERE {_visible('n')} AND {_OF_SCHEMATA} {_RECORDS}"
)
# As columns, since all records are asked for. What is null would be left out of its column.
OUTLINES_IN_RANGE = (
    f"MATCH (n:Record) WHERE n.id >= $low AND n.id < $high WITH n WHERE {_visible('n')} "
    "RETURN [collect(n.id), collect(n.thing), collect(n.facet), collect(n.schema), collect(n.lid), "
    "collect(coalesce(n.key, '')), collect(n.recorded_at), collect(n.sequence), collect(n.capture)] AS found"
)
# Sizes the ranges; nobody is told.
COUNT_RECORDS = "MATCH (n:Record) RETURN count(n) AS found"

# All that may join some things with others, in one question. What matches nothing would leave nothing, so matches are
# optional, and a list is unwound with an empty key beside it, which nothing has. What is carried on is compared for
# every row that follows, so the records, which are long, come late. Labels hold no content.
_AROUND = (
    f"UNWIND things AS value OPTIONAL MATCH (n:Record {{thing: value}}) WHERE {_visible('n')} "
    "WITH things, collect(DISTINCT "
    "CASE WHEN any(place IN $keyed WHERE n.schema IN place.schemata AND n.lid IN place.lids) THEN n.key END) AS keys "
    f"UNWIND keys + [''] AS key OPTIONAL MATCH (k:Record {{key: key}}) WHERE {_visible('k')} "
    "WITH things, collect({key: key, thing: k.thing}) AS keyed "
    f"UNWIND things AS value OPTIONAL MATCH (j:Judgement {{left: value}}) WHERE {_judged('j')} "
    "WITH things, keyed, collect(properties(j)) AS lefts "
    f"UNWIND things AS value OPTIONAL MATCH (j:Judgement {{right: value}}) WHERE {_judged('j')} "
    "WITH things, keyed, lefts, collect(properties(j)) AS rights "
    f"UNWIND things AS value OPTIONAL MATCH (n:Record {{thing: value}}) WHERE {_visible('n')} "
    "WITH things, keyed, lefts, rights, collect({record: properties(n), pairs: [(n)-[r:SAME_AS]-(m:Record) "
    f"WHERE {_visible('m')} AND r.recorded_at <= $as_of | {{other: m.thing, pair: properties(r)}}]}}) AS records "
)
_FOUND_AROUND = (
    "things: things, records: records, keyed: keyed, judgements: lefts + rights, labels: COUNT { MATCH (:Label) }"
)
SURROUNDINGS = f"WITH $values AS things {_AROUND}RETURN {{{_FOUND_AROUND}}} AS found"

# A pair has no label of its own.
_VISIBLE_PAIR = f"{_visible('a', 'b')} AND r.recorded_at <= $as_of"
PAIRS_OF = (
    "UNWIND $values AS value MATCH (a:Record {id: value})-[r:SAME_AS]-(b:Record) "
    f"WHERE {_VISIBLE_PAIR} RETURN collect(properties(r)) AS found"
)
PAIRS_IN_RANGE = (
    "MATCH (a:Record)-[r:SAME_AS]->(b:Record) "
    f"WHERE a.id >= $low AND a.id < $high WITH a, r, b WHERE {_VISIBLE_PAIR} RETURN properties(r) AS found"
)


def _judgements_by(end: str) -> str:
    return f"UNWIND $values AS value MATCH (n:Judgement {{{end}: value}}) WHERE {_judged('n')} {_RECORDS}"


# In two halves, each by its own index; one on two of the things asked for comes twice.
JUDGEMENTS_OF = f"{_judgements_by('left')} UNION ALL {_judgements_by('right')}"
JUDGEMENTS = f"MATCH (n:Judgement) WHERE {_judged('n')} RETURN properties(n) AS found"

LABELS = "MATCH (n:Label) WHERE NOT n.lid IN $known RETURN properties(n) AS found"
CAPTURES = "UNWIND $values AS value MATCH (n:Capture {sha256: value}) RETURN collect(properties(n)) AS found"

# What a link may hang on, as columns, since a batch asks for thousands. What has no label is a stub or withdrawn.
CANDIDATES = (
    "UNWIND $values AS value MATCH (n:Record {thing: value}) WHERE n.lid IS NOT NULL "
    "RETURN collect(n.thing) AS things, collect(n.id) AS ids, collect(n.lid) AS lids"
)

PUT_OBSERVER = "MERGE (n:Observer {name: $row.name}) SET n = $row"
# What they watched goes too: the name may be given to somebody else.
REMOVE_OBSERVER = (
    "MATCH (n:Observer {name: $name}) DELETE n",
    "MATCH (n:Watch {observer: $name}) DELETE n",
    "MATCH (n:Alert {observer: $name}) DELETE n",
)
# Who is taken away meanwhile can be met without rights.
GET_OBSERVER = "MATCH (n:Observer {name: $name}) RETURN n.json AS found"
LIST_OBSERVERS = "MATCH (n:Observer) RETURN n.json AS found ORDER BY n.name"
OBSERVERS_OF_FORMAT_2 = "MATCH (n:Observer) WHERE n.json IS NULL RETURN properties(n) AS found"
# What a judgement was judged on before its grounds were kept: everything that was there of its things.
JUDGEMENTS_OF_FORMAT_3 = "MATCH (n:Judgement) WHERE n.grounds IS NULL RETURN properties(n) AS found"
LIDS_OF_THINGS = (
    "UNWIND $values AS value MATCH (n:Record {thing: value}) WHERE n.lid IS NOT NULL AND n.recorded_at <= $as_of "
    "RETURN DISTINCT n.lid AS found"
)
GROUND_JUDGEMENT = "MATCH (n:Judgement {id: $id}) SET n.grounds = $grounds"
GROUNDED_ON = "MATCH (n:Judgement) WHERE (n.left = $thing OR n.right = $thing) AND $lid IN n.grounds RETURN properties(n) AS found"
PUT_CONSENT = "MERGE (n:Consent {id: $row.id}) SET n = $row"
LIST_CONSENTS = "MATCH (n:Consent) RETURN properties(n) AS found ORDER BY n.recorded_at, n.id"
PUT_WATCH = (
    "MERGE (n:Watch {id: $row.id}) ON CREATE SET n = $row "
    "ON MATCH SET n.checked_at = "
    "CASE WHEN n.checked_at < $row.checked_at THEN $row.checked_at ELSE n.checked_at END"
)
LIST_WATCHES = (
    "MATCH (n:Watch) WHERE $observer IS NULL OR n.observer = $observer RETURN properties(n) AS found ORDER BY n.id"
)
LIST_ALERTS = (
    "MATCH (n:Alert) WHERE n.observer = $observer RETURN properties(n) AS found ORDER BY n.raised_at DESC, n.id"
)

# An assertion in force, whatever its label: for who relabels, who is told nothing of it.
RECORD_IN_FORCE = "MATCH (n:Record {id: $id}) WHERE n.lid IS NOT NULL RETURN properties(n) AS found"
PAIRS_OF_RECORD = "MATCH (:Record {id: $id})-[r:SAME_AS]-(:Record) RETURN properties(r) AS found"
_WITHDRAW = "SET x.former_lid = x.lid REMOVE x.lid"
_ENFORCE = "SET x.lid = $lid REMOVE x.former_lid"
WITHDRAW_RECORD = f"MATCH (x:Record {{id: $id}}) {_WITHDRAW}"
ENFORCE_RECORD = f"MATCH (x:Record {{id: $id}}) {_ENFORCE}"
APPROVED_RELABELLINGS = (
    "UNWIND $values AS value MATCH (n:Relabelling {id: value}) WHERE n.approved_by IS NOT NULL "
    "RETURN collect(n.id) AS found"
)
PUT_RELABELLING = "MERGE (n:Relabelling {id: $row.id}) SET n = $row"
LIST_RELABELLINGS = (
    "MATCH (n:Relabelling) MATCH (l:Label {lid: n.lid}) "
    "RETURN n {.*, label: l.json} AS found ORDER BY n.proposed_at, n.id"
)


def make_set_up(ontology: Ontology) -> dict[str, str]:
    """Return the statements that make constraints and indexes, each by the name that it makes.

    Raises SchemaError for a schema whose name the store needs itself.
    """
    for name in ontology:
        if name in OWN_NAMES:
            raise SchemaError(f"{name}.yaml: name: {name} is a name of the store's own")
    made = {}
    for label, key in NODE_KEYS.items():
        name = f"{label}_{key}".lower()
        made[name] = f"CREATE CONSTRAINT {name} IF NOT EXISTS FOR (n:{label}) REQUIRE n.{key} IS UNIQUE"
    for label, key in _NODE_INDEXES:
        name = f"{label}_{key}".lower()
        made[name] = f"CREATE INDEX {name} IF NOT EXISTS FOR (n:{label}) ON (n.{key})"
    for relation in ("SAME_AS", *(s.name for s in ontology.links())):
        name = f"relation_{relation}_id".lower()
        made[name] = (
            f"CREATE CONSTRAINT {_quote(name)} IF NOT EXISTS FOR ()-[r:{_quote(relation)}]-() REQUIRE r.id IS UNIQUE"
        )
    return made


def find_nodes(label: str) -> str:
    """Return the text that tells which keys among $values are taken by nodes of a label."""
    key = NODE_KEYS[label]
    return f"UNWIND $values AS value MATCH (n:{label} {{{key}: value}}) RETURN collect(n.{key}) AS found"


def create_nodes(labels: Iterable[str]) -> str:
    """Return the text that creates a node with these labels for each of $rows."""
    # The embedded engine moves a node that gets a label later, so all are given here.
    return f"UNWIND $rows AS row CREATE (n:{':'.join(map(_quote, labels))}) SET n = row RETURN count(n) AS found"


def create_records(schema: Schema) -> str:
    """Return the text that creates records of a schema."""
    return create_nodes(("Record", *schema.lineage))


def find_relations(relation: str) -> str:
    """Return the text that tells which ids among $values relationships of a type have."""
    return f"MATCH ()-[r:{_quote(relation)}]->() WHERE r.id IN $values RETURN collect(r.id) AS found"


def create_relations(relation: str) -> str:
    """Return the text that relates the records `from` and `to` of each of $rows, and counts what it made."""
    return (
        "UNWIND $rows AS row MATCH (a:Record {id: row.from}) MATCH (b:Record {id: row.to}) "
        f"CREATE (a)-[r:{_quote(relation)}]->(b) SET r = row.properties RETURN count(r) AS found"
    )


def link_in_force(relation: str) -> str:
    """Return the text for the link of a type with the id $id, whatever its label."""
    return f"MATCH ()-[r:{_quote(relation)}]->() WHERE r.id = $id AND r.lid IS NOT NULL RETURN {_LINK} AS found"


def withdraw_link(relation: str) -> str:
    """Return the text that takes the link of a type with the id $id out of force."""
    return f"MATCH ()-[x:{_quote(relation)}]->() WHERE x.id = $id {_WITHDRAW}"


def enforce_link(relation: str) -> str:
    """Return the text that puts the link of a type with the id $id in force under the label $lid."""
    return f"MATCH ()-[x:{_quote(relation)}]->() WHERE x.id = $id {_ENFORCE}"


def links_of(ontology: Ontology) -> str:
    """Return the text for the links with either end among the things $values; one with both comes twice."""
    return (
        f"UNWIND $values AS value MATCH (a:Record {{thing: value}})-{_link(ontology)}-(b:Record) "
        f"WHERE {_VISIBLE_LINK} RETURN collect({_LINK}) AS found"
    )


def surroundings_and_links(ontology: Ontology) -> str:
    """Return the text for the links with either end among the things $values, and for all that lies around these.

    And around so many things $ahead at the far ends, those of the latest links of
    each type first: they are what will mostly be asked for next.
    """
    matched = f"MATCH (a:Record {{thing: value}})-{_link(ontology)}-(b:Record) WHERE {_VISIBLE_LINK} "
    return (
        f"UNWIND $values AS value OPTIONAL {matched}WITH r, b ORDER BY type(r), r.recorded_at DESC "
        f"WITH $values + collect(DISTINCT b.thing)[..$ahead] AS things {_AROUND}"
        f"UNWIND $values AS value OPTIONAL {matched}"
        f"WITH things, keyed, lefts, rights, records, collect({_LINK}) AS links "
        f"RETURN {{{_FOUND_AROUND}, links: links}} AS found"
    )


def links_in_range(ontology: Ontology) -> str:
    """Return the text for the links that hang on a left record with an id from $low up to $high."""
    return (
        f"MATCH (a:Record)-{_link(ontology)}->(b:Record) "
        f"WHERE a.id >= $low AND a.id < $high WITH a, r, b WHERE {_VISIBLE_LINK} RETURN {_LINK} AS found"
    )


def _has_visible_record(name: str) -> str:
    # Nearly always the record that the link hangs on, which costs no search.
    other = f"other_{name}"
    return f"({_visible(name)} OR EXISTS {{ MATCH ({other}:Record {{thing: {name}.thing}}) WHERE {_visible(other)} }})"


_VISIBLE_LINK = f"{_visible('r')} AND {_has_visible_record('a')} AND {_has_visible_record('b')}"
_LINK = "r {.*, schema: type(r)}"


def _link(ontology: Ontology) -> str:
    return f"[r:{'|'.join(_quote(schema.name) for schema in ontology.links())}]"


def _quote(name: str) -> str:
    escaped = name.replace("`", "``")
    return f"`{escaped}`"
