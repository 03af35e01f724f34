"""Telemetry: figures for operators alone, spans without anything that a caller wrote."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api import telemetry
from api.trusted import TrustedDocument, TrustedDocuments
from tests.api.backend import INVESTIGATOR, NGO
from tests.api.client import Client
from tests.factory import make_observer

OPERATOR = make_observer("operator", organisation="Police", name="op")
SECRET = "MarkerInTheDocument"
FIND = TrustedDocument.of("query Find($text: String!) { search(text: $text) { totalCount } }")


@pytest.fixture
def client(tmp_path: Path) -> Client:
    """Return a caller of a service that keeps figures, known to an operator too."""
    client = Client(tmp_path, metrics=True, documents=TrustedDocuments({FIND.id: FIND}))
    client.backend.store.put_observer(OPERATOR)
    return client


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Return the spans that are made, in memory."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "_TRACER", provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


def figures(client: Client, observer: Any = OPERATOR) -> Any:
    """Ask for the figures."""
    headers = {"Authorization": f"Bearer {client.keys.issue(observer.name)}"}
    return client.send("GET", "/metrics", headers=headers)


def test_requests_are_counted_by_tier_and_status(client: Client) -> None:
    """Who asked how often and how it ended is told, by nothing else that a caller chose."""
    for _ in range(2):
        client.post(NGO, {"query": "{ observer { name } }"})
    client.post(NGO, {"query": SECRET, "operationName": SECRET}, Accept="application/graphql-response+json")
    client.send("POST", f"/graphql?{SECRET}", headers={"X-Header": SECRET})
    client.send("GET", f"/{SECRET}")

    response = figures(client)

    counts = re.findall(r'_count\{status="(\d+)",tier="(\w*)"\} ([\d.]+)', response.text)
    assert set(counts) == {("200", "ngo", "2.0"), ("400", "ngo", "1.0"), ("401", "", "1.0")}
    assert "vinculum_requests_running 0.0" in response.text
    assert "vinculum_requests_waiting 0.0" in response.text
    assert "process_resident_memory_bytes" in response.text
    assert SECRET not in response.text
    assert response.headers["content-type"].startswith("text/plain; version=")
    assert response.headers["cache-control"] == "no-store"


def test_figures_are_for_operators_alone(client: Client, tmp_path: Path) -> None:
    """Without a token they are refused like anything else; for other tiers, and when off, there is no such address."""
    nothing = client.send("GET", "/nothing")

    assert client.send("GET", "/metrics").status_code == 401
    for observer in (NGO, INVESTIGATOR):
        assert (figures(client, observer).status_code, figures(client, observer).content) == (404, nothing.content)
    off = Client(tmp_path)
    off.backend.store.put_observer(OPERATOR)
    assert (figures(off).status_code, figures(off).content) == (404, nothing.content)
    assert off.send("GET", "/metrics").content == nothing.content


def test_spans_hold_nothing_that_a_caller_wrote(client: Client, spans: InMemorySpanExporter) -> None:
    """Tier and status are in a span; names of operations of trusted documents alone; no error's text."""
    client.post(NGO, {"query": f"query {SECRET} {{ observer {{ name }} }}"})
    client.post(INVESTIGATOR, {"documentId": FIND.id, "variables": {"text": SECRET}})
    client.post(INVESTIGATOR, {"documentId": FIND.id, "operationName": SECRET})
    client.send("POST", "/graphql", headers={"Authorization": SECRET, "traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"})
    client.send("GET", "/healthz")

    found = spans.get_finished_spans()

    assert [span.name for span in found] == ["graphql"] * 4
    assert [dict(span.attributes or {}) for span in found] == [
        {"http.response.status_code": 200, "vinculum.tier": "ngo"},
        {"http.response.status_code": 200, "vinculum.tier": "investigator", "graphql.operation.name": "Find"},
        {"http.response.status_code": 200, "vinculum.tier": "investigator"},
        {"http.response.status_code": 401, "vinculum.tier": ""},
    ]
    assert all(span.parent is None and not span.events for span in found)
    assert SECRET not in "".join(span.to_json() for span in found)


def test_fault_of_ours_leaves_no_text_in_a_span(
    client: Client, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A span of a fault holds its status and not what it said."""

    def fail(_: str) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(client.backend, "observer", fail)
    assert client.post(NGO, {"query": "{ __typename }"}).status_code == 500

    (span,) = spans.get_finished_spans()
    assert (span.attributes or {})["http.response.status_code"] == 500
    assert SECRET not in span.to_json()
