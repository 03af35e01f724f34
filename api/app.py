"""The service over HTTP: every route, middleware and handler.

`/graphql` takes POST with JSON and a bearer token in its header, and nothing
else: no GET, no form, no batch, no cookie, so that no other page can make a
browser ask in somebody's name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from anyio import to_thread
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import (
    BAD_REQUEST,
    NOT_ACCEPTABLE,
    NOT_ALLOWED,
    NOT_FOUND,
    NOT_JSON,
    TOO_LARGE,
    UNAUTHENTICATED,
    UNAVAILABLE,
    mask,
)
from api.ide import make_ide_routes
from api.loaders import Backend, Context
from api.schema import answer
from ontology.errors import AccessError, StoreError
from ontology.observer import Observer

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
MAX_BODY_BYTES = 100_000
LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")

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
    """What a request body asks."""

    query: str
    variables: dict[str, Any] | None
    operation: str | None


class Refused(Exception):
    """A request is refused before its document is read."""

    def __init__(self, status: int, error: Mapping[str, Any]) -> None:
        super().__init__(status)
        self.status = status
        self.error = error


def create_app(
    backend: Backend, *, keys: TokenReader, ide: bool = False, allowed_hosts: Sequence[str] = LOCAL_HOSTS
) -> Starlette:
    """Return the service over a backend.

    `ide` adds the GraphiQL page. `allowed_hosts` are the names that it may be
    called by (`*.example.org` for all of a domain); a request for another is refused.
    """
    service = Service(backend, keys)
    app = Starlette(
        routes=[
            Route("/graphql", service.graphql, methods=["POST"]),
            Route("/healthz", service.health, methods=["GET"]),
            Route("/readyz", service.ready, methods=["GET"]),
            *(make_ide_routes() if ide else []),
        ],
        middleware=[
            Middleware(SafeAnswers),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(allowed_hosts), www_redirect=False),
        ],
        exception_handlers={
            Refused: _on_refused,
            404: lambda _, __: _respond(NOT_FOUND, 404),
            405: _on_method,
            StoreError: lambda _, __: _respond(UNAVAILABLE, 503),
        },
    )
    # A redirect would be made of the Host that the caller sent.
    app.router.redirect_slashes = False
    return app


class Service:
    """The handlers of the routes."""

    def __init__(self, backend: Backend, keys: TokenReader) -> None:
        self._backend = backend
        self._keys = keys

    async def graphql(self, request: Request) -> Response:
        """Answer one document for the observer that the token names."""
        observer = await self._observer(request)
        media_type = _accepted(request)
        asked = _read_body(await _body(request))
        answered = await answer(Context(self._backend, observer), asked.query, asked.variables, asked.operation)
        status = 400 if media_type == GRAPHQL_JSON and not answered.is_run else 200
        return Response(orjson.dumps(answered.body), status, media_type=f"{media_type}; charset=utf-8")

    async def health(self, _: Request) -> Response:
        """Say that the process answers."""
        return _json({"status": "ok"})

    async def ready(self, _: Request) -> Response:
        """Say whether the store answers."""
        await to_thread.run_sync(self._backend.check)
        return _json({"status": "ready"})

    async def _observer(self, request: Request) -> Observer:
        """Return who is asking, with the rights of this moment; one refusal for every reason why that is nobody."""
        given = request.headers.getlist("authorization")
        scheme, _, token = (given[0] if len(given) == 1 else "").partition(" ")
        if scheme.lower() != "bearer":
            raise Refused(401, UNAUTHENTICATED)
        observer = await to_thread.run_sync(self._identify, token.strip())
        if observer is None:
            raise Refused(401, UNAUTHENTICATED)
        return observer

    def _identify(self, token: str) -> Observer | None:
        """Return whom a token names; blocks.

        The store is asked about names that somebody we trust has signed, and no others: how long a refusal takes
        tells those who cannot sign nothing about who is known. Whoever holds a good token can tell by the time that
        it was good, though its observer is gone.
        """
        try:
            name = self._keys.read(token)
        except AccessError:
            return None
        observer = self._backend.observer(name)
        return observer if observer and observer.tier in self._backend.policy.tiers else None


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
        except ClientDisconnect:
            return
        except Exception as exc:
            # Whoever logs it above us would log its text, which may hold a value.
            response = _respond(mask(exc), 500)
            if not has_started and scope["type"] == "http":
                await response(scope, receive, send_safely)


async def _body(request: Request) -> bytes:
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


def _read_body(body: bytes) -> Asked:
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise Refused(400, BAD_REQUEST) from exc
    if not isinstance(asked, dict):
        raise Refused(400, BAD_REQUEST)
    query, variables, operation = (asked.get(key) for key in ("query", "variables", "operationName"))
    if not (isinstance(query, str) and isinstance(variables, dict | None) and isinstance(operation, str | None)):
        raise Refused(400, BAD_REQUEST)
    return Asked(query, variables, operation)


def _accepted(request: Request) -> str:
    """Return the media type to answer in, by GraphQL over HTTP; plain JSON where the caller does not mind."""
    accept = request.headers.get("accept") or "*/*"
    accepted = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    if GRAPHQL_JSON in accepted:
        return GRAPHQL_JSON
    if accepted & {JSON, "application/*", "*/*"}:
        return JSON
    raise Refused(406, NOT_ACCEPTABLE)


def _on_refused(_: Request, refused: Exception) -> Response:
    assert isinstance(refused, Refused)
    return _respond(refused.error, refused.status)


def _on_method(_: Request, refused: Exception) -> Response:
    assert isinstance(refused, HTTPException)
    return _respond(NOT_ALLOWED, 405, **(refused.headers or {}))


def _respond(error: Mapping[str, Any], status: int, **headers: str) -> Response:
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return _json({"errors": [error]}, status, headers)


def _json(content: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers=headers, media_type=JSON)
