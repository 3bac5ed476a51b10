"""People beside the agent: figures that can be had by hand."""

import importlib.util
import sys
from pathlib import Path

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon, geodesic_km
from geosleuth.training.evaluate.human.agreement import agreement
from geosleuth.training.evaluate.human.answer_file import Answers
from geosleuth.training.evaluate.human.comparison import compared
from geosleuth.training.evaluate.human.error_types import CITY, COUNTRY, FAR, GAVE_UP, RIGHT, error_type
from geosleuth.training.evaluate.human.page import grid_of, page_html, write_page
from geosleuth.training.evaluate.human.side_by_side import as_told, rows_of_both, scored

spec = importlib.util.spec_from_file_location("human_rows", Path(__file__).with_name("human_rows.py"))
made = sys.modules.setdefault("human_rows", importlib.util.module_from_spec(spec))
spec.loader.exec_module(made)

SPAIN = {"point": made.MADRID, "country": "ES", "city": "Madrid"}
PARIS = {"point": made.PARIS, "city": "Paris"}
# Photos 1 to 4 are of Lyon. Anna: right, the wrong city, the wrong country, none. Ben: all of the first three right.
ANNA = (
    made.answer(1),
    made.answer(2, **PARIS, clues=("language", "plants")),
    made.answer(3, **SPAIN, sure=0.25, clues=("plants",)),
    made.nothing(4),
)
BEN = tuple(made.answer(n, "ben", clues=("landmark",)) for n in (1, 2, 3))
# The agent: the wrong country, the right city, the right city, not locatable.
AGENT = (
    made.agent_row(1, 900.0, "ES"),
    made.agent_row(2, 3.0, "FR"),
    made.agent_row(3, 3.0, "FR"),
    made.agent_row(4, 3.0, "FR", status="not_locatable"),
)


def value(section, column, name):
    return section.columns[column][name].value


def test_an_answer_becomes_a_row():
    row = scored(made.answer(1, **PARIS), made.truth(1))
    assert row.error_km == pytest.approx(geodesic_km(LatLon(*made.PARIS), LatLon(*made.LYON)))
    assert row.error_km == pytest.approx(392, abs=2)
    assert (row.status, row.point_country, row.named_city) == ("localized", "FR", "Paris")
    assert (row.probability, row.truth_probability) == (0.75, 0.75)
    assert row.in_50 is row.area_90_km2 is None
    wrong = scored(made.answer(1, **SPAIN), made.truth(1))
    assert (wrong.probability, wrong.truth_probability, wrong.point_country) == (0.75, None, "ES")


def test_a_country_alone_stands_for_its_largest_place():
    row = scored(made.answer(1, given="country", point=None, city=None), made.truth(1, made.PARIS, city="Paris"))
    assert (row.status, row.point_country) == ("coarse", "FR")
    assert row.error_km < 5  # of Paris
    gone = scored(made.nothing(1), made.truth(1))
    assert (gone.status, gone.point, gone.error_km, gone.probability) == ("not_locatable", None, None, None)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (made.agent_row(1, 3.0, "FR"), RIGHT),
        (made.agent_row(1, 25.0, "FR"), RIGHT),
        (made.agent_row(1, 25.1, "FR"), CITY),
        (made.agent_row(1, 40.0, "FR", named_city="Lyon"), RIGHT),
        (made.agent_row(1, 3.0, "CH"), COUNTRY),
        (made.agent_row(1, None, None), COUNTRY),
        (made.agent_row(1, 3.0, "FR", status="not_locatable"), GAVE_UP),
        (made.agent_row(1, 3.0, "FR", status="coarse"), RIGHT),
    ],
)
def test_how_an_answer_errs(row, kind):
    assert error_type(row) == kind


def test_people_and_agent_side_by_side():
    found = compared(Answers((*ANNA, *BEN)), AGENT)
    errors = found.sections[0]
    assert errors.counts == {"people": 7, "agent": 7, "anna": 4, "ben": 3}
    kinds = (GAVE_UP, COUNTRY, CITY, RIGHT)
    assert [value(errors, "anna", name) for name in kinds] == [0.25, 0.25, 0.25, 0.25]
    assert [value(errors, "people", name) for name in kinds] == pytest.approx([1 / 7, 1 / 7, 1 / 7, 4 / 7])
    assert [value(errors, "agent", name) for name in kinds] == pytest.approx([1 / 7, 2 / 7, 0, 4 / 7])
    assert value(errors, "anna", FAR) == 0.25  # Madrid is 910 km from Lyon
    assert value(errors, "agent", FAR) == pytest.approx(2 / 7)  # the belief's point of what it gave up is no answer
    assert value(errors, "people", "seconds per photo, median") == 10
    difference = found.differences
    assert value(difference, "people", COUNTRY) == pytest.approx(-1 / 7)
    assert value(difference, "ben", RIGHT) == pytest.approx(1 / 3)


def test_an_agent_that_gives_up_is_wrong_everywhere_as_people_are():
    """Its belief's point is 3 km from the truth, and counts no more than the guess that a person was not asked for."""
    found = compared(
        Answers((made.nothing(1), made.nothing(2))),
        tuple(
            made.agent_row(n, 3.0, "FR", status="not_locatable", named_city="Lyon", truth_probability=0.5)
            for n in (1, 2)
        ),
    )
    errors = found.sections[0].columns
    for who in ("people", "agent"):
        assert errors[who][GAVE_UP].value == 1.0
        for name in ("country accuracy", "accuracy@25km", "accuracy@2500km", RIGHT, FAR):
            assert errors[who][name].value == 0.0, (who, name)
        assert errors[who]["median km"].value is None  # infinitely far
        assert "ECE of the named country" not in errors[who]
    told = as_told(made.agent_row(1, 3.0, "FR", status="not_locatable"))
    assert (told.point, told.point_country, told.named_country, told.probability) == (None, None, None, None)
    kept = made.agent_row(1, 3.0, "FR", status="coarse")
    assert as_told(kept) == kept
    assert "Of people and agent alike" in page_html(found, "towns")


def test_who_alone_is_right_and_by_which_clue():
    found = compared(Answers((*ANNA, *BEN)), AGENT)
    overlap = found.sections[1].columns["answers"]
    shares = {name: round(7 * one.value) for name, one in overlap.items()}
    assert shares == {"both": 3, "people alone": 2, "agent alone": 1, "neither": 1}
    assert [(row.person, row.answer.file) for row in found.people_alone] == [("anna", "1.jpg"), ("ben", "1.jpg")]
    assert [(row.person, row.answer.file) for row in found.agent_alone] == [("anna", "3.jpg")]
    clues = found.sections[2]
    assert clues.counts == {
        "Text that names the place": 1,
        "Language or script": 1,
        "Plants and land": 2,
        "A landmark I know": 3,
    }
    assert value(clues, "Plants and land", f"{COUNTRY}: people") == 0.5
    assert value(clues, "Plants and land", f"{COUNTRY}: agent") == 0.0
    assert value(clues, "A landmark I know", f"{COUNTRY}: agent") == pytest.approx(1 / 3)


def test_paired_intervals_draw_answers_to_one_place_together():
    truths = [made.truth(n, (10.0 + n, 10.0), None, None) for n in range(40)]
    agent = [
        made.agent_row(n, 900.0 if n % 2 else 3.0, None, truth=one.model_copy(update={"country": "NG"}))
        for n, one in enumerate(truths)
    ]
    answers = [
        made.answer(n, person, point=(one.lat, one.lon), country="NG", city=None)
        for n, one in enumerate(truths)
        for person in ("anna", "ben")
    ]
    figure = compared(Answers(tuple(answers)), agent).differences.columns["people"]["accuracy@25km"]
    assert figure.value == 0.5
    # 40 independent places, not 80 answers: 1.96 * sqrt(0.25 / 40) = 0.155 on each side, in steps of 0.025.
    assert 0.13 <= 0.5 - figure.low <= 0.18
    assert 0.13 <= figure.high - 0.5 <= 0.18


def test_what_does_not_fit_is_told():
    missing = compared(Answers((*ANNA, made.answer(9)), damaged=(3,)), AGENT)
    notes = " ".join(missing.notes)
    assert "Answers: 4, of people: 1, about photos: 4." in notes
    assert "the agent's report has not their photos: 1." in notes
    assert "no answers: 1, the first in lines 3." in notes
    with pytest.raises(InputError, match="an empty file") as told:
        rows_of_both(Answers(), AGENT)
    assert "--report" in told.value.remedy
    with pytest.raises(InputError, match="all of other photos"):
        rows_of_both(Answers((made.answer(9),)), AGENT)


def test_agreement_of_two_people():
    (pair,) = agreement(Answers((*ANNA, *BEN)))
    assert (pair.people, pair.countries.count, pair.placed) == (("anna", "ben"), 3, 3)
    assert pair.countries.share == pytest.approx(2 / 3)
    assert pair.countries.kappa == pytest.approx(0.0)  # ben always says France
    assert pair.median_km == pytest.approx(392, abs=2)  # 0, Paris to Lyon 392, Madrid to Lyon 910
    (silent,) = agreement(Answers((made.nothing(1), made.answer(1, "ben"))))
    assert (silent.countries.share, silent.placed, silent.median_km) == (0.0, 0, None)
    assert agreement(Answers((made.answer(1), made.answer(2, "ben")))) == []


def test_the_page_quotes_names_and_holds_every_table(tmp_path):
    nasty = "<script>alert(1)</script>.jpg"
    row = made.agent_row(1, 900.0, "ES", truth=made.truth(1).model_copy(update={"file": nasty}))
    found = compared(Answers((*ANNA, *BEN)), (row, *AGENT[1:]))
    html = page_html(found, "towns & hills")
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;.jpg" in html
    for words in ("towns &amp; hills", "People less the agent", "Agreement between people", "anna and ben", "Landmark"):
        assert words.casefold() in html.casefold()
    write_page(tmp_path / "new" / "page.html", found, "towns")
    assert (tmp_path / "new" / "page.html").read_text().startswith("<!DOCTYPE html>")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="a file to write the report to"):
        write_page(tmp_path / "file" / "page.html", found, "towns")


def test_many_groups_are_rows():
    errors, _, clues = compared(Answers((*ANNA, *BEN)), AGENT).sections
    head, rows = grid_of(errors)
    assert head == ["", "people (7)", "agent (7)", "anna (4)", "ben (3)"]
    assert rows[0][0] == GAVE_UP
    assert grid_of(clues)[0][0] == ""
    many = errors.model_copy(update={"columns": errors.columns | {"eva": errors.columns["ben"]}})
    many = many.model_copy(update={"counts": errors.counts | {"eva": 3}})
    head, rows = grid_of(many)
    assert head[1] == GAVE_UP
    assert [row[0] for row in rows] == ["people (7)", "agent (7)", "anna (4)", "ben (3)", "eva (3)"]
