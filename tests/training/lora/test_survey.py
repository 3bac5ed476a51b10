import json
from hashlib import sha256
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.load import load_vlm
from geosleuth.training.gleam_c.distributed import Processes
from geosleuth.training.lora.config import SourceConfig, StageConfig
from geosleuth.training.lora.encoding import LessonEncoder
from geosleuth.training.lora.lessons_of import stage_lessons
from geosleuth.training.lora.sampling import FILLER
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


def test_what_could_not_be_read_is_tried_again_until_training_has_begun(encoder, alone, kit, tmp_path):
    away, back = (Encoded(kit.Noise(4, broken=broken), encoder, 256) for broken in ((0, 1, 2, 3), ()))
    with pytest.raises(InputError, match="none of 4 usable"):
        survey(away, tmp_path, alone)
    part = survey(Encoded(kit.Noise(4, broken=(1,)), encoder, 256), tmp_path, alone)
    assert list(part.usable) == [0, 2, 3]
    assert list(survey(back, tmp_path, alone, again=False).usable) == [0, 2, 3]
    assert list(survey(back, tmp_path, alone).usable) == [0, 1, 2, 3]


def test_an_end_is_asked_for_within_a_piece(encoder, alone, kit, tmp_path):
    read = []

    class Noted(kit.Noise):
        def __getitem__(self, index):
            read.append(index)
            return super().__getitem__(index)

    with pytest.raises(KeyboardInterrupt):
        survey(Encoded(Noted(40), encoder, 256), tmp_path, alone, ends=lambda: len(read) > 3)
    assert len(read) == 16  # of 40, all in one piece
    assert list(survey(Encoded(Noted(40), encoder, 256), tmp_path, alone).usable) == list(range(40))


def test_a_process_without_a_piece_ends_with_the_others(encoder, kit, tmp_path):
    agreed = []

    def agree(value):
        agreed.append(value)
        return True  # another one was asked

    second = SimpleNamespace(rank=1, count=2, agree=agree, wait=lambda: pytest.fail("it waits for ever"))
    with pytest.raises(KeyboardInterrupt):
        survey(Encoded(kit.Noise(4), encoder, 256), tmp_path, second)
    assert agreed == [False]


def test_nothing_to_train_with(encoder, alone, kit, tmp_path):
    with pytest.raises(InputError, match="none of 2 usable; first: Wanted a picture"):
        survey(Encoded(kit.Noise(2, broken=(0, 1)), encoder, 256), tmp_path, alone)


@pytest.fixture
def measured(encoder, alone, kit, tmp_path):
    """All but the second of four lessons."""
    return survey(Encoded(kit.Noise(4, broken=(1,)), encoder, 256), tmp_path, alone)


def test_a_picture_that_goes_away_in_training_gives_its_place_to_the_next(encoder, kit, measured, caplog):
    steady = Steady(Encoded(kit.Noise(4, broken=(2,)), encoder, 256), measured)
    [gone], [third] = steady[2], steady[3]
    assert np.array_equal(gone.tokens, third.tokens)
    assert caplog.messages == ["Lesson 3 was readable before; the next takes its place"]
    away = Steady(Encoded(kit.Noise(4, broken=(0, 2, 3)), encoder, 256), measured)
    assert "a picture" in str(away[2])


def test_a_lesson_that_is_another_by_now_ends_the_run(encoder, kit, measured):
    other = Steady(Encoded(kit.Noise(4, shift=1), encoder, 256), measured)
    assert "the lessons that the run began with; found another one as number 3" in str(other[2])


def test_a_filler_teaches_nothing(encoder, kit, measured):
    [row] = Steady(Encoded(kit.Noise(4), encoder, 256), measured)[FILLER]
    assert row.n_learned == 0


def test_held_out_views_that_are_trained_with_are_spoken_of(tmp_path):
    for name in "ab":
        Image.new("RGB", (28, 28)).save(tmp_path / f"{name}.jpg")
    table = tmp_path / "views.csv"
    table.write_text("file,lat,lon,country,split\na.jpg,48,2,FR,train\nb.jpg,49,2,FR,held_out\n", encoding="utf-8")
    data = SourceConfig(kind="street_views", path=table)
    found = stage_lessons(StageConfig(name="a", data=(data,)))
    assert found.notes == (
        "views.csv: no split is named, so all are trained with: train (1), held_out (1). Held-out views are none now.",
    )
    assert found.about()["sources"][0]["sha256"] == sha256(table.read_bytes()).hexdigest()
    named = data.model_copy(update={"split": "train"})
    assert stage_lessons(StageConfig(name="a", data=(named,))).notes == ()


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
    monkeypatch.setattr("geosleuth.training.lora.lessons_of._opened", lambda *_: kit.Noise(100))
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
