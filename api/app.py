"""The service over HTTP: every route, middleware and handler.

`/graphql` takes POST with JSON and a bearer token in its header, and nothing
else: no GET, no form, no batch, no cookie, so that no other page can make a
browser ask in somebody's name. A request is signed by somebody whom we trust
and has come in whole before it takes a slot; all else is done in the slot.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import anyio
import orjson
from anyio import to_thread
from graphql.language import DocumentNode
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.admission import Admission, Gone, Late, Limits, Overloaded
from api.answering import answer
from api.errors import (
    BAD_REQUEST,
    LATE,
    NOT_ACCEPTABLE,
    NOT_ALLOWED,
    NOT_FOUND,
    NOT_JSON,
    NOT_TRUSTED,
    OVERLOADED,
    TOO_LARGE,
    TOO_SLOW,
    UNAUTHENTICATED,
    UNAVAILABLE,
    UNKNOWN_DOCUMENT,
    mask,
)
from api.ide import make_ide_routes
from api.loaders import Backend, Context
from api.telemetry import MEDIA_TYPE, Metrics, Telemetry, tell_operation, tell_tier
from api.trusted import TrustedDocuments
from graph.deadline import Deadline, within
from ontology.errors import AccessError, StoreError
from ontology.observer import Observer

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
MAX_BODY_BYTES = 100_000
RETRY_AFTER_S = 1
READY_S = 2.0
READERS = 8  # of tokens, at once
# Of whom /metrics is: those who see to the service and to no content of it.
METRICS_TIER = "operator"
LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")

_WEIGHT = re.compile(r"q=[01](\.\d{0,3})?")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class TokenReader(Protocol):
    """What reads a token; see `api.identity`."""

    def read(self, token: str) -> str:
        """Return the observer that a token names; may block. Raises AccessError."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request body asks: a document, or the id of a trusted one."""

    document: str
    is_id: bool
    variables: dict[str, Any] | None
    operation: str | None


class Refused(Exception):
    """A request is refused before its document is read."""

    def __init__(self, status: int, error: Mapping[str, Any]) -> None:
        super().__init__(status)
        self.status = status
        self.error = error


def create_app(
    backend: Backend,
    *,
    keys: TokenReader,
    ide: bool = False,
    allowed_hosts: Sequence[str] = LOCAL_HOSTS,
    documents: TrustedDocuments | None = None,
    limits: Limits | None = None,
    metrics: bool = False,
) -> Starlette:
    """Return the service over a backend.

    `ide` adds the GraphiQL page, `metrics` a page of figures for operators. `allowed_hosts` are the names that it may
    be called by (`*.example.org` for all of a domain); a request for another is refused.
    """
    admission = Admission(limits or Limits())
    figures = Metrics(admission) if metrics else None
    service = Service(backend, keys, admission, documents or TrustedDocuments(), figures)
    app = Starlette(
        routes=[
            Route("/graphql", service.graphql, methods=["POST"]),
            Route("/healthz", service.health, methods=["GET"]),
            Route("/readyz", service.ready, methods=["GET"]),
            *([Route("/metrics", service.metrics, methods=["GET"])] if metrics else []),
            *(make_ide_routes() if ide else []),
        ],
        middleware=[
            Middleware(Telemetry, path="/graphql", metrics=figures),
            Middleware(SafeAnswers),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(allowed_hosts), www_redirect=False),
        ],
        exception_handlers={
            Refused: _on_refused,
            404: lambda _, __: _respond(NOT_FOUND, 404),
            405: _on_method,
            Overloaded: lambda _, __: _respond(OVERLOADED, 503),
            # Not 503, on which clients ask again by themselves: what took too long once takes as long again.
            Late: lambda _, __: _respond(LATE, 504),
            StoreError: lambda _, __: _respond(UNAVAILABLE, 503),
        },
    )
    # A redirect would be made of the Host that the caller sent.
    app.router.redirect_slashes = False
    return app


class Service:
    """The handlers of the routes."""

    def __init__(
        self,
        backend: Backend,
        keys: TokenReader,
        admission: Admission,
        documents: TrustedDocuments,
        metrics: Metrics | None,
    ) -> None:
        self._backend = backend
        self._keys = keys
        self._admission = admission
        self._only = documents.only
        self._documents = {tier: documents.of_tier(tier, backend.policy) for tier in backend.policy.tiers}
        self._metrics = metrics
        # Apart from those that answer, which a provider that is slow to give its keys must not hold up.
        self._readers = anyio.CapacityLimiter(READERS)
        self._check: asyncio.Task[None] | None = None

    async def graphql(self, request: Request) -> Response:
        """Answer one document for the observer that the token names."""
        name = await self._name(request)
        # A client that sends slowly holds up nobody, and one that leaves is not worked for.
        body = await _receive(request, self._admission.limits.deadline_s)
        return await self._admission.run(partial(self._answer, request, name, body), partial(_leave, request))

    async def health(self, _: Request) -> Response:
        """Say that the process answers."""
        return _json({"status": "ok"})

    async def ready(self, _: Request) -> Response:
        """Say whether the store answers and a policy is in force; all who ask at once share one look at the store."""
        if self._check is None or self._check.done():
            with within(Deadline(READY_S)):
                self._check = asyncio.create_task(to_thread.run_sync(self._find_faults))
        done, _pending = await asyncio.wait({self._check}, timeout=READY_S)
        if not done:
            return _respond(UNAVAILABLE, 503)
        self._check.result()
        return _json({"status": "ready"})

    async def metrics(self, request: Request) -> Response:
        """Give the figures to operators; to others there is no such address."""
        with within(Deadline(READY_S)):
            observer = await self._observer(await self._name(request))
        if observer.tier != METRICS_TIER or self._metrics is None:
            return _respond(NOT_FOUND, 404)
        return Response(self._metrics.write(), media_type=MEDIA_TYPE)

    async def _name(self, request: Request) -> str:
        """Return the name in a token that somebody we trust has signed; one refusal for every reason why there is none.

        The store is asked about such names and no others: how long a refusal takes tells those who cannot sign nothing
        about who is known. Whoever holds a good token can tell by the time that it was good, though its observer is
        gone.
        """
        given = request.headers.getlist("authorization")
        scheme, _, token = (given[0] if len(given) == 1 else "").partition(" ")
        if scheme.lower() != "bearer":
            raise Refused(401, UNAUTHENTICATED)
        name = await to_thread.run_sync(self._read_token, token.strip(), limiter=self._readers)
        if name is None:
            raise Refused(401, UNAUTHENTICATED)
        return name

    async def _observer(self, name: str) -> Observer:
        """Return who bears a name, with the rights of this moment; the same refusal for nobody."""
        observer = await to_thread.run_sync(self._identify, name)
        if observer is None:
            raise Refused(401, UNAUTHENTICATED)
        return observer

    def _read_token(self, token: str) -> str | None:
        """Return the name in a token, None for one that is not good; may block."""
        try:
            return self._keys.read(token)
        except AccessError:
            return None

    def _identify(self, name: str) -> Observer | None:
        """Return who bears a name, None for nobody and for those whose tier is no more; blocks."""
        observer = self._backend.observer(name)
        return observer if observer and observer.tier in self._backend.policy.tiers else None

    async def _answer(self, request: Request, name: str, body: bytes | Refused) -> Response:
        observer = await self._observer(name)
        tell_tier(request.scope, observer.tier)
        media_type = _accepted(request)
        if isinstance(body, Refused):
            raise body
        asked = _read_body(body)
        query = self._find_document(request, asked, observer.tier)
        answered = await answer(Context(self._backend, observer), query, asked.variables, asked.operation)
        status = 400 if media_type == GRAPHQL_JSON and not answered.is_run else 200
        return Response(answered.body, status, media_type=f"{media_type}; charset=utf-8")

    def _find_document(self, request: Request, asked: Asked, tier: str) -> str | DocumentNode:
        if not asked.is_id:
            if tier in self._only:
                raise Refused(400, NOT_TRUSTED)
            return asked.document
        found = self._documents[tier].get(asked.document)
        if found is None:
            raise Refused(400, UNKNOWN_DOCUMENT)
        tell_operation(request.scope, found.operation_name(asked.operation))
        return found.parsed

    def _find_faults(self) -> None:
        """Raise StoreError for whatever keeps requests from being answered; blocks."""
        self._backend.check()
        if not self._backend.policy.tiers:
            raise StoreError("expected a policy with tiers, found none")


class SafeAnswers:
    """Adds the headers of every answer, and masks what no handler expected, for ASGI."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        has_started = False

        async def send_safely(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "http.response.start":
                has_started = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_safely)
        except (ClientDisconnect, Gone):
            return
        except Exception as exc:
            # Whoever logs it above us would log its text, which may hold a value.
            response = _respond(mask(exc), 500)
            if not has_started and scope["type"] == "http":
                await response(scope, receive, send_safely)


async def _receive(request: Request, seconds: float) -> bytes | Refused:
    """Return the body of a request, or why it is refused, which is told to nobody but an observer."""
    try:
        with anyio.fail_after(seconds):
            return await _read_stream(request)
    except Refused as refused:
        return refused
    except TimeoutError:
        return Refused(408, TOO_SLOW)


async def _read_stream(request: Request) -> bytes:
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if kind.strip().lower() != JSON or charset not in ("", "utf-8"):
        raise Refused(415, NOT_JSON)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Refused(413, TOO_LARGE)
    return bytes(body)


async def _leave(request: Request) -> None:
    """Return when the caller is gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _read_body(body: bytes) -> Asked:
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise Refused(400, BAD_REQUEST) from exc
    if not isinstance(asked, dict):
        raise Refused(400, BAD_REQUEST)
    documents = [asked[key] for key in ("query", "documentId") if asked.get(key) is not None]
    variables, operation, extensions = (asked.get(key) for key in ("variables", "operationName", "extensions"))
    if not (
        len(documents) == 1
        and isinstance(documents[0], str)
        and isinstance(variables, dict | None)
        and isinstance(operation, str | None)
        and isinstance(extensions, dict | None)
    ):
        raise Refused(400, BAD_REQUEST)
    return Asked(documents[0], asked.get("query") is None, variables, operation)


def _accepted(request: Request) -> str:
    """Return the media type to answer in, by RFC 9110; plain JSON where the caller does not mind."""
    weights = _read_accept(",".join(request.headers.getlist("accept")) or "*/*")

    def rank(offered: str) -> tuple[float, bool]:
        given = next((name for name in (offered, "application/*", "*/*") if name in weights), None)
        return (weights[given], given == offered) if given else (0.0, False)

    # Of equals max takes the first: GraphQL's own where it is named.
    best = max((GRAPHQL_JSON, JSON) if rank(GRAPHQL_JSON)[1] else (JSON, GRAPHQL_JSON), key=rank)
    if not rank(best)[0]:
        raise Refused(406, NOT_ACCEPTABLE)
    return best


def _read_accept(accept: str) -> dict[str, float]:
    """Return the weights of the media ranges in an Accept header; one that is no number counts as not given."""
    weights = {}
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        given = next((value for value in parameters if value.startswith("q=")), "q=1")
        weights[name] = float(given[2:]) if _WEIGHT.fullmatch(given) else 1.0
    return weights


def _on_refused(_: Request, refused: Exception) -> Response:
    assert isinstance(refused, Refused)
    return _respond(refused.error, refused.status)


def _on_method(_: Request, refused: Exception) -> Response:
    assert isinstance(refused, HTTPException)
    return _respond(NOT_ALLOWED, 405, **(refused.headers or {}))


def _respond(error: Mapping[str, Any], status: int, **headers: str) -> Response:
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if status == 408:
        headers["Connection"] = "close"
    return _json({"errors": [error]}, status, headers)


def _json(content: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers=headers, media_type=JSON)
