"""Constants fitted on invented photos: against the belief, by hand, held out, and when they no longer hold."""

import math

import numpy as np
import pytest

from geosleuth.agent.belief import Belief
from geosleuth.agent.calibration import Calibration, ErrorShare, Interval, ModelWeights, load_calibration
from geosleuth.indexes.errors import InputError
from geosleuth.tools.captions import CAPTION
from geosleuth.tools.evidence import Evidence, NearPlace, NearPoints, OverRegions
from geosleuth.training.evaluate.agent.scored import Observed, Truth
from geosleuth.training.evaluate.calibration.calibrate import Calibrated, calibrate, save
from geosleuth.training.evaluate.calibration.cases import STEP, seen_photos
from geosleuth.training.evaluate.calibration.fit import Constants, fit, model_weights
from geosleuth.training.evaluate.calibration.folds import cross_validated
from geosleuth.training.evaluate.calibration.opinions import SPREADS_KM, rounded
from geosleuth.training.evaluate.calibration.shift import _shifted, shift, wilson

PLACES = {
    "PT": (38.72, -9.14),
    "DE": (52.52, 13.40),
    "JP": (35.68, 139.69),
    "PE": (-12.05, -77.04),
    "KE": (-1.29, 36.82),
}
RATIO = math.exp(4.0)  # of each finding, for the country that it names


def says(code: str, kind: str = "test.sign", model: str | None = None, group: str | None = None) -> Evidence:
    likelihood = OverRegions(log_ratios={code: 4.0}, wrong=0.0)
    return Evidence(
        tool=kind.split(".")[0], type=kind, claim=code, likelihood=likelihood, weights=model, group=group
    )  # fmt: skip


def stands(lat: float, lon: float, model: str, spread_km: float = 90.0) -> Evidence:
    near = NearPoints(places=(NearPlace(lat=lat, lon=lon, spread_km=spread_km, weight=1e4),), floor=1.0)
    group = f"prior:{model}"
    return Evidence(tool="prior", type="prior.place", claim="there", likelihood=near, weights=model, group=group)


def photo(code: str, *evidence: Evidence, name: str = "") -> Observed:
    lat, lon = PLACES[code]
    truth = Truth(file=name or f"{code}.jpg", sha256="", lat=lat, lon=lon, country=code)
    return Observed(truth=truth, evidence=evidence, seconds=0.0, calls={})


def photos(times: int, *clues) -> list[Observed]:
    """Photos of each place, `times` of each; a clue is a function of the country's code."""
    return [
        photo(code, *(clue(code) for clue in clues), name=f"{code}{number}.jpg")
        for number in range(times)
        for code in PLACES
    ]


def test_a_gain_is_the_beliefs() -> None:
    """Two signs of one source, one that counts half: what the belief says of the country, and by hand."""
    seen = photo("PT", says("PT", group="line"), says("PT", "test.other", group="line"))
    (one,) = seen_photos([seen])
    case = one.case({})
    gain = Constants({(None, "test.other"): 0.5}, correlation=0.8).log_gain(one)
    calibration = Calibration(temperatures={"test.other": 0.5}, correlation=0.8, source="test")
    start = Belief.start(calibration)
    before = start.country_probabilities()["PT"]
    after = start.update(seen.evidence).country_probabilities()["PT"]
    ratio = RATIO ** (1.0 + 0.2 * 0.5)
    assert math.log(after / before) == pytest.approx(math.log(ratio / (ratio * before + 1 - before)), abs=1e-6)
    assert gain == pytest.approx(math.log(after / before), abs=3 * STEP)
    assert len(case.prior) == 2  # inside and outside: 113,000 cells became two
    assert case.prior.sum() == pytest.approx(1.0)


def test_the_tool_that_is_right_is_trusted_and_the_one_that_lies_is_not() -> None:
    found = fit(seen_photos([*photos(2, says), *photos(3, lambda _: says("US", "test.liar"))]))
    assert found.temperatures[(None, "test.sign")] > 1.0
    assert found.temperatures[(None, "test.liar")] < 0.4


def test_captions_that_are_always_right_have_no_temperature() -> None:
    seen = seen_photos(photos(2, says, lambda code: says(code, CAPTION, group="caption")))
    found = fit(seen)
    assert set(found.temperatures) == {(None, "test.sign")}
    calibration = found.calibration("test")
    (gain,) = (Constants.of(calibration).log_gain(one) for one in seen[:1])
    assert gain == pytest.approx(found.log_gain(seen[0]), abs=1e-2)
    counted = Calibration(temperatures={CAPTION: 3.0}, correlation=0.8, source="invented")
    assert Constants.of(counted).temperatures == {(None, CAPTION): 1.0}


def test_few_photos_say_little() -> None:
    few = fit(seen_photos([photo("PT", says("US", "test.liar"))]))
    many = fit(seen_photos(photos(3, lambda _: says("US", "test.liar"))))
    assert 1.0 > few.temperatures[(None, "test.liar")] > 1.8 * many.temperatures[(None, "test.liar")]


def test_types_that_few_photos_have_share_one_temperature() -> None:
    seen = [photo("PT", says("PT", "test.one")), photo("DE", says("US", "test.two"))]
    found = fit(seen_photos(seen))
    assert found.temperatures[(None, "test.one")] == found.temperatures[(None, "test.two")]


def test_a_model_is_measured_by_its_own_words() -> None:
    """One is always right, one never; four named photos each are few beside the ten that are expected beforehand."""
    good = photos(2, lambda code: says(code, "prior.country", "good@1", "prior:good"))
    bad = photos(2, lambda _: says("US", "prior.country", "bad@1", "prior:bad"))
    alone = [fit(seen_photos(each)).calibration("test").models for each in (good, bad)]
    right, wrong = alone[0]["good@1"].hit_rate, alone[1]["bad@1"].hit_rate
    assert right is not None and wrong is not None  # noqa: PT018
    assert wrong < 0.2 < 0.6 < right < 1.0


def test_points_far_off_are_expected_far_off() -> None:
    """Two degrees of latitude are 222 km: 90 km per axis would be too sharp, and anywhere too blunt."""
    seen = photos(4, lambda code: stands(PLACES[code][0] + 2, PLACES[code][1], "a@1"))
    (weights,) = model_weights(seen_photos(seen)).values()
    shares = {error.spread_km: error.share for error in weights.errors}
    assert shares[90.0] + shares[500.0] > 0.6
    assert shares[12.0] < 0.05


def test_the_gain_of_an_opinion_is_that_of_its_likelihood_on_the_grid() -> None:
    """Country and point at once: in closed form, and by the likelihoods that the agent counts."""
    seen = photo("PT", says("PT", "prior.country", "a@1", "prior:a@1"), stands(39.5, -8.0, "a@1"))
    (one,) = seen_photos([seen])
    errors = (ErrorShare(share=0.2, spread_km=90.0), ErrorShare(share=0.5, spread_km=500.0))
    padded = [next((e for e in errors if e.spread_km == km), ErrorShare(share=0.0, spread_km=km)) for km in SPREADS_KM]
    constants = Constants({}, 0.8, {"a@1": ModelWeights(hit_rate=0.4, errors=tuple(padded))})
    assert constants.log_gain(one) == pytest.approx(one.case(constants.models).log_gain({}, 0.8), abs=2 * STEP)
    assert constants.log_gain(one) > 2.0


def test_two_models_of_one_photo_have_temperatures_and_one_has_none() -> None:
    def of(model: str):
        return lambda code: says(code, "prior.country", model, f"prior:{model}")

    assert fit(seen_photos(photos(1, of("a@1")))).temperatures == {}
    both = fit(seen_photos(photos(1, of("a@1"), of("b@1")))).temperatures
    assert set(both) == {("a@1", "prior.country"), ("b@1", "prior.country")}


def test_the_constants_of_a_calibration_come_back() -> None:
    weights = ModelWeights(hit_rate=0.5, errors=(ErrorShare(share=0.5, spread_km=90.0),))
    constants = Constants({(None, "test.sign"): 0.5, ("a@1", "prior.place"): 0.25}, 0.75, {"a@1": weights})
    assert Constants.of(constants.calibration("test")) == constants


def test_country_and_point_of_a_fitted_model_are_not_discounted() -> None:
    seen = photo("PT", says("PT", "prior.country", "a@1", "prior:a@1"), stands(*PLACES["PT"], "a@1"))
    (one,) = seen_photos([seen])
    assert one.case({}).groups == ((0, 1),)
    assert one.case({"a@1": ModelWeights()}).groups == ()
    case = one.case({})
    total = np.array([0.1, 1.0]) @ case.terms  # the point speaks more strongly
    by_hand = float(np.array([0.1, 1.0]) @ case.at) - math.log(float(np.exp(total) @ case.prior))
    assert Constants({}, correlation=0.9, others=()).log_gain(one) == pytest.approx(by_hand)


def test_without_a_photo_every_tool_counts_as_it_says() -> None:
    assert fit([]).temperatures == {}


MODEL = "invented@1"


def opinion(code: str):
    return says(code, "prior.country", MODEL, f"prior:{MODEL}")


@pytest.fixture(scope="module")
def fitted() -> Calibrated:
    blank = photo("PT", name="blank.jpg")
    return calibrate([*photos(2, says, opinion), blank], data="invented photos", folds=3)


def test_a_country_lies_in_one_fold_and_folds_are_even(fitted: Calibrated) -> None:
    held = fitted.held_out
    of_country = {seen.truth.country: fold for seen, fold in zip(held.observed, held.fold_of, strict=True)}
    assert all(of_country[seen.truth.country] == fold for seen, fold in zip(held.observed, held.fold_of, strict=True))
    assert sorted(held.fold_of.count(fold) for fold in range(3)) == [3, 4, 4]  # PT has three photos, the others two


def test_what_a_fold_alone_shows_is_unknown_to_its_constants() -> None:
    """One country's photos alone have the type: without them nothing is known of it."""
    seen = [*photos(1, says), photo("PT", says("PT"), says("US", "test.liar"), name="lied.jpg")]
    held = cross_validated(seen, folds=5)
    lied = held.fold_of[-1]
    assert "test.liar" not in held.calibrations[lied].temperatures
    assert all("test.liar" in one.temperatures for k, one in enumerate(held.calibrations) if k != lied)


def test_each_photo_is_answered_in_its_place(fitted: Calibrated) -> None:
    assert [row.truth for row in fitted.scored] == [seen.truth for seen in fitted.held_out.observed]
    assert [row.named_country for row in fitted.scored[:5]] == list(PLACES)
    assert fitted.held_out.gain_bits[-1] is None  # the blank one
    assert all(bits is not None and bits > 0 for bits in fitted.held_out.gain_bits[:-1])


def test_the_record_says_what_was_measured(fitted: Calibrated, tmp_path) -> None:
    record = fitted.calibration.record
    assert record is not None
    assert (record.photos, record.countries, record.folds, record.by) == (11, 5, 3, "country")
    assert record.types == {"prior.country": 10, "test.sign": 10}
    assert record.with_evidence.value == pytest.approx(10 / 11)
    assert record.in_90.value == sum(bool(row.in_90) for row in fitted.scored) / 11
    assert fitted.calibration.source.startswith("invented photos, 11 photos, ")
    save(fitted.calibration, tmp_path / "fitted.json")
    assert load_calibration(tmp_path / "fitted.json") == fitted.calibration


def test_what_has_no_country_is_of_none_and_what_was_not_read_is_in_no_coverage() -> None:
    nowhere = photo("PT", says("PT"), name="sea.jpg")
    nowhere = nowhere.model_copy(update={"truth": nowhere.truth.model_copy(update={"country": None})})
    lost = photo("DE", name="lost.jpg").model_copy(update={"failures": ("photo: no JPEG",)})
    found = calibrate([*photos(1, says), nowhere, lost], data="invented photos", folds=2)
    record = found.calibration.record
    assert record is not None
    assert (record.photos, record.countries) == (7, 5)
    read = [row for row in found.scored if row.in_90 is not None]
    assert len(read) == 6
    assert record.in_90.value == pytest.approx(sum(bool(row.in_90) for row in read) / 6)
    assert record.median_area_90_km2 == np.median([row.area_90_km2 for row in read])


@pytest.mark.parametrize(
    ("shares", "hit", "steps", "hits"),
    [
        ((0.2, 0.2, 0.2, 0.2, 0.1, 0.1), 0.5, (2000, 2000, 2000, 2000, 1000), 5000),
        # Each would be rounded up, to 10,002 of 10,000: the largest gives 3.
        ((0.19996, 0.19996, 0.19996, 0.19996, 0.20014, 0.00002), 1e-9, (2000, 2000, 2000, 2000, 1999), 1),
        ((1.0, 0.0, 0.0, 0.0, 0.0, 0.0), 1 - 1e-9, (9999, 0, 0, 0, 0), 9999),
    ],
)
def test_rounding_makes_no_model_that_cannot_be(shares, hit: float, steps, hits: int) -> None:
    found = rounded(np.array(shares), hit)
    assert [error.share for error in found.errors] == [step / 10_000 for step in steps]
    assert found.hit_rate == hits / 10_000
    assert sum(error.share for error in found.errors) < 1.0


def test_a_point_that_is_nowhere_counts_in_the_agent_as_in_the_fit() -> None:
    """Where no photo is taken within some spreads: in closed form, and by the likelihoods that the agent counts."""
    shares = (0.3, 0.2, 0.1, 0.1, 0.2)
    errors = tuple(ErrorShare(share=s, spread_km=km) for s, km in zip(shares, SPREADS_KM, strict=True))
    constants = Constants({}, 0.8, {"a@1": ModelWeights(hit_rate=0.4, errors=errors)})
    (one,) = seen_photos([photo("PE", says("PE", "prior.country", "a@1", "prior:a@1"), stands(-48.88, -123.39, "a@1"))])
    assert constants.log_gain(one) == pytest.approx(one.case(constants.models).log_gain({}, 0.8), abs=2 * STEP)


def test_folds_need_two_countries_or_two_photos() -> None:
    alone = [photo("PT", says("PT"), name="a.jpg"), photo("PT", says("PT"), name="b.jpg")]
    with pytest.raises(InputError, match="differ by country"):
        cross_validated(alone)
    assert sorted(cross_validated(alone, by="photo").fold_of) == [0, 1]


def test_photos_like_those_of_the_fit_show_no_shift(fitted: Calibrated) -> None:
    report = shift(fitted.calibration, photos(1, says, opinion))
    assert report.holds
    assert not [one.name for one in report.types if one.differs]
    assert report.strangers == ()
    assert not report.same_photos
    record = fitted.calibration.record
    assert record is not None
    assert shift(fitted.calibration, fitted.held_out.observed[::-1]).same_photos
    # A record of before photos were told apart.
    older = fitted.calibration.model_copy(update={"record": record.model_copy(update={"photos_sha256": None})})
    assert not shift(older, fitted.held_out.observed).same_photos


def test_lies_rarer_signs_and_another_model_are_told(fitted: Calibrated) -> None:
    stranger = says("US", "prior.country", "other@1", "prior:other@1")
    report = shift(fitted.calibration, photos(1, lambda _: says("US"), lambda _: stranger))
    assert not report.holds
    assert "in the 90 % region" in [one.name for one in report.figures if one.differs]
    gain = next(one for one in report.figures if one.name.startswith("log2 gain"))
    assert gain.found.value < 0 < gain.fitted.value
    assert report.strangers == ("other@1",)
    none = shift(fitted.calibration, [photo(code) for code in PLACES])
    assert {one.name for one in none.types if one.differs} == {"prior.country", "test.sign"}


def test_a_calibration_without_figures_cannot_be_compared() -> None:
    with pytest.raises(InputError, match="a calibration with its record"):
        shift(Calibration(temperatures={}, correlation=0.8, source="by hand"), photos(1, says))


def test_intervals_by_hand() -> None:
    assert (wilson(0, 10).value, wilson(0, 10).low) == (0.0, 0.0)
    assert wilson(0, 10).high == pytest.approx(3.8415 / 13.8415, abs=1e-4)
    assert wilson(50, 100).low == pytest.approx(0.4038, abs=1e-4)
    # 0.1 up, with bounds 0.03 and 0.04 away on the sides that count: sqrt(0.03^2 + 0.04^2) = 0.05.
    moved = _shifted("a", Interval(value=0.5, low=0.46, high=0.54), Interval(value=0.6, low=0.57, high=0.63))
    assert (moved.change.low, moved.change.high) == pytest.approx((0.05, 0.15))
    assert moved.differs
    assert not _shifted("b", Interval(value=0.5), Interval(value=0.9, low=0.8, high=1.0)).differs
