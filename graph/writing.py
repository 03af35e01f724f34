"""Writing: what is done to a database of an engine that speaks Bolt, within one transaction."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from neo4j import ManagedTransaction

from graph import cypher, row
from graph.anchor import Candidate, choose_anchor, make_stub_id
from graph.connection import iter_chunks
from graph.store import Batch, Written
from ontology.judgement import Judgement
from ontology.label import Label
from ontology.observer import Observer
from ontology.pair import Pair
from ontology.record import Link, Record
from ontology.relabelling import Relabelling, move_pairs
from ontology.schema import Ontology

# The embedded engine compares each relationship that it finds with the whole list.
LOOKUP = 500

Item = TypeVar("Item")
Assertion = TypeVar("Assertion", Record, Link)
Stored = TypeVar("Stored", Record, Link, Pair)


class Writing:
    """What is done within one transaction: assertions are added, rights and labels in force change.

    Adding looks first and creates after, which costs less than MERGE and counts
    exactly. Whatever changes rights takes the lock on the store's own node
    first, so of two such changes the later sees all of the earlier.
    """

    def __init__(self, work: ManagedTransaction, ontology: Ontology) -> None:
        self._work = work
        self._ontology = ontology

    def write(self, batch: Batch) -> Written:
        """Write everything; what a batch holds twice counts once."""
        self.add("Source", [row.from_source(source) for source in batch.sources])
        self.add("Capture", [row.from_capture(capture) for capture in batch.captures])
        records = self._add_records(batch.records)
        links = self._add_links(batch.links)
        pairs = self._add_pairs(batch.pairs)
        judgements = self._add_judgements(batch.judgements)
        offered = len(batch.records) + len(batch.links) + len(batch.pairs) + len(batch.judgements)
        return Written(records, links, pairs, judgements, offered - records - links - pairs - judgements)

    def put_observer(self, observer: Observer) -> None:
        """Add an observer or replace their rights, and raise the epoch."""
        self._run(cypher.LOCK_META)
        self._run(cypher.PUT_OBSERVER, row=row.from_observer(observer))
        self._run(cypher.RAISE_EPOCH)

    def remove_observer(self, name: str) -> bool:
        """Remove an observer with their watches and alerts and raise the epoch; return whether there was one."""
        self._run(cypher.LOCK_META)
        if not self._find(cypher.find_nodes("Observer"), [name]):
            return False
        for text in cypher.REMOVE_OBSERVER:
            self._run(text, name=name)
        self._run(cypher.RAISE_EPOCH)
        return True

    def keep_policy(self, digest: str) -> None:
        """Note which policy is in force, and raise the epoch when another was."""
        self._run(cypher.LOCK_META)
        [meta] = self._work.run(cypher.READ_META).value()
        if meta.get("policy") == digest:
            return
        self._run(cypher.KEEP_POLICY, digest=digest)
        if "policy" in meta:
            self._run(cypher.RAISE_EPOCH)

    def put_relabelling(self, relabelling: Relabelling) -> None:
        """Keep a proposal; one that is there already stays as it is."""
        self._add_labels([relabelling.label])
        self.add("Relabelling", [row.from_relabelling(relabelling)])

    def relabel(self, relabelling: Relabelling) -> bool:
        """Put a successor in the place of an assertion; return whether it was there, or already done."""
        self._run(cypher.LOCK_META)
        if self._find(cypher.APPROVED_RELABELLINGS, [relabelling.id]):
            return True
        is_there = self._replace_record(relabelling) or self._replace_link(relabelling)
        if is_there:
            self._add_labels([relabelling.label])
            self._run(cypher.PUT_RELABELLING, row=row.from_relabelling(relabelling))
        return is_there

    def add(self, label: str, rows: Sequence[row.Row]) -> int:
        """Create the nodes whose keys are not taken, and count them."""
        key = cypher.NODE_KEYS[label]
        distinct = {one[key]: one for one in reversed(rows)}
        taken = self._find(cypher.find_nodes(label), distinct)
        new = [one for value, one in distinct.items() if value not in taken]
        self._create(cypher.create_nodes([label]), new)
        return len(new)

    def _add_records(self, records: Sequence[Record]) -> int:
        distinct = _first_by_id(records)
        taken = self._find(cypher.find_nodes("Record"), distinct)
        new = [record for id_, record in distinct.items() if id_ not in taken]
        self._add_labels([record.label for record in new])
        for name, group in _by_schema(new):
            schema = self._ontology[name]
            self._create(cypher.create_records(schema), (row.from_record(record, schema) for record in group))
        return len(new)

    def _add_links(self, links: Sequence[Link]) -> int:
        distinct = _first_by_id(links)
        taken: set[str] = set()
        for name, group in _by_schema(distinct.values()):
            taken |= self._find(cypher.find_relations(name), [link.id for link in group])
        new = [link for id_, link in distinct.items() if id_ not in taken]
        self._add_labels([link.label for link in new])
        for name, ends in _group(self._anchor(new), lambda found: found[0].schema):
            rows = ({"from": left, "to": right, "properties": row.from_link(link)} for link, left, right in ends)
            self._create(cypher.create_relations(name), rows)
        return len(new)

    def _anchor(self, links: Sequence[Link]) -> list[tuple[Link, str, str]]:
        """Find what the ends of each link hang on, and make a stub for each thing that has no record."""
        things = {end for link in links for end in (link.left, link.right)}
        candidates = self._find_candidates(things)
        stubs = {thing: make_stub_id(thing) for thing in sorted(things - candidates.keys())}
        self.add("Record", [{"id": stub, "thing": thing} for thing, stub in stubs.items()])

        def anchor(link: Link, thing: str) -> str:
            return choose_anchor(link, candidates.get(thing, ())) or stubs[thing]

        return [(link, anchor(link, link.left), anchor(link, link.right)) for link in links]

    def _find_candidates(self, things: Iterable[str]) -> dict[str, list[Candidate]]:
        found: dict[str, list[Candidate]] = {}
        for chunk in iter_chunks(things):
            answer = self._work.run(cypher.CANDIDATES, values=chunk).single(strict=True)
            for thing, id_, lid in zip(*answer.values(), strict=True):
                found.setdefault(thing, []).append(Candidate(id_, lid))
        return found

    def _add_pairs(self, pairs: Sequence[Pair]) -> int:
        distinct = _first_by_id(pairs)
        taken = self._find(cypher.find_relations("SAME_AS"), distinct)
        rows = (
            {"from": pair.left, "to": pair.right, "properties": row.from_pair(pair)}
            for id_, pair in distinct.items()
            if id_ not in taken
        )
        return self._create(cypher.create_relations("SAME_AS"), rows)

    def _add_judgements(self, judgements: Sequence[Judgement]) -> int:
        self._add_labels([judgement.label for judgement in judgements])
        return self.add("Judgement", [row.from_judgement(judgement) for judgement in judgements])

    def _add_labels(self, labels: Iterable[Label]) -> None:
        distinct = {label.lid: label for label in labels}
        self.add("Label", [row.from_label(label) for label in distinct.values()])

    def _replace_record(self, relabelling: Relabelling) -> bool:
        [old] = self._work.run(cypher.RECORD_IN_FORCE, id=relabelling.assertion).value() or [None]
        if old and old["lid"] != relabelling.label.lid:
            new = row.to_record(old, relabelling.label)
            self._add_records([new])
            found = self._work.run(cypher.PAIRS_OF_RECORD, id=old["id"]).value()
            self._add_pairs(list(move_pairs(map(row.to_pair, found), old["id"], new.id)))
            self._run(cypher.WITHDRAW_RECORD, id=old["id"])
            self._run(cypher.ENFORCE_RECORD, id=new.id, lid=new.lid)
            for judged in self._work.run(cypher.GROUNDED_ON, thing=new.thing, lid=old["lid"]).value():
                self._run(cypher.GROUND_JUDGEMENT, id=judged["id"], grounds=sorted({*judged["grounds"], new.lid}))
            self._run(cypher.RAISE_EPOCH)
        return old is not None

    def _replace_link(self, relabelling: Relabelling) -> bool:
        old = self._find_link(relabelling.assertion)
        if old and old["lid"] != relabelling.label.lid:
            new = row.to_link(old, relabelling.label)
            self._add_links([new])
            self._run(cypher.withdraw_link(new.schema), id=old["id"])
            self._run(cypher.enforce_link(new.schema), id=new.id, lid=new.lid)
            self._run(cypher.RAISE_EPOCH)
        return old is not None

    def _find_link(self, id_: str) -> row.Row | None:
        # An id does not say of which type it is, and each type has an index of its own.
        for schema in self._ontology.links():
            for found in self._work.run(cypher.link_in_force(schema.name), id=id_).value():
                return dict(found)
        return None

    def _run(self, text: str, **parameters: Any) -> None:
        self._work.run(text, parameters).consume()

    def _find(self, text: str, values: Iterable[Any]) -> set[Any]:
        """Return those of the values that are there."""
        found: set[Any] = set()
        for chunk in iter_chunks(values, LOOKUP):
            found.update(self._work.run(text, values=chunk).single(strict=True)[0])
        return found

    def _create(self, text: str, rows: Iterable[row.Row]) -> int:
        """Run a text over rows, a chunk at a time, and add up what it says it made."""
        return sum(self._work.run(text, rows=chunk).single(strict=True)[0] for chunk in iter_chunks(rows))


def _first_by_id(items: Sequence[Stored]) -> dict[str, Stored]:
    """Return items by id; the first of equals stays, as it would in two batches."""
    distinct: dict[str, Stored] = {}
    for item in items:
        distinct.setdefault(item.id, item)
    return distinct


def _by_schema(assertions: Iterable[Assertion]) -> Iterator[tuple[str, list[Assertion]]]:
    return _group(assertions, lambda assertion: assertion.schema)


def _group(items: Iterable[Item], key: Callable[[Item], str]) -> Iterator[tuple[str, list[Item]]]:
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    yield from sorted(groups.items())
