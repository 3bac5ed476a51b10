"""What speaks for one country against another, by hand-made beliefs."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosleuth.agent.belief import Belief
from geosleuth.agent.calibration import Calibration
from geosleuth.agent.dialogue.why_not import why_not
from geosleuth.indexes.errors import InputError
from geosleuth.tools.evidence import Evidence, NearPlace, NearPoints, Nothing, OverRegions

CALIBRATION = Calibration(temperatures={}, correlation=0.8, source="test")
LN2 = math.log(2.0)


def over(group=None, **bits):
    """Evidence of so many bits per country; `wrong=0`, so that the bits are what they say."""
    ratios = {code: value * LN2 for code, value in bits.items()}
    likelihood = OverRegions(log_ratios=ratios, wrong=0.0)
    return Evidence(tool="test", type="test.sign", claim=f"raw {sorted(bits)}", likelihood=likelihood, group=group)


def near_lisbon():
    place = NearPlace(lat=38.72, lon=-9.14, spread_km=10.0, weight=1e6)
    return Evidence(tool="test", type="test.name", claim="a name", likelihood=NearPoints(places=(place,), floor=1.0))


def silent():
    return Evidence(tool="test", type="test.none", claim="looked", likelihood=Nothing(reason="dark"))


@pytest.fixture(scope="module")
def start():
    return Belief.start(CALIBRATION)


def log2_odds(belief, one, other):
    shares = belief.country_probabilities()
    return math.log2(shares[one] / shares[other])


def test_bits_are_the_evidence_s_own(start):
    belief = start.update([over(PT=3, ES=1), silent(), over(FR=5), over(ES=4)])
    assert belief.contrast("ES", "PT") == pytest.approx([-2, 0, 0, 4], abs=1e-9)
    assert belief.contrast("PT", "ES") == pytest.approx([2, 0, 0, -4], abs=1e-9)


def test_a_place_speaks_for_its_country(start):
    bits = start.update([near_lisbon()]).contrast("ES", "PT")[0]
    assert bits < -5  # a million to one around Lisbon, which holds a good part of Portugal's photos


def test_one_of_two_that_say_the_same_tells_its_discounted_share(start):
    # Two of 4 bits in one group: together 4 + 0.2 * 4. Without either, 4 are left: each is worth 0.8.
    belief = start.update([over("line", PT=4), over("line", PT=4)])
    assert belief.contrast("PT", "ES") == pytest.approx([0.8, 0.8], abs=1e-9)


def test_a_country_that_is_next_to_impossible_is_weighed_too(start):
    bits = start.update([over(PT=900)]).contrast("ES", "PT")
    assert bits == pytest.approx([-900], abs=1e-6)


pieces = st.builds(
    lambda bits, group: over(group, **bits),
    st.dictionaries(st.sampled_from(["PT", "ES", "FR", "JP"]), st.floats(-6, 6), min_size=1),
    st.sampled_from([None, "a"]),
)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.lists(pieces, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_order_does_not_matter(evidence, random):
    shuffled = list(range(len(evidence)))
    random.shuffle(shuffled)
    one = Belief.start(CALIBRATION).update(evidence).contrast("ES", "PT")
    other = Belief.start(CALIBRATION).update([evidence[i] for i in shuffled]).contrast("ES", "PT")
    assert [one[i] for i in shuffled] == pytest.approx(other, abs=1e-6)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.lists(pieces, min_size=1, max_size=4))
def test_bits_and_start_add_up_to_the_odds(evidence):
    alone = [piece.model_copy(update={"group": None}) for piece in evidence]
    start = Belief.start(CALIBRATION)
    belief = start.update(alone)
    total = log2_odds(start, "ES", "PT") + sum(belief.contrast("ES", "PT"))
    assert total == pytest.approx(log2_odds(belief, "ES", "PT"), abs=1e-6)


@pytest.mark.parametrize("code", ["XX", "", "Spain"])
def test_a_country_that_no_map_has(start, code):
    with pytest.raises(InputError, match="a country of the map"):
        start.contrast(code, "PT")


IDS = [f"{number:012x}" for number in (1, 2, 4)]


@pytest.fixture
def belief(start):
    return start.update([over(PT=3), over(PT=2, ES=1), over(ES=1.5)])


def test_words_give_the_reasons_of_both_sides(belief, lisbon):
    found = why_not(belief, IDS, ("ES",), lisbon)
    assert (found.asked.code, found.against.code) == ("ES", "PT")
    assert found.asked.probability == belief.country_probabilities()["ES"]
    assert [(one.id, round(one.bits, 6)) for one in found.pieces] == [(IDS[0], -3), (IDS[2], 1.5), (IDS[1], -1)]
    against, _, rest = found.words.partition(" For Spain: ")
    assert against.endswith("+351: Portugal (-3.0 bits); A sign is in Portuguese (-1.0 bits).")
    assert rest == '"Rossio" is the name of Rossio in Portugal (+1.5 bits).'
    assert "raw" not in found.words  # claims are the answer's, never the evidence's own
    start = Belief.start().country_probabilities()
    assert found.start_bits == pytest.approx(math.log2(start["ES"] / start["PT"]))
    assert f"{2**found.start_bits:.1f} times as likely as Portugal" in found.words  # more photos are of Spain


def test_shares_are_told_as_everywhere_else(start, lisbon):
    sure = start.update([over(PT=60)])
    assert why_not(sure, IDS[:1], ("ES",), lisbon).words.startswith("Spain has below 0.1%, Portugal 99.9%. ")


def test_a_cap_withholds_claims_here_too(belief, lisbon):
    from geosleuth.agent.precision import coarsen

    found = why_not(belief, IDS, ("ES",), coarsen(lisbon, 25.0))
    assert "Rossio" not in found.model_dump_json()
    assert "+351" not in found.model_dump_json()
    assert "Withheld: it may name a place" in found.words


def test_the_likeliest_of_several_is_weighed_and_the_answer_itself_against_the_next(belief, lisbon):
    assert why_not(belief, IDS, ("MC", "ES", "XX"), lisbon).asked.code == "ES"
    itself = why_not(belief, IDS, ("PT",), lisbon)
    others = [code for code in belief.country_probabilities() if code != "PT"]
    assert (itself.asked.code, itself.against.code) == ("PT", others[0])


def test_without_evidence_the_words_say_so(start, answers):
    found = why_not(start, [], ("ES",), answers.nowhere())
    assert found.pieces == ()
    assert found.words.endswith("No evidence speaks for one of the two against the other.")


def test_no_country_is_an_error_in_words(belief, lisbon):
    with pytest.raises(InputError, match="found 'XX'"):
        why_not(belief, IDS, ("XX",), lisbon)
