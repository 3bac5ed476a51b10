import math
import time
from collections import Counter
from importlib.resources import files

import numpy as np
import pytest

from geosleuth.agent.belief import Belief
from geosleuth.agent.inquiry import Observation
from geosleuth.agent.localization import TraceStep
from geosleuth.agent.precision import coarsen_step
from geosleuth.agent.questions import asked_questions
from geosleuth.indexes.countries import country_codes
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.grid import load_grid
from geosleuth.tools.language import language_clues
from geosleuth.tools.observations import QUESTIONS, most_telling, observation_evidence
from geosleuth.tools.region_means import country_means, over_regions
from geosleuth.tools.textline import TextLine


def ratios(question, option):
    (found,) = observation_evidence(question, option)
    return found.likelihood.log_ratios


def test_cars_on_the_left_weigh_by_the_share_of_wrong_answers():
    left = ratios("driving_side", "left")
    # 3 % of answers are wrong, half of them happen to say the right side: 0.985 against 0.015.
    assert left["GB"] - left["FR"] == pytest.approx(math.log(0.985 / 0.015), abs=2e-3)
    assert left["GB"] == left["JP"] == left["ZA"]
    assert ratios("driving_side", "right")["FR"] > 0 > ratios("driving_side", "right")["GB"]


def test_who_drives_on_the_left():
    # World Standards, "List of left- & right-driving countries", with the territories that have an ISO code.
    listed = "AG AI AU BB BD BM BN BS BT BW CC CK CX CY DM FJ FK GB GD GG GY HK ID IE IM IN JE JM JP KE KI KN KY LC LK "
    listed += "LS MO MS MT MU MV MW MY MZ NA NF NP NR NU NZ PG PK PN SB SC SG SH SR SZ TC TH TK TL TO TT TV TZ UG VC "
    listed += "VG VI WS ZA ZM ZW"
    left = {code for code, ratio in ratios("driving_side", "left").items() if ratio > 0}
    assert left - {"GS", "HM"} == set(listed.split())  # two islands without roads to speak of


def test_claims_can_be_read():
    (found,) = observation_evidence("driving_side", "left")
    assert found.claim == "The investigator sees that cars keep to the left."
    assert (found.tool, found.type, found.group) == (
        "observation",
        "observation.driving_side",
        "observation:driving_side",
    )
    assert found.support[0].source == "country-coder (OpenStreetMap), driving side"
    assert found.support[0].rule.startswith("3% of answers are taken to be wrong")
    assert found.support[0].rule.endswith("the answer is: left")


def test_an_answer_quotes_nothing_from_the_photo():
    # A cap on precision withholds what quotes a sign, whose words may name a town; the side of driving is no such.
    (found,) = observation_evidence("driving_side", "left")
    assert [one.text for one in found.support] == [None]
    (shown,) = coarsen_step(
        TraceStep(step=1, tool="hint", by="investigator", result="1 clue", seconds=0.0), [found], 100.0
    )[1]
    assert shown == found


def odds(evidence, code, other):
    found = Belief.start().update(evidence).country_probabilities()
    return math.log2(found[code] / found[other])


def test_plates_of_one_foreign_car_are_wrong_together():
    answers = {"plate_front": "yellow", "plate_rear": "yellow", "plate_strip": "left", "plate_shape": "long"}
    plates = [one for key, option in answers.items() for one in observation_evidence(key, option)]
    assert {one.group for one in plates} == {"observation:plate"}
    # Of 100 cars 97 are yellow in NL and 2 in DE: 0.95 * 0.97 + 0.05 / 6 over 0.95 * 0.02 + 0.05 / 6 is 34, 5.1 bits.
    start, front, both = (odds(plates[:n], "NL", "DE") for n in range(3))
    assert front - start == pytest.approx(5.1, abs=0.05)
    assert both - front == pytest.approx(0.51, abs=0.02)  # the second counts a tenth: the correlation is 0.9
    assert odds(plates, "NL", "DE") == pytest.approx(both, abs=0.1)


def test_letters_that_are_read_and_seen_are_one_witness():
    box = ((0.0, 0.0), (90.0, 0.0), (90.0, 30.0), (0.0, 30.0))
    line = TextLine(
        text="", box=box, script="Thai", script_confidence=0.95, score=0.0, recogniser="none", readable=False
    )
    (read,) = language_clues([line])
    (seen,) = observation_evidence("script", "Thai")
    assert (read.type, read.group) == ("reading.script", seen.group)
    alone, both = Belief.start().update([read]), Belief.start().update([seen, read])
    doubt = [1 - one.country_probabilities()["TH"] for one in (alone, both)]
    assert 0.5 * doubt[0] < doubt[1] < doubt[0]  # two witnesses would leave a hundredth of it


def test_answers_that_would_be_wrong_together_are_asked_for_once():
    shares = {"NL": 0.5, "DE": 0.5}
    assert asked_questions(shares, (), ())[0].key.startswith("plate_")
    given = (Observation(question="plate_front", option="yellow"), Observation(question="unknown", option="x"))
    assert not [one.key for one in asked_questions(shares, given, ()) if one.key.startswith("plate_")]


@pytest.mark.parametrize(
    ("question", "option", "likely", "unlikely"),
    [
        ("plate_rear", "yellow", "GB", "IE"),
        ("plate_front", "yellow", "NL", "GB"),
        ("plate_front", "blue", "CN", "JP"),
        ("plate_rear", "black", "MY", "TH"),
        ("plate_strip", "both", "FR", "ES"),
        ("plate_strip", "top", "BR", "CL"),
        ("plate_shape", "short", "US", "DE"),
        ("plate_shape", "long", "PL", "JP"),
        ("centre_line", "yellow", "NO", "SE"),
        ("centre_line", "white", "AU", "BR"),
        ("warning_sign", "diamond", "AR", "IN"),
        ("edge_line", "yellow", "ZA", "KE"),
        ("warning_sign", "diamond", "IE", "GB"),
        ("warning_sign", "triangle_yellow", "SE", "NO"),
        ("chevron", "white_on_blue", "FR", "GB"),
        ("bollard", "yellow", "IS", "DE"),
        ("poles", "concrete", "JP", "US"),
        ("script", "Cyrl", "BG", "PL"),
        ("script", "Jpan", "JP", "CN"),
        ("script", "Thaa", "MV", "IN"),
        ("midday_sun", "north", "AR", "ES"),
    ],
)
def test_customs(question, option, likely, unlikely):
    found = ratios(question, option)
    assert found[likely] > 0 > found[unlikely]
    assert found[likely] - found[unlikely] > 1.5


@pytest.mark.parametrize("key", QUESTIONS)
def test_every_answer_is_a_probability_of_each_country(key):
    question = QUESTIONS[key]
    one = {option.key: ratios(key, option.key) for option in question.options}
    # exp(ratio) is P(answer | country) over the mean of all countries: no answer beats its error, so none is final.
    bound = math.log(len(question.options) / question.error) + math.log(len(country_codes()))
    for found in one.values():
        assert all(math.isfinite(ratio) for ratio in found.values())
        assert max(found.values()) - min(found.values()) < bound
    assert question.source
    assert question.why_wrong
    assert len({option.key for option in question.options}) == len(question.options)


def test_lines_that_forbid_passing_are_yellow_where_the_others_are_white():
    yellow, white = ratios("centre_line", "yellow"), ratios("centre_line", "white")
    # NZ 0.95 * 0.25 + 0.025 = 0.2625, IN 0.95 * 0.3 + 0.025 = 0.31, GB 0.95 * 0.02 + 0.025 = 0.044.
    assert yellow["NZ"] - yellow["GB"] == pytest.approx(math.log(0.2625 / 0.044), abs=2e-3)
    assert yellow["IN"] - yellow["GB"] == pytest.approx(math.log(0.31 / 0.044), abs=2e-3)
    assert white["NZ"] - white["NO"] > 2


def test_a_country_without_a_row_is_as_likely_as_the_mean():
    found = ratios("bollard", "yellow")
    assert "ML" not in found  # its ratio is 0 to three decimals: nobody has said what stands beside Mali's roads
    assert found["IS"] > 1


def test_the_table_names_real_countries_once_and_its_shares_are_whole():
    text = files("geosleuth.tools").joinpath("data/observations.tsv").read_text("utf-8")
    seen = Counter()
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        key, shares, countries, note = line.split("\t")
        parts = dict(part.split("=") for part in shares.split())
        assert set(parts) <= {option.key for option in QUESTIONS[key].options}, line
        assert sum(map(int, parts.values())) == 100, line
        assert note, line
        assert set(countries.split()) <= set(country_codes()), line
        seen.update((key, code) for code in countries.split())
    assert [pair for pair, count in seen.items() if count > 1] == []


def test_the_midday_sun_is_in_the_north_for_a_part_of_the_year_in_the_tropics():
    found = observation_evidence("midday_sun", "north")[0].likelihood.log_ratios
    # Beyond 23.44 degrees 95 % + half of 5 %; at the equator one half.
    assert found["NZ"] - found["GB"] == pytest.approx(math.log(0.975 / 0.025), abs=0.01)
    assert math.exp(found["EC"] - found["NZ"]) == pytest.approx(0.5 / 0.975, rel=0.1)
    assert found["BR-RS"] > found["BR"] > found["BR-RR"]


def test_means_over_regions_weigh_by_photos_and_name_divisions_that_differ():
    grid = load_grid()
    north = np.where(np.asarray(grid.lat) > 0, 1.0, 0.1)
    means = country_means(north)
    assert means["FR"] == pytest.approx(1.0)
    assert means["ZA"] == pytest.approx(0.1)
    assert 0.1 < means["BR"] < 0.2  # Roraima and a part of Amapa
    found = over_regions(north).log_ratios
    assert found["BR-RR"] - found["ZA"] == pytest.approx(math.log(10), abs=0.1)
    assert "FR-75" not in found


def test_the_most_telling_question_by_hand():
    # GB or FR, one to one: which side cars keep to tells 1 bit less the entropy of an error of 1.5 %.
    asked = {question.key: bits for question, bits in most_telling({"GB": 0.3, "FR": 0.3}, (), 20)}
    entropy = -(0.015 * math.log2(0.015) + 0.985 * math.log2(0.985))
    assert asked["driving_side"] == pytest.approx(1 - entropy, abs=1e-6)
    assert "midday_sun" not in asked  # both are far north: nothing to learn
    assert list(asked.values()) == sorted(asked.values(), reverse=True)


def test_what_is_answered_is_not_asked_again():
    belief = {"GB": 0.5, "FR": 0.5}
    first = most_telling(belief, (), 1)
    assert len(first) == 1
    assert first[0][0].key not in [question.key for question, _ in most_telling(belief, [first[0][0].key], 20)]
    assert most_telling(belief, QUESTIONS, 3) == []


def test_what_tells_less_than_one_in_twenty_misjudges_is_not_asked():
    belief = {"AU": 0.99, "NZ": 0.01}  # nearly certain: H(0.01) is 0.08 bits, and no answer tells most of that
    assert most_telling(belief, (), 20) == []


@pytest.mark.parametrize("belief", [{}, {"GB": 0.0}, {"": 1.0}, {"GB": 1.0}])
def test_nothing_is_asked_where_nothing_can_be_learned(belief):
    assert most_telling(belief, ()) == []


def test_asking_takes_no_time():
    belief = dict.fromkeys(country_codes(), 1 / 250)
    most_telling(belief, ())
    started = time.process_time()
    for _ in range(10):
        most_telling(belief, ())
    assert (time.process_time() - started) / 10 < 0.02


def test_unknown_questions_and_answers_list_those_there_are():
    with pytest.raises(InputError, match=r"the key of a question; found 'weather'\. Questions are: driving_side, "):
        observation_evidence("weather", "rain")
    with pytest.raises(InputError, match=r"found 'up'\. Answers are: left, right\."):
        observation_evidence("driving_side", "up")
