// Asks the three operations of the service at an address with a token, by the types that graphql-codegen made.
// Prints what came as one JSON object.
import { print } from "graphql";
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { AroundDocument, FilteredDocument, FindDocument } from "./investigator.js";

const [url = "", token = ""] = process.argv.slice(2);

async function ask<Result, Variables>(document: TypedDocumentNode<Result, Variables>, variables: Variables): Promise<Result> {
  const response = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ query: print(document), variables }),
  });
  const { data, errors } = (await response.json()) as { data?: Result; errors?: unknown };
  if (errors || !data) throw new Error(JSON.stringify(errors));
  return data;
}

const find = await ask(FindDocument, { text: "oksana" });
const people = find.search.edges.flatMap(({ node }) => (node.__typename === "Person" ? [node] : []));
const filtered = await ask(FilteredDocument, {
  where: { Company: { name: { prefix: "Harbour" } } },
  sort: { property: "name", descending: true },
});
const { neighbourhood: around } = await ask(AroundDocument, { id: people[0]?.id ?? "", depth: 2 });
if (!around) throw new Error("expected a neighbourhood, found none");

console.log(
  JSON.stringify({
    people: people.map(({ name, birthDate }) => ({ name, birthDate })),
    companies: filtered.entities.edges.flatMap(({ node }) => (node.__typename === "Company" ? [node.name] : [])),
    totals: [find.search.totalCount, filtered.entities.totalCount],
    reached: Object.fromEntries(around.reached.map(({ entity, distance }) => [entity.caption, distance])),
    links: around.links.map(({ left, link, right }) => [left.caption, link.type, right.caption]),
    recorded: around.links.map(({ link }) => Date.parse(link.provenance.recordedAt) / 1000),
    isComplete: around.isComplete,
  }),
);
