"""Planted leaks in what is made of several assertions: merges, joined labels, relabellings (channels 17, 18, 31)."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from graph.memory import MemoryStore
from graph.store import Scope
from graph.treat import Treater
from graph.view import View
from ontology import label
from ontology.judgement import Judgement
from ontology.label import TLPS, Label
from tests.planted.plant import Detector, Patch, plant


@plant(17, Detector.NONINTERFERENCE)
def hidden_weights_merge(patch: Patch) -> None:
    """Two records are one thing by the whole weight of their pair, whatever of it can be seen."""
    patch(Treater, "weight", lambda self, left, right, evidence: evidence.weight)


@plant(17, Detector.NONINTERFERENCE)
def hidden_judgements_merge(patch: Patch) -> None:
    """Everybody's judgements count for everybody."""

    def in_time(self: MemoryStore, scope: Scope, things: Collection[str]) -> list[Judgement]:
        found = self._judgements_by_end.find(things)
        return [judgement for judgement in found if judgement.recorded_at <= scope.as_of]

    def all_in_time(self: MemoryStore, scope: Scope) -> Iterator[list[Judgement]]:
        yield [judgement for judgement in self._judgements.values() if judgement.recorded_at <= scope.as_of]

    patch(MemoryStore, "judgements_of", in_time)
    patch(MemoryStore, "iter_judgements", all_in_time)


@plant(18, Detector.LAWS)
def join_takes_the_laxer_tlp(patch: Patch) -> None:
    """The label of what is derived from two has the laxer of their TLPs."""

    def join_tlps(left: Label, right: Label) -> str:
        return min(left.tlp, right.tlp, key=TLPS.index)

    patch(label, "_join_tlps", join_tlps)


@plant(18, Detector.DERIVED)
def judgement_has_the_label_of_one_record(patch: Patch) -> None:
    """A judgement is labelled like the first record that it is about."""

    def label_of(self: View, ids: Collection[str]) -> Label:
        thing = self.thing_of(next(iter(ids)))
        return replace(self._current({thing})[thing][0].label, owner=self.observer.organisation)

    patch(View, "label_of", label_of)


@plant(31, Detector.RELABELLING)
def importing_again_brings_back_what_was_relabelled(patch: Patch) -> None:
    """What a relabelling took out of force comes back with the next import (there are no backups nor erasure yet)."""

    def is_taken(self: MemoryStore, id_: str) -> bool:
        return id_ in self._records or id_ in self._links

    patch(MemoryStore, "_is_taken", is_taken)


@plant(31, Detector.SEQUENCES)
def relabelling_leaves_the_old_version(patch: Patch) -> None:
    """A relabelled record stays in force under its old label too (there are no backups nor erasure yet)."""
    patch(MemoryStore, "_withdraw_record", lambda self, record: None)
