"""The GraphiQL page: all its own, and nothing beside it."""

import json
import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from api.app import create_app
from api.guard import read_document
from api.ide import FOLDER, make_ide_routes
from api.schema import print_sdl
from ontology.errors import SettingError
from ontology.policy_file import default_policy
from tests.api.client import Client

LIBRARIES = {
    "node_modules/react/umd/react.production.min.js": "react",
    "node_modules/react-dom/umd/react-dom.production.min.js": "react-dom",
    "node_modules/graphiql/graphiql.min.js": "graphiql",
    "node_modules/graphiql/graphiql.min.css": "graphiql",
}
PAGE = ("page.html", "page.js", "page.css")


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Return a caller of a service with the page, the libraries in it being stand-ins."""
    folder = tmp_path / "graphiql"
    for file, name in LIBRARIES.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(f"/* {name} */")
    for file in PAGE:
        (folder / file).write_bytes((FOLDER / file).read_bytes())
    (folder / "node_modules/graphiql/package.json").write_text("{}")
    monkeypatch.setattr("api.app.make_ide_routes", lambda: make_ide_routes(folder))
    client = Client(tmp_path)
    client.app = create_app(client.backend, keys=client.keys, ide=True)
    return client


def default_query() -> str:
    """Return the query that the page opens with."""
    found = re.search(r"const QUERY = `(.*?)`;", (FOLDER / "page.js").read_text(), re.DOTALL)
    assert found
    return found[1]


def test_page_loads_everything_from_here(client: Client) -> None:
    """Each address in the page is ours and is served."""
    page = client.send("GET", "/").text
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)

    assert addresses
    assert "//" not in "".join(addresses)
    for address in addresses:
        assert address == "data:," or client.send("GET", address).status_code == 200


def test_page_allows_no_other_host(client: Client) -> None:
    """The browser itself is told to load and send nowhere else and to run no script written into the page."""
    response = client.send("GET", "/graphiql")
    policy = dict(part.strip().split(" ", 1) for part in response.headers["content-security-policy"].split(";"))

    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert not re.search(r"<script(?![^>]*src)|\son\w+=", response.text)


@pytest.mark.parametrize(
    "path", ["package.json", "../page.html", "%2e%2e/page.html", "node_modules/graphiql/package.json", ""]
)
def test_nothing_else_is_served(client: Client, path: str) -> None:
    """A file beside those of the page cannot be had."""
    assert client.send("GET", f"/graphiql/{path}").status_code == 404


def test_missing_libraries_are_named(tmp_path: Path) -> None:
    """A service that was not set up says what to do."""
    for file in PAGE:
        (tmp_path / file).write_text("")

    with pytest.raises(SettingError, match="make setup"):
        make_ide_routes(tmp_path)


@pytest.mark.parametrize("tier", [tier for tier in default_policy().tiers if tier not in ("auditor", "operator")])
def test_query_of_the_page_is_good_for_every_tier_that_searches(tier: str) -> None:
    """What the page opens with asks for nothing that a tier does not have, and for not too much."""
    document = read_document(default_query())

    assert validate(build_schema(print_sdl(tier)), document) == []
    assert parse(default_query())


def test_page_keeps_nothing_in_the_browser() -> None:
    """The page names no storage of the browser; the one that GraphiQL is given forgets."""
    script = (FOLDER / "page.js").read_text()

    assert "storage: forgetful" in script
    assert not re.search(r"localStorage|sessionStorage|document\.cookie|indexedDB", script)


def test_lock_names_hashes_and_no_host() -> None:
    """What npm may install is decided by content, from whichever registry it comes."""
    lock = (FOLDER / "package-lock.json").read_text()
    packages = [p for name, p in json.loads(lock)["packages"].items() if name]

    assert "resolved" not in lock
    assert all(package["integrity"].startswith("sha512-") for package in packages)
