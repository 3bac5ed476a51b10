"""A prior judged on four views whose answers are written by hand, and on held-out countries."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon, geodesic_km
from geosleuth.tools.georeasoner_reply import scored_beginnings
from geosleuth.tools.vlm.model import Reply, Scores, UnavailableError
from geosleuth.training.evaluate.vlm.answer_file import AnswerFile
from geosleuth.training.evaluate.vlm.failures import photo_rows
from geosleuth.training.evaluate.vlm.measured import measured_prior
from geosleuth.training.evaluate.vlm.prior import PriorAnswer, ask_views
from geosleuth.training.evaluate.vlm.prior_rows import (
    km_to_country,
    place_of,
    position_of,
    region_of,
    same_city,
    smallest_set,
)
from geosleuth.training.georeasoner.street_views import StreetView

PARIS, LYON, TOKYO, LONDON = (48.8566, 2.3522), (45.7640, 4.8357), (35.6895, 139.6917), (51.5074, -0.1278)
VIEWS = [  # place, country, city, locatability, what is answered, shares
    (PARIS, "FR", "Paris", 0.62, {"country": "France", "city": "Paris"}, {"FR": 0.95, "BE": 0.05}),
    (LYON, "FR", "Lyon", 0.62, {"country": "France", "city": "Paris"}, {"FR": 0.55, "DE": 0.45}),
    (TOKYO, "JP", "Tokyo", 0.15, {"country": "unknown", "city": "unknown"}, {"CN": 0.5, "JP": 0.3}),
    (LONDON, "GB", "London", 0.15, {"country": "France", "city": "unknown"}, {"FR": 0.75, "GB": 0.25}),
]


class Scripted:
    """A model that answers by the mean grey of the picture: 10 times the number of the view."""

    spec, weights = "dir:scripted", "scripted@1"

    def __init__(self) -> None:
        self.asked = 0

    def for_photo(self):
        return self

    def _view(self, prompt) -> int:
        return round(float(prompt.images[0].mean()) / 10)

    def score(self, prompts, answers) -> Scores:
        self.asked += 1
        shares = VIEWS[self._view(prompts[0])][5]
        first = {code: text for text, code in reversed(scored_beginnings())}
        found = np.full((1, len(answers)), -np.inf)
        for code, value in shares.items():
            found[0, list(answers).index(first[code])] = np.log(value)
        return Scores(found)

    def generate(self, prompts, **_options):
        self.asked += 1
        return [[Reply(json.dumps(VIEWS[self._view(prompts[0])][4] | {"reasons": ["the <b>signs</b>"]}), True)]]


class WithoutScores(Scripted):
    """A server that shows no probabilities."""

    def score(self, *_) -> Scores:
        raise InputError("probabilities", "none", "Use another server.")


class Gone(Scripted):
    """A server that stops answering at the third view."""

    def generate(self, prompts, **options):
        if self._view(prompts[0]) == 2:
            raise UnavailableError("a server", "none", "Start it.")
        return super().generate(prompts, **options)


@pytest.fixture(scope="module")
def views(tmp_path_factory) -> list[StreetView]:
    folder = tmp_path_factory.mktemp("views")
    for i in range(len(VIEWS)):
        Image.new("RGB", (32, 32), (10 * i,) * 3).save(folder / f"{i}.png")
    return [
        StreetView(folder / f"{i}.png", *place, country, city, None, score)
        for i, (place, country, city, score, _, _) in enumerate(VIEWS)
    ]


def asked_of(views, model=None, path: Path | None = None):
    return ask_views(views, model or Scripted(), AnswerFile(path, PriorAnswer))


def values(section, column: str) -> dict[str, float | None]:
    return {name: figure.value for name, figure in section.columns[column].items()}


def test_figures_by_hand(views):
    record = measured_prior(asked_of(views), model="dir:scripted", data="by hand")
    found = values(record.sections[0], "all")
    assert found["country: answer rate"] == 0.75
    assert found["country: precision of the answered"] == pytest.approx(2 / 3)
    assert found["country: F1"] == pytest.approx(2 * (2 / 3) * 0.75 / (2 / 3 + 0.75))
    assert found["country: accuracy, all"] == 0.5
    assert found["city: answer rate"] == 0.5
    assert found["city: precision of the answered"] == 0.5
    assert found["city: accuracy, all"] == 0.25
    # Paris-Lyon is 392 km; London to France's largest place, Paris, 344 km; Tokyo is unanswered.
    assert found["within 25 km"] == 0.25
    assert found["within 200 km"] == 0.25
    assert found["within 750 km"] == found["within 2,500 km"] == 0.75
    assert found["median km, of the placed"] == pytest.approx(344, abs=3)
    assert found["likeliest country: accuracy"] == 0.5
    # Bins .9 (right), .5 (.55 right and .5 wrong: mean .525, half right), .7 (wrong): (.05 + 2 x .025 + .75) / 4.
    assert found["likeliest country: ECE"] == pytest.approx((0.05 + 0.05 + 0.75) / 4)
    # The sets: {FR}; {FR, DE}; {CN, JP}; {FR, GB}: each holds the truth.
    assert found["90 % set holds the country"] == 1.0


def test_by_locatability(views):
    record = measured_prior(asked_of(views), model="dir:scripted", data="by hand")
    section = record.sections[1]
    assert section.counts == {"0.1 to 0.2": 2, "0.6 to 0.7": 2}
    assert values(section, "0.1 to 0.2")["country: accuracy, all"] == 0.0
    assert values(section, "0.6 to 0.7")["country: accuracy, all"] == 1.0


def test_held_out_countries_get_no_accuracy(views):
    record = measured_prior(asked_of(views), model="m", data="d", seen_countries={"FR", "BE"})
    assert [section.title for section in record.sections][-1] == "Countries that training never saw"
    found = values(record.sections[-1], "held out")
    assert not any("accuracy" in name or "precision" in name for name in found)
    assert found["answer rate"] == 0.5
    assert found["90 % set holds the country"] == 1.0
    assert found["countries in the 90 % set, median"] == 2.0
    # Of London alone a country is named. It lies some 100 km from France's coastal waters, and France is the nearest.
    assert found["km to the country named, median"] == found["km to the nearest country seen, median"]
    assert 60 < found["km to the country named, median"] < 150
    assert values(record.sections[0], "all")["country: accuracy, all"] == 1.0  # of the two in France


def test_nothing_is_asked_twice_and_a_lost_server_loses_nothing(views, tmp_path):
    path = tmp_path / "answers.jsonl"
    with pytest.raises(UnavailableError):
        asked_of(views, Gone(), path)
    model = Scripted()
    first = asked_of(views, model, path)
    assert model.asked == 4  # the third and the fourth: a score and a reply each
    model = Scripted()
    assert asked_of(views, model, path).answers == first.answers
    assert model.asked == 0


def test_without_probabilities_there_is_no_calibration(views):
    record = measured_prior(asked_of(views, WithoutScores()), model="m", data="d")
    assert record.reliability == {}
    assert not any("ECE" in name for name in record.sections[0].columns["all"])
    assert "Photos without probabilities of countries, since the server gives none: 4." in record.notes


def test_a_damaged_picture_counts_as_unanswered(views, tmp_path, caplog):
    broken = StreetView(tmp_path / "broken.png", *PARIS, "FR", "Paris")
    broken.path.write_bytes(b"no picture")
    record = measured_prior(asked_of([views[0], broken]), model="m", data="d")
    assert values(record.sections[0], "all")["country: accuracy, all"] == 0.5
    assert record.missing[0][0] == str(broken.path)
    assert caplog.messages == ["Photo 2 of 2 is not answered; the report names it, and why"]


def test_where_no_picture_can_be_read_nothing_is_measured(tmp_path):
    gone = [StreetView(tmp_path / f"{i}.png", *PARIS, "FR", "Paris") for i in range(3)]
    with pytest.raises(
        InputError, match=r"photos that the model can be asked about; found none of 3, .*0\.png.*--root"
    ):
        asked_of(gone)
    with pytest.raises(InputError, match=r"found none of 0\. Check"):
        asked_of([])


def test_views_of_one_city_or_of_one_cell_are_drawn_together(views):
    def at(lat, lon, city=None, country="FR"):
        return place_of(StreetView(Path("a.jpg"), lat, lon, country, city))

    assert at(*PARIS, "Paris") == at(48.9, 2.2, "paris, Île-de-France") == "FR/paris"
    assert at(*PARIS, "Paris") != at(33.66, -95.55, "Paris", "US")
    # A cell is .09 degrees high, and at 48.9 degrees north .09 / cos(48.9) = .137 wide.
    assert at(48.87, 2.20) == at(48.94, 2.32)
    assert len({at(48.87, 2.20), at(48.87, 2.35), at(48.96, 2.20)}) == 3
    assert at(*PARIS, " , ") == at(*PARIS)  # a name without letters is none
    record = measured_prior(asked_of(views), model="m", data="d")
    assert [row.place for row in record.prior_rows] == ["FR/paris", "FR/lyon", "JP/tokyo", "GB/london"]
    assert "Intervals are over 4 places, cities or cells of 10 km: too narrow, as of all so few." in record.notes


def test_failures_are_shown_as_pictures_and_words_stay_words(views):
    asked = asked_of(views)
    rows = photo_rows(asked, measured_prior(asked, model="m", data="d"))
    assert list(rows) == ["Wrong countries, the surest first", "The farthest away", "Unanswered"]
    surest = rows["Wrong countries, the surest first"]
    assert "true: London, United Kingdom; answer: France; 34" in surest
    assert "<b>" not in surest
    assert surest.count("data:image/jpeg") == 1


def test_positions_of_answers():
    (lat, lon), how = position_of("FR", "Lyon")
    assert how == "city"
    assert geodesic_km(LatLon(lat, lon), LatLon(*LYON)) < 10
    assert position_of("AU", "Qqqqxyz")[1] == "country"
    (lat, lon), _ = position_of("AU", None)
    assert geodesic_km(LatLon(lat, lon), LatLon(-33.87, 151.21)) < 20  # Sydney, not Canberra, nor the desert
    assert position_of(None, None) == (None, None)


@pytest.mark.parametrize(
    ("city", "code", "truth", "true_code", "same"),
    [
        ("Munich", "DE", "München", "DE", True),
        ("Paris, Île-de-France", "FR", "paris", "FR", True),
        ("Paris", "US", "Paris", "FR", False),
        ("Lyon", "FR", "Paris", "FR", False),
        ("Paris", None, "Paris", "FR", True),
        (None, "FR", "Paris", "FR", False),
        ("Paris", "FR", None, "FR", False),
    ],
)
def test_cities_are_the_same_by_their_place(city, code, truth, true_code, same):
    assert same_city(city, code, truth, true_code) is same


def test_sets_and_regions():
    assert smallest_set({"FR": 0.5, "DE": 0.4, "BE": 0.1}) == ["FR", "DE"]
    assert smallest_set({"FR": 0.05, "DE": 0.05}) == ["DE", "FR"]  # of what is on countries, be it little
    assert region_of("FR") == region_of("DE") == "155"
    assert region_of("CN") == "030"
    assert region_of("RU") == "151"
    assert region_of("AQ") is None
    assert km_to_country(LatLon(*PARIS), "FR") == 0.0
    # Fiji lies on the date line: from 179 degrees west its western islands are near.
    assert km_to_country(LatLon(-17.0, -179.0), "FJ") < 150
