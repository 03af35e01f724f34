"""The service under load, and before clients that are slow or leave."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from api import app as api_app
from api.admission import Limits
from graph.deadline import get_remaining_s
from graph.view import View
from ontology.errors import StoreError
from ontology.observer import Observer
from tests.api.backend import NGO
from tests.api.client import Client
from tests.api.server import run_service
from tests.factory import make_observer

OPERATOR = make_observer("operator", organisation="Police", name="op")
COUNTS = {"query": "{ counts { count } }"}
BODY = json.dumps(COUNTS).encode()


class Service:
    """A service on a socket whose store answers nothing until it is let."""

    def __init__(self, client: Client, address: tuple[str, int]) -> None:
        self.client = client
        self.address = address
        self.headers = {"Authorization": f"Bearer {client.keys.issue(NGO.name)}"}
        client.backend.store.put_observer(OPERATOR)
        self.entered = threading.Semaphore(0)
        self.let = threading.Event()
        self.left: list[float | None] = []
        self._view = client.backend.view
        client.backend.view = self._wait_for_view  # type: ignore[method-assign]

    def post(self, **parts: Any) -> httpx.Response:
        """Post a document and wait for its answer."""
        url = f"http://{self.address[0]}:{self.address[1]}/graphql"
        return httpx.post(url, headers=self.headers | parts.pop("headers", {}), timeout=30, **{"json": COUNTS} | parts)

    def get(self, path: str) -> httpx.Response:
        """Ask for a page."""
        return httpx.get(f"http://{self.address[0]}:{self.address[1]}{path}", timeout=30)

    def wait_until(self, figure: str) -> None:
        """Wait until the service gives this figure of itself."""
        url = f"http://{self.address[0]}:{self.address[1]}/metrics"
        headers = {"Authorization": f"Bearer {self.client.keys.issue(OPERATOR.name)}"}
        while f"vinculum_request{figure}\n" not in httpx.get(url, headers=headers, timeout=30).text:
            time.sleep(0.01)

    def connect(self, sent: bytes, length: int) -> socket.socket:
        """Begin a request with a body of this length, of which so much is sent."""
        lines = [
            "POST /graphql HTTP/1.1",
            f"Host: {self.address[0]}",
            "Content-Type: application/json",
            f"Authorization: {self.headers['Authorization']}",
            f"Content-Length: {length}",
        ]
        connection = socket.create_connection(self.address, timeout=30)
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + sent)
        return connection

    def _wait_for_view(self, observer: Observer, as_of: datetime | None) -> View:
        self.entered.release()
        self.let.wait(30)
        self.left.append(get_remaining_s())
        return self._view(observer, as_of)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return where keys are kept."""
    return tmp_path


@contextmanager
def serving(folder: Path, limits: Limits) -> Iterator[Service]:
    """Serve with these limits."""
    client = Client(folder, limits=limits, metrics=True)
    with run_service(client.app) as address:
        service = Service(client, address)
        try:
            yield service
        finally:
            service.let.set()


def test_beyond_the_queue_is_a_clean_refusal(folder: Path) -> None:
    """One runs, one waits, the others are told at once to come again; both are answered; probes never wait."""
    with serving(folder, Limits(1, 1, 30.0)) as service, ThreadPoolExecutor(2) as pool:
        first = pool.submit(service.post)
        service.entered.acquire()
        second = pool.submit(service.post)
        service.wait_until("s_waiting 1.0")
        refused = service.post()

        assert refused.status_code == 503
        assert refused.json()["errors"][0]["extensions"] == {"code": "OVERLOADED"}
        assert refused.headers["retry-after"].isdigit()
        assert refused.headers["cache-control"] == "no-store"
        assert refused.headers["content-security-policy"].startswith("default-src 'none'")
        assert {service.post().content for _ in range(3)} == {refused.content}
        assert service.get("/healthz").status_code == service.get("/readyz").status_code == 200
        service.let.set()
        assert [one.result().status_code for one in (first, second)] == [200, 200]


def test_nobody_is_told_of_the_load(folder: Path) -> None:
    """Without a good token there is one answer, whatever the load; with one, the host is looked at before all else."""
    with serving(folder, Limits(1, 0, 30.0)) as service, ThreadPoolExecutor(1) as pool:
        first = pool.submit(service.post)
        service.entered.acquire()

        assert service.post(headers={"Authorization": "Bearer no"}).status_code == 401
        assert service.post(headers={"Host": "evil.example"}).status_code == 400
        assert service.post().status_code == 503
        service.let.set()
        assert first.result().status_code == 200


def test_what_takes_too_long_is_answered_and_told_to_stop(folder: Path) -> None:
    """At the deadline there is an answer; the work learns of it, and gives its slot back when it ends."""
    with serving(folder, Limits(1, 0, 0.2)) as service:
        late = service.post()

        assert (late.status_code, late.json()["errors"][0]["extensions"]) == (504, {"code": "LATE"})
        assert "retry-after" not in late.headers
        assert late.headers["cache-control"] == "no-store"
        assert service.post().status_code == 503
        service.let.set()
        service.wait_until("s_running 0.0")
        assert service.left == [0.0]
        while service.post().status_code != 200:
            time.sleep(0.01)


def test_a_slow_client_holds_no_slot(folder: Path) -> None:
    """While half a body has come the only slot is free; the rest is answered when it comes."""
    with serving(folder, Limits(1, 0, 30.0)) as service:
        service.let.set()
        with service.connect(BODY[:5], len(BODY)) as slow:
            assert service.post().status_code == 200
            slow.sendall(BODY[5:])
            assert slow.recv(100).startswith(b"HTTP/1.1 200 ")


def test_a_client_that_is_too_slow_is_let_go(folder: Path) -> None:
    """A body that does not come in time ends the connection, with a word why."""
    with serving(folder, Limits(1, 0, 0.2)) as service, service.connect(BODY[:5], len(BODY)) as slow:
        answer = b"".join(iter(lambda: slow.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"TOO_SLOW"' in answer


def test_a_client_that_leaves_frees_its_slot(folder: Path) -> None:
    """Whoever waits and leaves is not worked for; the work of whoever leaves while it runs is told to stop."""
    with serving(folder, Limits(1, 1, 30.0)) as service:
        with service.connect(BODY, len(BODY)):
            service.entered.acquire()
            with service.connect(BODY, len(BODY)):
                service.wait_until("s_waiting 1.0")
            service.wait_until("s_waiting 0.0")
            service.wait_until("s_running 1.0")
        service.wait_until('_seconds_count{status="499",tier="ngo"} 1.0')
        service.let.set()
        service.wait_until("s_running 0.0")
        assert service.post().status_code == 200

    gone, stayed = service.left
    assert gone == 0.0
    assert stayed


def test_refusals_of_a_body_are_told_to_observers_alone(folder: Path) -> None:
    """Somebody who signed in once and is nobody now learns nothing of how a request should be."""
    client = Client(folder)
    token = client.keys.issue("nobody")
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/html", "Content-Type": "text/plain"}

    refused = client.send("POST", "/graphql", content=b"x" * 200_000, headers=headers)

    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")


def test_a_store_that_hangs_is_not_ready(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer does not wait for the store for long, and all who ask meanwhile share one look at it."""
    monkeypatch.setattr(api_app, "READY_S", 0.1)
    looks: list[float | None] = []

    with serving(folder, Limits()) as service:

        def hang() -> None:
            looks.append(get_remaining_s())
            service.let.wait(30)

        service.client.backend.check = hang  # type: ignore[method-assign]
        answers = [service.get("/readyz") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [503] * 3
        assert answers[0].headers["retry-after"].isdigit()
        assert len(looks) == 1
        assert looks[0] is not None
        service.let.set()
        while service.get("/readyz").status_code == 503:
            time.sleep(0.01)


def test_without_a_policy_it_is_not_ready(folder: Path) -> None:
    """A policy of no tiers lets nobody in, so it counts as none."""
    client = Client(folder)
    client.backend.policy = replace(client.backend.policy, tiers={})

    assert client.send("GET", "/readyz").status_code == 503


def test_a_store_that_fails_for_who_asks_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the store cannot say who somebody is, they are told to come again."""
    client = Client(folder)

    def fail(_: str) -> None:
        raise StoreError("at an address")

    monkeypatch.setattr(client.backend, "observer", fail)

    refused = client.post(NGO, COUNTS)

    assert (refused.status_code, refused.json()["errors"][0]["extensions"]) == (503, {"code": "UNAVAILABLE"})
