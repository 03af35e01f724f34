"""Serves what the serving benchmark compares over HTTP, each way under a path of its own; prints its port.

`/floor/{size}` writes the finished answer of a size with orjson, `/floor_relay`
that of the connection. `/ours` answers the posted document, `/cold` as if for
the first time, `/trusted` the trusted document whose id is posted. `/cpu` gives
the milliseconds of processor time that this process took so far.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from socket import create_server

import orjson
import uvicorn
from graphql import parse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.app import GRAPHQL_JSON
from api.collector import settle
from api.trusted import make_id
from bench.peers.held import ANALYST, PLAIN, RELAY, Held, ask_ours

Way = Callable[[Request], Awaitable[bytes]]


async def serve(sizes: list[int]) -> None:
    """Serve entities in these numbers until this process is stopped."""
    held = {str(size): Held.make(size, ANALYST) for size in sizes}
    plain = {size: orjson.loads(await ask_ours(PLAIN, some)) for size, some in held.items()}
    relay = {size: orjson.loads(await ask_ours(RELAY, some)) for size, some in held.items()}
    trusted = {make_id(PLAIN): parse(PLAIN)}

    async def ours(request: Request) -> bytes:
        return await ask_ours((await _body(request))["query"], held[request.path_params["size"]])

    async def cold(request: Request) -> bytes:
        return await ask_ours((await _body(request))["query"], held[request.path_params["size"]], is_cold=True)

    async def by_id(request: Request) -> bytes:
        document = trusted[(await _body(request))["documentId"]]
        return await ask_ours(document, held[request.path_params["size"]])

    async def floor(request: Request) -> bytes:
        return orjson.dumps(plain[request.path_params["size"]])

    async def floor_relay(request: Request) -> bytes:
        return orjson.dumps(relay[request.path_params["size"]])

    ways: dict[str, Way] = {
        "ours": ours, "cold": cold, "trusted": by_id, "floor": floor, "floor_relay": floor_relay,
    }  # fmt: skip
    app = Starlette(
        routes=[
            Route("/cpu", lambda _: Response(str(time.process_time() * 1_000))),
            *(Route(f"/{name}/{{size}}", _answer_by(way), methods=["POST"]) for name, way in ways.items()),
        ]
    )
    settle()
    listener = create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    await uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, ws="none")).serve([listener])


def _answer_by(way: Way) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return Response(await way(request), media_type=GRAPHQL_JSON)

    return answer


async def _body(request: Request) -> dict[str, str]:
    found: dict[str, str] = orjson.loads(await request.body())
    return found


if __name__ == "__main__":
    asyncio.run(serve([int(size) for size in sys.argv[1:]]))
