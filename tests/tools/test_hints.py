import math

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.tools.evidence import NearPoints, OverRegions
from geosleuth.tools.hints import hint_evidence
from geosleuth.tools.named_places import meanings, population_shares


def only(hint):
    (found,) = hint_evidence(hint)
    return found


@pytest.mark.parametrize(
    ("hint", "codes"),
    [
        ("in Portugal", {"PT"}),
        ("Portugal", {"PT"}),
        ("  it is in   portugal. ", {"PT"}),
        ("It's in Portugal!", {"PT"}),
        ("I think it's somewhere in Japan", {"JP"}),
        ("PT", {"PT"}),
        ("UK", {"GB"}),
        ("DEU", {"DE"}),
        ("in the Netherlands", {"NL"}),
        ("España", {"ES"}),
        ("Україна", {"UA"}),
        ("Portugal or Spain", {"PT", "ES"}),
        ("Bosnia and Herzegovina", {"BA"}),
        ("Trinidad and Tobago", {"TT"}),
        ("Bavaria", {"DE-BY"}),
        ("in Bayern", {"DE-BY"}),
        ("Georgia", {"GE", "US-GA"}),  # ambiguous, and stays so
    ],
)
def test_regions(hint, codes):
    found = only(hint)
    assert isinstance(found.likelihood, OverRegions)
    assert set(found.likelihood.log_ratios) == codes
    assert len(set(found.likelihood.log_ratios.values())) == 1
    assert next(iter(found.likelihood.log_ratios.values())) > math.log(99)
    assert found.type == ("hint.region" if any("-" in code for code in codes) else "hint.country")


def test_the_strength_is_one_wrong_hint_in_a_hundred():
    share = population_shares()["PT"]
    assert only("Portugal").likelihood.log_ratios["PT"] == pytest.approx(math.log(0.99 / (0.01 * share)))
    assert sum(population_shares().values()) == pytest.approx(1)
    assert 0.001 < share < 0.003  # ten million of eight thousand


def test_not_a_country_leaves_one_in_99():
    assert only("not Spain").likelihood.log_ratios == {"ES": pytest.approx(-math.log(99))}
    assert only("it is not in Spain").likelihood == only("not Spain").likelihood
    assert set(only("not Portugal or Spain").likelihood.log_ratios) == {"PT", "ES"}


def test_near_a_country_lets_its_neighbours_in_at_a_tenth():
    ratios = only("near Portugal").likelihood.log_ratios
    assert set(ratios) == {"PT", "ES"}
    assert ratios["PT"] - ratios["ES"] == pytest.approx(math.log(10))


@pytest.mark.parametrize("hint", ["Lisbon", "in Lisbon", "near Lisbon", "Lisbon, Portugal", "Lisboa"])
def test_a_city(hint):
    found = only(hint)
    assert found.type == "hint.place"
    first = found.likelihood.places[0]
    assert (first.lat, first.lon) == pytest.approx((38.725, -9.150), abs=0.01)
    assert first.weight > 1e4
    # 517,802 people at 4,000 per km2 fill a disc of radius 6.42 km; half as much again is 9.6.
    assert first.spread_km == pytest.approx(19.3 if "near" in hint else 9.6, abs=0.1)


def test_a_city_that_is_a_division_too_is_the_city():
    assert only("Madrid").type == "hint.place"
    assert only("New York").likelihood.places[0].name == "New York City"


def test_the_ambiguity_of_springfield_is_kept():
    assert len(only("Springfield").likelihood.places) == 34 + 3  # three are cities, with the country around them
    weights = sorted({place.weight for place in only("Springfield").likelihood.places})
    # A tenth for what is only also called so, and for the country around; the rest are equal: the belief knows where
    # photos are taken.
    assert len(weights) == 2
    assert weights[1] == pytest.approx(10 * weights[0])
    assert len(only("Springfield, Illinois").likelihood.places) == 2


def test_a_state_and_a_distant_city_of_the_same_name_stay_both():
    codes = set(only("Victoria").likelihood.log_ratios)
    assert "AU-VIC" in codes
    assert len(codes) > 1


@pytest.mark.parametrize("hint", ["not Lisbon", "it is not in Lisbon", "not near Lisbon"])
def test_not_a_city_takes_it_out_and_leaves_a_likelihood(hint):
    found = hint_evidence(hint)[0]
    (place,) = found.likelihood.places
    assert (place.lat, place.lon) == pytest.approx((38.725, -9.150), abs=0.01)
    assert found.likelihood.floor + place.weight == pytest.approx(1 / 99)


@pytest.mark.parametrize("hint", ["48.85,2.35", "48.85, 2.35", "at 48.85 2.35", "near 48.85°, 2.35°", "+48.85;2.35"])
def test_coordinates(hint):
    found = only(hint)
    assert found.type == "hint.coordinates"
    (place,) = found.likelihood.places
    assert (place.lat, place.lon, place.spread_km) == (48.85, 2.35, 5.0)
    # 0.99 / (2 pi 25 km2) over 0.01 / 134,900,000 km2 = 8.50e7
    assert place.weight == pytest.approx(8.50e7, rel=0.01)


def test_southern_and_western_coordinates():
    (place,) = only("-33.9, -70.7").likelihood.places
    assert (place.lat, place.lon) == (-33.9, -70.7)


@pytest.mark.parametrize(
    ("hint", "likelier", "than"),
    [
        ("south of the equator", "AU", "DE"),
        ("in the southern hemisphere", "AR", "MX"),
        ("southern hemisphere", "ZA", "EG"),
        ("northern hemisphere", "DE", "AU"),
        ("north of the equator", "MX", "AR"),
        ("not in the northern hemisphere", "AU", "DE"),
    ],
)
def test_hemispheres(hint, likelier, than):
    ratios = only(hint).likelihood.log_ratios
    assert ratios[likelier] - ratios[than] == pytest.approx(math.log(99), rel=0.01)
    assert abs(ratios["EC"] - ratios[likelier]) < 4  # Ecuador lies on both sides


@pytest.mark.parametrize(
    "hint", ["in Portugl", "xyzzy", "", "   ", "in", "not", "Atlantisland or Spain", "Springfield, Atlantisland"]
)
def test_an_unknown_hint_is_quoted_with_what_is_understood(hint):
    with pytest.raises(InputError) as error:
        hint_evidence(hint)
    assert repr(hint) in str(error.value)
    assert '"in Portugal"' in str(error.value)
    assert '"south of the equator"' in str(error.value)


def test_the_nearest_country_is_suggested():
    with pytest.raises(InputError, match="did you mean 'Portugal'"):
        hint_evidence("in Portugl")


@pytest.mark.parametrize("hint", ["91, 0", "0, 181"])
def test_a_position_off_the_earth_is_refused(hint):
    with pytest.raises(InputError, match="Latitudes end at 90"):
        hint_evidence(hint)


def test_larger_regions_are_known_by_their_english_names():
    tuscany = set(meanings("Tuscany").divisions)
    assert len(tuscany) == 10  # provinces of Toscana
    assert {"IT-FI", "IT-SI", "IT-AR"} <= tuscany
    assert all(code.startswith("GB-") for code in meanings("Scotland").divisions)
    assert len(meanings("Scotland").divisions) == 32  # council areas


def test_every_hint_says_who_said_it():
    found = only("not Spain")
    assert found.claim == 'The investigator says "not Spain" (Spain).'
    assert found.support[0].source == "the investigator"
    assert isinstance(only("Lisbon").likelihood, NearPoints)


def test_a_claim_names_the_place_that_bears_the_name_and_no_larger_one_that_is_also_called_so():
    (found,) = hint_evidence("in Porto")
    assert found.claim.startswith('The investigator says "in Porto" (Porto, Portugal')
