"""The command that makes a manifest of trusted documents."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.console import AsJson, out, plain, print_json
from api.settings import read_settings
from ontology.errors import InvalidData, SettingError

if TYPE_CHECKING:
    from api.trusted import TrustedDocument


def documents(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="GraphQL documents, one a file.")],
    manifest: Annotated[
        Path | None,
        typer.Option("--manifest", metavar="MANIFEST", help="Where to write (default VINCULUM_DOCUMENTS)."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Trust documents: add them to the manifest, which is made if need be, and print the id of each.

    Read a document before you trust it. The service reads its manifest when it starts.
    """
    path = manifest or read_settings().documents
    if path is None:
        raise SettingError("VINCULUM_DOCUMENTS: expected a file to write, here or as --manifest, found neither")
    # GraphQL takes a second to load.
    from api.trusted import read_manifest, write_manifest

    found = [_read_document(file) for file in files]
    known = read_manifest(path) if path.exists() else {}
    write_manifest(path, {**known, **{document.id: document for document in found}}.values())
    named = list(zip((str(file) for file in files), (document.id for document in found), strict=True))
    if json:
        print_json({"manifest": str(path), "documents": [{"file": file, "id": id_} for file, id_ in named]})
        return
    for file, id_ in named:
        out.print(f"{id_}  {plain(file)}", markup=False, soft_wrap=True)


def _read_document(file: Path) -> "TrustedDocument":
    from graphql import GraphQLError

    from api.trusted import TrustedDocument

    try:
        # As bytes: an id is that of the text as it stands, with its ends of lines.
        return TrustedDocument.of(file.read_bytes().decode())
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidData("a readable text file", type(exc).__name__, path=str(file)) from exc
    except GraphQLError as exc:
        raise InvalidData("a GraphQL document", "a syntax error", path=str(file)) from exc
