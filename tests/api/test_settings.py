"""Settings: what the environment says, and a clear word where it is wrong."""

from pathlib import Path

import pytest

from api.admission import Limits
from api.settings import load_settings
from ontology.errors import PolicyError, SettingError
from ontology.policy_file import POLICY_FILE, default_policy

PROVIDER = {
    "OIDC_ISSUER": "https://login.example/realms/north",
    "OIDC_AUDIENCE": "vinculum",
    "OIDC_JWKS": "https://login.example:8443/keys?v=1",
}


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plain = ("STORE", "STORE_USER", "STORE_PASSWORD", "STORE_PASSWORD_FILE", "HOST", "PORT", "POLICY")
    serving = ("DOCUMENTS", "DOCUMENTS_ONLY", "CONCURRENCY", "QUEUE", "DEADLINE_S", "METRICS")
    for key in (*plain, *serving, *PROVIDER, "OIDC_NAME_CLAIM"):
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
    [
        ("PORT", "http"),
        ("PORT", "70000"),
        ("STORE", "postgres://x"),
        ("IDE", "maybe"),
        ("METRICS", "maybe"),
        ("CONCURRENCY", "0"),
        ("QUEUE", "-1"),
        ("DEADLINE_S", "0"),
        ("DEADLINE_S", "nan"),
        ("DEADLINE_S", "inf"),
        ("OIDC_NAME_CLAIM", ""),
        ("OIDC_ISSUER", "vinculum"),
        ("OIDC_ISSUER", "http://login.example"),
        ("OIDC_JWKS", "http://login.example/keys"),
        ("OIDC_JWKS", "http://127.0.0.1.login.example/keys"),
        ("OIDC_JWKS", "http://localhost@login.example/keys"),
        ("OIDC_JWKS", "https://login.example:port/keys"),
        ("OIDC_JWKS", "https://login.example/ke ys"),
        ("OIDC_JWKS", "https://login.example/keys#1"),
        ("OIDC_JWKS", "https:///keys"),
        ("OIDC_JWKS", "ftp://login.example/keys"),
        ("OIDC_JWKS", "file:///etc/passwd"),
    ],
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


def test_limits_are_those_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A laptop runs four requests at once at least; each limit can be said."""
    assert load_settings().limits.concurrency >= 4
    assert load_settings().documents_only is None
    for key, value in {"CONCURRENCY": "3", "QUEUE": "0", "DEADLINE_S": "2.5"}.items():
        monkeypatch.setenv(f"VINCULUM_{key}", value)

    assert load_settings().limits == Limits(concurrency=3, queue=0, deadline_s=2.5)


def test_a_provider_is_named_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys of a provider are of use together alone: whichever is missing is named."""
    for key, value in PROVIDER.items():
        monkeypatch.setenv(f"VINCULUM_{key}", value)
    settings = load_settings()

    assert [settings.oidc_issuer, settings.oidc_audience, settings.oidc_jwks] == list(PROVIDER.values())
    assert settings.oidc_name_claim == "sub"
    for key in PROVIDER:
        with monkeypatch.context() as without:
            without.setenv(f"VINCULUM_{key}", "")
            with pytest.raises(SettingError, match=f"^VINCULUM_{key}: expected a value"):
                load_settings()


@pytest.mark.parametrize(
    "place", ["jwks.json", "/run/secrets/jwks", "http://localhost:1/k", "http://127.1.2.3/k", "http://[::1]:80/k"]
)
def test_keys_may_come_from_a_file_or_from_this_machine(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what never leaves the machine may go without TLS."""
    for key, value in (PROVIDER | {"OIDC_JWKS": place}).items():
        monkeypatch.setenv(f"VINCULUM_{key}", value)

    assert load_settings().oidc_jwks == place


def test_the_policy_named_is_in_force(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another file says who is given what, to the store, the service and the commands; without one ours does."""
    assert load_settings().load_policy() is default_policy()
    file = tmp_path / "policy.yaml"
    text = POLICY_FILE.read_text(encoding="utf-8")
    file.write_text(text.replace("floor: 10", "floor: 20"), encoding="utf-8")
    monkeypatch.setenv("VINCULUM_POLICY", str(file))

    policy = load_settings().load_policy()

    assert (default_policy().floor, policy.floor) == (10, 20)


def test_a_faulty_policy_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing starts under a policy that is missing or not total."""
    monkeypatch.setenv("VINCULUM_POLICY", str(tmp_path / "none.yaml"))

    with pytest.raises(PolicyError, match=r"none.yaml: expected a readable file"):
        load_settings().load_policy()
