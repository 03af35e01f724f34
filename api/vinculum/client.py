"""A client for notebooks and scripts: questions over HTTP, and answers as tables and graphs.

    with connect("http://127.0.0.1:8350", token=token) as client:
        client.search("oksana").to_pandas()

pandas, networkx and igraph are loaded by the methods that return theirs, and by nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

import httpx

from ontology.errors import VinculumError

if TYPE_CHECKING:
    import networkx

ADDRESS = "http://127.0.0.1:8350"
PAGE = 100  # entities, at most, in one answer of the service
REACHED = 500  # likewise around an entity

_ACCEPT = "application/graphql-response+json, application/json;q=0.9"
_COLUMNS = ("id", "caption", "schema")
_PAGE = """{{ totalCount edges {{ node {{ id caption schema {fields} }} }} pageInfo {{ hasNextPage endCursor }} }}"""
_SEARCH = """query Search($text: String!, $schema: EntitySchema, $first: Int!, $after: String, $asOf: DateTime) {{
  found: search(text: $text, schema: $schema, first: $first, after: $after, asOf: $asOf) {page}
}}"""
_ENTITIES = """query Entities($where: EntityFilter!, $sort: SortBy, $first: Int!, $after: String, $asOf: DateTime) {{
  found: entities(where: $where, sort: $sort, first: $first, after: $after, asOf: $asOf) {page}
}}"""
_NEIGHBOURHOOD = """query Neighbourhood(
  $id: ID!, $depth: Int!, $types: [LinkType!], $since: DateTime, $until: DateTime, $first: Int!, $asOf: DateTime
) {{
  found: neighbourhood(
    id: $id, depth: $depth, types: $types, since: $since, until: $until, first: $first, asOf: $asOf
  ) {{
    isComplete
    entity {{ id caption schema {fields} }}
    reached {{ distance entity {{ id caption schema {fields} }} }}
    links {{ left {{ id }} verb right {{ id }} link {{ id type properties {{ name values }} }} }}
  }}
}}"""


class ServiceError(VinculumError):
    """The service refused a question, failed in a part of it, or did not answer.

    `errors` are those of the answer, `code` is the code of the first (None where no answer of GraphQL came), `data`
    what came along with them, and `status` that of HTTP (None where nothing came).
    """

    def __init__(
        self, message: str, *, status: int | None = None, errors: Sequence[Mapping[str, Any]] = (), data: Any = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.errors = errors
        self.data = data
        self.code = next((_code(error) for error in errors), None)


@dataclass(frozen=True, slots=True)
class Found:
    """Entities as the service shows them, and the links among them where these were asked for.

    An entity holds `id`, `caption`, `schema` and what was asked for besides, those of a neighbourhood `distance` too. A
    link holds `id`, `source`, `target`, `type`, `verb` and `properties`; its verb reads from the source to the target.
    `is_complete` is false where there are more than were asked for; `total` is how many there are, None where the
    service does not say.
    """

    entities: tuple[dict[str, Any], ...]
    links: tuple[dict[str, Any], ...] = ()
    total: int | None = None
    is_complete: bool = True

    def __len__(self) -> int:
        return len(self.entities)

    def to_pandas(self) -> Any:
        """Return the entities as a DataFrame, one a row. `pandas.DataFrame(found.links)` is the links."""
        import pandas

        columns = dict.fromkeys([*_COLUMNS, *(key for entity in self.entities for key in entity)])
        return pandas.DataFrame(list(self.entities), columns=list(columns))

    def to_networkx(self) -> "networkx.MultiDiGraph[str]":
        """Return a networkx.MultiDiGraph: nodes are ids of entities, keys of edges are ids of links."""
        import networkx

        graph: networkx.MultiDiGraph[str] = networkx.MultiDiGraph()
        graph.add_nodes_from((entity["id"], entity) for entity in self.entities)
        for link in self.links:
            graph.add_edge(link["source"], link["target"], link["id"], **link)
        return graph

    def to_igraph(self) -> Any:
        """Return a directed igraph.Graph, whose vertices and edges hold the entities and links as attributes."""
        import igraph

        graph = igraph.Graph(directed=True)
        graph.add_vertices(len(self.entities), _columns(self.entities))
        places = {entity["id"]: place for place, entity in enumerate(self.entities)}
        ends = [(places[link["source"]], places[link["target"]]) for link in self.links]
        graph.add_edges(ends, _columns(self.links))
        return graph


class Client:
    """Asks the service as one observer, whose token it sends; made by `connect`."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def query(self, document: str, /, **variables: Any) -> dict[str, Any]:
        """Return the data of the answer to a document, or to the trusted one with an id (`sha256:` and so on).

        Raises ServiceError for an answer with any error in it, also where a part of the data came.
        """
        kind = "documentId" if document.startswith("sha256:") else "query"
        try:
            response = self._http.post("/graphql", json={kind: document, "variables": variables})
        except httpx.TransportError as exc:
            raise ServiceError(
                f"expected an answer from {self._http.base_url}, found none ({type(exc).__name__})"
            ) from exc
        return _read(response)

    def search(
        self,
        text: str,
        *,
        schema: str | None = None,
        fields: str = "",
        limit: int | None = PAGE,
        as_of: datetime | None = None,
    ) -> Found:
        """Return the entities whose values hold every word of a text, best first.

        `fields` is what to select of each besides, such as `... on Person { name }`; `limit` is how many to fetch at
        most, None for all. So in `entities`.
        """
        document = _SEARCH.format(page=_PAGE.format(fields=fields))
        return self._fetch(document, limit, text=text, schema=schema, asOf=_moment(as_of))

    def entities(
        self,
        where: Mapping[str, Any],
        *,
        sort: Mapping[str, Any] | None = None,
        fields: str = "",
        limit: int | None = PAGE,
        as_of: datetime | None = None,
    ) -> Found:
        """Return the entities that meet a filter, such as `{"Person": {"name": {"prefix": "Ok"}}}`.

        `sort` is such as `{"property": "birthDate", "descending": True}`.
        """
        document = _ENTITIES.format(page=_PAGE.format(fields=fields))
        return self._fetch(document, limit, where=where, sort=sort, asOf=_moment(as_of))

    def neighbourhood(
        self,
        id_: str,
        /,
        *,
        depth: int = 1,
        types: Sequence[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        fields: str = "",
        limit: int = REACHED,
        as_of: datetime | None = None,
    ) -> Found:
        """Return an entity, what lies up to so many links around it, the nearest first, and the links among these.

        Raises LookupError where the observer may see nothing by the id.
        """
        moments = {"since": _moment(since), "until": _moment(until), "asOf": _moment(as_of)}
        document = _NEIGHBOURHOOD.format(fields=fields)
        found = self.query(document, id=id_, depth=depth, types=types, first=limit, **moments)["found"]
        if found is None:
            raise LookupError("expected the id of an entity that you may see, found another")
        entities = [found["entity"] | {"distance": 0}]
        entities += [reached["entity"] | {"distance": reached["distance"]} for reached in found["reached"]]
        return Found(tuple(entities), tuple(map(_link, found["links"])), is_complete=found["isComplete"])

    def _fetch(self, document: str, limit: int | None, **variables: Any) -> Found:
        """Follow the pages of a connection as far as asked."""
        if limit is not None and limit < 1:
            raise ValueError("expected a limit of at least 1, or None for all")
        entities: list[dict[str, Any]] = []
        after = None
        while True:
            first = PAGE if limit is None else min(PAGE, limit - len(entities))
            page = self.query(document, first=first, after=after, **variables)["found"]
            entities += [edge["node"] for edge in page["edges"]]
            has_more, after = page["pageInfo"]["hasNextPage"], page["pageInfo"]["endCursor"]
            if not has_more or len(entities) == limit:
                return Found(tuple(entities), total=page["totalCount"], is_complete=not has_more)


def connect(address: str = ADDRESS, *, token: str, timeout_s: float = 30.0) -> Client:
    """Return a client of the service at an address, which nothing is sent to yet."""
    headers = {"Authorization": f"Bearer {token.strip()}", "Accept": _ACCEPT}
    return Client(httpx.Client(base_url=address, headers=headers, timeout=timeout_s))


def _read(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    status = response.status_code
    if not isinstance(answer, dict) or not answer.keys() & {"data", "errors"}:
        raise ServiceError(f"expected an answer of GraphQL, found something else with status {status}", status=status)
    data, errors = answer.get("data"), answer.get("errors") or ()
    if errors or not isinstance(data, dict):
        said = "; ".join(map(_explain, errors)) or f"expected data, found none with status {status}"
        raise ServiceError(said, status=status, errors=errors, data=data)
    return data


def _code(error: Mapping[str, Any]) -> str | None:
    return (error.get("extensions") or {}).get("code")


def _explain(error: Mapping[str, Any]) -> str:
    place = ".".join(map(str, error.get("path") or ()))
    return f"{_code(error)}: {error.get('message')}" + (f" (at {place})" if place else "")


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _link(between: Mapping[str, Any]) -> dict[str, Any]:
    link = between["link"]
    return {
        "id": link["id"],
        "source": between["left"]["id"],
        "target": between["right"]["id"],
        "type": link["type"],
        "verb": between["verb"],
        "properties": {each["name"]: each["values"] for each in link["properties"]},
    }


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the values by key, None where a row lacks one."""
    keys = dict.fromkeys(key for row in rows for key in row)
    return {key: [row.get(key) for row in rows] for key in keys}
