from pathlib import Path

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.tools.evidence import Nothing
from geosleuth.tools.prior import COLUMNS, RecordedPredictions

HEAD = ",".join(COLUMNS)
STREET = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "street-dev" / "predictions.csv"


def written(tmp_path, *rows, head=HEAD):
    path = tmp_path / "guesses.csv"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_photo_is_found_by_its_name_and_gives_country_and_place(tmp_path):
    path = written(tmp_path, "gpt,a.jpg,Portugal,Lisbon,38.72,-9.14", "gpt,b.jpg,Spain,,,", "other,a.jpg,France,,,")
    country, place = RecordedPredictions.read(path).evidence_for("a.jpg")
    assert (country.type, place.type) == ("prior.country", "prior.place")
    assert set(country.likelihood.log_ratios) == {"PT"}
    assert {(p.lat, p.lon) for p in place.likelihood.places} == {(38.72, -9.14)}
    assert country.group == place.group == "prior:gpt"
    assert country.claim == "gpt says the country is Portugal."
    assert "sha256" in country.weights
    assert [e.type for e in RecordedPredictions.read(path).evidence_for("b.jpg")] == ["prior.country"]


def test_the_first_model_counts_unless_one_is_named(tmp_path):
    path = written(tmp_path, "gpt,a.jpg,Portugal,,,", "other,a.jpg,France,,,")
    assert RecordedPredictions.read(path).model == "gpt"
    (country,) = RecordedPredictions.read(path, "other").evidence_for("a.jpg")
    assert set(country.likelihood.log_ratios) == {"FR"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("gpt,b.jpg,Spain,,,", "guesses.csv has no prediction of gpt for a.jpg"),
        ("gpt,a.jpg,Middle Earth,,,", "gpt named 'Middle Earth', which is no country, and no position"),
        ("gpt,a.jpg,,,,", "gpt named '', which is no country, and no position"),
    ],
)
def test_nothing_has_its_reason(tmp_path, row, reason):
    (found,) = RecordedPredictions.read(written(tmp_path, row)).evidence_for("a.jpg")
    assert found.likelihood == Nothing(reason=reason)


def test_an_impossible_position_is_left_out_and_told(tmp_path, caplog):
    path = written(tmp_path, "gpt,a.jpg,Spain,,91,0")
    (found,) = RecordedPredictions.read(path).evidence_for("a.jpg")
    assert found.type == "prior.country"
    assert "Line 2" in caplog.text


def test_the_first_of_two_rows_counts_and_the_other_is_told(tmp_path, caplog):
    path = written(tmp_path, "gpt,a.jpg,Spain,,,", "other,a.jpg,Italy,,,", "gpt,a.jpg,France,,,")
    (found,) = RecordedPredictions.read(path).evidence_for("a.jpg")
    assert set(found.likelihood.log_ratios) == {"ES"}
    assert len(caplog.records) == 1
    assert "Line 4 of" in caplog.text
    assert "a second row of 'gpt' for a photo; the first counts" in caplog.text


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: p / "none.csv", "no such file"),
        (lambda p: p, "Name one readable CSV file"),
        (lambda p: written(p, head="model,source_file,lat,lon"), "without predicted_country, predicted_city"),
        (lambda p: written(p), "among no rows"),
        (lambda p: written(p, "gpt,a.jpg,Spain,,north,0"), "'north', '0' in line 2"),
        (lambda p: written(p, f"gpt,a.jpg,{'S' * 200_000},,1,0"), "field larger than field limit"),
    ],
)
def test_a_file_that_cannot_be_used_is_an_input_error(tmp_path, make, message):
    with pytest.raises(InputError) as error:
        RecordedPredictions.read(make(tmp_path))
    assert message in str(error.value)


def test_binary_content_is_no_csv(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xff\xd8\xff\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        RecordedPredictions.read(path)


def test_an_unknown_model_is_told_the_known_ones(tmp_path):
    path = written(tmp_path, "gpt,a.jpg,Spain,,,", "other,a.jpg,Spain,,,")
    with pytest.raises(InputError, match="'gtp' among gpt, other"):
        RecordedPredictions.read(path, "gtp")


@pytest.mark.skipif(not STREET.is_file(), reason="the shared street-dev predictions are not on this machine")
def test_every_recorded_country_of_the_shared_file_is_known():
    predictions = RecordedPredictions.read(STREET, "gpt-4o")
    assert len(predictions.rows) == 301
    unknown = {p.written for p in predictions.rows.values() if p.country is None and p.written}
    assert unknown <= {"Unknown", "N/A", "None"}, unknown
