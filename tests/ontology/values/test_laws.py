"""Laws that every value type keeps."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontology.errors import InvalidValue
from ontology.values import VALUE_TYPES, ValueType

KINDS = sorted(VALUE_TYPES)
VALID = {
    "boolean": ("yes", "0"),
    "code": ("Forced Labour", "crime.traffick.human"),
    "country": ("Romania", "xk", "ROU"),
    "currency": ("eur", "USDT"),
    "date": ("1990", "1990-05", "31.12.2020", "2020-01-01T10:00:00+02:00"),
    "domain": ("Example.ORG.", "пример.example"),
    "email": ("Ana.P@Example.org", "mailto:b@example.org"),
    "gender": ("F", "male"),
    "hash": ("sha256:" + "aB" * 32,),
    "iban": ("GB82 WEST 1234 5698 7654 32",),
    "identifier": ("ab-12 345/x", "№ 77 ß"),
    "language": ("pt-BR", "deu", "English"),
    "latitude": ("-45.12345678", "90"),
    "longitude": ("179.9999999", "-0.0"),
    "name": ("Mária  Kováčová", "Ян О'Браєн"),
    "number": ("1e5", "-0.50", "+.5"),
    "phone": ("+40 721 234 567", "0044 20 7946 0958"),
    "place": ("Strada Lungă 5 ,Brașov,  Romania",),
    "plate": ("b 123-xyz",),
    "text": ("two\r\nlines", " e\u0301 "),
    "transaction_hash": ("0x" + "AB" * 32,),
    "url": ("HTTP://Example.org:80/a b?q=é#f", "www.example.org"),
    "username": ("@Some_One",),
    "wallet": ("0x" + "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "11111111111111111111111111111111"),
}
raw_texts = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="0123456789-+.:/TZ @eExX,", max_size=30),
    # Letters that grow, shrink or compose when their case or form changes, up to the bounds of length.
    st.sampled_from("İßŉΐ\ufb2c,").map(lambda letter: "a" + letter * 99),
    st.sampled_from("İß,").map(lambda letter: "a" + f"{letter}b" * 499),
    st.text(alphabet="İßŉΐς\u0345\u0301\u00aa\u2126\ufb2c\uff21ǅ,@. ", max_size=12),
)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_samples_that_clean(kind: str) -> None:
    """Each type accepts the ways of writing that it is meant for, and what it stores once it stores again."""
    clean = VALUE_TYPES[kind].clean

    for raw in VALID[kind]:
        assert clean(clean(raw)) == clean(raw)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40)
@given(raw=raw_texts)
def test_cleaning_twice_equals_once(kind: str, raw: str) -> None:
    """Any text is refused with InvalidValue or reaches a form that no longer changes."""
    value = _clean_or_none(VALUE_TYPES[kind], raw)

    assert value is None or VALUE_TYPES[kind].clean(value) == value


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30)
@given(data=st.data())
def test_comparing_is_symmetric_bounded_and_sure_of_equals(kind: str, data: st.DataObject) -> None:
    """Which side is asked first never matters, scores lie in 0 to 1, and a value equals itself."""
    cleaned = raw_texts.map(lambda raw: _clean_or_none(VALUE_TYPES[kind], raw))
    samples = st.sampled_from([VALUE_TYPES[kind].clean(raw) for raw in VALID[kind]])
    left = data.draw(cleaned) or data.draw(samples)
    right = data.draw(cleaned) or data.draw(samples)

    score = VALUE_TYPES[kind].compare(left, right)

    assert 0.0 <= score <= 1.0
    assert score == VALUE_TYPES[kind].compare(right, left)
    assert VALUE_TYPES[kind].compare(left, left) == 1.0


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30)
@given(raw=raw_texts)
def test_masking_and_generalising_take_every_cleaned_value(kind: str, raw: str) -> None:
    """Whatever was stored can be masked and generalised, or nothing may remain."""
    value = _clean_or_none(VALUE_TYPES[kind], raw) or VALUE_TYPES[kind].clean(VALID[kind][0])

    for shown in (VALUE_TYPES[kind].mask(value), VALUE_TYPES[kind].generalise(value)):
        assert shown is None or shown.strip()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("raw", ["", "   ", "\0", "\ud800", "\x85\ufeff"])
def test_nothing_is_not_a_value(kind: str, raw: str) -> None:
    """Empty, blank and invisible text is refused by every type."""
    with pytest.raises(InvalidValue):
        VALUE_TYPES[kind].clean(raw)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("unit", ["9", "a.", "a\u0300\u0323", "\u0344"])
def test_a_megabyte_is_refused(kind: str, unit: str) -> None:
    """A value beyond all bounds ends in InvalidValue, not in a long computation."""
    with pytest.raises(InvalidValue):
        VALUE_TYPES[kind].clean(unit * 1_000_001)


@pytest.mark.parametrize("kind", KINDS)
@given(secret=st.text(alphabet="qwxzj~^", min_size=6, max_size=20))
@settings(max_examples=10)
def test_a_refusal_never_quotes_the_value(kind: str, secret: str) -> None:
    """The message of InvalidValue describes what was found without repeating it."""
    refusal = _refuse_or_none(VALUE_TYPES[kind], secret)

    assert refusal is None or (secret not in str(refusal) and refusal.expected and refusal.found)


def _refuse_or_none(value_type: ValueType, raw: str) -> InvalidValue | None:
    try:
        value_type.clean(raw)
    except InvalidValue as exc:
        return exc
    return None


def _clean_or_none(value_type: ValueType, raw: str) -> str | None:
    try:
        return value_type.clean(raw)
    except InvalidValue:
        return None
