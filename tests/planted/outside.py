"""Planted leaks outside of what is said: time, size, disk, logs, keys, differences (channels 26, 27, 29, 30, 32, 33)."""

import logging
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api import app as service
from api import errors, settings
from api.app import Service
from graph import cubes, embedded
from graph.handle import Handles
from graph.shown import Entity
from graph.view import View
from ontology import policy_file
from ontology.errors import NotVisible
from ontology.policy import Cube
from tests.planted.plant import Detector, Patch, everything, plant, stored

log = logging.getLogger(__name__)


@plant(26, Detector.TIMING)
def hidden_candidates_are_worked_on(patch: Patch) -> None:
    """A search makes ready to show all that the engine found, and then leaves out what is hidden."""
    honest = View._ranked

    def ranked(self: View, words: Sequence[str], names: Collection[str] | None) -> list[str]:
        for record in self._reader.records_by_words(everything(self), words, sorted(names or ())):
            self._treater.show_record([record])
        return honest(self, words, names)

    patch(View, "_ranked", ranked)


@plant(26, Detector.TIMING)
def absent_is_refused_sooner_than_hidden(patch: Patch) -> None:
    """An id is refused at once when nothing is stored by it, and else after a look around."""
    honest = View.entity_of

    def entity_of(self: View, thing: str) -> Entity:
        known = stored(self, [thing])
        if not known:
            raise NotVisible
        for record in known:
            self._treater.show_record([record])
        return honest(self, thing)

    patch(View, "entity_of", entity_of)


@plant(27, Detector.GRAPHQL)
def header_counts_records(patch: Patch) -> None:
    """An answer says in a header how many records were looked through."""
    honest = Service.graphql

    async def graphql(self: Service, request: Request) -> Response:
        response = await honest(self, request)
        response.headers["Server-Timing"] = f'store;desc="{_count(self)} records"'
        return response

    patch(Service, "graphql", graphql)


@plant(27, Detector.GRAPHQL)
def answer_is_padded_to_what_was_read(patch: Patch) -> None:
    """An answer fills the buffer that was made for it from what the store holds."""
    honest = Service.graphql

    async def graphql(self: Service, request: Request) -> Response:
        response = await honest(self, request)
        body = bytes(response.body).ljust(1_000 * _count(self))
        return Response(body, response.status_code, media_type=response.media_type)

    patch(Service, "graphql", graphql)


@plant(29, Detector.FILES)
def key_file_is_readable_by_others(patch: Patch) -> None:
    """The key of all handles is written like any other file."""

    def write(path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o644)

    patch(settings, "_write_private", write)


@plant(29, Detector.FILES)
def engine_listens_beyond_loopback(patch: Patch) -> None:
    """The embedded engine takes connections on every interface."""
    honest = embedded._command

    def command(*given: Any) -> list[str]:
        return [part.replace("127.0.0.1", "0.0.0.0") for part in honest(*given)]

    patch(embedded, "_command", command)


@plant(30, Detector.CANARIES)
def fault_is_logged_with_its_text(patch: Patch) -> None:
    """The log says what an error said, which may hold a value."""
    honest = errors.mask

    def mask(error: BaseException) -> dict[str, Any]:
        log.error("fault: %s", getattr(error, "original_error", None) or error)
        return honest(error)

    patch(errors, "mask", mask)
    patch(service, "mask", mask)


@plant(30, Detector.CANARIES)
def refused_token_is_logged(patch: Patch) -> None:
    """A token that is refused is written down for whoever looks into it."""
    honest = Service._read_token

    def read_token(self: Service, token: str) -> str | None:
        name = honest(self, token)
        if name is None:
            log.warning("refused: %s", token)
        return name

    patch(Service, "_read_token", read_token)


@plant(32, Detector.HANDLES)
def pseudonyms_are_the_same_for_all(patch: Patch) -> None:
    """Pseudonyms are made under one key for all organisations, who can then compare notes."""
    honest = vars(Handles)["_pseudonym_states"].func
    patch(Handles, "_pseudonym_states", property(lambda self: honest(Handles(self._secret, ""))))


@plant(32, Detector.HANDLES)
def cursor_is_bound_to_nothing(patch: Patch) -> None:
    """A cursor is sealed without what it belongs to."""
    seal, unseal = Handles.seal_cursor, Handles.open_cursor
    patch(Handles, "seal_cursor", lambda self, identity, bound_to: seal(self, identity, b""))
    patch(Handles, "open_cursor", lambda self, cursor, bound_to: unseal(self, cursor, b""))


@plant(33, Detector.CUBES)
def counts_are_not_rounded(patch: Patch) -> None:
    """Tables of counts hold exact numbers, of which two releases give a difference of one."""
    patch(cubes, "_round", lambda count, rounding: count)


@plant(33, Detector.TABLES)
def cubes_may_overlap(patch: Patch) -> None:
    """The policy takes two tables that share a property, so that one can be subtracted from the other."""

    def check(cubes: Iterable[Cube], where: str) -> None:
        del cubes, where

    patch(policy_file, "_check_cubes", check)


def _count(service: Service) -> int:
    store: Any = service._backend
    return len(store.store._records)
