"""Typed clients: made from the committed schema by the usual generators, and run against the service."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from graph.store import Batch
from tests.api.backend import INVESTIGATOR, OPEN, VICTIM
from tests.api.client import Client
from tests.api.server import run_service
from tests.factory import START, make_link, make_record

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
BIN = Path(sys.executable).parent
LOCK = ROOT / "requirements" / "codegen.txt"
NODE_MODULES = HERE / "typescript" / "node_modules"
SHARED = (ROOT / "docs" / "schema" / "investigator.graphql", HERE / "operations.graphql")

OKSANA = make_record(
    key="oksana", properties={"name": ["Oksana Example"], "birthDate": ["2001-07-09"]}, label=VICTIM, minute=1
)
NORTH = make_record("Company", "north", properties={"name": ["Harbour North"]}, label=OPEN, minute=2)
SOUTH = make_record("Company", "south", properties={"name": ["Harbour South"]}, label=OPEN, minute=2)
OTHER = make_record("Company", "other", properties={"name": ["Other Trading"]}, label=OPEN, minute=2)
WORKS = make_link(OKSANA, NORTH, "Employment", label=VICTIM, minute=3)
OWNS = make_link(SOUTH, NORTH, "Ownership", label=OPEN, minute=4)

# What was stored, as the three operations should find it.
STORED = {
    "people": [{"name": ["Oksana Example"], "birthDate": ["2001-07-09"]}],
    "companies": [["Harbour South"], ["Harbour North"]],
    "totals": [1, 2],
    "reached": {"Harbour North": 1, "Harbour South": 2},
    "links": [
        ["Harbour South", "Ownership", "Harbour North"],
        ["Oksana Example", "Employment", "Harbour North"],
    ],
    "recorded": [(START + timedelta(minutes=minute)).timestamp() for minute in (4, 3)],
    "isComplete": True,
}


class ProgramFailed(Exception):
    """A program did not end well; the text holds what it wrote last."""


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Return the address of the service over what was stored, and a token for it."""
    client = Client(tmp_path_factory.mktemp("keys"))
    client.backend.store.write(Batch(records=[OKSANA, NORTH, SOUTH, OTHER], links=[WORKS, OWNS]))
    with run_service(client.app) as (host, port):
        yield f"http://{host}:{port}/graphql", client.keys.issue(INVESTIGATOR.name)


@pytest.fixture(scope="session")
def codegen(request: pytest.FixtureRequest) -> Path:
    """Return where the programs of an environment with ariadne-codegen are, made once for each state of its lock."""
    name = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]
    home = request.config.cache.mkdir(f"codegen-{name}")
    if not (home / "ready").exists():
        try:
            run(BIN / "uv", "venv", "--clear", "--python", sys.executable, "env", cwd=home)
            run(BIN / "uv", "pip", "install", "--python", "env", "--require-hashes", "-r", LOCK, cwd=home)
        except ProgramFailed as exc:
            give_up(f"expected to install {LOCK.name}, which takes the internet once: {exc}")
        (home / "ready").touch()
    return home / "env" / "bin"


def test_python_client_finds_what_was_stored(codegen: Path, service: tuple[str, str], tmp_path: Path) -> None:
    """A client made by ariadne-codegen asks each operation and returns models of what was stored."""
    gather(tmp_path, HERE / "python")
    run(codegen / "ariadne-codegen", "--config", "codegen.toml", cwd=tmp_path)

    found = json.loads(run(codegen / "python", "ask.py", *service, cwd=tmp_path))

    assert in_order(found) == in_order(STORED)


def test_typescript_client_finds_what_was_stored(service: tuple[str, str], tmp_path: Path) -> None:
    """A program that compiles under the strict types of graphql-codegen finds what was stored."""
    node = shutil.which("node", path=str(BIN))
    if node is None or not NODE_MODULES.is_dir():
        pytest.fail("expected Node, and packages in tests/clients/typescript/node_modules, found none: `make setup`")
    gather(tmp_path, HERE / "typescript")
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    run(node, NODE_MODULES / "@graphql-codegen/cli/cjs/bin.js", "--config", "codegen.yml", cwd=tmp_path)
    run(node, NODE_MODULES / "typescript/bin/tsc", "--project", ".", cwd=tmp_path)

    found = json.loads(run(node, "ask.js", *service, cwd=tmp_path))

    assert in_order(found) == in_order(STORED)


def gather(folder: Path, *sources: Path) -> None:
    """Copy the schema, the operations and the files of a client into one folder, as its programmer would have them."""
    ours = [file for source in sources for file in source.iterdir() if file.is_file()]
    for file in (*SHARED, *ours):
        shutil.copy(file, folder)


def run(*words: str | Path, cwd: Path) -> str:
    """Run a program and return what it wrote, without our environment's own say in what Python it is."""
    environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run(words, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise ProgramFailed(f"{Path(words[0]).name} {words[1]}: {(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def give_up(reason: str) -> None:
    """Fail where everything must run (CI), else skip."""
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(reason)
    pytest.skip(reason)


def in_order(found: dict[str, Any]) -> dict[str, Any]:
    """Return what was found with its links in an order of our own, for the service promises none."""
    pairs = sorted(zip(found["links"], found["recorded"], strict=True))
    return found | {"links": [link for link, _ in pairs], "recorded": [moment for _, moment in pairs]}
