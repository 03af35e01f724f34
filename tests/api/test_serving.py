"""The commands around serving, over the reference store."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.cli import main, serving
from api.identity import TokenKeys
from api.pipeline import Pipeline
from api.settings import Settings
from graph.memory import MemoryStore
from tests.api.backend import NGO
from tests.factory import SECRET


@pytest.fixture(autouse=True)
def _pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands open a store that knows one observer."""
    store = MemoryStore(secret=SECRET)
    store.put_observer(NGO)

    @contextmanager
    def open_pipeline() -> Iterator[Pipeline]:
        yield Pipeline(Settings(home=tmp_path), store)

    monkeypatch.setattr(serving, "open_pipeline", open_pipeline)


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run a command as a shell would and return its exit code."""
    monkeypatch.setattr("sys.argv", ["vinculum", *words])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_token_lives_for_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A token that the service reads is printed, for five minutes or for as many as were asked for."""
    for words, seconds in ((("--json",), 300), (("--json", "--minutes", "60"), 3_600)):
        assert run(monkeypatch, "token", "--as", "ngo", *words) == 0
        document = json.loads(capsys.readouterr().out)
        assert (document["observer"], document["lifetime_s"]) == ("ngo", seconds)
        assert TokenKeys(tmp_path / "keys").read(document["token"]) == "ngo"


@pytest.mark.parametrize(
    "words", [["--as", "ngo", "--minutes", "61"], ["--as", "ngo", "--minutes", "0"], ["--as", "nobody"]]
)
def test_token_for_longer_or_for_nobody_is_refused(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be issued ends with 2 and a word why, and no token is printed."""
    assert run(monkeypatch, "token", *words) == 2

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err
