"""Sentences about the sun and the time, and what they are taken for."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from geosleuth.agent.dialogue.move import NotUnderstood, StateSun
from geosleuth.agent.dialogue.rules import understand

NOON = datetime(2024, 6, 1, 12, 30)
SUNS = {  # understood with astral alone
    "it was taken at 2024-06-01 12:30, the sun is 45 degrees high": StateSun(taken=NOON, elevation_deg=45),
    "taken on 1 June 2024 at 3 pm, azimuth 270": StateSun(taken=datetime(2024, 6, 1, 15), azimuth_deg=270),
    "taken 2024-06-01T12:30Z, sun in the south": StateSun(taken=NOON.replace(tzinfo=UTC), azimuth_deg=180),
    "taken 2024-06-01 12:30 +02:00, sun at 30 degrees": StateSun(
        taken=NOON.replace(tzinfo=timezone(timedelta(hours=2))), elevation_deg=30
    ),
    "taken 2024-06-01 12:30, the sun is 45° high in the south": StateSun(taken=NOON, azimuth_deg=180, elevation_deg=45),
    # A shadow as long as its pole: 45 degrees; twice as long: atan(1 / 2) = 26.57 degrees.
    "taken 2024-06-01 12:30, the shadow is as long as the pole": StateSun(taken=NOON, elevation_deg=45),
    "June 1st, 2024, 12:30, the shadow is twice as long as the man": StateSun(taken=NOON, elevation_deg=26.57),
}
SHADOWS = {  # times as long -> atan(1 / times) degrees
    "the shadow is ten times as long as the pole": 5.71,
    "the shadow is one and a half times as long as the pole": 33.69,
    "the shadow is 1.5 times as long as the pole": 33.69,
    "the shadow is a third as long as the pole": 71.57,
    "the shadow is three quarters as long as the man": 53.13,
    "the shadow is only half as long as the lamp post": 63.43,
    "the shadow is half the length of the pole": 63.43,
    "the shadow is half the height of the pole": 63.43,
    "the shadow is the same length as the pole": 45,
    "the shadow is double the height of the pole": 26.57,
    "the shadow is twice its height": 26.57,
    "the pole's shadow is twice as long as it is high": 26.57,
    "the shadow of the tree is as long as the tree": 45,
}
DIRECTIONS = {
    "sun in the north west": 315,
    "the sun is in the NW": 315,
    "the sun is in the south-east": 135,
    "the sun stands due south": 180,
    "the sun is to the north-north-west": 337.5,
    "the sun is in the east-southeast": 112.5,
    "the sun shines from the west": 270,
    "the sun is low in the west": 270,
    "the sun's azimuth is 135": 135,
    "azimuth 360": 0,
}
UNCLEAR_SUNS = (
    "the shadow is not as long as the pole",
    "the shadow is not half as long as the pole",
    "the shadow isn't twice as long as the pole",
    "the shadow is no longer as long as the pole",
    "the shadow is almost as long as the pole",
    "the shadow is at most as long as the pole",
    "the shadow is 1,5 times as long as the pole",
    "the shadow is eleventy times as long as the pole",
    "the shadow is 0 times as long as the pole",
    "the shadow is three times longer than the pole",
    "the shadow is shorter than the pole",
    "the shadow is as long as the street",
    "the shadow is as long as the other pole",
    "the shadow is as long as the pole's shadow",
    "the shadow is as long as the pole is wide",
    "the shadow is twice as long as half the pole",
    "the shadow of the pole is as long as the man",
    "the shadow is as long as the pole, the sun is 30 degrees high",
    "sun casts shadows to the north",
    "the shadow falls to the north",
    "the azimuth of the shadow is 30",
    "the sun shines to the south",
    "the sun is not in the south",
    "the sun isn't in the south",
    "the sun never stands in the north",
    "the sun is in the southnorth",
    "the sun is in the south of the photo",
    "the sun is south of the tower",
    "the sun is not 45 degrees high",
    "the sun is less than 45 degrees high",
    "the sun is 45-50 degrees high",
    "the sun is -5 degrees high",
    "the sun is 45 degrees from the zenith",
    "azimuth -30",
    "at noon the sun is in the south-east",
    "at 12:30 the sun is 45 degrees high",
    "taken 2024-06-31 12:30, the sun is 45 degrees high",
    "taken 2024-06-01 12:30 CET, the sun is in the south",
)


@pytest.mark.parametrize(("sentence", "move"), SUNS.items())
def test_sun(sentence, move, lisbon):
    pytest.importorskip("astral")
    assert understand(sentence, lisbon).move == move


@pytest.mark.parametrize(("sentence", "degrees"), [*SHADOWS.items(), *DIRECTIONS.items()])
def test_the_sun_in_words(sentence, degrees, lisbon):
    pytest.importorskip("astral")
    angle = {"elevation_deg": degrees} if sentence in SHADOWS else {"azimuth_deg": degrees}
    assert understand(sentence, lisbon, NOON).move == StateSun(taken=NOON, **angle)
    assert isinstance(understand(sentence, lisbon).move, NotUnderstood)  # the answer names no time


@pytest.mark.parametrize("sentence", UNCLEAR_SUNS)
def test_a_sun_not_certainly_understood_is_refused(sentence, lisbon):
    pytest.importorskip("astral")
    for taken in (NOON, None):
        found = understand(sentence, lisbon, taken).move
        assert isinstance(found, NotUnderstood)
        assert "not understood for certain" in found.reason
        assert len(found.suggestions) == 3


@pytest.mark.parametrize("taken", [NOON, None])
def test_suns_that_are_suggested_are_understood(taken, lisbon):
    pytest.importorskip("astral")
    for suggestion in understand("the sun is not in the south", lisbon, taken).move.suggestions:
        assert isinstance(understand(suggestion, lisbon, taken).move, StateSun), suggestion


def test_a_time_of_the_sentence_goes_before_the_file_s(lisbon):
    pytest.importorskip("astral")
    said = understand("taken 2024-06-01 12:30, the sun is in the south", lisbon, datetime(2019, 1, 2, 3, 4))
    assert said.move == StateSun(taken=NOON, azimuth_deg=180)
    unclear = understand("taken 2024-06-01 12:30 +02:00, the sun is not in the south", lisbon, NOON)
    assert unclear.move.suggestions[0] == "taken 2024-06-01 12:30 +0200, the sun is 45 degrees high"


def test_a_file_s_time_is_told_without_its_zone(lisbon):
    pytest.importorskip("astral")
    found = understand("the sun is in the south", lisbon, NOON.replace(tzinfo=timezone(timedelta(hours=2))))
    assert found.move == StateSun(taken=datetime(2024, 6, 1, 10, 30, tzinfo=UTC), azimuth_deg=180)
    assert "10:30+0000" in found.words  # "+0200" might tell the country, whatever the cap on precision
