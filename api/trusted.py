"""Trusted documents: those that the operator has read, asked for by their id in place of their text.

A manifest is one JSON object from ids to texts. An id is the SHA-256 of its
text, so nobody can put another text under an id that clients send already.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Self

import orjson
from graphql import GraphQLError, OperationDefinitionNode, parse
from graphql.language import DocumentNode

from api.answering import find_mistakes
from api.schema import make_schema
from ontology.errors import InvalidData, SettingError
from ontology.policy import Policy

KEY = "VINCULUM_DOCUMENTS"
ONLY_KEY = "VINCULUM_DOCUMENTS_ONLY"
# The tiers of partners and of the public, of those that the policy has.
DEFAULT_ONLY = frozenset({"public", "private"})

_SHOWN_ID = 80


@dataclass(frozen=True, slots=True)
class TrustedDocument:
    """A document that the operator has read."""

    id: str
    text: str
    parsed: DocumentNode = field(repr=False, compare=False)

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the document of a text; raises GraphQLError for one that is no document."""
        return cls(make_id(text), text, parse(text))

    def operation_name(self, asked: str | None) -> str | None:
        """Return the name of its operation that is asked for (None: the only one), None for one that it has not."""
        operations = [d for d in self.parsed.definitions if isinstance(d, OperationDefinitionNode)]
        names = [operation.name.value for operation in operations if operation.name]
        return next((name for name in names if asked == name or (asked is None and len(operations) == 1)), None)


@dataclass(frozen=True, slots=True)
class TrustedDocuments:
    """A manifest's documents by their ids, and the tiers that may ask nothing else."""

    documents: Mapping[str, TrustedDocument] = field(default_factory=dict)
    only: frozenset[str] = frozenset()

    @classmethod
    def load(cls, manifest: Path | None, only: str | None, policy: Policy) -> Self:
        """Read what the settings name; `only` lists tiers with commas, None for the default ones.

        Raises SettingError, naming the entry of the manifest or the tier that is wrong.
        """
        if manifest is None:
            if only:
                raise SettingError(f"{ONLY_KEY}: expected {KEY} to name a manifest as well, found none")
            return cls()
        return cls(read_manifest(manifest), _read_tiers(only, policy))

    def of_tier(self, tier: str, policy: Policy) -> dict[str, TrustedDocument]:
        """Return the documents that the schema of a tier can answer, by their ids.

        To a tier the others are unknown: why they are not valid would tell it what is in its betters' schemata.
        """
        # Made for documents alone: without any, a schema is made when its tier first asks.
        schema = make_schema(tier, policy) if self.documents else None
        return {
            id_: found for id_, found in self.documents.items() if schema and not find_mistakes(schema, found.parsed)
        }


def make_id(text: str) -> str:
    """Return the id of a document."""
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def read_manifest(path: Path) -> dict[str, TrustedDocument]:
    """Read a manifest and check each of its entries; raises SettingError, naming the entry that is wrong."""
    try:
        entries = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as exc:
        found = exc.strerror if isinstance(exc, OSError) else "a syntax error"
        raise SettingError(f"{KEY}: {path.name}: expected a readable JSON file, found {found}") from exc
    if not isinstance(entries, dict):
        raise SettingError(f"{KEY}: {path.name}: expected one JSON object from ids to texts, found another value")
    return {id_: _read_entry(path, id_, text) for id_, text in entries.items()}


def write_manifest(path: Path, documents: Iterable[TrustedDocument]) -> None:
    """Write a manifest, whole or not at all; raises InvalidData where nothing can be written."""
    content = {document.id: document.text for document in sorted(documents, key=lambda document: document.id)}
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        draft.replace(path)
    except OSError as exc:
        raise InvalidData("a file that can be written", exc.strerror or "an error", path=str(path)) from exc


def _read_entry(path: Path, id_: str, text: object) -> TrustedDocument:
    where = f"{KEY}: {path.name}: {id_[:_SHOWN_ID]}"
    if not isinstance(text, str):
        raise SettingError(f"{where}: expected the text of a document, found another value")
    if id_ != make_id(text):
        raise SettingError(f"{where}: expected sha256: and the SHA-256 of the text, found another id")
    try:
        return TrustedDocument.of(text)
    except GraphQLError as exc:
        raise SettingError(f"{where}: expected a GraphQL document, found a syntax error") from exc


def _read_tiers(only: str | None, policy: Policy) -> frozenset[str]:
    if only is None:
        return DEFAULT_ONLY & policy.tiers.keys()
    tiers = frozenset(name.strip() for name in only.split(",") if name.strip())
    if unknown := sorted(tiers - policy.tiers.keys()):
        raise SettingError(f"{ONLY_KEY}: expected tiers of the policy in force, found {unknown[0]}")
    return tiers
