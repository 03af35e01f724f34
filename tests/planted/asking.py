"""Planted leaks in how questions and answers are put: ids, writes, errors, names, limits (channels 21 to 25, 34)."""

import secrets
from typing import Any

from api import app as service
from api import errors, nodes, schema
from api.errors import BadInput
from api.guard import Cost, _Meter
from api.pipeline import ImportReport
from api.schema import TierSchema
from graph.handle import _KINDS, Handles
from graph.memory import MemoryStore
from graph.shown import Explanation
from graph.store import Batch, Written
from graph.view import View
from ontology.errors import InvalidData, NotVisible, StoreError
from ontology.record import Link
from tests.planted.plant import Detector, Patch, plant, stored


@plant(21, Detector.HANDLES)
def ids_are_the_same_for_all(patch: Patch) -> None:
    """Ids are sealed under one key for all organisations."""
    honest = Handles._derive

    def derive(self: Handles, purpose: bytes, length: int) -> bytes:
        return honest(Handles(self._secret, "") if purpose == b"id" else self, purpose, length)

    patch(Handles, "_derive", derive)


@plant(21, Detector.HANDLES)
def kind_of_an_id_is_not_asked(patch: Patch) -> None:
    """An id opens as whatever kind it says it is, so that the id of a link is taken for that of an entity."""
    honest = Handles.open

    def unseal(self: Handles, kind: str, shown: str) -> str:
        said = next((name for name, letter in _KINDS.items() if shown.startswith(letter.decode())), kind)
        return honest(self, said, shown)

    patch(Handles, "open", unseal)


@plant(22, Detector.NONINTERFERENCE)
def link_needs_both_its_ends(patch: Patch) -> None:
    """A link is refused when there is no record of one of its ends, as a foreign key would have it."""
    honest = MemoryStore._add_link

    def add_link(self: MemoryStore, link: Link) -> bool:
        ends = (link.left, link.right)
        return all(self._records_by_thing.find([end]) for end in ends) and honest(self, link)

    patch(MemoryStore, "_add_link", add_link)


@plant(22, Detector.IMPORTS)
def importer_is_told_of_duplicates(patch: Patch) -> None:
    """Whoever imports is told how much of it was there already, hidden from them or not."""
    honest = ImportReport.add

    def add(self: ImportReport, batch: Batch, written: Written) -> None:
        self.duplicates = self.duplicates or 0
        honest(self, batch, written)

    patch(ImportReport, "add", add)


@plant(23, Detector.CANARIES)
def fault_is_told_in_its_own_words(patch: Patch) -> None:
    """An unexpected error is shown with its text."""

    def mask(error: BaseException) -> dict[str, Any]:
        cause = getattr(error, "original_error", None) or error
        return errors.make_error("INTERNAL", str(cause), reference=secrets.token_hex(4))

    patch(errors, "mask", mask)
    patch(service, "mask", mask)


@plant(23, Detector.NONINTERFERENCE)
def refusal_says_what_kind_of_id_it_was(patch: Patch) -> None:
    """An explanation is refused in other words for a record that is withheld than for one that is not there."""
    honest = View.explain

    def explain(self: View, left: str, right: str) -> Explanation:
        try:
            return honest(self, left, right)
        except NotVisible:
            if all(stored(self, [self.identity("entity", id_)]) for id_ in (left, right)):
                raise InvalidData("two visible records", "one that is withheld", path="left, right") from None
            raise

    patch(View, "explain", explain)


@plant(24, Detector.TIERS)
def suggestions_are_kept(patch: Patch) -> None:
    """The validator's guesses at what a caller meant are passed on."""
    patch(errors, "_SUGGESTION", "\0")


@plant(24, Detector.TIERS)
def schema_holds_forbidden_fields(patch: Patch) -> None:
    """Every tier has the whole schema; what it may not have is merely null."""
    patch(TierSchema, "_is_given", lambda self, field, of: True)


@plant(25, Detector.CANARIES)
def words_of_the_engine_are_passed_on(patch: Patch) -> None:
    """An error of the store is explained in the engine's words, plan and parameters included."""
    patch(errors, "_CODES", {**errors._CODES, StoreError: "UNAVAILABLE"})
    patch(errors, "_EXPLAINED", (*errors._EXPLAINED, StoreError))


@plant(34, Detector.BOUNDS)
def guard_measures_each_spread_anew(patch: Patch) -> None:
    """The guard walks a fragment as often as it is spread, so that measuring is what takes the time."""

    def fragment(self: _Meter, name: str) -> Cost:
        found = self._fragments.get(name)
        return self._selections(found.selection_set) if found else Cost()

    patch(_Meter, "_fragment", fragment)


@plant(34, Detector.BOUNDS)
def page_may_be_of_any_size(patch: Patch) -> None:
    """How many things a page may list is not bounded."""

    def check_first(first: int) -> int:
        if first < 0:
            raise BadInput("first: expected no less than 0")
        return first

    patch(nodes, "check_first", check_first)
    patch(schema, "check_first", check_first)
