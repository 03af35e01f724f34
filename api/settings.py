"""Settings: the environment, read once, typed, with the wrong key named."""

import os
import secrets
from functools import cached_property
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ontology.errors import SettingError

EMBEDDED = "embedded"
_SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")
_SECRET_BYTES = 32


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
    # Whether the GraphiQL page is served.
    ide: bool = False

    @field_validator("store")
    @classmethod
    def _check_store(cls, value: str) -> str:
        if value != EMBEDDED and value.partition("://")[0] not in _SCHEMES:
            raise ValueError(f"expected {EMBEDDED}, or an address that begins with {'://, '.join(_SCHEMES)}://")
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
    """Read the environment; raises SettingError, naming the key that is wrong."""
    try:
        settings = Settings()
    except ValidationError as exc:
        fault = exc.errors(include_input=False, include_url=False)[0]
        key = f"VINCULUM_{'_'.join(str(part) for part in fault['loc'])}".upper()
        raise SettingError(f"{key}: {fault['msg'].removeprefix('Value error, ')}") from exc
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise SettingError(f"VINCULUM_HOME: expected a folder to write in, found {exc.strerror}") from exc
    return settings


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
