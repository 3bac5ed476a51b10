"""Pairs of three invented towns, and what the rule-based teacher writes about them (synthetic)."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.adapter_claims import pair_material as module
from geosleuth.training.adapter_claims.pair_material import TEACHERS, PairMaterial, pair_material
from geosleuth.training.adapter_claims.pair_tables import STAGE, students, taught_cells, verdicts
from geosleuth.training.adapter_claims.world import PLACES
from geosleuth.training.gleam_x.record import PairRecord
from geosleuth.training.lora.lesson import Lesson
from geosleuth.training.towns.language.truth import SceneTruth
from geosleuth.training.towns.write import write_towns


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> PairMaterial:
    """Towns 0, which is asked about, and 2, which is taught; both languages of a few pairs."""
    out = tmp_path_factory.mktemp("world")
    write_towns(
        out / "towns",
        layouts=("university1652",),
        towns=3,
        places=PLACES,
        side_m=190.0,  # as small as has room for drones
        satellite_px=56,
        drone_px=56,
        street_px=(56, 56),
        drone_views=1,
        street_views=1,
        processes=1,
    )
    return pair_material(out / "towns", out / "work")


@pytest.fixture(scope="module")
def few(material: PairMaterial) -> PairMaterial:
    return few_of(material, 4)


def few_of(material: PairMaterial, pairs: int) -> PairMaterial:
    return replace(material, taught=module._first(material.taught, pairs))


def answers_of(lesson: Lesson) -> list[str]:
    return [turn.parts[0] for turn in lesson.turns if turn.role == "assistant"]


def town_of(path: str) -> int:
    return int(Path(path).parent.name) // PLACES


def test_taught_and_asked_pairs_share_no_town(material: PairMaterial):
    taught = {town_of(path) for one in material.taught for path in (one.query_path, one.satellite_path)}
    asked = {town_of(path) for one in material.asked for path in (one.query_path, one.satellite_path)}
    assert (taught, asked) == ({2}, {0})
    assert {one.query_view for one in material.taught} == {"drone"}
    assert all(one.explanation is None for one in material.taught)


def test_as_many_matches_as_others_each_in_both_languages(material: PairMaterial):
    assert set(Counter(one.pair_id for one in material.taught).values()) == {2}
    labels = Counter(one.label for one in few_of(material, 4).taught)
    assert labels == {"match": 4, "no_match": 4}  # two pairs of each, in two languages


def test_a_truthful_teacher_names_what_is_there_and_is_asked_once(few: PairMaterial):
    explained = few.explained("truthful")
    assert [one.pair_id for one in explained] == [one.pair_id for one in few.taught]
    assert [one.lang for one in explained] == [one.lang for one in few.taught]
    truth = SceneTruth(few.root)
    assert not any(truth.imagined(one, one.explanation) for one in explained)
    ledgers = {path: path.read_bytes() for path in (few.work / "explained/truthful").glob("ledger*")}
    assert ledgers
    again = few.explained("truthful")  # by another server, at another port
    assert [one.explanation for one in again] == [one.explanation for one in explained]
    assert {path: path.read_bytes() for path in ledgers} == ledgers
    cells = taught_cells("truthful", few)
    assert cells["pairs"] == "8"
    assert cells["imagined by the teacher, per explanation"] == "0.00"
    assert cells["judged wrongly by it"] == "0"


def test_a_teacher_that_imagines_is_revised(few: PairMaterial):
    raw = few.explained("raw")
    truth = SceneTruth(few.root)
    struck = sum(len(truth.imagined(one, one.explanation)) for one in raw)
    assert struck > 0  # at a rate of 0.3 and this seed
    revised = few.explained("revised")
    assert all(one.human_revised for one in revised)
    assert not any(truth.imagined(one, one.explanation) for one in revised)

    def lines(records: tuple[PairRecord, ...]) -> int:
        return sum(len(one.explanation.agreeing) + len(one.explanation.disagreeing) for one in records)

    assert lines(revised) == lines(raw) - struck
    assert taught_cells("revised", few)["imagined by the teacher, per explanation"] == "0.00"  # in conclusions neither
    asked_before = few.with_explanations(["raw"])
    assert asked_before.explained("raw") is asked_before.known["raw"]
    assert len(list((few.work / "explained").iterdir())) <= len(TEACHERS) - 1  # "revised" asks nobody


def test_a_teacher_that_is_not_told_judges_by_itself(few: PairMaterial):
    judged = few.explained("not told")
    assert all(one.teacher_label in ("match", "no_match") for one in judged)
    wrong = sum(one.teacher_label != one.label for one in judged)
    assert taught_cells("not told", few)["judged wrongly by it"] == str(wrong)
    lessons = few.lessons()["explained: not told"]()
    verdicts_taught = [answers_of(lessons[i])[0] for i in range(len(lessons))]
    assert verdicts_taught == ["Yes" if one.teacher_label == "match" else "No" for one in judged]


def test_labels_alone_teach_one_word_per_pair(few: PairMaterial):
    lessons = few.lessons()["labels"]()
    answers = Counter(lessons[i].turns[-1].parts[0] for i in range(len(lessons)))
    assert set(answers) == {"Yes", "No"}
    assert answers["Yes"] == answers["No"]


def test_every_arm_is_taught_lessons_that_there_are(few: PairMaterial):
    arms = [*verdicts(), *students()]
    runs = [arm.run for arm in arms if arm.run]
    assert {run.data for run in runs} == set(few.lessons())
    assert {run.name for run in runs} == {STAGE}
    assert [arm.name for arm in students()] == list(TEACHERS)
    assert [(arm.name, arm.lessons) for arm in arms if arm.run is None] == [("no adapter", 0)]
    assert len({run.lessons for run in runs}) == 1  # rows differ by what is taught, not by how long


def test_explanations_that_are_not_whole_are_said(few: PairMaterial, tmp_path: Path):
    gone = few.taught[0].model_copy(update={"pair_id": "gone", "query_path": "nowhere.jpg"})
    other = replace(few, taught=(*few.taught[:1], gone), work=tmp_path)
    with pytest.raises(InputError, match=r"explanations by the teacher truthful; found 1 of 2 \(failures\)"):
        other.explained("truthful")


def test_a_world_without_drones_is_said(tmp_path: Path):
    with pytest.raises(InputError, match="Wanted University-1652"):
        pair_material(tmp_path, tmp_path)
