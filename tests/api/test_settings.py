"""Settings: what the environment says, and a clear word where it is wrong."""

from pathlib import Path

import pytest

from api.settings import load_settings
from ontology.errors import SettingError


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for key in ("STORE", "STORE_USER", "STORE_PASSWORD", "STORE_PASSWORD_FILE", "HOST", "PORT"):
        monkeypatch.delenv(f"VINCULUM_{key}", raising=False)
    monkeypatch.setenv("VINCULUM_HOME", str(tmp_path / "home"))


def test_defaults_suit_a_laptop(tmp_path: Path) -> None:
    """Nothing but the home folder need be said."""
    settings = load_settings()

    assert (settings.store, settings.host, settings.port) == ("embedded", "127.0.0.1", 8350)
    assert settings.home == tmp_path / "home"
    assert settings.home.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("key", "value"),
    [("PORT", "http"), ("PORT", "70000"), ("STORE", "postgres://x"), ("IDE", "maybe")],
)
def test_a_wrong_setting_is_named(key: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the key, whatever the value."""
    monkeypatch.setenv(f"VINCULUM_{key}", value)

    with pytest.raises(SettingError, match=f"VINCULUM_{key}: "):
        load_settings()


def test_the_password_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file stands above the variable, a missing one is named, and neither is in the representation."""
    secret = tmp_path / "secret"
    secret.write_text("open sesame\n", encoding="utf-8")
    monkeypatch.setenv("VINCULUM_STORE_PASSWORD", "shut")
    monkeypatch.setenv("VINCULUM_STORE_PASSWORD_FILE", str(secret))
    settings = load_settings()

    assert settings.password == "open sesame"
    assert "sesame" not in repr(settings)
    assert "shut" not in repr(settings)
    secret.unlink()
    with pytest.raises(SettingError, match="VINCULUM_STORE_PASSWORD_FILE"):
        _ = settings.password


def test_the_secret_is_made_once_and_kept() -> None:
    """Handles stay the same from one run to the next; only their owner can read the key."""
    first, second = load_settings(), load_settings()

    assert first.secret == second.secret
    assert len(first.secret) == 32
    assert (first.home / "keys" / "handles.key").stat().st_mode & 0o077 == 0
