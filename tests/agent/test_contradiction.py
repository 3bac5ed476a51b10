import math

import pytest

from geosleuth.agent.contradiction import _places_verdict, _regions_verdict, find_contradictions
from geosleuth.indexes.geodesy import LatLon
from geosleuth.tools.evidence import Evidence, NearPlace, NearPoints, Nothing, OverRegions

AREZZO, LISBON = LatLon(43.46, 11.88), LatLon(38.72, -9.14)
PRIOR = {"IT": 0.25, "UA": 0.25, "PT": 0.25, "FR": 0.25}


def evidence(kind, claim, likelihood, group=None):
    return Evidence(tool=kind.split(".")[0], type=kind, claim=claim, likelihood=likelihood, group=group)


def near(place, weight, spread_km=1.0):
    return NearPoints(places=(NearPlace(lat=place.lat, lon=place.lon, spread_km=spread_km, weight=weight),), floor=1.0)


GPS = evidence("metadata.gps", "The file's EXIF places it at 43.46, 11.88.", near(AREZZO, 2.0**20 - 1))
UKRAINIAN = evidence("reading.language", "The signs read Ukrainian.", OverRegions(log_ratios={"UA": math.log(1024)}))


def near_verdict(item, point):
    return _places_verdict(0, item.likelihood, point, 1.0)


def regions_verdict(regions, *items):
    return _regions_verdict(range(len(items)), items, regions, PRIOR, lambda _: 1.0)


def test_bits_near_places_by_hand():
    assert near_verdict(GPS, AREZZO).support == pytest.approx(20)
    assert near_verdict(GPS, AREZZO).against == pytest.approx(0)
    assert near_verdict(GPS, LISBON).support == pytest.approx(0)
    assert near_verdict(GPS, LISBON).against == pytest.approx(20)
    denied = evidence("hint.place", "x", near(AREZZO, -0.75, 20.0))  # a quarter is left at the place: two bits
    assert near_verdict(denied, AREZZO).against == pytest.approx(2)
    assert near_verdict(denied, LISBON).against == pytest.approx(0)


def test_bits_over_regions_by_hand():
    against = regions_verdict(["IT"], UKRAINIAN)
    assert against.against == pytest.approx(10)
    # Mean of the likelihood over four equal countries: (1024 + 3) / 4 = 256.75; here it is 1: log2 256.75 = 8.004.
    assert against.support == pytest.approx(-8.004, abs=1e-3)
    assert regions_verdict(["UA"], UKRAINIAN).support == pytest.approx(1.996, abs=1e-3)
    assert regions_verdict(["UA"], UKRAINIAN).against == 0


def test_findings_of_a_source_add_up_and_a_group_counts_once():
    italian = evidence("reading.language", "Pizzeria.", OverRegions(log_ratios={"IT": math.log(512)}))
    assert regions_verdict(["UA"], italian, UKRAINIAN).against == pytest.approx(0)  # 10 bits for UA, 9 for IT
    twice = [UKRAINIAN.model_copy(update={"group": "uk"})] * 2
    assert regions_verdict(["IT"], *twice).against == pytest.approx(10)
    assert regions_verdict(["IT"], UKRAINIAN, UKRAINIAN).against == pytest.approx(20)


def test_a_division_overrides_its_country():
    ladin = evidence("reading.language", "x", OverRegions(log_ratios={"IT-BZ": math.log(16), "FR": 0.0}))
    assert regions_verdict(["IT-BZ", "IT"], ladin).support == pytest.approx(4)
    assert regions_verdict(["IT-52", "IT"], ladin).support == pytest.approx(0)


def test_an_exif_position_against_the_signs():
    (found,) = find_contradictions([GPS, UKRAINIAN], AREZZO, ["IT-52", "IT"], PRIOR)
    assert found.claim == "The photo's EXIF position is in Italy, but the signs read Ukrainian (10.0 bits against)"
    assert found.bits == pytest.approx(10)
    assert found.evidence == (0, 1)


def test_a_hint_that_wins_over_the_exif_position_is_contradicted_by_it():
    hint = evidence("hint.place", 'The investigator says "Lisbon".', near(LISBON, 2.0**24, 12.0))
    (found,) = find_contradictions([GPS, hint], LISBON, ["PT"], PRIOR)
    assert found.claim.startswith('The investigator says "Lisbon" (for Portugal), but the file\'s EXIF places it')
    assert found.evidence == (1, 0)


NEXT_STREET = LatLon(43.4618, 11.88)  # 200 m north of the EXIF position
MATCH = evidence("verification.match", "Its features agree with a.jpg.", near(NEXT_STREET, 2.0**24 - 1, 0.02))


def test_a_reference_in_the_next_street_agrees_with_the_exif_position():
    gps = GPS.model_copy(update={"likelihood": near(AREZZO, 2.0**20 - 1, 0.03)})
    assert find_contradictions([gps, MATCH], NEXT_STREET, ["IT"], PRIOR) == ()
    assert find_contradictions([gps, MATCH], AREZZO, ["IT"], PRIOR) == ()


def test_a_verified_reference_far_from_the_exif_position_contradicts_it():
    elsewhere = MATCH.model_copy(update={"likelihood": near(LISBON, 2.0**24 - 1, 0.02)})
    (found,) = find_contradictions([GPS, elsewhere], LISBON, ["PT"], PRIOR)
    assert found.claim.startswith("Its features agree with a.jpg (for Portugal), but the file's EXIF places it")
    assert found.bits == pytest.approx(20)


def test_a_shop_called_paris_contradicts_nothing():
    paris = evidence("reading.place_name", 'A sign says "Paris".', near(LatLon(48.85, 2.35), 100.0, 10.0))
    assert near_verdict(paris, AREZZO).against == pytest.approx(math.log2(101))  # 6.7: below 8
    assert find_contradictions([GPS, paris], AREZZO, ["IT"], PRIOR) == ()


def test_english_beside_a_position_contradicts_nothing():
    english = evidence("reading.language", "x", OverRegions(log_ratios={"UA": 2.0}))  # 2.9 bits
    assert find_contradictions([GPS, english], AREZZO, ["IT"], PRIOR) == ()


def test_a_phone_number_contradicts_the_writing_of_the_same_photo():
    writing = evidence("reading.language", "The signs are Italian.", OverRegions(log_ratios={"IT": math.log(2**12)}))
    phone = evidence("reading.phone", "A number is Ukrainian.", OverRegions(log_ratios={"UA": math.log(2**6)}))
    (found,) = find_contradictions([writing, phone], AREZZO, ["IT"], {"IT": 0.01, "UA": 0.01, "FR": 0.98})
    assert found.claim == "The signs are Italian (for Italy), but a number is Ukrainian (6.0 bits against)"


def test_calibration_weakens_a_clue():
    strong = find_contradictions([GPS, UKRAINIAN], AREZZO, ["IT"], PRIOR, temperature=lambda _: 0.5)
    assert strong[0].bits == pytest.approx(5)
    assert find_contradictions([GPS, UKRAINIAN], AREZZO, ["IT"], PRIOR, temperature=lambda _: 0.3) == ()


def test_nothing_says_nothing():
    nothing = evidence("metadata.time", "No time.", Nothing(reason="none"))
    assert find_contradictions([GPS, nothing], AREZZO, ["IT"], PRIOR) == ()


def test_weak_evidence_contradicts_nothing():
    weak = evidence("reading.language", "x", OverRegions(log_ratios={"IT": math.log(2)}))
    assert find_contradictions([weak, UKRAINIAN], AREZZO, ["IT"], PRIOR) == ()
    assert find_contradictions([], AREZZO, ["IT"], PRIOR) == ()


def test_a_source_is_one_contradiction_and_the_strongest_come_first():
    many = [UKRAINIAN.model_copy(update={"group": "uk"}) for _ in range(3)]
    strong = evidence("reading.phone", "A number is Ukrainian.", OverRegions(log_ratios={"UA": math.log(2**14)}))
    found = find_contradictions([GPS, *many, strong], AREZZO, ["IT"], PRIOR)
    assert [c.evidence for c in found] == [(0, 4), (0, 1)]
    assert [c.bits for c in found] == [pytest.approx(14), pytest.approx(10)]


def test_agreement_is_no_contradiction():
    italian = evidence("reading.language", "The signs read Italian.", OverRegions(log_ratios={"IT": math.log(1024)}))
    assert find_contradictions([GPS, italian], AREZZO, ["IT"], PRIOR) == ()
