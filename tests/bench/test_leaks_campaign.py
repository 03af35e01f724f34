"""The leaks campaign: two mistakes for each channel, each put in and taken out again, and found by what should find it."""

from collections import Counter

import pytest

from bench.campaigns.leaks import DETECTORS, find_plant, hunt
from tests.planted import PLANTS, Detector, Plant

SECONDS = 5.0  # of this process; those below are found in a fraction of one
QUICK = (
    "search_matches_hidden_values",
    "cursor_is_plain_base64",
    "cube_without_complementary_suppression",
    "neighbours_total_is_the_stores",
    "label_of_a_link_is_not_asked",
    "clearance_is_remembered_by_tier",
    "join_takes_the_laxer_tlp",
    "judgement_has_the_label_of_one_record",
    "ids_are_the_same_for_all",
    "importer_is_told_of_duplicates",
    "engine_listens_beyond_loopback",
    "pseudonyms_are_the_same_for_all",
    "cubes_may_overlap",
    "page_may_be_of_any_size",
)


def test_every_channel_has_two_leaks() -> None:
    """There are two planted leaks for each of the 34 channels, each with a name, a fault and a detector."""
    channels = Counter(plant.channel for plant in PLANTS)

    assert channels == Counter(dict.fromkeys(range(1, 35), 2))
    assert len({plant.name for plant in PLANTS}) == len(PLANTS)
    assert all(plant.wrong and plant.detector in DETECTORS for plant in PLANTS)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_a_leak_is_put_in_and_taken_out(plant: Plant) -> None:
    """What is planted takes the place of something in shipped code, and nothing of it stays behind."""
    changed: list[tuple[object, str, object]] = []

    with pytest.MonkeyPatch.context() as monkeypatch:

        def patch(owner: object, name: str, planted: object) -> None:
            changed.append((owner, name, vars(owner)[name]))
            monkeypatch.setattr(owner, name, planted)

        plant.apply(patch)
        assert changed
        assert all(vars(owner)[name] is not honest for owner, name, honest in changed)

    assert all(vars(owner)[name] is honest for owner, name, honest in changed)


@pytest.mark.parametrize("name", QUICK)
def test_a_leak_is_found(name: str) -> None:
    """A sample of those that are found at once; the campaign hunts for all."""
    assert hunt(name, find_plant(name).detector, SECONDS).found


@pytest.mark.parametrize("detector", sorted({find_plant(name).detector for name in QUICK}))
def test_no_leak_is_found_where_there_is_none(detector: Detector) -> None:
    """The code as it is passes the detectors that find the sample."""
    found = hunt(None, detector, 0.5)

    assert (found.found, found.stopped) == (None, None)
