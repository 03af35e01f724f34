"""Treaters: the policy as compiled for the observers who asked last, since a request of the same observer asks the same.

What is kept is found by all the rights of an observer and by how many labels
there were, so another right or label makes another. Nothing of it goes from one
observer to another, the pseudonyms that a treater has worked out included.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace

from graph.handle import Handles
from graph.treat import Treater
from ontology.label import Label
from ontology.observer import Observer
from ontology.policy import Clearance, Policy
from ontology.schema import Ontology

_KEPT = 32


class Treaters:
    """Makes treaters, and keeps the last ones asked for.

    Labels are only ever added to a store, so their number tells whether there are others.
    """

    def __init__(self, secret: bytes, ontology: Ontology, policy: Policy) -> None:
        self._secret = secret
        self._ontology = ontology
        self._policy = policy
        self._lock = threading.Lock()
        self._made: OrderedDict[tuple[Observer, int], Treater] = OrderedDict()
        self._handles: OrderedDict[str, Handles] = OrderedDict()

    def find(self, observer: Observer, labels: Mapping[int, Label]) -> Treater:
        """Return what treats for an observer under all labels that there are."""
        place = (observer, len(labels))
        with self._lock:
            treater = self._made.pop(place, None) or self._make(observer, labels)
            self._made[place] = treater
            if len(self._made) > _KEPT:
                self._made.popitem(last=False)
        return treater

    def handles(self, organisation: str) -> Handles:
        """Return the handles of an organisation."""
        found = self._handles.get(organisation)
        if found is None:
            found = self._handles[organisation] = Handles(self._secret, organisation)
            if len(self._handles) > _KEPT:
                self._handles.popitem(last=False)
        return found

    def _make(self, observer: Observer, labels: Mapping[int, Label]) -> Treater:
        clearance = self._policy.compile(observer, labels)
        return Treater(self._ontology, clearance, self.handles(observer.organisation), self._merging(clearance))

    def _merging(self, clearance: Clearance) -> Clearance:
        observer = clearance.observer
        tier = self._policy.tiers.get(observer.tier)
        if tier is None or tier.merges is None:
            return clearance
        return self._policy.compile(replace(observer, tier=tier.merges), clearance.labels)
