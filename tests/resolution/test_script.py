"""Scripts that write few vowels: what their letters are made for comparing."""

import pytest

from ontology.values.name import fold_name
from resolution.likeness import compare_words
from resolution.script import prepare_name


@pytest.mark.parametrize(
    ("value", "folded"),
    [
        ("Mirela Vosgan", "mirela vosgan"),
        ("Мирела Восган", "mirela vosgan"),
        # Vav is a vowel here, and shin is no s.
        ("מורוז", "mwrwz"),
        ("שוואב", "shwwav"),
        ("רולנז'ה", "rwlnzhh"),
        # The article stands apart, and alef begins a vowel.
        ("الأكرمي", "al akrmy"),
        ("أدينا", "adyn"),
    ],
)
def test_letters_are_written_for_what_they_may_sound_like(value: str, folded: str) -> None:
    """Other scripts are as they were; a name in two scripts comes out near enough to compare."""
    assert fold_name(prepare_name(value)) == folded


@pytest.mark.parametrize(
    ("latin", "other"),
    [
        ("moroz", "מורוז"),
        ("gendelman", "גנדלמן"),
        ("colpi", "קולפי"),
        ("lauper", "لوبر"),
        ("petty", "بيتي"),
        ("gerold", "جيرولد"),
    ],
)
def test_words_across_scripts_are_alike(latin: str, other: str) -> None:
    """Consonants, and those that a script has one letter for, are what a word shares with its transliteration."""
    assert compare_words(latin, fold_name(prepare_name(other))) >= 0.75
    assert compare_words("vosgan", fold_name(prepare_name(other))) == 0.0
