"""Likeness of names: what is one name whoever wrote it, and what is not, however alike it looks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolution.likeness import FIRM, PERSON, PLACE, compare_names, compare_words, find_likeness

names = st.one_of(
    st.text(max_size=30),
    st.lists(st.sampled_from(["Mirela", "Vosgan", "Ана", "al", "Dr.", "J", "Ltd", "44", "Mirella-Ana", "ООО"])).map(
        " ".join
    ),
)
kinds = st.sampled_from([PERSON, FIRM, PLACE])

# Pairs that a reader would call one name, and pairs alike that they would not; those on a line share most.
ONE_NAME = [
    ("Mirela Vosgan", "VOSGAN, Mirela", PERSON),
    ("Mirela Vosgan", "Mirella Vozgan", PERSON),
    ("Mirela Vosgan", "МИРЕЛА ВОСГАН", PERSON),
    ("Mirela Vosgan", "MirelaVosgan", PERSON),
    ("Mirela Vosgan", "Dr. Mirela Vosgan", PERSON),
    ("Mirela Ana Vosgan", "Mirela A. Vosgan", PERSON),
    ("Zhelyazko Tumbev", "Желязко Тумбев", PERSON),
    ("Salim bin Rashid Qadhrawi", "Salim Rashid Qadhrawi", PERSON),
    ("Tumbev Z", "Zhelyazko Tumbev", PERSON),
    ("Tumbev ZA", "Zhelyazko A. Tumbev", PERSON),
    ("Vosgan, Mirela, 1901-1977", "Mirela Vosgan", PERSON),
    ("Hans Röpke", "Hans Roepke", PERSON),
    ("Μιρέλα Βόσγαν", "Mirela Vosgan", PERSON),
    ("ミレラ タンバ", "Tanba Mirera", PERSON),
    ("김지은", "Kim Ji-eun", PERSON),
    ("李小梅", "Li Xiaomei", PERSON),
    ("华星科技有限公司", "Huaxing Technologies Co., Ltd.", FIRM),
    ("ミレラ銀行株式会社", "Mirera Bank KK", FIRM),
    ("Strada Lunga 4, Strugeni", "Strugeni, Str. Lunga 4", PLACE),
    ("ул. Длинная, д. 4, кв. 3, Стругени", "Dlinnaya 4-3, Strugeni", PLACE),
    ("Varna Star Ltd", "Varna Star Limited", FIRM),
    ("Varna Star", "Varna Star Ltd", FIRM),
    ("OOO Varna Star", "Varna Star, Limited Liability Company", FIRM),
    ("First Varna Bank", "1st Varna Bank", FIRM),
    ("A.B.C. Works", "ABC Works", FIRM),
]
TWO_NAMES = [
    ("Mirela Vosgan", "Dorin Vosgan", PERSON),
    ("Mirela Ana Vosgan", "Mirela Ina Tumbev", PERSON),
    ("Mirela Vosgan", "Mirela Tumbev", PERSON),
    ("Mirela", "Mirela Vosgan", PERSON),
    ("Vosgan, Mirela, 1901-1977", "Vosgan, Mirela, 1950-", PERSON),
    ("Strada Lunga 4, Strugeni", "Strada Lunga 5, Strugeni", PLACE),
    ("Strada Lunga 4, Strugeni", "Strada Scurta 4, Strugeni", PLACE),
    ("Varna Star Ltd", "Burgas Star Ltd", FIRM),
    ("Varna Fund 2", "Varna Fund 3", FIRM),
    ("Varna Holding International", "Burgas Holding International", FIRM),
]


@pytest.mark.parametrize(("left", "right", "kind"), ONE_NAME)
def test_one_name_written_twice(left: str, right: str, kind: str) -> None:
    """Order, script, spelling, titles, initials, glue and legal forms leave a name what it is."""
    assert compare_names(left, right, kind) >= 0.8


@pytest.mark.parametrize(("left", "right", "kind"), TWO_NAMES)
def test_two_names_that_look_alike(left: str, right: str, kind: str) -> None:
    """A word that stands against another, another number, or a lone word, is worth more than what is shared."""
    assert compare_names(left, right, kind) < 0.65


def test_another_legal_form_is_another_firm_rather_than_none() -> None:
    """Two firms of one name and two legal forms are less alike than where one form is not said."""
    unsaid, other = (compare_names("Varna Star AG", right, FIRM) for right in ("Varna Star", "Varna Star GmbH"))

    assert other < unsaid == 1.0


@given(names, names, kinds)
def test_it_is_symmetric_and_between_0_and_1(left: str, right: str, kind: str) -> None:
    """Which name is given first makes no difference."""
    found = compare_names(left, right, kind)

    assert 0.0 <= found <= 1.0
    assert compare_names(right, left, kind) == found


@given(names, kinds)
def test_a_name_is_like_itself(name: str, kind: str) -> None:
    """A name with a word in it is itself, but many people have one word; one without is like nothing."""
    assert compare_names(name, name, kind) in (0.0, 1.0, *((0.49,) if kind == PERSON else ()))


@given(st.lists(names, max_size=3), st.lists(names, max_size=3), kinds)
def test_the_most_alike_count(left: list[str], right: list[str], kind: str) -> None:
    """Of several names of a record the most alike is what counts."""
    assert find_likeness(left, right, kind) == max(
        (compare_names(x, y, kind) for x in left for y in right), default=0.0
    )


@pytest.mark.parametrize(
    ("left", "right", "least", "most"),
    [
        ("mirela", "mirela", 1.0, 1.0),
        ("alexandr", "aleksander", 0.7, 1.0),
        ("sergei", "sergey", 0.9, 1.0),
        ("mirela", "mirella", 0.9, 1.0),
        ("mirela", "mirlea", 0.8, 0.95),
        ("mry", "maria", 0.7, 0.95),
        ("mirela", "dorin", 0.0, 0.0),
        ("ana", "ina", 0.0, 0.0),
    ],
)
def test_words(left: str, right: str, least: float, most: float) -> None:
    """Words are alike by spelling, by romanisation, or by a slip of the finger in a long one."""
    assert least <= compare_words(left, right) <= most
