"""Open a store by its address: the embedded engine of a home folder, or one that answers over Bolt."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from graph import embedded
from graph.bolt import BoltStore
from graph.embedded import open_embedded
from ontology.policy import Policy

EMBEDDED = "embedded"
DEFAULT_USER = "neo4j"
DEFAULT_DATABASE = "neo4j"


def open_store(
    address: str,
    *,
    home: Path,
    user: str = DEFAULT_USER,
    password: str = "",
    secret: bytes,
    policy: Policy | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> BoltStore:
    """Open the store at an address: ``embedded``, or ``bolt://host:7687`` with ``/name`` for another database.

    `policy` is the one in force, None for the one that ships.

    The embedded engine lives in the home folder and ends with the store that
    started it. Raises StoreError when the engine cannot be had or reached.
    """
    if address == EMBEDDED:
        return _open_embedded(home, secret, policy, clock)
    server, database = split_address(address)
    return BoltStore(server, user, password, database=database, secret=secret, policy=policy, clock=clock)


def split_address(address: str) -> tuple[str, str]:
    """Return an address without its path, and the database that the path names."""
    parts = urlsplit(address)
    database = parts.path.strip("/") or DEFAULT_DATABASE
    return urlunsplit(parts._replace(path="")), database


def _open_embedded(home: Path, secret: bytes, policy: Policy | None, clock: Callable[[], datetime]) -> BoltStore:
    engine = open_embedded(home)
    try:
        return BoltStore(
            engine.address,
            embedded.USER,
            engine.runtime.password,
            database=embedded.DATABASE,
            secret=secret,
            policy=policy,
            clock=clock,
            on_close=engine.close,
        )
    except BaseException:
        engine.close()
        raise
