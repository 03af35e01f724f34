"""A caller of the service, in the same process."""

from pathlib import Path
from typing import Any

import anyio
import httpx

from api.app import create_app
from api.identity import TokenKeys
from ontology.observer import Observer
from tests.api.backend import MemoryBackend


class Client:
    """Asks a service over the invented case, as any of its observers; `options` are those of `create_app`."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.backend = MemoryBackend()
        self.keys = TokenKeys(folder)
        self.app = create_app(self.backend, keys=self.keys, **options)

    def ask(self, observer: Observer, query: str, **variables: Any) -> Any:
        """Return the whole answer to a document, which must be answered with status 200."""
        response = self.post(observer, {"query": query, "variables": variables})
        assert response.status_code == 200, response.text
        return response.json()

    def data(self, observer: Observer, query: str, **variables: Any) -> Any:
        """Return the data of an answer without errors."""
        answer = self.ask(observer, query, **variables)
        assert "errors" not in answer, answer
        return answer["data"]

    def post(self, observer: Observer, body: Any, **headers: str) -> httpx.Response:
        """Post a JSON body with the observer's token."""
        token = self.keys.issue(observer.name)
        return self.send("POST", "/graphql", json=body, headers={"Authorization": f"Bearer {token}", **headers})

    def send(self, method: str, path: str, **parts: Any) -> httpx.Response:
        """Send any request."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.request(method, path, **parts)

        return anyio.run(send)
