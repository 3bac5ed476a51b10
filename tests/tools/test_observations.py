import math
import time
from collections import Counter
from importlib.resources import files

import numpy as np
import pytest

from geosleuth.indexes.countries import country_codes
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.grid import load_grid
from geosleuth.tools.observations import QUESTIONS, most_telling, observation_evidence
from geosleuth.tools.region_means import country_means, over_regions


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
    assert found.support[0].text == "left"
    assert found.support[0].source == "country-coder (OpenStreetMap), driving side"
    assert found.support[0].rule.startswith("3% of answers are taken to be wrong")


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
        ("edge_line", "yellow", "ZA", "KE"),
        ("warning_sign", "diamond", "IE", "GB"),
        ("warning_sign", "triangle_yellow", "SE", "NO"),
        ("chevron", "white_on_blue", "FR", "GB"),
        ("bollard", "yellow", "IS", "DE"),
        ("poles", "concrete", "JP", "US"),
        ("script", "Cyrl", "BG", "PL"),
        ("script", "Jpan", "JP", "CN"),
        ("script", "Thaa", "MV", "IN"),
        ("hemisphere", "north", "AR", "ES"),
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
    found = observation_evidence("hemisphere", "north")[0].likelihood.log_ratios
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
    assert "hemisphere" not in asked  # both are far north: nothing to learn
    assert list(asked.values()) == sorted(asked.values(), reverse=True)


def test_what_is_answered_is_not_asked_again():
    belief = {"GB": 0.5, "FR": 0.5}
    first = most_telling(belief, (), 1)
    assert len(first) == 1
    assert first[0][0].key not in [question.key for question, _ in most_telling(belief, [first[0][0].key], 20)]
    assert most_telling(belief, QUESTIONS, 3) == []


@pytest.mark.parametrize("belief", [{}, {"GB": 0.0}, {"": 1.0}, {"GB": 1.0}])
def test_nothing_is_asked_where_nothing_can_be_learned(belief):
    assert most_telling(belief, ()) == []


def test_asking_takes_no_time():
    belief = dict.fromkeys(country_codes(), 1 / 250)
    most_telling(belief, ())
    started = time.perf_counter()
    for _ in range(10):
        most_telling(belief, ())
    assert (time.perf_counter() - started) / 10 < 0.02


def test_unknown_questions_and_answers_list_those_there_are():
    with pytest.raises(InputError, match=r"the key of a question; found 'weather'\. Questions are: driving_side, "):
        observation_evidence("weather", "rain")
    with pytest.raises(InputError, match=r"found 'up'\. Answers are: left, right\."):
        observation_evidence("driving_side", "up")
