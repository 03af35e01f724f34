"""Tests of the columns that records are compared by."""

from resolution.column import read_dates, read_names, read_texts, read_titles

NONE: frozenset[str] = frozenset()


def test_first_and_last_name_make_one_name() -> None:
    """A first and a last name are read as the name that they make together."""
    columns = read_names({"firstName": ("Mirela",), "lastName": ("Vosgan",)}, ("firstName", "lastName"), NONE)

    assert columns["full"] == ["mirela vosgan"]


def test_a_lone_word_is_no_full_name() -> None:
    """A single word counts as part of a name only."""
    columns = read_names({"name": ("Mirela",)}, ("name",), NONE)

    assert (columns["lone"], columns["full"]) == (["mirela"], [])


def test_names_without_letters_say_nothing() -> None:
    """A name that folds to nothing leaves nothing to compare."""
    assert read_names({"name": ("\ue000",)}, ("name",), NONE)["whole"] == []


def test_the_first_of_january_says_only_the_year() -> None:
    """Offices that know only the year write 1 January, so month and day are not believed."""
    columns = read_dates({"birthDate": ("1991-01-01",)}, ("birthDate",), NONE)

    assert (columns["days"], columns["only_years"], columns["whole"]) == ([], ["1991"], ["1991-01-01"])


def test_dates_keep_their_precision() -> None:
    """A month is a month and a day gives year and month too."""
    columns = read_dates({"birthDate": ("1991-04", "1990-12-31")}, ("birthDate",), NONE)

    assert columns["only_months"] == ["1991-04"]
    assert columns["months"] == ["1991-04", "1990-12"]
    assert columns["swapped"] == ["1990-31-12"]


def test_legal_forms_are_left_out_of_titles() -> None:
    """Legal forms, with points or without, are no part of a firm's name."""
    ignored = frozenset({"srl", "gmbh", "ooo"})

    for name in ("Plopis Trans S.R.L.", "PLOPIS TRANS SRL", "ООО «Плопис Транс»", "Plopis-Trans GmbH"):
        assert read_titles({"name": (name,)}, ("name",), ignored)["full"] == ["plopis trans"]


def test_a_title_of_legal_forms_alone_stays() -> None:
    """A firm called by nothing else keeps its words."""
    assert read_titles({"name": ("SRL GmbH",)}, ("name",), frozenset({"srl", "gmbh"}))["full"] == ["gmbh srl"]


def test_texts_with_a_number_are_told_apart() -> None:
    """An address with a house number is more than a town."""
    columns = read_texts({"address": ("Strada Lungă 4", "Strugeni")}, ("address",), NONE)

    assert columns["folded"] == ["strada lunga 4", "strugeni"]
    assert columns["numbered"] == ["strada lunga 4"]


def test_what_stands_between_is_part_of_the_name() -> None:
    """Middle and father's names stand between given and family name, and make no name by themselves."""
    said = {"firstName": ("Mirela",), "middleName": ("Ana",), "fatherName": ("Dorin",), "lastName": ("Vosgan",)}
    reads = ("firstName", "middleName", "fatherName", "lastName")

    assert read_names(said, reads, NONE)["whole"] == ["Mirela\nAna\nDorin\nVosgan"]
    assert read_names({"middleName": ("Ana",)}, reads, NONE)["whole"] == []
