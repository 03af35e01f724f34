"""Telemetry: how many requests there were of which tier, how they ended and how long they took.

Neither metrics nor spans hold anything that a caller wrote: no document, no
variable, no address, and names of operations of trusted documents alone, which
the operator has read. Spans are made for whatever OpenTelemetry the operator
runs the service under; without one they cost nothing.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.admission import Admission

MEDIA_TYPE = CONTENT_TYPE_LATEST
# As proxies write it in their logs, for a caller who left before the answer.
GONE = 499

_TRACER = trace.get_tracer("vinculum")
_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_TIER, _OPERATION = "vinculum_tier", "vinculum_operation"


class Metrics:
    """What Prometheus reads of one service."""

    def __init__(self, admission: Admission) -> None:
        self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "vinculum_request_seconds",
            "Requests to /graphql by tier (empty: nobody known) and status, and their seconds from start to answer.",
            ("tier", "status"),
            buckets=_BUCKETS_S,
            registry=self._registry,
        )
        running = Gauge("vinculum_requests_running", "Requests that hold a slot.", registry=self._registry)
        running.set_function(lambda: admission.running)
        waiting = Gauge("vinculum_requests_waiting", "Requests that wait for a slot.", registry=self._registry)
        waiting.set_function(lambda: admission.waiting)
        ProcessCollector(registry=self._registry)

    def note(self, tier: str, status: int, seconds: float) -> None:
        """Count a request that has ended."""
        self._seconds.labels(tier, str(status)).observe(seconds)

    def write(self) -> bytes:
        """Return all of it in the text format of Prometheus."""
        return generate_latest(self._registry)


class Telemetry:
    """Makes a span of each request to one path and notes it, for ASGI."""

    def __init__(self, app: ASGIApp, *, path: str, metrics: Metrics | None = None) -> None:
        self._app = app
        self._path = path
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or scope["path"] != self._path:
            await self._app(scope, receive, send)
            return
        known: dict[str, Any] = scope.setdefault("state", {})
        status = GONE

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started = time.perf_counter()
        with _span(known) as span:
            await self._app(scope, receive, send_noting)
            span.set_attribute("http.response.status_code", status)
        if self._metrics:
            self._metrics.note(known.get(_TIER, ""), status, time.perf_counter() - started)


def tell_tier(scope: Scope, tier: str) -> None:
    """Say of which tier is who asks."""
    scope.setdefault("state", {})[_TIER] = tier


def tell_operation(scope: Scope, name: str | None) -> None:
    """Say which operation of a trusted document is asked for."""
    scope.setdefault("state", {})[_OPERATION] = name


@contextmanager
def _span(known: dict[str, Any]) -> Iterator[trace.Span]:
    # An exception's text may hold a value, so none is recorded.
    with _TRACER.start_as_current_span(
        "graphql", kind=trace.SpanKind.SERVER, record_exception=False, set_status_on_exception=False
    ) as span:
        yield span
        span.set_attribute("vinculum.tier", known.get(_TIER, ""))
        if name := known.get(_OPERATION):
            span.set_attribute("graphql.operation.name", name)
