// Answers one document from memory: mercurius with graphql-jit over the entities in a file, none of them redacted.
// Prints its port once it listens. GET /cpu gives the milliseconds of processor time that it took so far.
import { readFileSync } from 'node:fs'
import fastify from 'fastify'
import mercurius from 'mercurius'

const [file] = process.argv.slice(2)
const bySize = new Map(Object.entries(JSON.parse(readFileSync(file, 'utf8'))))

const schema = `
  type Node { id: ID! schema: String! caption: String! }
  type Edge { verb: String! node: Node! }
  type Neighbours { edges: [Edge!]! }
  type Entity {
    id: ID! schema: String! caption: String!
    name: [String!] alias: [String!] firstName: [String!] lastName: [String!] birthDate: [String!]
    gender: [String!] nationality: [String!] email: [String!] phone: [String!]
    neighbours(first: Int!): Neighbours!
  }
  type Query { entities(size: ID!): [Entity!]! }
`

const app = fastify({ bodyLimit: 100_000 })
app.register(mercurius, {
  schema,
  resolvers: { Query: { entities: (_, { size }) => bySize.get(size) } },
  jit: 1
})
app.get('/cpu', async () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
})
await app.listen({ host: '127.0.0.1', port: 0 })
console.log(app.server.address().port)
