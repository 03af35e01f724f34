"""Label files: how a delivery must be handled, written down by whoever received it.

The parts of the label stand at the top of the YAML file. Two more keys may
stand beside them::

    tlp: AMBER
    handling: H1
    owner: Blue Harbour
    schemata:              # parts that differ for one schema and its heirs
      CryptoWallet: {category: none}
    source:                # who says so
      name: blue-harbour-intake
      organisation: Blue Harbour
      kind: ngo
      legal_basis: agreement of 2025-03-01
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from importers.guard import load_yaml
from ontology.errors import InvalidData
from ontology.label import Label, read_parts
from ontology.schema import Ontology, default_ontology
from ontology.source import Source

_SOURCE_KEYS = ("name", "organisation", "kind", "legal_basis")


class LabelFile(NamedTuple):
    """What a label file says; `schema_labels` hold only the parts that differ."""

    label: Label
    schema_labels: Mapping[str, Mapping[str, Any]]
    source: Source | None


def read_label_file(path: Path, *, ontology: Ontology | None = None) -> LabelFile:
    """Read a label file; a part that it does not say is taken strictest.

    Raises InvalidData, naming file and key.
    """
    data = load_yaml(path)
    schemata = data.pop("schemata", None)
    source = data.pop("source", None)
    return LabelFile(
        label=Label.from_dict(_check_keys(data, path.name), path=path.name),
        schema_labels=_read_schemata(schemata, f"{path.name}.schemata", ontology or default_ontology()),
        source=None if source is None else _read_source(source, f"{path.name}.source"),
    )


def _read_schemata(data: Any, path: str, ontology: Ontology) -> dict[str, dict[str, Any]]:
    labels = {}
    for schema, parts in _check_keys({} if data is None else data, path).items():
        if schema not in ontology:
            raise InvalidData("the name of a schema", "another name", path=f"{path}.{schema}")
        labels[schema] = read_parts(_check_keys(parts, f"{path}.{schema}"), path=f"{path}.{schema}")
    return labels


def _read_source(data: Any, path: str) -> Source:
    for key, value in _check_keys(data, path).items():
        if key not in _SOURCE_KEYS:
            raise InvalidData(f"one of {', '.join(_SOURCE_KEYS)}", "an unknown key", path=f"{path}.{key}")
        if not isinstance(value, str) or not value.strip():
            raise InvalidData("text", type(value).__name__, path=f"{path}.{key}")
    for key in ("name", "organisation"):
        if key not in data:
            raise InvalidData("text", "nothing", path=f"{path}.{key}")
    return Source(**{key: value.strip() for key, value in data.items()})


def _check_keys(data: Any, path: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InvalidData("a mapping", type(data).__name__, path=path)
    for key in data:
        if not isinstance(key, str):
            raise InvalidData("text as key", type(key).__name__, path=path)
    return data
