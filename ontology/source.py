"""Source and Capture: who says so, and the bytes in which they said it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Source:
    """Who says so: a publisher, an agency, a crawler.

    `organisation` owns what the source delivers. `legal_basis` names the
    article or agreement that allows us to hold it, empty when not stated.
    """

    name: str
    organisation: str
    kind: str = "agency"  # agency, ngo, crawler, tracer, register, press
    legal_basis: str = ""


@dataclass(frozen=True, slots=True)
class Capture:
    """Bytes as received: never altered, addressed by their SHA-256 (64 hex digits).

    `received_at` is aware, UTC, and the first time these bytes came. `file` is
    the name that they came under, without folders. `format` is what they were
    found to be.
    """

    sha256: str
    size: int
    file: str
    format: str
    source: str
    received_at: datetime
    received_by: str
