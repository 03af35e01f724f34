"""Policy: what it costs to compile it for one observer and apply it to records, over what copying them costs.

1,000 invented records of 30 properties each, under 120 labels, all of which the
observer may have, are shown to an analyst, for whom every treatment occurs, and
to others. A round starts from nothing, as a request does (a clearance, handles
and plans of its own), and is paired with a plain copy of the same dictionaries.
Compared is the processor time of compiling and of `Treater.values` for all
records, less that of copying, in the median. Ids, captions and provenance are
no part of it.

Values repeat as they do in real data: a request works each pseudonym and each
coarser value out once. With every value a different one, each of them is worked
out anew; those figures come after and have no goal.

A store keeps what was compiled for an observer who asks again; what applying costs
then is given beside it.

Cedar decides a sample of the same questions in the same run, and the rest is
reckoned from that: one request for a record answers for all its field classes
(the least that can be asked), one for each property decides field by field.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from statistics import median

from bench.goal import print_goal
from bench.oracles.cedar import CedarReading
from bench.oracles.plain import read_document
from graph.handle import Handles
from graph.treat import Treater
from graph.treaters import Treaters
from ontology.label import Label
from ontology.observer import Observer
from ontology.policy_file import POLICY_FILE, default_policy
from ontology.record import Record
from ontology.schema import default_ontology

PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "Person": (
        "name", "alias", "firstName", "lastName", "birthDate", "birthPlace", "birthCountry", "gender", "nationality",
        "citizenship", "passportNumber", "idNumber", "email", "phone", "address", "profession", "spokenLanguage",
        "maritalStatus", "minor", "ageBand", "ethnicity", "exploitationType", "controlMethods", "recruitmentMethod",
        "exploitationPlace", "shelterAddress", "notes", "publisher", "retrievedAt", "keywords",
    ),
    "Advertisement": (
        "name", "title", "bodyText", "requirements", "benefits", "namesMentioned", "peopleMentioned",
        "companiesMentioned", "locationMentioned", "phoneMentioned", "emailMentioned", "phone", "email", "url",
        "location", "country", "language", "category", "industry", "employmentType", "hiringOrganization",
        "salaryRange", "price", "currency", "publishedAt", "expiresAt", "firstSeen", "lastSeen", "notes",
        "retrievedAt",
    ),
}  # fmt: skip
OBSERVERS = (
    Observer("ana", "ORG-0", "analyst", purpose="investigation"),
    Observer("ivo", "ORG-0", "investigator", cases=("CASE-0", "CASE-1"), purpose="investigation"),
    Observer("nel", "ORG-1", "ngo", purpose="protection"),
    Observer("mag", "ORG-2", "magistrate", cases=("CASE-0", "CASE-2"), purpose="prosecution"),
)
# How many different values of a type there are among those that repeat; of other types there are few.
KINDS: Mapping[str, int] = {"name": 200, "date": 200, "place": 50, "text": 200, "phone": 200, "email": 200}
FEW = 20
SECRET = bytes(32)
SAMPLE = 40


def main() -> None:
    """Measure and print the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1_000, help="records")
    parser.add_argument("--rounds", type=int, default=41)
    args = parser.parse_args()
    labels = make_labels()
    repeating = make_records(args.n, labels, KINDS)
    distinct = make_records(args.n, labels, {})
    print(f"{args.n} records of 30 properties under {len(labels)} labels, medians of {args.rounds} paired rounds")
    over = {}
    for observer in OBSERVERS:
        over[observer.tier] = _measure(observer, labels, repeating, args.rounds)
    print("with every value a different one:")
    for observer in OBSERVERS:
        _measure(observer, labels, distinct, max(3, args.rounds // 8))
    _measure_cedar(labels, args.n)
    print_goal("policy_ms_over_copy", round(over["analyst"], 2), "<=", 1.5)
    print_goal("policy_investigator_ms_over_copy", round(over["investigator"], 2), "<=", 1.5)


def make_labels() -> list[Label]:
    """Return 120 labels that every member of an organisation may have."""
    return [
        Label(
            handling=("H0", "H1")[number % 2],
            tlp=("CLEAR", "GREEN")[number % 2],
            owner=f"ORG-{number % 4}",
            release=(f"ORG-{number % 3}",),
            cases=(f"CASE-{number % 5}",),
            category=("suspect", "victim", "other", "none", "convicted", "suspect")[number % 6],
            review_date=f"2027-01-{number % 28 + 1:02}",
        )
        for number in range(120)
    ]


def make_records(count: int, labels: Sequence[Label], kinds: Mapping[str, int]) -> list[Record]:
    """Return invented records, drawn from so many values of each type (empty: no two alike)."""
    random = Random(1)
    schemata = sorted(PROPERTIES)
    return [
        Record(
            schema=(schema := schemata[number % 2]),
            source="invented",
            source_key=str(number),
            label=labels[random.randrange(len(labels))],
            capture="0" * 64,
            sequence=number,
            # In alphabetical order, as a reader of a store gives them.
            properties={n: (_draw(random, schema, n, number, kinds),) for n in sorted(PROPERTIES[schema])},
            recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        for number in range(count)
    ]


def apply(
    observer: Observer, labels: Mapping[int, Label], records: Sequence[Record]
) -> list[dict[str, tuple[str, ...]]]:
    """Compile the policy for an observer and return what they see of each record."""
    clearance = default_policy().compile(observer, labels)
    return treat(Treater(default_ontology(), clearance, Handles(SECRET, observer.organisation)), records)


def treat(treater: Treater, records: Sequence[Record]) -> list[dict[str, tuple[str, ...]]]:
    """Return what is seen of each record under a policy that is compiled."""
    return [treater.values(record.schema, record.lid, record.properties) for record in records]


def copy(records: Sequence[Record]) -> list[dict[str, tuple[str, ...]]]:
    """Return a copy of the properties of each record."""
    return [dict(record.properties) for record in records]


def _draw(random: Random, schema: str, name: str, number: int, kinds: Mapping[str, int]) -> str:
    kind = default_ontology()[schema].properties[name].type.name
    place = random.randrange(kinds.get(kind, FEW)) if kinds else number
    if kind == "date":
        return f"{1950 + place % 60}-{place % 12 + 1:02}-{place // 12 % 28 + 1:02}"
    if kind == "phone":
        return f"+3162{place:07}"
    if kind == "email":
        return f"somebody{place}@mail{place % 7}.example"
    if kind == "country":
        return ("nl", "ro", "ng", "bg", "vn")[place % 5]
    if kind == "place":
        return f"Street {place}, Amsterdam, NL"
    return f"some {kind} {place}" if kinds else f"{kind} {name} {place}"


def _measure(observer: Observer, labels: Sequence[Label], records: Sequence[Record], rounds: int) -> float:
    """Print what compiling and applying cost one observer, and return the milliseconds over copying."""
    interned = {label.lid: label for label in labels}
    compiling, applying, copying, again = [], [], [], []
    shown = apply(observer, interned, records)
    kept = Treaters(SECRET, default_ontology(), default_policy())
    for _ in range(rounds):
        copying.append(_time(lambda: copy(records)))
        applying.append(_time(lambda: apply(observer, interned, records)))
        compiling.append(_time(lambda: default_policy().compile(observer, interned)))
        again.append(_time(lambda: treat(kept.find(observer, interned), records)))
    over = median(one - other for one, other in zip(applying, copying, strict=True))
    print(
        f"  {observer.tier:12} copy {median(copying):.2f} ms, compile and apply {median(applying):.2f} ms "
        f"(allowed labels alone {median(compiling):.2f} ms), over copying {over:.2f} ms; asked again "
        f"{median(again) - median(copying):.2f} ms over copying; {_describe(records, shown)}"
    )
    return over


def _describe(records: Sequence[Record], shown: Sequence[Mapping[str, tuple[str, ...]]]) -> str:
    """Say how many values came through as they were, changed and not at all."""
    found = Counter(
        "absent" if name not in seen else "clear" if seen[name] == values else "changed"
        for record, seen in zip(records, shown, strict=True)
        for name, values in record.properties.items()
    )
    return ", ".join(f"{count} {name}" for name, count in sorted(found.items()))


def _measure_cedar(labels: Sequence[Label], count: int) -> None:
    reading, sample = CedarReading(read_document(POLICY_FILE)), labels[:SAMPLE]
    seconds = _time(lambda: reading.decide(OBSERVERS[:1], sample)) / 1_000 / len(sample)
    properties = len(PROPERTIES["Person"])
    print(
        f"Cedar: {seconds * 1e6:.0f} microseconds a request, of {len(sample)} requests; reckoned from that "
        f"{seconds * count:.2f} s for {count} records, {seconds * count * properties:.1f} s property by property"
    )


def _time(work: Callable[[], object]) -> float:
    """Return the milliseconds of processor time that some work takes this process."""
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1_000


if __name__ == "__main__":
    main()
