"""Picture: the communities of a View as one HTML file that opens without any network.

Each community is a disc, laid out beforehand, so the page draws at once and
looks the same each time. Texts of records reach the page as JSON and are put
in place as text; what stands in the HTML itself is escaped.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt
from pyvis.network import Network

from graph.communities import Community
from graph.shown import Entity
from graph.view import View

MAX_NODES = 300

_LABEL_CHARS = 24
_VALUE_CHARS = 80
_VALUES_SHOWN = 4
_SPACING = 66.0
_GAP = 110.0
_SEED = 1
# Up to so many nodes the slower layout, which keeps distances better, takes well under a second.
_FEW = 60

# Okabe and Ito's colours, told apart by colour-blind readers too, with shapes as a second sign.
_MARKS = (
    ("#0072b2", "dot"),
    ("#d55e00", "diamond"),
    ("#009e73", "triangle"),
    ("#cc79a7", "square"),
    ("#e69f00", "star"),
    ("#56b4e9", "triangleDown"),
    ("#7f5fb5", "dot"),
    ("#8c564b", "diamond"),
    ("#2f4858", "square"),
)
_OTHER_MARK = ("#9aa0a6", "dot")
_SIGNS = {"dot": "●", "diamond": "◆", "triangle": "▲", "square": "■", "star": "★", "triangleDown": "▼"}

Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Node:
    """One entity of the picture, in a community, with how many entities it is linked to.

    `is_shared` says that it is one of those that hold its community together.
    """

    entity: Entity
    community: int
    degree: int
    is_shared: bool


@dataclass(frozen=True, slots=True)
class _Disc:
    """One community of the picture: its nodes by their places in the list, and where it is drawn."""

    community: Community
    nodes: tuple[int, ...]
    centre: tuple[float, float]
    radius: float


def render_picture(view: View, communities: Sequence[Community], path: Path, *, max_nodes: int = MAX_NODES) -> int:
    """Write the communities as one HTML file and return how many entities are in it.

    Beyond `max_nodes` the best connected are taken, and the page says so. What
    is shown is what the View shows, and the page asks no address for anything.
    """
    nodes, edges = _choose(view, communities, max_nodes)
    positions, discs = _lay_out(communities, nodes, edges)
    marks = _choose_marks(nodes)
    network = Network(height="100%", width="100%", bgcolor="#ffffff", cdn_resources="in_line")
    # Set as a whole: pyvis' own way of adding looks through all that it has for each one.
    network.nodes = [_draw_node(i, node, positions[i], marks[node.entity.schema]) for i, node in enumerate(nodes)]
    network.edges = list(_draw_edges(view, nodes, edges))
    network.set_options(json.dumps(_OPTIONS))
    total = sum(community.size for community in communities)
    path.write_text(_make_page(network.generate_html(), view, discs, nodes, marks, total), encoding="utf-8")
    return len(nodes)


def _choose(
    view: View, communities: Sequence[Community], max_nodes: int
) -> tuple[list[_Node], dict[tuple[int, int], int]]:
    """Return the nodes, by community, and between their places the edges with their number of links."""
    projection = view.projection()
    degree = np.bincount(projection.edges.ravel(), minlength=len(projection.things))
    index = {thing: i for i, thing in enumerate(projection.things)}
    ranked = sorted(
        (_Node(entity, community.number, int(degree[index[entity.thing]]), entity in community.shared)
         for community in communities for entity in community.members),
        key=lambda node: (-node.degree, index[node.entity.thing]),
    )  # fmt: skip
    nodes = sorted(ranked[:max_nodes], key=lambda node: (node.community, index[node.entity.thing]))
    place = {index[node.entity.thing]: i for i, node in enumerate(nodes)}
    edges = {
        (place[left], place[right]): int(weight)
        for (left, right), weight in zip(projection.edges.tolist(), projection.weights.tolist(), strict=True)
        if left in place and right in place
    }
    return nodes, edges


def _lay_out(
    communities: Sequence[Community], nodes: Sequence[_Node], edges: Mapping[tuple[int, int], int]
) -> tuple[Points, list[_Disc]]:
    """Return where each node is, (n, 2) float64 in the page's units, and the discs."""
    groups: dict[int, list[int]] = {}
    for i, node in enumerate(nodes):
        groups.setdefault(node.community, []).append(i)
    shown = [community for community in communities if community.number in groups]
    radii = [_SPACING * max(1.0, math.sqrt(len(groups[community.number]))) for community in shown]
    positions: Points = np.zeros((len(nodes), 2), dtype=np.float64)
    discs = []
    for community, radius, centre in zip(shown, radii, _pack(radii), strict=True):
        members = groups[community.number]
        positions[members] = _lay_out_group(members, edges) * radius + np.array(centre)
        discs.append(_Disc(community, tuple(members), centre, radius))
    return positions, discs


def _lay_out_group(members: Sequence[int], edges: Mapping[tuple[int, int], int]) -> Points:
    """Return places for one community's nodes within a disc of radius 1 around the origin."""
    inside = set(members)
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(members)
    graph.add_edges_from(edge for edge in edges if inside.issuperset(edge))
    if len(members) == 1:
        return np.zeros((1, 2), dtype=np.float64)
    if len(members) <= _FEW and nx.is_connected(graph):
        found = nx.kamada_kawai_layout(graph)
    else:
        found = nx.spring_layout(graph, k=2.2 / math.sqrt(len(members)), iterations=200, seed=_SEED)
    return _spread(np.array([found[node] for node in members], dtype=np.float64))


def _spread(places: Points) -> Points:
    """Push apart what would be drawn over each other and fit the rest into the disc of radius 1."""
    nearest = 1.1 / math.sqrt(len(places))
    for _ in range(30):
        places = _fit(places)
        apart = places[:, None, :] - places[None, :, :]
        distance = np.hypot(apart[..., 0], apart[..., 1])
        np.fill_diagonal(distance, np.inf)
        push = np.clip(nearest - distance, 0.0, None) / np.maximum(distance, 1e-6)
        places = places + 0.3 * (apart * push[..., None]).sum(axis=1)
    return _fit(places)


def _fit(places: Points) -> Points:
    centred = places - (places.max(axis=0) + places.min(axis=0)) / 2
    furthest = float(np.hypot(centred[:, 0], centred[:, 1]).max())
    fitted: Points = centred / (furthest or 1.0)
    return fitted


def _pack(radii: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Yield centres for discs in rows, about one and a quarter times as wide as high, none over another."""
    width = max(max(radii, default=0.0) * 2, 1.25 * math.sqrt(sum((2 * r + _GAP) ** 2 for r in radii)))
    x = y = row = 0.0
    for radius in radii:
        if x and x + 2 * radius > width:
            x, y, row = 0.0, y + row + _GAP, 0.0
        yield x + radius, y + radius
        x, row = x + 2 * radius + _GAP, max(row, 2 * radius)


def _choose_marks(nodes: Sequence[_Node]) -> dict[str, tuple[str, str]]:
    """Return colour and shape of each schema, most frequent first; the last share one."""
    counts = Counter(node.entity.schema for node in nodes)
    ranked = sorted(counts, key=lambda schema: (-counts[schema], schema))
    return {schema: _MARKS[i] if i < len(_MARKS) else _OTHER_MARK for i, schema in enumerate(ranked)}


def _draw_node(index: int, node: _Node, position: Points, mark: tuple[str, str]) -> dict[str, Any]:
    colour, shape = mark
    size = min(28.0, 7.0 + 3.0 * math.sqrt(node.degree)) * (1.4 if shape == "star" else 1.0)
    return {
        "id": index,
        "label": _shorten(node.entity.caption, _LABEL_CHARS),
        # Not `title`: pyvis would write one that holds "href" into the page as HTML.
        "about": _describe(node),
        "x": round(float(position[0]), 1),
        "y": round(float(position[1]), 1),
        "shape": shape,
        "size": round(size, 1),
        "color": {"background": colour, "border": "#ffffff", "highlight": {"background": colour, "border": "#111111"}},
        "font": {"size": 15 if node.is_shared or node.degree > 3 else 10},
        "community": node.community,
    }


def _describe(node: _Node) -> list[str]:
    entity = node.entity
    lines = [entity.caption, f"{entity.schema} · linked to {node.degree} · community {node.community}"]
    for name, values in sorted(entity.values.items()):
        shown = ", ".join(_shorten(value, _VALUE_CHARS) for value in values[:_VALUES_SHOWN])
        more = f" and {len(values) - _VALUES_SHOWN} more" if len(values) > _VALUES_SHOWN else ""
        lines.append(f"{name}: {shown}{more}")
    return lines


def _draw_edges(view: View, nodes: Sequence[_Node], edges: Mapping[tuple[int, int], int]) -> Iterator[dict[str, Any]]:
    verbs = _read_verbs(view, nodes)
    for (left, right), weight in sorted(edges.items()):
        is_inside = nodes[left].community == nodes[right].community
        yield {
            "from": left,
            "to": right,
            "about": verbs.get((left, right), []),
            "width": round(1.0 + math.log2(weight), 2),
            "dashes": not is_inside,
            "color": {
                "color": "#9aa5b4" if is_inside else "#e3a33b",
                "highlight": "#111111",
                "opacity": 1 if is_inside else 0.5,
            },
        }


def _read_verbs(view: View, nodes: Sequence[_Node]) -> dict[tuple[int, int], list[str]]:
    """Return for each linked pair of nodes, lower first, what their links say."""
    place = {node.entity.thing: i for i, node in enumerate(nodes)}
    verbs: dict[tuple[int, int], list[str]] = {}
    for tie in view.ties([node.entity for node in nodes]):
        low, high = sorted((place[tie.left.thing], place[tie.right.thing]))
        left, right = (_shorten(entity.caption, _LABEL_CHARS) for entity in (tie.left, tie.right))
        verbs.setdefault((low, high), []).append(f"{left} {tie.verb} {right}")
    return verbs


def _shorten(text: str, longest: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def _make_page(
    html: str,
    view: View,
    discs: Sequence[_Disc],
    nodes: Sequence[_Node],
    marks: Mapping[str, tuple[str, str]],
    total: int,
) -> str:
    """Return pyvis' page without what it would fetch, with our title, legend and list of communities around it."""
    page = _OUTSIDE.sub("", _COMMENT.sub("", html))
    page = page.replace("<html>", '<!DOCTYPE html>\n<html lang="en">', 1)
    page = page.replace('<meta charset="utf-8">', f'<meta charset="utf-8">{_HEAD}', 1)
    page = page.replace("</head>", f"<style>{_STYLE}</style></head>", 1)
    page = page.replace(
        "<body>", f"<body>{_make_header(view, nodes, total)}{_make_aside(view, discs, nodes, marks)}", 1
    )
    script = _SCRIPT.replace("DISCS", _to_script(discs))
    return page.replace("</body>", f"<script>{script}</script></body>", 1)


def _make_header(view: View, nodes: Sequence[_Node], total: int) -> str:
    shown = f"{len(nodes):,} of {total:,} shown: the best connected" if len(nodes) < total else f"{total:,} shown"
    observer = escape(f"{view.observer.tier} of {view.observer.organisation or 'no organisation'}")
    moment = view.as_of.strftime("%Y-%m-%d %H:%M UTC")
    return f"<header><h1>Communities</h1><p>Entities: {shown}. As seen by {observer} at {moment}.</p></header>"


def _make_aside(
    view: View, discs: Sequence[_Disc], nodes: Sequence[_Node], marks: Mapping[str, tuple[str, str]]
) -> str:
    counts = Counter(node.entity.schema for node in nodes)
    legend = "".join(
        f'<li><span style="color:{colour}">{_SIGNS[shape]}</span> {escape(view.ontology[schema].label)} <small>{counts[schema]}</small></li>'
        for schema, (colour, shape) in marks.items()
    )
    listed = "".join(_list_disc(i, disc) for i, disc in enumerate(discs))
    return f"<aside><h2>Kinds</h2><ul>{legend}</ul><h2>Communities</h2><ol>{listed}</ol><p>{_HINT}</p></aside>"


def _list_disc(index: int, disc: _Disc) -> str:
    community = disc.community
    held = "".join(f"<li>{escape(_shorten(entity.caption, _LABEL_CHARS))}</li>" for entity in community.shared)
    title = f"{community.number} · {community.size} entities"
    return f'<li><button data-disc="{index}">{title}</button><ul>{held}</ul></li>'


def _to_script(discs: Sequence[_Disc]) -> str:
    """Return the discs as JSON: numbers alone."""
    return json.dumps(
        [
            {
                "number": disc.community.number,
                "nodes": disc.nodes,
                "x": round(disc.centre[0], 1),
                "y": round(disc.centre[1], 1),
                "radius": round(disc.radius + _GAP * 0.35, 1),
            }
            for disc in discs
        ]
    )


# What pyvis' template fetches from elsewhere: links and scripts with an address.
_OUTSIDE = re.compile(r"<link\b[^>]*>|<script\b[^>]*\bsrc=[^>]*>\s*</script>", re.IGNORECASE)
_COMMENT = re.compile(r"<!-- <link.*?-->|<center>\s*<h1></h1>\s*</center>", re.DOTALL)

# The browser then refuses whatever the page would still ask for.
_HEAD = """
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width"><title>Vinculum: communities</title>"""

_OPTIONS = {
    "physics": {"enabled": False},
    "interaction": {"hover": True, "tooltipDelay": 80, "multiselect": True},
    "nodes": {
        "borderWidth": 1.5,
        "font": {"color": "#22262b", "strokeWidth": 3, "strokeColor": "#ffffff"},
        "scaling": {"label": {"drawThreshold": 8}},
    },
    "edges": {"smooth": False, "selectionWidth": 1.5, "hoverWidth": 1},
}

_HINT = "Point at an entity or a link to read it. Dashed links join two communities."

_STYLE = """
html, body { height: 100%; margin: 0; font: 14px/1.4 system-ui, sans-serif; color: #22262b; }
body { display: grid; grid-template: auto 1fr / 1fr 300px; }
header { grid-column: 1 / 3; padding: 10px 18px; border-bottom: 1px solid #d9dde3; }
header h1 { font-size: 18px; margin: 0; display: inline; }
header p { display: inline; margin: 0 0 0 14px; color: #5b636e; }
aside { grid-column: 2; grid-row: 2; overflow: auto; padding: 4px 18px; border-left: 1px solid #d9dde3; }
aside h2 { font-size: 13px; text-transform: uppercase; letter-spacing: .05em; color: #5b636e; margin: 14px 0 4px; }
aside ul, aside ol { list-style: none; margin: 0; padding: 0; }
aside ol ul { color: #5b636e; padding: 0 0 6px 12px; overflow-wrap: anywhere; }
aside small, aside p { color: #5b636e; }
aside button { all: unset; cursor: pointer; font-weight: 600; padding: 2px 0; }
aside button:hover, aside button:focus-visible { text-decoration: underline; }
.card { grid-column: 1; grid-row: 2; min-height: 0; min-width: 0; }
#mynetwork { border: 0 !important; float: none !important; height: 100% !important; }
div.vis-tooltip { max-width: 420px; white-space: normal !important; font: 13px/1.4 system-ui, sans-serif !important;
  background: #fff !important; border: 1px solid #c6ccd4 !important; overflow-wrap: anywhere; }
.about b { display: block; }
.about div { color: #3d444d; }
"""

_SCRIPT = """
const discs = DISCS;
function makeAbout(lines) {
  const box = document.createElement("div");
  box.className = "about";
  lines.forEach((line, i) => {
    const part = document.createElement(i ? "div" : "b");
    part.textContent = line;
    box.append(part);
  });
  return box;
}
for (const data of [nodes, edges]) {
  data.update(data.get().filter((d) => d.about.length).map((d) => ({ id: d.id, title: makeAbout(d.about) })));
}
network.on("beforeDrawing", (context) => {
  context.textAlign = "left";
  for (const disc of discs) {
    context.beginPath();
    context.arc(disc.x, disc.y, disc.radius, 0, 2 * Math.PI);
    context.fillStyle = "#f3f6fa";
    context.fill();
    context.strokeStyle = "#d5dde8";
    context.stroke();
    context.fillStyle = "#5b636e";
    context.font = "bold 26px system-ui, sans-serif";
    context.fillText(String(disc.number), disc.x - disc.radius, disc.y - disc.radius + 26);
  }
});
function fitDiscs() {
  const box = document.getElementById("mynetwork").getBoundingClientRect();
  const left = Math.min(...discs.map((d) => d.x - d.radius)), right = Math.max(...discs.map((d) => d.x + d.radius));
  const top = Math.min(...discs.map((d) => d.y - d.radius)), bottom = Math.max(...discs.map((d) => d.y + d.radius));
  const scale = 0.94 * Math.min(box.width / (right - left), box.height / (bottom - top));
  network.moveTo({ position: { x: (left + right) / 2, y: (top + bottom) / 2 }, scale: Math.min(scale, 1.6) });
}
if (discs.length) {
  requestAnimationFrame(fitDiscs);
  // The network puts its own idea of the view in place after it says this.
  network.on("resize", () => requestAnimationFrame(fitDiscs));
}
for (const button of document.querySelectorAll("[data-disc]")) {
  button.addEventListener("click", () => {
    const disc = discs[Number(button.dataset.disc)];
    network.selectNodes(disc.nodes);
    network.fit({ nodes: disc.nodes, animation: { duration: 300 } });
  });
}
"""
