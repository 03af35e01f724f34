"""Tests of skeletons of words."""

import pytest
from anyascii import anyascii
from hypothesis import given
from hypothesis import strategies as st

from resolution.sound import make_sounds


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("oleksandr", "aleksandr"), ("aleksandr", "alexander"), ("mhmwd", "mahmoud"), ("mhmd", "muhammad"),
        ("jmylh", "djamila"), ("ivanov", "iwanow"), ("ivanov", "ivanoff"), ("jovanovic", "jovanovich"),
        ("zhanna", "janna"), ("gheorghe", "georgi"), ("tsurkan", "turcan"),
        ("qdhrwy", "qadhrawi"), ("ywsf", "yousef"), ("dwornik", "dvornik"),
    ],
)  # fmt: skip
def test_romanisations_of_one_name_sound_alike(first: str, second: str) -> None:
    """Two usual spellings of one name share a skeleton."""
    assert set(make_sounds(first)) & set(make_sounds(second))


@pytest.mark.parametrize(("first", "second"), [("maria", "elena"), ("ivanov", "petrov"), ("ana", "nina")])
def test_different_names_sound_different(first: str, second: str) -> None:
    """Names of other consonants share nothing."""
    assert not set(make_sounds(first)) & set(make_sounds(second))


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=20))
def test_every_word_has_one_or_two_sounds(word: str) -> None:
    """No word is left without a skeleton, so none is lost to blocking."""
    sounds = make_sounds(word)

    assert 1 <= len(sounds) <= 2
    assert all(sounds)


def test_a_script_without_vowels_meets_one_with() -> None:
    """A name in Arabic letters shares a skeleton with its French spelling."""
    assert set(make_sounds(anyascii("جميلة"))) & set(make_sounds("jamila"))
