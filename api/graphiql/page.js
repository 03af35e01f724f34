// The page: a box for the token, which lives in this variable and nowhere else, and GraphiQL below it.
"use strict";

const QUERY = `# Answers hold what you may see, and nothing else counts.
# Where you may know what is withheld: redactions { fieldClass reason contact }
query Find($text: String! = "example") {
  observer { name organisation tier }
  search(text: $text, first: 5) {
    totalCount
    edges {
      node {
        id
        schema
        caption
        provenance { property value source recordedAt }
        records { provenance { record source recordedAt } }
        neighbours(first: 5) {
          totalCount
          edges { verb link { type } node { id schema caption } }
        }
      }
    }
  }
}
`;

// GraphiQL would keep queries in the browser's storage; a query can hold a name.
const forgetful = { getItem: () => null, setItem() {}, removeItem() {}, clear() {}, length: 0 };

const root = ReactDOM.createRoot(document.getElementById("graphiql"));
const who = document.getElementById("who");
const field = document.getElementById("token");

async function ask(token, question) {
  const response = await fetch("/graphql", {
    method: "POST",
    credentials: "omit",
    headers: {
      "Accept": "application/graphql-response+json",
      "Authorization": `Bearer ${token}`,
      "Content-Type": "application/json",
    },
    body: JSON.stringify(question),
  });
  return response.json();
}

function draw(token) {
  root.render(React.createElement(GraphiQL, {
    fetcher: (question) => ask(token, question),
    schema: token ? undefined : null,
    defaultQuery: QUERY,
    isHeadersEditorEnabled: false,
    storage: forgetful,
  }));
}

async function use(token) {
  const { data, errors } = await ask(token, { query: "{ observer { name organisation tier } }" });
  who.textContent = data
    ? `${data.observer.name} of ${data.observer.organisation}, tier ${data.observer.tier}`
    : errors[0].message;
  draw(data ? token : "");
}

document.getElementById("access").addEventListener("submit", (event) => {
  event.preventDefault();
  const token = field.value.trim();
  field.value = "";
  use(token).catch(() => { who.textContent = "The service does not answer."; });
});

draw("");
