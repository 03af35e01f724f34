"""Planted leaks in what outlives one question: shared state, keys of caches, stale rights (channels 15, 16, 28)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from api import answering, schema
from api.app import Service
from api.loaders import Context, Loader
from api.pipeline import Pipeline
from api.schema import TierSchema
from graph.treat import Treater
from graph.view import View
from ontology.label import Label
from ontology.observer import Observer
from ontology.policy import Clearance, Policy
from ontology.policy_file import default_policy
from tests.planted.plant import Detector, Patch, plant


@plant(15, Detector.NONINTERFERENCE)
def treatments_are_remembered_for_all(patch: Patch) -> None:
    """What is done to records of a schema and label is worked out once, for whoever comes first."""
    plans: dict[Any, Any] = {}
    honest = Treater.__init__

    def init(self: Treater, *given: Any) -> None:
        honest(self, *given)
        self._plans = plans

    patch(Treater, "__init__", init)


@plant(15, Detector.ISOLATION)
def loader_is_shared_by_requests(patch: Patch) -> None:
    """Requests about one moment share one loader, hence one View, whoever asks."""
    loaders: dict[datetime | None, Loader] = {}

    def loader(self: Context, as_of: datetime | None = None) -> Loader:
        return loaders.setdefault(as_of, Loader(lambda: self.backend.view(self.observer, as_of)))

    patch(Context, "loader", loader)


@plant(16, Detector.TIERS)
def schema_is_remembered_by_policy_alone(patch: Patch) -> None:
    """The schema is made once for a policy, and given to every tier."""
    made: dict[str, TierSchema] = {}

    def make_schema(tier: str, policy: Policy | None = None) -> TierSchema:
        policy = policy or default_policy()
        return made.setdefault(policy.digest, TierSchema(tier, policy))

    for module in (schema, answering):
        patch(module, "make_schema", make_schema)


@plant(16, Detector.POLICY)
def clearance_is_remembered_by_tier(patch: Patch) -> None:
    """The policy is compiled once for a tier and some labels: organisation, cases and orders are forgotten."""
    known: dict[Any, Clearance] = {}

    def compiled(self: Policy, observer: Observer, labels: Mapping[int, Label]) -> Clearance:
        place = (observer.tier, frozenset(labels))
        if place not in known:
            known[place] = Clearance(self, observer, labels)
        return known[place]

    patch(Policy, "compile", compiled)


@plant(28, Detector.RIGHTS)
def rights_are_remembered_by_name(patch: Patch) -> None:
    """Whom a token names is looked up once and keeps the rights that they had then."""
    known: dict[str, Observer | None] = {}
    honest = Service._identify

    def identify(self: Service, name: str) -> Observer | None:
        if name not in known:
            known[name] = honest(self, name)
        return known[name]

    patch(Service, "_identify", identify)


@plant(28, Detector.RIGHTS)
def view_outlives_a_revocation(patch: Patch) -> None:
    """The View of an observer is kept by their name, and nothing tells it that their rights have changed."""
    views: dict[Any, View] = {}
    honest = Pipeline.view

    def view(self: Pipeline, observer: Observer, as_of: datetime | None = None) -> View:
        place = (id(self), observer.name, as_of)
        if place not in views:
            views[place] = honest(self, observer, as_of)
        return views[place]

    patch(Pipeline, "view", view)
