"""The benchmarks over an engine: they ask a real service and end with their goals."""

import sys

import pytest

from bench import end_to_end, load


def _goals(out: str) -> list[str]:
    return [line.split()[1] for line in out.splitlines() if line.startswith("GOAL")]


def test_end_to_end_asks_the_service_and_the_engine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A short run answers every kind of question both ways."""
    monkeypatch.setattr(sys, "argv", ["end_to_end", "--n", "600", "--questions", "5", "--engine", "embedded"])
    end_to_end.main()

    out = capsys.readouterr().out
    kinds = ("entity", "search", "neighbourhood")
    assert _goals(out) == [f"end_to_end_embedded_{kind}_{p}_over_bare" for kind in kinds for p in ("p50", "p99")]


def test_load_is_answered_or_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A short run has answers, counts what is refused, and says what memory it took."""
    monkeypatch.setattr(sys, "argv", ["load", "--n", "600", "--seconds", "2", "--minutes", "0.05"])
    load.main()

    out = capsys.readouterr().out
    answered = [int(line.split()[2].replace(",", "")) for line in out.splitlines() if " answered, " in line]
    assert len(answered) == 3
    assert sum(answered) > 0
    assert _goals(out) == [
        "load_32_clients_p99_ms",
        "load_32_clients_not_answered",
        "load_256_clients_p99_ms",
        "load_256_clients_faults",
        "load_memory_growth",
    ]
