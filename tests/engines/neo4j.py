"""A real Neo4j for tests: one that the environment names, else Docker, else jars from Maven run by a local Java.

Servers started here have their data in a temporary folder, listen on loopback
and end with the session. The jars stay in a cache folder of the user.
"""

import os
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from neo4j import GraphDatabase
from neo4j.exceptions import DriverError, Neo4jError

from graph.connection import is_answering
from graph.embedded import make_death_wish

DATABASE = "neo4j"
USER = "neo4j"
MARKER = "VinculumTest"

_DELETE_SOME = "MATCH (n) WITH n LIMIT 5000 DETACH DELETE n RETURN count(*) AS deleted"
_START_TIMEOUT_S = 180.0
_STOP_TIMEOUT_S = 60.0
_OPENS = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent", "java.lang")
_POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>vinculum.tests</groupId>
  <artifactId>neo4j-jars</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.neo4j</groupId><artifactId>neo4j</artifactId><version>{version}</version></dependency>
    <dependency>
      <groupId>org.neo4j.app</groupId><artifactId>neo4j-server</artifactId><version>{version}</version>
    </dependency>
  </dependencies>
</project>
"""
_CONF = """\
server.default_listen_address=127.0.0.1
server.bolt.enabled=true
server.bolt.listen_address=127.0.0.1:{port}
server.bolt.advertised_address=127.0.0.1:{port}
server.http.enabled=false
server.https.enabled=false
server.memory.pagecache.size=128m
dbms.usage_report.enabled=false
"""


class Unavailable(Exception):
    """No server of a release can be had here; the message says what was tried."""


@dataclass(frozen=True, slots=True)
class Release:
    """One release line of Neo4j that Vinculum supports, and how it is started."""

    name: str
    pattern: str
    version: str
    java: int
    main: str


LONG_TERM = Release("neo4j-5.26", r"5\.26\b", "5.26.30", 17, "org.neo4j.server.CommunityEntryPoint")
CALENDAR = Release("neo4j-calendar", r"20\d\d\.", "2026.08.1", 21, "org.neo4j.server.Neo4jCommunity")
RELEASES = (LONG_TERM, CALENDAR)


@dataclass(frozen=True, slots=True)
class Server:
    """An engine that answers, and how it was had."""

    address: str
    user: str
    password: str = field(repr=False)
    database: str
    version: str
    how: str


@contextmanager
def open_server(release: Release) -> Iterator[Server]:
    """Give a server of this release, ended afterwards if it was started here; raises Unavailable when none can be had."""
    with ExitStack() as stack:
        if os.environ.get("NEO4J_URI"):
            server = _named_server(release)
        elif _has_docker():
            server = stack.enter_context(_docker_server(release))
        else:
            server = stack.enter_context(_local_server(release))
        stack.enter_context(_marked(server))
        yield server


@contextmanager
def _marked(server: Server) -> Iterator[None]:
    """Refuse a database that holds somebody's data, since tests wipe it; leave it as empty as it was."""
    with GraphDatabase.driver(
        server.address, auth=(server.user, server.password), notifications_min_severity="OFF"
    ) as driver:
        found = driver.execute_query(
            f"OPTIONAL MATCH (m:{MARKER}) WITH count(m) AS marks MATCH (n) RETURN marks, count(n) AS nodes",
            database_=DATABASE,
        ).records
        if found and found[0]["nodes"] and not found[0]["marks"]:
            raise Unavailable(f"{server.address} holds data and tests would wipe it: name an empty server")
        driver.execute_query(f"MERGE (:{MARKER})", database_=DATABASE)
        try:
            yield
        finally:
            # A few at a time: one transaction may not hold a whole benchmark.
            while driver.execute_query(_DELETE_SOME, database_=DATABASE).records[0]["deleted"]:
                pass


def _named_server(release: Release) -> Server:
    address = os.environ["NEO4J_URI"]
    user, password = os.environ.get("NEO4J_USER", USER), os.environ.get("NEO4J_PASSWORD", "")
    try:
        with GraphDatabase.driver(address, auth=(user, password)) as driver:
            version = driver.get_server_info().agent.partition("/")[2]
    except (DriverError, Neo4jError) as exc:
        raise Unavailable(f"NEO4J_URI: {address} does not answer: {type(exc).__name__}") from exc
    if not re.match(release.pattern, version):
        raise Unavailable(f"NEO4J_URI names a Neo4j {version}")
    return Server(address, user, password, DATABASE, version, "NEO4J_URI")


def _has_docker() -> bool:
    if not shutil.which("docker"):
        return False
    try:
        return subprocess.run(["docker", "info"], capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@contextmanager
def _docker_server(release: Release) -> Iterator[Server]:
    image = "neo4j:5.26" if release is LONG_TERM else f"neo4j:{release.version}"
    password = secrets.token_hex(12)
    options = ["--detach", "--rm", "--publish", "127.0.0.1::7687", "--env", f"NEO4J_AUTH={USER}/{password}"]
    container = _run(["docker", "run", *options, image], "docker run").strip()
    try:
        port = _run(["docker", "port", container, "7687/tcp"], "docker port").split(":")[-1].strip()
        server = Server(f"bolt://127.0.0.1:{port}", USER, password, DATABASE, release.version, f"Docker image {image}")
        _wait(server, lambda: True)
        yield server
    finally:
        subprocess.run(["docker", "stop", container], capture_output=True, check=False)


@contextmanager
def _local_server(release: Release) -> Iterator[Server]:
    java = _find_java(release.java)
    jars = _find_jars(release)
    with tempfile.TemporaryDirectory(prefix="vinculum-neo4j-") as folder:
        home = Path(folder)
        address, password = f"bolt://127.0.0.1:{_free_port()}", secrets.token_hex(12)
        server = Server(address, USER, password, DATABASE, release.version, f"jars from Maven, {java}")
        _configure(server, release, home, java, jars)
        with (home / "console.log").open("wb") as log:
            process = subprocess.Popen(
                [java, "-Xms256m", "-Xmx1g", "-XX:+UseG1GC", *(f"--add-opens=java.base/{p}=ALL-UNNAMED" for p in _OPENS),
                 "-cp", f"{jars}/*", release.main, f"--home-dir={home}", f"--config-dir={home / 'conf'}"],
                cwd=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_environment(home),
                preexec_fn=make_death_wish(),
            )  # fmt: skip
        try:
            _wait(server, lambda: process.poll() is None)
            yield server
        finally:
            _stop(process)


def _configure(server: Server, release: Release, home: Path, java: str, jars: Path) -> None:
    (home / "conf").mkdir()
    (home / "conf" / "neo4j.conf").write_text(_CONF.format(port=server.address.rsplit(":", 1)[1]), encoding="utf-8")
    admin = "org.neo4j.server.startup.Neo4jAdminCommand"
    command = [java, "-cp", f"{jars}/*", admin, "dbms", "set-initial-password", server.password]
    _run(command, f"setting the password of Neo4j {release.version}", _environment(home))


def _environment(home: Path) -> dict[str, str]:
    return os.environ | {"NEO4J_HOME": str(home), "NEO4J_CONF": str(home / "conf")}


def _wait(server: Server, is_alive: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline and is_alive():
        if is_answering(server.address, server.user, server.password, database=DATABASE):
            return
        time.sleep(0.2)
    raise Unavailable(f"Neo4j ({server.how}) did not start")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _find_java(least: int) -> str:
    """Return the oldest Java that will do: a release is tried on what its maker says it runs on."""
    homes = [os.environ.get("JAVA_HOME"), *sorted(map(str, Path("/usr/lib/jvm").glob("*")))]
    commands = [f"{home}/bin/java" for home in homes if home] + [shutil.which("java") or ""]
    found = {_java_version(c): c for c in reversed(commands) if c and Path(c).exists()}
    fit = sorted(v for v in found if v >= least)
    if not fit:
        raise Unavailable(f"no NEO4J_URI, no Docker, and no Java {least} or newer in JAVA_HOME, PATH or /usr/lib/jvm")
    return found[fit[0]]


def _java_version(command: str) -> int:
    answer = subprocess.run([command, "-version"], capture_output=True, text=True, check=False)
    match = re.search(r'version "(\d+)', answer.stderr)
    return int(match[1]) if match else 0


def _find_jars(release: Release) -> Path:
    """Return the folder of a release's jars, fetched once into the cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "vinculum" / f"neo4j-{release.version}"
    if not (folder / "lib" / f"neo4j-{release.version}.jar").exists():
        _fetch_jars(release, folder)
    return folder / "lib"


def _fetch_jars(release: Release, folder: Path) -> None:
    if not shutil.which("mvn"):
        raise Unavailable(f"no NEO4J_URI, no Docker, and no Maven to fetch Neo4j {release.version} with")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pom.xml").write_text(_POM.format(version=release.version), encoding="utf-8")
    with tempfile.TemporaryDirectory(dir=folder) as draft:
        options = [
            "-q",
            "-B",
            "-f",
            str(folder / "pom.xml"),
            f"-DoutputDirectory={draft}/lib",
            "-DincludeScope=runtime",
        ]
        _run(["mvn", *options, "dependency:copy-dependencies"], f"fetching Neo4j {release.version} with Maven")
        shutil.rmtree(folder / "lib", ignore_errors=True)
        (Path(draft) / "lib").rename(folder / "lib")


def _run(command: list[str], what: str, environment: dict[str, str] | None = None) -> str:
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if answer.returncode:
        raise Unavailable(f"{what} failed: {(answer.stderr or answer.stdout).strip()[-300:]}")
    return answer.stdout


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
