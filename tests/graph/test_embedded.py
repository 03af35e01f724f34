"""The embedded engine as a process: one per home, shared, private, and never lost or left behind."""

import fcntl
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from graph import connection, embedded
from graph.bolt import BoltStore
from graph.embedded import EmbeddedEngine, open_embedded
from graph.open import open_store
from graph.store import Batch, Scope
from ontology.errors import StoreError
from ontology.observer import SYSTEM
from tests.factory import SECRET, START, make_label, make_record

pytestmark = pytest.mark.embedded

BATCH = 50
EVERYTHING = Scope([make_label().lid], START + timedelta(days=1))
OWNER = """
import sys, time
from pathlib import Path
from graph.embedded import open_embedded
engine = open_embedded(Path(sys.argv[1]), heap="256m")
print(engine.runtime.pid, engine.is_owner, flush=True)
if sys.argv[2] == "stay":
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home folder of the engine that the tests share."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def engine(home: Path) -> Iterator[EmbeddedEngine]:
    """Return a running engine."""
    with open_embedded(home, heap="256m") as engine:
        yield engine


def connect(engine: EmbeddedEngine) -> BoltStore:
    """Open the store on an engine."""
    runtime = engine.runtime
    return BoltStore(runtime.address, embedded.USER, runtime.password, database=embedded.DATABASE, secret=SECRET)


def keys_in(store: BoltStore) -> set[str]:
    """Return the source keys of all records."""
    reader = store.view(SYSTEM, EVERYTHING.as_of)._reader
    return {record.source_key for chunk in reader.iter_records(EVERYTHING, ()) for record in chunk}


def wait_until(holds: Callable[[], bool]) -> bool:
    """Wait at most half a minute for something to hold."""
    deadline = time.monotonic() + 30
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


def is_gone(pid: int) -> bool:
    """Whether a process has ended, be it not yet buried."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def start_owner(home: Path, then: str) -> "subprocess.Popen[str]":
    """Start a Python process that opens the engine of a home."""
    root = Path(embedded.__file__).parents[1]
    return subprocess.Popen([sys.executable, "-c", OWNER, str(home), then], stdout=subprocess.PIPE, text=True, cwd=root)


def first_line(process: "subprocess.Popen[str]") -> list[str]:
    """Return the words of the first line that a process prints."""
    assert process.stdout
    return process.stdout.readline().split()


def test_other_processes_attach(home: Path, engine: EmbeddedEngine) -> None:
    """A second process uses the engine that runs, and leaves it running."""
    with start_owner(home, "go") as other:
        assert first_line(other) == [str(engine.runtime.pid), "False"]

    assert engine.runtime.is_answering()


def test_closing_what_was_attached_to_leaves_it_running(home: Path, engine: EmbeddedEngine) -> None:
    """Only its owner ends an engine."""
    attached = open_embedded(home)
    attached.close()

    assert not attached.is_owner
    assert engine.is_owner
    assert engine.runtime.is_answering()


def test_the_password_is_for_the_user_alone(home: Path, engine: EmbeddedEngine) -> None:
    """It lies in a file that nobody else can read and in no list of processes, nor in a printed engine."""
    file = home / "engine" / "runtime.json"

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert engine.runtime.password not in " ".join(psutil.Process(engine.runtime.pid).cmdline())
    assert engine.runtime.password not in repr(engine.runtime)
    assert not (home / "engine" / "password").exists()


def test_the_engine_listens_on_loopback_alone(engine: EmbeddedEngine) -> None:
    """Nobody reaches it over a network."""
    connections = psutil.Process(engine.runtime.pid).net_connections(kind="inet")
    listening = {c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN}

    assert listening <= {"127.0.0.1", "::ffff:127.0.0.1"}
    assert listening


def test_one_of_many_starts_it(tmp_path: Path) -> None:
    """Of three that open one home at once, one owns the engine and all reach it."""
    with ThreadPoolExecutor(3) as pool:
        engines = list(pool.map(lambda _: open_embedded(tmp_path, heap="256m"), range(3)))
    pids = {engine.runtime.pid for engine in engines}
    owners = [engine for engine in engines if engine.is_owner]
    for engine in engines:
        engine.close()

    assert len(owners) == 1
    assert len(pids) == 1
    assert all(is_gone(pid) for pid in pids)


def test_a_closed_store_opens_again_with_what_it_had(tmp_path: Path) -> None:
    """What was written is there after a stop and a start, under a new password."""
    with open_store("embedded", home=tmp_path, secret=SECRET) as store:
        store.write(Batch(records=[make_record(key="kept")]))
        assert store.info().engine == "embedded"
        first = (tmp_path / "engine" / "runtime.json").read_text()
    assert not (tmp_path / "engine" / "runtime.json").exists()

    with open_store("embedded", home=tmp_path, secret=SECRET) as store:
        assert keys_in(store) == {"kept"}
        assert (tmp_path / "engine" / "runtime.json").read_text() != first


def test_a_killed_engine_keeps_what_it_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed with force under writes, the engine comes back with every batch it confirmed and no half of one."""
    monkeypatch.setattr(connection, "_RETRY_TIMEOUT_S", 0.0)
    engine = open_embedded(tmp_path, heap="256m")
    confirmed: set[str] = set()
    with ThreadPoolExecutor(1) as pool, connect(engine) as store:
        writing = pool.submit(write_until_it_fails, store, confirmed)
        assert wait_until(lambda: len(confirmed) >= 4 * BATCH)
        os.kill(engine.runtime.pid, signal.SIGKILL)
        with pytest.raises(StoreError):
            writing.result()

    with open_embedded(tmp_path, heap="256m") as again, connect(again) as store:
        found = keys_in(store)
    engine.close()

    assert confirmed <= found
    assert len(found) % BATCH == 0


def write_until_it_fails(store: BoltStore, confirmed: set[str]) -> None:
    """Write batch after batch, noting the keys of each once it is confirmed."""
    for number in range(10_000):
        keys = [f"{number}-{i}" for i in range(BATCH)]
        store.write(Batch(records=[make_record(key=key) for key in keys]))
        confirmed.update(keys)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel ends children with us on Linux alone")
def test_the_engine_ends_with_a_killed_owner(tmp_path: Path) -> None:
    """An owner killed with force takes the engine along, and the next one starts as if nothing had been."""
    with start_owner(tmp_path, "stay") as owner:
        pid = int(first_line(owner)[0])
        owner.kill()

    assert wait_until(lambda: is_gone(pid))
    with open_embedded(tmp_path, heap="256m") as engine:
        assert engine.is_owner


def test_the_engine_ends_with_its_owner(tmp_path: Path) -> None:
    """An owner that ends without closing leaves neither process nor file."""
    with start_owner(tmp_path, "go") as owner:
        pid = int(first_line(owner)[0])

    assert is_gone(pid)
    assert not (tmp_path / "engine" / "runtime.json").exists()


def test_a_silent_holder_of_the_lock_is_named(tmp_path: Path) -> None:
    """Who holds the lock and does not answer is not waited for without end."""
    folder = tmp_path / "engine"
    folder.mkdir()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        with pytest.raises(StoreError, match="expected the engine that holds the lock to answer"):
            open_embedded(tmp_path, timeout_s=0.3)


def test_a_failed_start_says_where_to_look(tmp_path: Path) -> None:
    """A runtime that refuses to start leads to its log, and leaves the lock free."""
    for _ in range(2):
        with pytest.raises(StoreError, match=r"did not start; see .*console\.log"):
            open_embedded(tmp_path, heap="nonsense")

    assert "heap" in (tmp_path / "engine" / "log" / "console.log").read_text()
