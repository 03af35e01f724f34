"""The service as it ships, in a process of its own over an engine, for benchmarks that ask it over HTTP."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from socket import create_server
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

import orjson
from pydantic import SecretStr

from api.identity import MAX_LIFETIME_S, TokenKeys
from api.pipeline import Pipeline
from api.settings import Settings
from graph.bolt import BoltStore
from tests.engines.neo4j import LONG_TERM, open_server

ENGINES = ("embedded", LONG_TERM.name)
_START_S = 60.0


@dataclass(frozen=True, slots=True)
class Service:
    """A running service: where it listens, its process, and headers that ask it as somebody."""

    port: int
    pid: int
    keys: TokenKeys

    def headers(self, observer: str) -> dict[str, str]:
        """Return the headers of a request by an observer."""
        token = self.keys.issue(observer, lifetime_s=MAX_LIFETIME_S)
        return {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}


class Client:
    """One connection to a service, for one observer."""

    def __init__(self, service: Service, observer: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", service.port)
        self._headers = service.headers(observer)

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Return the data of an answer; raises RuntimeError for one with errors."""
        body = orjson.dumps({"query": query, "variables": variables})
        self._connection.request("POST", "/graphql", body, self._headers)
        answer = orjson.loads(self._connection.getresponse().read())
        if "errors" in answer:
            raise RuntimeError(f"expected an answer, found {answer['errors']}")
        found: dict[str, Any] = answer["data"]
        return found

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


@contextmanager
def open_pipeline(engine: str) -> Iterator[Pipeline]:
    """Open an empty store on an engine; raises Unavailable where it cannot be had."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(TemporaryDirectory(prefix="vinculum-bench-")))
        given: dict[str, Any] = {}
        if engine != "embedded":
            server = stack.enter_context(open_server(LONG_TERM))
            password = SecretStr(server.password)
            given = {"store": server.address, "store_user": server.user, "store_password": password}
        yield stack.enter_context(Pipeline.open(Settings(home=home, **given)))


def bolt_store(pipeline: Pipeline) -> BoltStore:
    """Return the store of a pipeline on an engine."""
    if not isinstance(pipeline.store, BoltStore):
        raise TypeError("expected a store on an engine")
    return pipeline.store


@contextmanager
def serve(pipeline: Pipeline, **settings: str) -> Iterator[Service]:
    """Serve a pipeline's store by `vinculum serve`; `settings` are further ones by their names in small letters."""
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    known = pipeline.settings
    environment = {
        "VINCULUM_HOME": str(known.home),
        "VINCULUM_STORE": known.store,
        "VINCULUM_STORE_USER": known.store_user,
        "VINCULUM_STORE_PASSWORD": known.password,
        "VINCULUM_PORT": str(port),
        **{f"VINCULUM_{name.upper()}": value for name, value in settings.items()},
    }
    command = [str(Path(sys.executable).with_name("vinculum")), "serve"]
    with subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL) as process:
        try:
            _wait(port, process)
            yield Service(port, process.pid, TokenKeys(known.home / "keys"))
        finally:
            process.terminate()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    started = monotonic()
    while process.poll() is None and monotonic() - started < _START_S:
        connection = HTTPConnection("127.0.0.1", port)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            sleep(0.1)
        finally:
            connection.close()
    raise RuntimeError("expected a service that gets ready, found none")
