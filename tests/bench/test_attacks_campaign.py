"""The attacks campaign: every attack once, a few hundred names guessed, and proof that planted weaknesses are found."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

import api.answering
import api.app
import api.errors
import api.guard
import api.schema
from api.admission import Limits
from bench.campaigns import attacks
from bench.campaigns.attacks import (
    ATTACKS,
    TIER,
    WANTED,
    WANTED_WORDS,
    Attack,
    Reply,
    Target,
    answered,
    find_learnt,
    iter_trials,
    make_words,
    refused,
    serving,
)

SOON = Limits(deadline_s=3.0)
QUICK = [replace(attack, tries=1) for attack in ATTACKS]


@pytest.fixture(name="target", scope="module")
def _target() -> Iterator[Target]:
    with serving(limits=SOON) as target:
        yield target


def named(*names: str) -> list[Attack]:
    """Return attacks by their names."""
    return [attack for attack in QUICK if attack.name in names]


def test_there_are_attacks_of_every_kind() -> None:
    """There are more than were promised, each with a name of its own."""
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= WANTED


def test_attacks_are_withstood(target: Target) -> None:
    """A service as it ships refuses every attack or answers it within bounds, and goes on answering."""
    missed = [(trial.attack.name, trial.reply) for trial in iter_trials(target, QUICK) if not trial.is_withstood]

    assert missed == []


def test_no_name_is_learnt(target: Target) -> None:
    """Guessing tells the public tier nothing of the names that it may not see."""
    words = make_words(WANTED_WORDS, seed=1)

    assert len(words) == len(set(words)) == WANTED_WORDS
    assert {"shelterAddress", "watchEntity", "ethnicity"} <= set(words)
    assert find_learnt(target, words[::40]) == set()


def test_what_counts_as_withstood() -> None:
    """A refusal is small, has the right code and no data; an answer is whole, bounded and free of faults."""
    bad, fault = (
        b'{"errors":[{"message":"a","extensions":{"code":"%b"}}]}' % code for code in (b"BAD_INPUT", b"INTERNAL")
    )
    judge = refused("BAD_INPUT")

    assert judge(Reply(200, bad))
    assert not any(judge(Reply(200, body)) for body in (fault, b"", b"{}", bad + b" " * 20_000, b'{"data":{"a":1}}'))
    assert answered()(Reply(200, b'{"data":{"a":1}}'))
    assert not any(answered(20)(Reply(200, body)) for body in (bad, b'{"data":{"a":null}}', b'{"data":{"a":1234567}}'))


def test_what_an_attack_costs_is_measured(target: Target) -> None:
    """Sending much costs the server more than sending little, and memory is what it holds at once."""
    (cheap,), (dear,) = named("no token"), named("one type 10 times")
    cheap_trial, dear_trial = iter_trials(target, [cheap, dear])

    assert 0 <= cheap_trial.ms < dear_trial.ms
    assert cheap_trial.mb < 20


def remove_guard() -> None:
    """Let documents ask for anything."""
    for module in (api.guard, api.answering):
        vars(module)["check_limits"] = lambda *_, **__: None


def remove_body_limit() -> None:
    """Take bodies of any size."""
    api.app.MAX_BODY_BYTES = 10**9


def suggest_names() -> None:
    """Let graphql-core's suggestions through."""
    api.errors._SUGGESTION = " nobody would suggest "


def share_a_schema() -> None:
    """Give everybody the schema of the investigator."""
    make = api.schema.make_schema
    vars(api.answering)["make_schema"] = lambda _, policy=None: make("investigator", policy)


@pytest.mark.parametrize(
    ("plant", "names"),
    [
        (remove_guard, ("31 aliases", "counts 30 times")),
        (remove_body_limit, ("one of 100,000 values", "body just too large")),
    ],
)
def test_a_planted_weakness_is_found(plant: Callable[[], None], names: tuple[str, ...]) -> None:
    """Without the guard, or without a bound on bodies, the attacks that these withstand get through."""
    with serving(limits=SOON, prepare=plant) as target:
        assert [trial.is_withstood for trial in iter_trials(target, named(*names))] == [False] * len(names)


@pytest.mark.parametrize(("plant", "word"), [(suggest_names, "Organisation"), (share_a_schema, "watchEntity")])
def test_a_planted_tell_is_found(plant: Callable[[], None], word: str) -> None:
    """Suggestions, and a schema that is another tier's, tell names to who guesses."""
    assert word not in attacks._names_of(api.schema.make_schema(TIER)._schema)

    with serving(limits=SOON, prepare=plant) as target:
        assert word in find_learnt(target, [word])
