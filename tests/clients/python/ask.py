"""Asks the three operations of the service at an address with a token, by the client that ariadne-codegen made.

Prints what came as one JSON object.
"""

import asyncio
import json
import sys

from investigator import Client, CompanyFilter, EntityFilter, SortBy, TextFilter
from investigator.filtered import FilteredEntitiesEdgesNodeCompany
from investigator.find import FindSearchEdgesNodePerson


async def ask(url: str, token: str) -> dict[str, object]:
    """Return what each operation found."""
    async with Client(url, headers={"Authorization": f"Bearer {token}"}) as client:
        find = await client.find("oksana")
        people = [edge.node for edge in find.search.edges if isinstance(edge.node, FindSearchEdgesNodePerson)]
        harbours = EntityFilter(Company=CompanyFilter(name=TextFilter(prefix="Harbour")))
        filtered = await client.filtered(harbours, SortBy(property="name", descending=True))
        nodes = [edge.node for edge in filtered.entities.edges]
        around = (await client.around(people[0].id, 2)).neighbourhood
    assert around is not None
    return {
        "people": [{"name": person.name, "birthDate": person.birth_date} for person in people],
        "companies": [node.name for node in nodes if isinstance(node, FilteredEntitiesEdgesNodeCompany)],
        "totals": [find.search.total_count, filtered.entities.total_count],
        "reached": {each.entity.caption: each.distance for each in around.reached},
        "links": [[each.left.caption, each.link.type_.value, each.right.caption] for each in around.links],
        "recorded": [each.link.provenance.recorded_at.timestamp() for each in around.links],
        "isComplete": around.is_complete,
    }


print(json.dumps(asyncio.run(ask(*sys.argv[1:]))))
