"""A small Qwen2.5-VL from nothing: its words, its lessons on invented towns, and that it learns."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from geosleuth.indexes.errors import InputError
from geosleuth.tools import georeasoner_reply
from geosleuth.tools.comparison_prompts import NO, YES
from geosleuth.tools.vlm.load import load_vlm
from geosleuth.training.small_vlm.__main__ import main
from geosleuth.training.small_vlm.architecture import Size, config_of, tokenizer_of, write_base
from geosleuth.training.small_vlm.curriculum import curriculum, pictures_of
from geosleuth.training.small_vlm.practice import COLOURED, Writing
from geosleuth.training.small_vlm.teach import teach
from geosleuth.training.small_vlm.tower import class_colours, token_shares, tower_first
from geosleuth.training.small_vlm.words import instructions, texts
from geosleuth.training.towns.language.of_view import features_of
from geosleuth.training.towns.language.phrases import named_features
from geosleuth.training.towns.language.shown import shown_on_disk
from geosleuth.training.towns.write import write_towns

TINY = Size(hidden=32, layers=1, heads=2, kv_heads=1, intermediate=64)


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("world") / "towns"
    write_towns(
        out,
        layouts=("street_views", "university1652"),
        towns=2,
        places=3,
        side_m=256.0,
        street_px=(56, 84),
        satellite_px=56,
        drone_px=56,
        drone_views=1,
        street_views=1,
        processes=1,
    )
    return out


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("base") / "base", texts(), instructions(), size=TINY)


def test_instructions_and_answers_are_one_token_each():
    tokenizer = tokenizer_of(texts(), instructions())
    assert georeasoner_reply.QUESTION in instructions()
    for text in (*instructions(), YES[0], NO[0]):
        assert len(tokenizer(text)["input_ids"]) == 1, text
    said = '{"country": "New Zealand", "city": "Wellington"}'
    assert tokenizer.decode(tokenizer(said)["input_ids"]) == said


def test_a_width_that_the_rotary_sections_do_not_divide_is_refused():
    with pytest.raises(ValueError, match="a width of 40 is no multiple of 16 times 2 heads"):
        config_of(tokenizer_of(["a"]), Size(hidden=40, heads=2))


def test_an_untrained_base_is_a_model_that_the_tools_load(untrained: Path):
    model = load_vlm(f"dir:{untrained}").for_photo()
    scores = model.score([georeasoner_reply.prompt(np.zeros((56, 84, 3), np.uint8))], ["Yes", "No"])
    assert np.isfinite(scores.log_probabilities).all()


def test_lessons_say_what_the_world_says_of_its_pictures(towns: Path):
    lessons = curriculum(towns)
    descriptions, yes_no, colours, writing = lessons.sources
    assert len(lessons) == sum(len(source.used) for source in (descriptions, yes_no, colours, writing))
    views = sorted((towns / "street_views/images").rglob("*.jpg"))
    turns = lessons[0].turns
    answer = turns[-1].parts[0]
    assert turns[-1].role == "assistant"
    language = "en" if answer.isascii() else "zh"
    assert named_features(answer, language) == features_of(views[0])
    asked = yes_no.lessons[0].turns
    (named,) = named_features(asked[0].parts[1], "en")
    assert (asked[1].parts[0] == "Yes") == (named in features_of(views[0]))


def test_a_base_learns_and_is_written_whole(untrained: Path, tmp_path: Path):
    told = []
    lessons = Writing(8, ["Durban"])
    out = teach(untrained, lessons, tmp_path / "taught", steps=60, batch=8, on_progress=told.append)
    assert told[-1].step == 60
    assert told[-1].loss < 0.8 * told[0].loss
    load_vlm(f"dir:{out}")
    with pytest.raises(InputError, match="a folder that is not there yet"):
        teach(untrained, lessons, out, steps=1)


def test_the_command_makes_a_base_and_says_what_is_missing(towns: Path, tmp_path: Path, caplog):
    assert main([str(towns), "--out", str(tmp_path / "base"), "--steps", "1"]) == 0
    assert (tmp_path / "base/model.safetensors").exists()
    assert main([str(tmp_path / "nowhere"), "--out", str(tmp_path / "other")]) == 2
    assert "Wanted:" in caplog.text


def test_each_token_is_asked_what_it_sees_and_each_class_its_colour(towns: Path):
    labels = np.zeros((56, 84), np.uint8)
    labels[:28, 28:56] = 7  # ADE20K's road: the second token of six
    labels[28:, :14] = 3  # sky: half of the fourth
    shares = token_shares(labels)
    road, sky = list(COLOURED).index("road"), len(COLOURED)
    assert shares.shape == (6, len(COLOURED) + 4)
    assert shares[1, road] == 1.0
    assert shares[3, sky] == 0.5
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    shown = shown_on_disk(sorted((towns / "street_views/images").rglob("*.jpg"))[0])
    colours = class_colours(shown).reshape(-1, 3)
    seen = [row for row, kinds in enumerate(COLOURED.values()) if shown.share(*kinds) >= 0.01]
    assert seen
    for row in seen:
        own = shown.pixels[shown.inside(*list(COLOURED.values())[row])]
        np.testing.assert_allclose(colours[row], own.mean(axis=0) / 255, rtol=1e-5)
    assert np.isnan(np.delete(colours, seen, axis=0)).all()


def test_the_tower_learns_by_itself(towns: Path, untrained: Path, tmp_path: Path):
    folder = Path(shutil.copytree(untrained, tmp_path / "base"))
    losses = []
    tower_first(folder, pictures_of(curriculum(towns)), steps=12, on_step=lambda _, loss: losses.append(loss))
    assert np.mean(losses[-3:]) < 0.8 * np.mean(losses[:3])
    before, after = (load_file(one / "model.safetensors") for one in (untrained, folder))
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed
    assert all("visual" in name for name in changed)
