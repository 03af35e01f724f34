"""Serving: GraphQL over HTTP, one document from a file, and the tokens that callers carry.

The server's libraries take a second to load, so each command imports what it needs.
"""

import asyncio
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import orjson
import typer

from api.cli.console import AsJson, AsJsonAlways, err, open_pipeline, out, print_json
from api.collector import settle
from api.pipeline import Pipeline
from ontology.errors import InvalidData, SettingError, describe_kind


def query(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A GraphQL document; - reads standard input.")],
    observer: Annotated[
        str, typer.Option("--as", metavar="NAME", help="The observer who asks, or acts by a mutation.")
    ],
    variables: Annotated[str, typer.Option(metavar="JSON", help="Its variables, as one JSON object.")] = "{}",
    json: AsJsonAlways = True,
) -> None:
    """Answer one GraphQL document as an observer; the response is one JSON document on standard output.

    Ends with 2 when the document or its variables are refused.
    """
    del json
    from api.answering import answer
    from api.loaders import Context

    document = _read_document(file)
    values = _read_variables(variables)
    with open_pipeline() as pipeline:
        context = Context(pipeline, pipeline.find_observer(observer))
        answered = asyncio.run(answer(context, document, values))
    print_json(orjson.loads(answered.body))
    if not answered.is_run:
        raise typer.Exit(2)


def token(
    observer: Annotated[
        str, typer.Option("--as", metavar="NAME", help="The observer for whom whoever holds the token is taken.")
    ],
    minutes: Annotated[int, typer.Option(min=1, max=60, help="How long it holds.")] = 5,
    json: AsJson = False,
) -> None:
    """Print a bearer token for an observer. It carries identity only: rights are looked up with every request."""
    from api.identity import TokenKeys

    with open_pipeline() as pipeline:
        name = pipeline.find_observer(observer).name
        keys = TokenKeys(pipeline.settings.home / "keys")
    issued = keys.issue(name, lifetime_s=minutes * 60)
    if json:
        print_json({"observer": name, "token": issued, "lifetime_s": minutes * 60})
    else:
        typer.echo(issued)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (default VINCULUM_HOST, 127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="Port (default VINCULUM_PORT, 8350).")] = None,
    ide: Annotated[bool, typer.Option("--ide", help="Also serve the GraphiQL page; it needs no internet.")] = False,
) -> None:
    """Serve GraphQL over HTTP until interrupted: POST /graphql with a bearer token from `vinculum token`."""
    with open_pipeline() as pipeline:
        run_server(pipeline, host=host, port=port, ide=ide)


def run_server(pipeline: Pipeline, *, host: str | None = None, port: int | None = None, ide: bool = False) -> None:
    """Serve a pipeline until interrupted."""
    import uvicorn

    from api.app import create_app
    from api.identity import make_readers
    from api.trusted import TrustedDocuments

    settings = pipeline.settings
    host, port, ide = host or settings.host, port or settings.port, ide or settings.ide
    keys = make_readers(settings)
    names = [name.strip() for name in settings.allowed_hosts.split(",") if name.strip()]
    app = create_app(
        pipeline,
        keys=keys,
        ide=ide,
        allowed_hosts=sorted({*names, host}),
        documents=TrustedDocuments.load(settings.documents, settings.documents_only, pipeline.policy),
        limits=settings.limits,
        metrics=settings.metrics,
    )
    listener = _listen(host, port)
    out.print(f"GraphQL at http://{host}:{port}/graphql (POST, bearer token)", markup=False)
    if ide:
        out.print(
            f"GraphiQL at http://{host}:{port}/ (a token for it: vinculum token --as NAME --minutes 60)", markup=False
        )
    settle()
    config = uvicorn.Config(app, log_level="warning", server_header=False, access_log=False, ws="none")
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])
    err.print("stopped")


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as exc:
        reason = exc.strerror or "an error"
        raise SettingError(f"VINCULUM_HOST, VINCULUM_PORT: cannot listen on {host} port {port}: {reason}") from exc


def _read_document(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidData("a readable text file", type(exc).__name__, path=file) from exc


def _read_variables(variables: str) -> dict[str, object]:
    try:
        values = orjson.loads(variables)
    except orjson.JSONDecodeError as exc:
        raise InvalidData("one JSON object", "a syntax error", path="--variables") from exc
    if not isinstance(values, dict):
        raise InvalidData("one JSON object", describe_kind(values), path="--variables")
    return values
