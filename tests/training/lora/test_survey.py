import json

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.load import load_vlm
from geosleuth.training.gleam_c.distributed import Processes
from geosleuth.training.lora.config import SourceConfig, StageConfig
from geosleuth.training.lora.encoding import LessonEncoder
from geosleuth.training.lora.lessons_of import stage_lessons
from geosleuth.training.lora.survey import Encoded, Steady, survey

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def encoder(tiny):
    shared = load_vlm(f"dir:{tiny}")
    return LessonEncoder(shared.base.processor, sorted(shared.base.end_tokens), 28 * 28 * 8)


@pytest.fixture
def alone():
    return Processes(0, 1, torch.device("cpu"))


def test_broken_and_long_lessons_are_left_out_counted_and_explained(encoder, alone, kit, tmp_path):
    lengths = [len(encoder.encode(kit.Noise()[i])[0].tokens) for i in range(3)]  # taller pictures are longer
    assert lengths[0] < lengths[1] < lengths[2]
    found = survey(Encoded(kit.Noise(8, broken=(3,)), encoder, lengths[1]), tmp_path, alone)
    assert list(found.usable) == [0, 1, 4, 6, 7]  # 2 and 5 are too long
    assert found.left_out == {"too long": 2, "unreadable": 1}
    assert "Wanted a picture; found none: 3" in found.examples["unreadable"]
    assert list(found.lengths[:2]) == lengths[:2]


def test_what_was_measured_is_not_measured_again(encoder, alone, kit, tmp_path):
    first = survey(Encoded(kit.Noise(4), encoder, 256), tmp_path, alone)
    again = survey(Encoded(kit.Noise(4, broken=(0, 1, 2, 3)), encoder, 256), tmp_path, alone)
    assert list(again.lengths) == list(first.lengths)
    [piece] = tmp_path.glob("*.json")
    assert len(json.loads(piece.read_text(encoding="utf-8"))) == 4


def test_nothing_to_train_with(encoder, alone, kit, tmp_path):
    with pytest.raises(InputError, match="none of 2 usable; first: Wanted a picture"):
        survey(Encoded(kit.Noise(2, broken=(0, 1)), encoder, 256), tmp_path, alone)


def test_a_picture_that_goes_away_in_training_gives_its_place_to_the_next(encoder, kit):
    usable = np.array([0, 2, 3])
    steady = Steady(Encoded(kit.Noise(4, broken=(2,)), encoder, 256), usable)
    [gone], [third] = steady[2], steady[3]
    assert np.array_equal(gone.tokens, third.tokens)
    away = Steady(Encoded(kit.Noise(4, broken=(0, 2, 3)), encoder, 256), usable)
    with pytest.raises(InputError, match="a picture"):
        _ = away[2]


def test_sources_stand_one_after_the_other(kit):
    stage = StageConfig(name="a")
    lessons = stage_lessons(stage, [kit.Noise(3), kit.Noise(2)])
    assert (len(lessons), lessons.ends) == (5, [3, 5])
    same = lessons[3].turns[0].parts[0]
    assert np.array_equal(same, kit.Noise(2)[0].turns[0].parts[0])
    assert [source.weight for source in lessons.sources] == [3, 2]
    assert lessons.about()["sources"][1] == {"from": "noise", "lessons": 2, "used": 2, "weight": 2.0}
    with pytest.raises(IndexError):
        _ = lessons[5]


def test_a_limit_draws_lessons_by_the_seed(kit, monkeypatch):
    monkeypatch.setattr("geosleuth.training.lora.lessons_of._opened", lambda _: kit.Noise(100))
    data = SourceConfig(kind="reasoned", path="x", limit=10, weight=2)
    stage = StageConfig(name="a", data=(data,), seed=3)
    [source] = stage_lessons(stage).sources
    assert len(set(source.used)) == 10
    assert source.weight == 2
    [again] = stage_lessons(stage).sources
    [other] = stage_lessons(stage.model_copy(update={"seed": 4})).sources
    assert list(again.used) == list(source.used) != list(other.used)


def test_no_lessons(kit):
    with pytest.raises(InputError, match="lessons for the stage a"):
        stage_lessons(StageConfig(name="a"))
    with pytest.raises(InputError, match="lessons for the stage a"):
        stage_lessons(StageConfig(name="a"), kit.Noise(0))
