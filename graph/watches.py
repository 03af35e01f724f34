"""Watches: what a change added to the answer of a standing question."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from graph.shown import ShownAlert
from graph.store import Store
from ontology.observer import Observer
from ontology.record import to_microseconds
from ontology.watch import Alert, Watch


def add_watch(store: Store, observer: Observer, id_: str, now: datetime) -> Watch:
    """Watch the entity that a visible id names; raises NotVisible. Watching twice changes nothing."""
    watch = Watch(observer.name, store.view(observer).thing_of(id_), now, now)
    known = {w.id: w for w in store.list_watches(observer.name)}
    if watch.id not in known:
        store.put_watch(watch)
    return known.get(watch.id, watch)


def order_watches(store: Store, observer: Observer) -> list[Watch]:
    """Return an observer's watches by when they were made, ties by what nobody can know."""
    view = store.view(observer)
    watches = store.list_watches(observer.name)
    return sorted(watches, key=lambda watch: (watch.created_at, view.handle("watch", watch.id)))


def check_watches(store: Store, clock: Callable[[], datetime]) -> int:
    """Raise an alert for each link that came to a watched entity since it is watched; return how many are new.

    Both moments are seen with the observer's present rights, so an alert tells
    only of what the View shows. Each is raised once: checking again, or late,
    loses and repeats nothing.
    """
    return sum(_check(store, watch, clock()) for watch in store.list_watches())


def list_alerts(store: Store, observer: Observer, now: datetime) -> list[ShownAlert]:
    """Return an observer's alerts whose ground they may still see, by when it was recorded, newest first.

    They are what their watches tell now, with their present rights. What was
    raised before and would not be now is left out, for when it was checked
    depends on others' imports, be they hidden.
    """
    watches = store.list_watches(observer.name)
    new = {}
    for watch in watches:
        new[watch.id] = _find_new(store, observer, watch, now)
        _raise(store, watch, new[watch.id], now)
    view = store.view(observer)
    standing = (alert for alert in store.list_alerts(observer.name) if alert.link in new.get(alert.watch, ()))
    shown = [found for alert in standing if (found := view.show_alert(alert))]
    return sorted(shown, key=lambda alert: (-to_microseconds(alert.recorded_at), alert.id))


def _check(store: Store, watch: Watch, now: datetime) -> int:
    observer = store.get_observer(watch.observer)
    if observer is None:
        return 0
    return _raise(store, watch, _find_new(store, observer, watch, now), now)


def _raise(store: Store, watch: Watch, links: Mapping[str, str], now: datetime) -> int:
    raised = store.put_alerts(
        Alert(watch.id, watch.observer, watch.thing, link, other, now) for link, other in sorted(links.items())
    )
    store.put_watch(replace(watch, checked_at=now))
    return raised


def _find_new(store: Store, observer: Observer, watch: Watch, now: datetime) -> dict[str, str]:
    """Return what links to a watched entity now and did not when the watch was made, both seen with present rights."""
    known = store.view(observer, watch.created_at).links_of_entity(watch.thing)
    links = store.view(observer, now).links_of_entity(watch.thing)
    return {link: other for link, other in links.items() if link not in known}
