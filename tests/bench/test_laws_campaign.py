"""The laws campaign: a short budget of each law, and proof that a broken one is found."""

from collections.abc import Callable, Iterable

import pytest

from bench.campaigns.laws import LAWS, Tally, iter_chunks, try_law
from ontology import condition, label, policy
from ontology.label import Label
from ontology.observer import Observer

SEED = "4"
SMALL = 1_500  # cases
# Of each kind of case, this many at least must have had something to hold back.
TELLING = {
    "hidden": {"unknown label", "unknown tlp", "unsaid tlp", "unsaid owner", "unsaid release", "classified"},
    "join": {"comparable", "not comparable"},
    "rights": {"case", "order", "compartment", "release"},
}


@pytest.mark.parametrize("law", LAWS)
def test_the_law_holds(law: str) -> None:
    """No case breaks it, and there are cases of each kind in which it had something to hold back."""
    tally = try_law(law, SEED, SMALL)

    assert tally.violations == []
    assert tally.cases.total() == SMALL
    assert {kind for kind in TELLING[law] if tally.telling[kind]} == TELLING[law]


def test_cases_are_drawn_from_the_seed() -> None:
    """The same seed tries the same; a campaign tries as many cases as asked for."""
    assert try_law("join", "1:0", 50) == try_law("join", "1:0", 50)
    assert [n for _, n in iter_chunks(4_500, 1)] == [2_000, 2_000, 500]
    assert len({seed for seed, _ in iter_chunks(4_500, 1)}) == 3


def _take_unsaid_as_open(monkeypatch: pytest.MonkeyPatch) -> None:
    read = label.read_parts

    def read_openly(data: dict[str, object], *, path: str) -> dict[str, object]:
        return {"tlp": "GREEN", **read(data, path=path)}

    monkeypatch.setattr(label, "read_parts", read_openly)


def _take_unsaid_as_a_suspect(monkeypatch: pytest.MonkeyPatch) -> None:
    read = label.read_parts

    def read_openly(data: dict[str, object], *, path: str) -> dict[str, object]:
        return {"category": "suspect", **read(data, path=path)}

    monkeypatch.setattr(label, "read_parts", read_openly)


def _admit_the_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    admits = policy._admits

    def admit(found: policy.Policy, observer: Observer, asked: Label) -> bool:
        return asked.tlp == "PURPLE" or admits(found, observer, asked)

    monkeypatch.setattr(policy, "_admits", admit)


def _unite_releases(monkeypatch: pytest.MonkeyPatch) -> None:
    def unite(left: Iterable[str], right: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted({*left, *right}))

    monkeypatch.setattr(label, "_both", unite)


def _take_either_case(monkeypatch: pytest.MonkeyPatch) -> None:
    def unite(left: Iterable[str], right: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted({*left, *right}))

    monkeypatch.setattr(label, "_each", unite)


def _take_the_laxest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label, "_last", lambda order, left, right: min(left, right, key=order.index))


def _let_a_case_open_the_caseless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label, "_join_tlps", lambda left, right: label._last(label.TLPS, left.tlp, right.tlp))


def _turn_a_case_against_its_holder(monkeypatch: pytest.MonkeyPatch) -> None:
    own_case = condition.CONDITIONS["own_case"]
    monkeypatch.setitem(condition.CONDITIONS, "own_case", lambda o, x: own_case(o, x) and len(o.cases) < 2)


def _take_what_is_released_from_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    owns = condition.CONDITIONS["own_organisation"]
    monkeypatch.setitem(condition.CONDITIONS, "own_organisation", lambda o, x: owns(o, x) and not x.release)


@pytest.mark.parametrize(
    ("law", "plant"),
    [
        ("hidden", _take_unsaid_as_open),
        ("hidden", _take_unsaid_as_a_suspect),
        ("hidden", _admit_the_unknown),
        ("join", _unite_releases),
        ("join", _take_either_case),
        ("join", _take_the_laxest),
        ("join", _let_a_case_open_the_caseless),
        ("rights", _turn_a_case_against_its_holder),
        ("rights", _take_what_is_released_from_its_owner),
    ],
)
def test_a_broken_law_is_found(
    law: str, plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What would open something is planted, and some case shows it."""
    plant(monkeypatch)

    assert any(try_law(law, f"{SEED}:{number}", 100).violations for number in range(50))


def test_tallies_add_up() -> None:
    """What was tried in several processes is one result."""
    one, other = try_law("rights", "a", 30), try_law("rights", "b", 40)
    both = Tally()
    both.add(one)
    both.add(other)

    assert both.cases == one.cases + other.cases
    assert both.cases.total() == 70
