"""The house: who may import whom, and where each outside library lives."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "ontology": {"ontology"},
    "importers": {"ontology", "importers"},
    "resolution": {"ontology", "resolution"},
    "graph": {"ontology", "graph"},
    "api": {"ontology", "importers", "resolution", "graph", "api"},
}
HOMES = {
    "prometheus_client": {"api/telemetry.py"},
    "opentelemetry": {"api/telemetry.py"},
    "neo4j": {"graph/connection.py", "graph/writing.py"},
    "splink": {"resolution"},
    "duckdb": {"resolution"},
    "pyarrow": {"resolution"},
    "cdlib": {"graph/communities.py"},
    "igraph": {"graph/communities.py", "api/vinculum/client.py"},
    "pyvis": {"graph/render.py"},
    "cryptography": {"graph/handle.py"},
    "joserfc": {"api/identity"},
    "strawberry": {"api"},
    "starlette": {"api"},
    "uvicorn": {"api/cli/serving.py"},
    "httpx": {"api/vinculum/client.py"},
    "py2neo": {"importers/py2neo.py"},
    "fastwarc": {"importers/warc.py"},
    "selectolax": {"importers/page.py"},
    "py3langid": {"importers/page.py"},
    "phonenumbers": {"ontology/values/phone.py"},
    "babel": {"ontology/values/cldr.py"},
    "anyascii": {"ontology/values/name.py"},
    "typer": {"api/cli"},
    "rich": {"api/cli"},
}
FILES = sorted(
    file for layer in MAY_IMPORT for file in (ROOT / layer).rglob("*.py") if "node_modules" not in file.parts
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_point_down(file: Path) -> None:
    """A folder imports only those below it: importers, resolution and graph never each other."""
    layer = file.relative_to(ROOT).parts[0]

    ours = {module.split(".")[0] for module in _imports(file)} & MAY_IMPORT.keys()

    assert ours <= MAY_IMPORT[layer]


@pytest.mark.parametrize("library", HOMES)
def test_each_library_has_one_home(library: str) -> None:
    """An outside library is imported in its home alone."""
    strangers = [
        place
        for file in FILES
        if library in {module.split(".")[0] for module in _imports(file)}
        if not any((place := str(file.relative_to(ROOT))).startswith(home) for home in HOMES[library])
    ]

    assert strangers == []


def test_only_the_view_asks_a_reader() -> None:
    """Nothing but the View, and the walk and the explaining that it is made of, puts raw questions to a store."""
    questions = (
        "records_by_",
        "links_of(",
        "pairs_of(",
        "iter_links(",
        "iter_pairs(",
        "judgements_of(",
        "iter_judgements(",
    )
    may = {f"graph/{name}.py" for name in ("view", "entities", "explaining", "store", "memory", "bolt")}

    asking = {
        str(file.relative_to(ROOT)) for file in FILES if any(q in file.read_text(encoding="utf-8") for q in questions)
    }

    assert asking <= may | {"graph/cypher.py"}


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
