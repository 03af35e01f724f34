"""A backend over the reference store, with one small invented case in it."""

from dataclasses import replace
from datetime import datetime, timedelta

from graph.judgements import add_judgement
from graph.memory import MemoryStore
from graph.shown import ShownAlert
from graph.store import Batch
from graph.view import View
from ontology.errors import StoreError
from ontology.judgement import Judgement, Verdict
from ontology.label import PURPOSES
from ontology.observer import Observer
from ontology.watch import Alert, Watch
from tests.factory import SECRET, START, make_label, make_link, make_observer, make_record

NOW = START + timedelta(days=1)

OPEN = make_label(purposes=PURPOSES)
VICTIM = make_label(
    tlp="GREEN", category="victim", owner="Safe Harbour", release=("Police",), cases=("C1",), handling="H1"
)
COMPANY = make_record(
    "Company", "company", properties={"name": ["Blue Lagoon Escorts Ltd"], "country": ["NL"]}, label=OPEN
)
PERSON = make_record(
    "Person",
    "person",
    properties={
        "name": ["Ada Example"],
        "birthDate": ["1999-02-03"],
        "ethnicity": ["an-ethnicity"],
        "shelterAddress": ["Hidden Lane 1"],
    },
    label=VICTIM,
)
WORK = make_link(PERSON, COMPANY, "Employment", label=VICTIM)

PUBLIC = make_observer("public", organisation="Nobody", purpose="statistics")
NGO = make_observer("ngo", organisation="Safe Harbour", purpose="protection")
ANALYST = make_observer("analyst", organisation="Police")
INVESTIGATOR = make_observer("investigator", organisation="Police", cases=("C1",))
FOREIGN = make_observer("investigator", organisation="Gendarmerie", name="foreign", cases=("C1",))
OBSERVERS = (PUBLIC, NGO, ANALYST, INVESTIGATOR, FOREIGN)


class MemoryBackend:
    """Answers from the reference store; `broken` makes it fail with a text that nobody may read."""

    def __init__(self) -> None:
        self.store = MemoryStore(secret=SECRET, clock=lambda: NOW)
        self.store.write(Batch(records=[COMPANY, PERSON], links=[WORK]))
        for observer in OBSERVERS:
            self.store.put_observer(observer)
        self.broken: Exception | None = None
        self.policy = self.store.policy
        self.views: list[datetime | None] = []

    def view(self, observer: Observer, as_of: datetime | None) -> View:
        """Return a View, and note that one was made."""
        if self.broken:
            raise self.broken
        self.views.append(as_of)
        return self.store.view(observer, as_of)

    def observer(self, name: str) -> Observer | None:
        """Return an observer's rights."""
        return self.store.get_observer(name)

    def alerts(self, observer: Observer) -> list[ShownAlert]:
        """Return the alerts that are still visible."""
        view = self.view(observer, None)
        return [shown for alert in self.store.list_alerts(observer.name) if (shown := view.show_alert(alert))]

    def watches(self, observer: Observer) -> list[Watch]:
        """Return the watches."""
        return self.store.list_watches(observer.name)

    def watch(self, observer: Observer, id_: str) -> Watch:
        """Watch an entity."""
        watch = Watch(observer.name, self.view(observer, None).thing_of(id_), NOW, NOW)
        self.store.put_watch(watch)
        return watch

    def judge(self, observer: Observer, ids: tuple[str, str], verdict: Verdict, reason: str) -> Judgement:
        """Keep a judgement."""
        return add_judgement(self.store, observer, ids, verdict, reason, NOW)

    def check(self) -> None:
        """Raise what broke the store, if anything did."""
        if self.broken:
            raise StoreError("broken")

    def raise_alerts(self, observer: Observer) -> None:
        """Raise an alert for each link at each watched entity."""
        view = self.view(observer, None)
        for watch in self.store.list_watches(observer.name):
            for link, other in view.links_of_entity(watch.thing).items():
                self.store.put_alerts([Alert(watch.id, observer.name, watch.thing, link, other, NOW)])

    def demote(self, observer: Observer, tier: str, *, purpose: str | None = None) -> None:
        """Give an observer the rights of another tier, and another purpose."""
        self.store.put_observer(replace(observer, tier=tier, purpose=purpose or observer.purpose))

    def id_of(self, observer: Observer, text: str) -> str:
        """Return the id under which an observer finds an entity."""
        return self.store.view(observer).search(text).items[0].id
