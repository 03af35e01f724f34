"""The GraphiQL page, served by ourselves from what npm installed, so that it works with no internet.

It is for development: the token is typed into the page and kept in its memory
alone, and nothing is stored in the browser.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ontology.errors import SettingError

FOLDER = Path(__file__).parent / "graphiql"

# Address under /graphiql/ -> file and type; nothing else of node_modules is served.
_FILES = {
    "page.js": ("page.js", "text/javascript"),
    "page.css": ("page.css", "text/css"),
    "react.js": ("node_modules/react/umd/react.production.min.js", "text/javascript"),
    "react-dom.js": ("node_modules/react-dom/umd/react-dom.production.min.js", "text/javascript"),
    "graphiql.js": ("node_modules/graphiql/graphiql.min.js", "text/javascript"),
    "graphiql.css": ("node_modules/graphiql/graphiql.min.css", "text/css"),
}

# GraphiQL carries its fonts in its style sheet and puts style elements of its own into the page;
# scripts come from here alone, and nothing leaves for another host.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src data:; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    media_type: str


def make_ide_routes(folder: Path = FOLDER) -> list[Route]:
    """Return the routes of the page and its files, which are read now.

    Raises SettingError when GraphiQL was not installed.
    """
    page = _read(folder, "page.html", "text/html")
    files = {name: _read(folder, file, media_type) for name, (file, media_type) in _FILES.items()}

    async def show_page(_: Request) -> Response:
        return _respond(page)

    async def show_file(request: Request) -> Response:
        found = files.get(request.path_params["name"])
        return _respond(found) if found else Response(status_code=404)

    return [
        Route("/", show_page, methods=["GET"]),
        Route("/graphiql", show_page, methods=["GET"]),
        Route("/graphiql/{name}", show_file, methods=["GET"]),
    ]


def _read(folder: Path, file: str, media_type: str) -> _File:
    try:
        return _File((folder / file).read_bytes(), media_type)
    except FileNotFoundError as exc:
        raise SettingError(
            f"{folder / file}: expected the files of GraphiQL; run make setup, which installs them"
        ) from exc


def _respond(file: _File) -> Response:
    headers: Mapping[str, str] = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
    return Response(file.content, media_type=file.media_type, headers=headers)
