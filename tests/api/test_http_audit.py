"""GraphQL over HTTP: the audits of graphql-http, against the service on a real socket."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.backend import INVESTIGATOR
from tests.api.client import Client
from tests.api.server import run_service

AUDIT = Path(__file__).parent.parent / "audit"
NODE = shutil.which("node", path=str(Path(sys.executable).parent))
# What a server MAY do, and this one does not: answer documents in addresses, which end up in logs and histories.
WITHOUT_GET = {"5A70", "D6D5", "6A70"}


def test_service_keeps_to_graphql_over_http(tmp_path: Path) -> None:
    """Of 61 audits all are ok, but for the three MAY that want GET: it is off, and they are told so."""
    if NODE is None or not (AUDIT / "node_modules").is_dir():
        pytest.fail("expected Node and the audits in tests/audit/node_modules, found none: run `make setup`")
    client = Client(tmp_path)

    with run_service(client.app) as (host, port):
        words = [NODE, "audit.mjs", f"http://{host}:{port}/graphql", client.keys.issue(INVESTIGATOR.name)]
        run = subprocess.run(words, cwd=AUDIT, capture_output=True, text=True, timeout=60, check=True)

    audits = json.loads(run.stdout)
    missed = {audit["id"]: audit for audit in audits if audit["status"] != "ok"}
    assert len(audits) == 61
    assert missed.keys() == WITHOUT_GET, missed
    for audit in missed.values():
        assert audit["status"] == "notice"
        assert audit["name"].startswith("MAY ")
        assert audit["reason"] == "Response status code is not 200"
