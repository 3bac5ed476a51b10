"""Sentences about what is seen: only what is certainly understood is an observation."""

import pytest

from geosleuth.agent.dialogue.move import NotUnderstood, Observe
from geosleuth.agent.dialogue.rules import understand
from geosleuth.tools.observations import QUESTIONS

NO_OBSERVATIONS = {  # sentence -> the question that the refusal asks; each names a subject and one answer
    "there is no yellow centre line": "centre_line",
    "the road is without any yellow centre line": "centre_line",
    "the centre line isn't yellow": "centre_line",
    "the centre line isnt yellow": "centre_line",
    "there is hardly any yellow centre line": "centre_line",
    "the yellow centre line is missing": "centre_line",
    "neither edge line is white": "edge_line",
    "the roads lack yellow edge lines": "edge_line",
    "the wall beside the centre line is yellow": "centre_line",
    "is the centre line yellow": "centre_line",
    "maybe the centre line is yellow": "centre_line",
    "none of the poles are wooden": "poles",
    "flag poles are metal": "poles",
    "the front plate is without yellow": "plate_front",
    "the front plate has black letters": "plate_front",
    "there are no plates without a blue strip": "plate_strip",
    "the plates have no blue strip at the left": "plate_strip",
    "the plates have a red strip at the left": "plate_strip",
    "the letters are not Cyrillic": "script",
    "no signs are in Greek": "script",
    "signs in Latin America": "script",
    "a sign of the Greek restaurant": "script",
    "a sign says keep left on the left": "driving_side",
    "nobody drives on the left": "driving_side",
    "cars never drive on the left": "driving_side",
    "dishes point away from south": "midday_sun",
    "the dishes do not face south": "midday_sun",
    "dishes face south-east": "midday_sun",
    "dishes face north west": "midday_sun",
    "warning signs are not yellow diamonds": "warning_sign",
    "the arrows are not white on blue": "chevron",
    "lamp posts are yellow": "bollard",
    "there are no yellow posts": "bollard",
}


@pytest.mark.parametrize(("sentence", "question"), NO_OBSERVATIONS.items())
def test_an_observation_not_certainly_understood_is_refused(sentence, question, lisbon):
    found = understand(sentence, lisbon).move
    assert isinstance(found, NotUnderstood)
    assert "not understood" in found.reason
    assert QUESTIONS[question].text in found.reason
    for suggestion in found.suggestions:
        move = understand(suggestion, lisbon).move
        assert isinstance(move, Observe), suggestion
        assert move.question == question


@pytest.mark.parametrize(
    "sentence",
    [
        "left-hand drive cars on the road",
        "keep left",
        "warning signs are white diamonds",
        "posts are white with yellow reflectors",
        "both plates have a blue strip",
    ],
)
def test_what_only_sounds_like_an_observation_is_none(sentence, lisbon):
    assert isinstance(understand(sentence, lisbon).move, NotUnderstood)


def test_two_observations_are_one_at_a_time(lisbon):
    found = understand("the poles are wooden and the front plate is yellow", lisbon).move
    assert found.suggestions == ("the poles are wooden", "the front plate is yellow")


@pytest.mark.parametrize(("question", "option"), [(q.key, o.key) for q in QUESTIONS.values() for o in q.options])
def test_an_observation_is_understood_as_the_answer_tells_it(question, option, lisbon):
    says = QUESTIONS[question].option(option).says
    assert understand(says, lisbon).move == Observe(question=question, option=option)
