"""The embedded engine: ArcadeDB as a child process on its own bundled Java runtime.

It speaks Bolt on loopback with a random password. One engine runs per home: a
lock that the child itself holds lives exactly as long as the child, so a killed
engine or owner leaves nothing behind that stands in the way. Other processes of
the same user attach through a file that only they can read.
"""

import atexit
import ctypes
import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import orjson

from graph.connection import is_answering
from ontology.errors import StoreError

Mode = Literal["production", "development"]

USER = "root"
DATABASE = "vinculum"
PACKAGE = "arcadedb_embedded"

_START_TIMEOUT_S = 90.0
_STOP_TIMEOUT_S = 20.0
_STARTS = 3
_PR_SET_PDEATHSIG = 1
# Two files of one megabyte, and nothing below an error.
_LOGGING = """\
handlers=java.util.logging.FileHandler
.level=SEVERE
java.util.logging.FileHandler.pattern={folder}/engine-%g.log
java.util.logging.FileHandler.limit=1000000
java.util.logging.FileHandler.count=2
java.util.logging.FileHandler.append=true
java.util.logging.FileHandler.formatter=java.util.logging.SimpleFormatter
"""


@dataclass(frozen=True, slots=True)
class Runtime:
    """What another process needs to reach a running engine."""

    pid: int
    port: int
    password: str = field(repr=False)

    @property
    def address(self) -> str:
        """The Bolt address."""
        return f"bolt://127.0.0.1:{self.port}"

    def is_answering(self) -> bool:
        """Whether the engine answers a question."""
        return is_answering(self.address, USER, self.password, database=DATABASE)


class EmbeddedEngine:
    """A running embedded engine; whoever started it owns it and stops it by closing.

    The engine of a process that ends in whatever way ends with it (on Linux by
    the kernel, elsewhere unless it is killed). Closing one that was attached to
    leaves it running.
    """

    def __init__(self, folder: Path, runtime: Runtime, child: "_Child | None" = None) -> None:
        self.runtime = runtime
        self._folder = folder
        self._child = child
        self._owner_pid = os.getpid()
        if child:
            atexit.register(self.close)

    def __enter__(self) -> Self:
        """Return the engine itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the engine."""
        self.close()

    @property
    def is_owner(self) -> bool:
        """Whether this object started the engine."""
        return self._child is not None

    @property
    def address(self) -> str:
        """The Bolt address."""
        return self.runtime.address

    @property
    def version(self) -> str:
        """The version of the engine's package."""
        return version("arcadedb-embedded")

    def close(self) -> None:
        """Stop the engine if this object started it: a request, a wait, and then force."""
        # A process forked from the owner has no say.
        if self._child is None or os.getpid() != self._owner_pid:
            return
        child, self._child = self._child, None
        atexit.unregister(self.close)
        _forget(self._folder, self.runtime.pid)
        child.stop()


def open_embedded(
    home: Path,
    *,
    heap: str = "1g",
    mode: Mode = "production",
    timeout_s: float = _START_TIMEOUT_S,
) -> EmbeddedEngine:
    """Attach to the engine that runs on a home folder, or start one.

    In production mode every commit is on the disk before it is acknowledged;
    development mode is quicker, reports errors in detail and is for tests.
    Raises StoreError, saying where to look, when the engine cannot be had in time.
    """
    folder = home.resolve() / "engine"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        # Whoever gets the lock knows that no engine lives; otherwise one runs or is about to.
        lock = _take_lock(folder / "lock")
        if lock is not None:
            return _start(folder, lock, heap, mode, deadline)
        runtime = _read_runtime(folder)
        if runtime and runtime.is_answering():
            return EmbeddedEngine(folder, runtime)
        time.sleep(0.1)
    raise StoreError(
        f"{folder}: expected the engine that holds the lock to answer within {timeout_s:.0f} s, "
        f"found silence; see {folder / 'log'} or end process {_holder(folder)}"
    )


def _start(folder: Path, lock: int, heap: str, mode: Mode, deadline: float) -> EmbeddedEngine:
    try:
        # Between choosing a free port and its use, another process may take it.
        for attempt in range(1, _STARTS + 1):
            runtime, child = _spawn(folder, lock, heap, mode)
            if _wait_until_answering(runtime, child, deadline):
                return EmbeddedEngine(folder, runtime, child)
            child.stop()
            if attempt == _STARTS or time.monotonic() >= deadline:
                break
    finally:
        # From here on the child's own copy keeps the lock.
        os.close(lock)
    raise StoreError(f"the embedded engine in {folder} did not start; see {folder / 'log' / 'console.log'}")


def _spawn(folder: Path, lock: int, heap: str, mode: Mode) -> tuple[Runtime, "_Child"]:
    password = secrets.token_urlsafe(24)
    _prepare(folder, password)
    port = _free_port()
    child = _Child(_command(folder, port, heap, mode), folder, lock)
    runtime = Runtime(child.pid, port, password)
    _write_private(folder / "runtime.json", orjson.dumps(asdict(runtime)))
    return runtime, child


def _wait_until_answering(runtime: Runtime, child: "_Child", deadline: float) -> bool:
    while time.monotonic() < deadline and child.is_alive():
        if _is_open(runtime.port) and runtime.is_answering():
            (child.folder / "password").unlink(missing_ok=True)
            return True
        time.sleep(0.05)
    return False


class _Child:
    """The engine's process, tied to the life of ours.

    Linux sends the death signal when the *thread* that started a child ends, so
    a thread of its own starts it and stays for as long as it runs.
    """

    def __init__(self, command: Sequence[str], folder: Path, lock: int) -> None:
        self.folder = folder
        self._started: threading.Event = threading.Event()
        self._ended = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._error: OSError | None = None
        threading.Thread(target=self._run, args=(command, lock), name="embedded-engine", daemon=True).start()
        self._started.wait()
        if self._error:
            raise StoreError(f"the embedded engine's Java runtime could not be run: {self._error}") from self._error

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._popen.poll() is None

    def stop(self) -> None:
        """Ask the process to end, wait, and force it when it does not."""
        self._popen.terminate()
        try:
            self._popen.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._ended.set()

    @property
    def _popen(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def _run(self, command: Sequence[str], lock: int) -> None:
        try:
            with (self.folder / "log" / "console.log").open("wb") as log:
                self._process = subprocess.Popen(
                    command,
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(lock,),
                    # Ctrl-C in a terminal is for us; we then stop the engine in order.
                    start_new_session=True,
                    preexec_fn=make_death_wish(),
                )
        except OSError as exc:
            self._error = exc
        self._started.set()
        if not self._error:
            self._ended.wait()


def make_death_wish() -> Callable[[], None] | None:
    """Return what a new child runs first, so that the kernel ends it with us; None where there is no such thing."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def wish() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return wish


def _command(folder: Path, port: int, heap: str, mode: Mode) -> list[str]:
    package = _package_folder()
    settings = {
        "server.rootPath": folder,
        "server.rootPasswordPath": folder / "password",
        "server.configDirectory": folder / "config",
        "server.logsDirectory": folder / "log",
        "server.mode": mode,
        "server.defaultDatabases": f"{DATABASE}[]",
        "server.plugins": "Bolt:com.arcadedb.bolt.BoltProtocolPlugin",
        "server.httpIncomingHost": "127.0.0.1",
        "server.httpIncomingPort": _free_port(),
        "bolt.host": "127.0.0.1",
        "bolt.port": port,
        "bolt.defaultDatabase": DATABASE,
        "opencypher.loadCsv.allowFileUrls": "false",
        "opencypher.loadCsv.allowRemoteUrls": "false",
    }
    return [
        str(package / "jre" / "bin" / "java"),
        f"-Xmx{heap}",
        "-XX:+UseCompactObjectHeaders",
        f"-XX:ErrorFile={folder / 'log' / 'crash.log'}",
        "--add-modules=jdk.incubator.vector",
        "--enable-native-access=ALL-UNNAMED",
        "--add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED",
        "--add-opens=java.base/java.nio.channels.spi=ALL-UNNAMED",
        "--add-opens=java.base/java.lang=ALL-UNNAMED",
        "-Djava.awt.headless=true",
        "-Dfile.encoding=UTF-8",
        "-Dpolyglot.engine.WarnInterpreterOnly=false",
        f"-Djava.util.logging.config.file={folder / 'logging.properties'}",
        *(f"-Darcadedb.{name}={value}" for name, value in settings.items()),
        "-cp",
        f"{package / 'jars'}/*",
        "com.arcadedb.server.ArcadeDBServer",
    ]


def _prepare(folder: Path, password: str) -> None:
    # Users stay in the configuration folder; a new start has a new password, so that goes.
    shutil.rmtree(folder / "config", ignore_errors=True)
    (folder / "log").mkdir(mode=0o700, exist_ok=True)
    (folder / "logging.properties").write_text(_LOGGING.format(folder=folder / "log"), encoding="utf-8")
    _write_private(folder / "password", password.encode())


def _package_folder() -> Path:
    # Importing the package would start to load Java into this process.
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise StoreError("the embedded engine needs the package arcadedb-embedded, which is not installed")
    return Path(spec.origin).parent


def _take_lock(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _read_runtime(folder: Path) -> Runtime | None:
    try:
        return Runtime(**orjson.loads((folder / "runtime.json").read_bytes()))
    except (FileNotFoundError, ValueError, TypeError):
        # Not written yet, or by another version.
        return None


def _forget(folder: Path, pid: int) -> None:
    runtime = _read_runtime(folder)
    if runtime and runtime.pid == pid:
        (folder / "runtime.json").unlink(missing_ok=True)


def _holder(folder: Path) -> str:
    runtime = _read_runtime(folder)
    return str(runtime.pid) if runtime else "(not known yet)"


def _write_private(path: Path, content: bytes) -> None:
    """Write a file that nobody else can read, whole or not at all."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _is_open(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(0.5)
        return client.connect_ex(("127.0.0.1", port)) == 0
