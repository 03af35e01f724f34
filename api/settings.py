"""Settings: the environment, read once, typed, with the wrong key named."""

import os
import secrets
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.admission import Limits
from ontology.errors import SettingError
from ontology.policy import Policy
from ontology.policy_file import default_policy, load_policy

EMBEDDED = "embedded"
_SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")
_SECRET_BYTES = 32
_LIMITS = Limits()


class Settings(BaseSettings):
    """Where Vinculum keeps things and how it is reached; each key is ``VINCULUM_`` and its name."""

    model_config = SettingsConfigDict(env_prefix="VINCULUM_", extra="ignore", frozen=True)

    # Captures, keys and the embedded engine's files.
    home: Path = Path(".vinculum")
    # "embedded", or the bolt:// or neo4j:// address of a Neo4j.
    store: str = EMBEDDED
    store_user: str = "neo4j"
    store_password: SecretStr = SecretStr("")
    # A file that holds the password instead, as container secrets do.
    store_password_file: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8350, ge=1, le=65535)
    # Names that a request's Host header may carry besides host; comma-separated.
    allowed_hosts: str = "localhost,127.0.0.1"
    # The policy in force, instead of the one that ships.
    policy: Path | None = None
    # Whether the GraphiQL page is served.
    ide: bool = False
    # A manifest of trusted documents, and the tiers that may ask nothing else: comma-separated, unset for the default.
    documents: Path | None = None
    documents_only: str | None = None
    # How many requests run at once, how many more may wait for that, and how long one may take for both.
    concurrency: int = Field(default=_LIMITS.concurrency, ge=1, le=1_000)
    queue: int = Field(default=_LIMITS.queue, ge=0, le=100_000)
    deadline_s: float = Field(default=_LIMITS.deadline_s, gt=0, le=3_600)
    # Whether operators may read /metrics.
    metrics: bool = False
    # An OpenID Connect provider whose access tokens are taken beside ours: these three, or none of them.
    oidc_issuer: str = ""
    oidc_audience: str = ""
    # Its public keys: the path of a JWK Set, or its address.
    oidc_jwks: str = ""
    # The claim that holds an observer's name.
    oidc_name_claim: str = Field(default="sub", min_length=1)

    @field_validator("store")
    @classmethod
    def _check_store(cls, value: str) -> str:
        if value != EMBEDDED and value.partition("://")[0] not in _SCHEMES:
            raise ValueError(f"expected {EMBEDDED}, or an address that begins with {'://, '.join(_SCHEMES)}://")
        return value

    @field_validator("oidc_issuer", "oidc_jwks")
    @classmethod
    def _check_address(cls, value: str, info: ValidationInfo) -> str:
        if value and ("://" in value or info.field_name == "oidc_issuer") and not _is_safe_address(value):
            raise ValueError(
                "expected an https:// address with nothing but host, port, path and query (http:// for loopback)"
            )
        return value

    @property
    def password(self) -> str:
        """The store's password, from the file when one is named."""
        if self.store_password_file is None:
            return self.store_password.get_secret_value()
        try:
            return self.store_password_file.read_text(encoding="utf-8").strip()
        except OSError as exc:
            raise SettingError("VINCULUM_STORE_PASSWORD_FILE: expected a readable file, found none") from exc

    @property
    def limits(self) -> Limits:
        """What admission holds requests to."""
        return Limits(self.concurrency, self.queue, self.deadline_s)

    def load_policy(self) -> Policy:
        """Read the policy in force; raises PolicyError."""
        return load_policy(self.policy) if self.policy else default_policy()

    @cached_property
    def secret(self) -> bytes:
        """The key of all handles and pseudonyms (32 bytes), made on first use and kept in the home folder."""
        path = self.home / "keys" / "handles.key"
        if not path.exists():
            _write_private(path, secrets.token_bytes(_SECRET_BYTES))
        secret = path.read_bytes()
        if len(secret) != _SECRET_BYTES:
            raise SettingError(f"VINCULUM_HOME: keys/handles.key: expected {_SECRET_BYTES} bytes, found {len(secret)}")
        return secret


def load_settings() -> Settings:
    """Read the environment and make the home folder; raises SettingError, naming the key that is wrong."""
    settings = read_settings()
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise SettingError(f"VINCULUM_HOME: expected a folder to write in, found {exc.strerror}") from exc
    return settings


def read_settings() -> Settings:
    """Read the environment; raises SettingError, naming the key that is wrong."""
    try:
        settings = Settings()
    except ValidationError as exc:
        fault = exc.errors(include_input=False, include_url=False)[0]
        key = f"VINCULUM_{'_'.join(str(part) for part in fault['loc'])}".upper()
        raise SettingError(f"{key}: {fault['msg'].removeprefix('Value error, ')}") from exc
    _check_provider(settings)
    return settings


def _check_provider(settings: Settings) -> None:
    named = {key: getattr(settings, key) for key in ("oidc_issuer", "oidc_audience", "oidc_jwks")}
    missing = [key for key, value in named.items() if not value]
    if 0 < len(missing) < len(named):
        raise SettingError(f"VINCULUM_{missing[0].upper()}: expected a value, since others of the provider have one")


def _is_safe_address(value: str) -> bool:
    parts = urlsplit(value)
    # Reading a port that is no number raises ValueError.
    _ = parts.port
    if not value.isascii() or not value.isprintable() or set(value) & set(" @#\\") or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _write_private(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Two processes may start at once: the first to link its file wins, both read that one.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
