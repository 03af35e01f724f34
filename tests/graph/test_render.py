"""The picture: complete in itself, harmless whatever records say, and laid out beforehand."""

import json
import re
from html.parser import HTMLParser
from itertools import combinations
from math import dist
from pathlib import Path
from typing import Any

import pytest

from graph.communities import find_communities
from graph.memory import MemoryStore
from graph.render import render_picture
from graph.store import Batch
from graph.view import View
from ontology.label import Label
from tests.factory import OPEN, START, make_label, make_link, make_observer, make_record

HOSTILE = '</script><img src="http://evil.example/x" onerror=alert(1)> href'


def make_view(count: int = 8, *, title: str = "Offer", label: Label = OPEN, tier: str = "investigator") -> View:
    """Return two numbers with `count` adverts each, one of them naming both."""
    phones = [
        make_record("Phone", f"phone{n}", label=label, properties={"number": [f"+44770090010{n}"]}) for n in range(2)
    ]
    ads = [
        make_record("Advertisement", f"ad{i}", label=label, properties={"title": [f"{title} {i}"]})
        for i in range(2 * count)
    ]
    links = [make_link(ad, phones[i % 2], "Mentions", label=label) for i, ad in enumerate(ads)]
    links.append(make_link(ads[0], phones[1], "Mentions", label=label))
    store = MemoryStore()
    store.write(Batch(records=[*phones, *ads], links=links))
    return store.view(make_observer(tier), START)


def draw(view: View, path: Path, **options: int) -> str:
    """Return the page of a view's communities."""
    render_picture(view, find_communities(view), path, **options)
    return path.read_text(encoding="utf-8")


def read_data(page: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the nodes and edges that a page draws."""
    nodes, edges = re.findall(r"new vis\.DataSet\((\[.*\])\);", page)
    return json.loads(nodes), json.loads(edges)


class Addresses(HTMLParser):
    """Collects what a page would fetch."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note each source and each reference."""
        self.found += [f"{tag} {value}" for name, value in attrs if name in ("src", "href", "srcset", "data")]


def test_the_page_fetches_nothing(tmp_path: Path) -> None:
    """No tag has an address, and the browser is told to refuse any."""
    page = draw(make_view(), tmp_path / "picture.html")

    assert Addresses(page).found == []
    assert "default-src 'none'" in page
    assert "cdn" not in page.split("<body>")[1]


def test_a_record_cannot_write_into_the_page(tmp_path: Path) -> None:
    """Markup in a value stays text: in no tag, and in no way that pyvis takes for a link."""
    page = draw(make_view(title=HOSTILE), tmp_path / "picture.html")

    assert Addresses(page).found == []
    assert HOSTILE not in page
    assert "innerHTML = nodeData" not in page
    assert any(node["about"][0].startswith(HOSTILE) for node in read_data(page)[0])


def test_nodes_are_laid_out_beforehand_and_apart(tmp_path: Path) -> None:
    """Physics is off, and no two entities are drawn over each other."""
    page = draw(make_view(), tmp_path / "picture.html")
    nodes, _ = read_data(page)

    places = [(node["x"], node["y"]) for node in nodes]

    assert '"physics": {"enabled": false}' in page
    assert min(dist(a, b) for a, b in combinations(places, 2)) > 20


def test_the_best_connected_are_shown_and_the_cap_is_said(tmp_path: Path) -> None:
    """Of eighteen entities six are drawn, the two numbers among them."""
    view = make_view()
    page = draw(view, tmp_path / "picture.html", max_nodes=6)
    nodes, _ = read_data(page)

    assert "6 of 18 shown: the best connected" in page
    assert len(nodes) == 6
    assert {"+447700900100", "+447700900101"} <= {node["label"] for node in nodes}


def test_better_connected_entities_are_larger(tmp_path: Path) -> None:
    """Size grows with the number of entities that one is linked to."""
    nodes, _ = read_data(draw(make_view(), tmp_path / "picture.html"))
    sizes = {node["label"]: node["size"] for node in nodes}

    assert sizes["+447700900101"] > sizes["+447700900100"] > sizes["Offer 0"] > sizes["Offer 1"]


def test_links_say_their_verb(tmp_path: Path) -> None:
    """A link reads from the advert to the number."""
    _, edges = read_data(draw(make_view(), tmp_path / "picture.html"))

    assert len(edges) == 17
    assert "Offer 1 mentions +447700900101" in [line for edge in edges for line in edge["about"]]


def test_only_what_the_observer_sees_is_written(tmp_path: Path) -> None:
    """An analyst's picture holds pseudonyms and no number."""
    label = make_label(tlp="GREEN", category="suspect")
    page = draw(make_view(label=label, tier="analyst"), tmp_path / "picture.html")

    assert "+44770090010" not in page
    assert len(read_data(page)[0]) == 18


def test_the_same_view_gives_the_same_bytes(tmp_path: Path) -> None:
    """Nothing in the page comes from chance or the clock."""
    view = make_view()

    assert draw(view, tmp_path / "one.html") == draw(view, tmp_path / "two.html")


@pytest.mark.parametrize("max_nodes", [0, 300])
def test_a_view_without_communities_gives_a_page(tmp_path: Path, max_nodes: int) -> None:
    """Nothing to draw is said, not an error."""
    view = MemoryStore().view(make_observer(), START)
    page = draw(view, tmp_path / "picture.html", max_nodes=max_nodes)

    assert "Entities: 0 shown" in page
    assert read_data(page) == ([], [])
