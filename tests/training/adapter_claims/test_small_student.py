"""A student of a tiny Qwen2.5-VL with random weights: which layers it begins as, and whose words it learns."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geosleuth.tools.comparison_prompts import NO, YES
from geosleuth.tools.gleam_x import WHY
from geosleuth.tools.vlm.load import load_vlm
from geosleuth.training.adapter_claims import small_student as module
from geosleuth.training.adapter_claims.small_student import Answer, TeachersAnswers, distilled, halved, teachers_answers
from geosleuth.training.gleam_x.record import PairRecord


@pytest.fixture(scope="module")
def full(tiny_models, tmp_path_factory) -> str:
    base = tiny_models.qwen(tmp_path_factory.mktemp("base") / "deep", layers=4, vision_layers=3)
    return f"dir:{base}+dir:{tiny_models.tiny_lora(base, 3)}"


@pytest.fixture
def records(tmp_path: Path) -> list[PairRecord]:
    """Two pairs of plain pictures, the first in two languages."""
    for name, level in (("a", 20), ("b", 90), ("c", 200)):
        Image.new("RGB", (28, 28), (level, 255 - level, 128)).save(tmp_path / f"{name}.png")
    said = {"query_view": "drone", "query_modality": "drone", "source_dataset": "invented", "label": "match"}
    return [
        PairRecord(pair_id="ab", query_path="a.png", satellite_path="b.png", lang="en", **said),
        PairRecord(pair_id="ab", query_path="a.png", satellite_path="b.png", lang="zh", **said),
        PairRecord(pair_id="ac", query_path="a.png", satellite_path="c.png", lang="en", **said),
    ]


def weights(folder: Path):
    from safetensors.numpy import load_file

    return load_file(folder / "model.safetensors")


def test_a_student_begins_as_every_other_layer_with_the_adapter_merged_in(full, tmp_path):
    base, adapter = (Path(part.removeprefix("dir:")) for part in full.split("+"))
    whole, own = weights(base), weights(halved(full, tmp_path / "half"))
    from safetensors.numpy import load_file

    lora = load_file(adapter / "adapter_model.safetensors")
    layer = "layers.{}.self_attn.q_proj"  # of the tower the name is another
    [down] = [value for name, value in lora.items() if f"{layer.format(2)}.lora_A" in name]
    [up] = [value for name, value in lora.items() if f"{layer.format(2)}.lora_B" in name]
    [second] = [value for name, value in own.items() if f"{layer.format(1)}.weight" in name]
    [third] = [value for name, value in whole.items() if f"{layer.format(2)}.weight" in name]
    assert np.allclose(second, third + 2.0 * up @ down, atol=1e-5)  # tiny_lora's alpha is twice its rank
    assert not any("layers.2." in name for name in own)
    block = "visual.blocks.0.attn.qkv.weight"  # of three blocks one is left; no adapter is on it
    assert np.array_equal(*(next(v for k, v in found.items() if block in k) for found in (own, whole)))
    assert not any("blocks.1." in name for name in own)
    config = json.loads((tmp_path / "half/config.json").read_text())
    assert (config["text_config"]["num_hidden_layers"], config["vision_config"]["depth"]) == (2, 1)
    assert len(load_vlm(f"dir:{tmp_path / 'half'}").weights.partition("@")[2]) == 12


@pytest.mark.parametrize(("count", "kept"), [(1, [0]), (2, [0]), (3, [0]), (4, [0, 2]), (5, [0, 2]), (6, [0, 2, 4])])
def test_half_of_the_layers_rounded_down(count, kept):
    assert module._every_other(count) == kept


def test_the_teacher_is_asked_once_and_again_when_it_is_another(full, records, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "EXPLANATION_TOKENS", 6)
    kept = tmp_path / "answers.json"
    found = teachers_answers(full, records, tmp_path, kept)
    assert len(found) == 3
    assert found[0].verdict in {YES[0], NO[0]}
    assert found[0].verdict == found[1].verdict  # one pair in two languages
    said = json.loads(kept.read_text())
    assert [Answer(*one) for one in said["answers"]] == found
    said["answers"][0][1] = "as it was kept"
    kept.write_text(json.dumps(said))
    assert teachers_answers(full, records, tmp_path, kept)[0].reasons == "as it was kept"
    kept.write_text(json.dumps(said | {"weights": "another"}))
    assert teachers_answers(full, records, tmp_path, kept) == found


def test_what_is_learned_is_what_the_teacher_wrote(records, tmp_path):
    lessons = TeachersAnswers(records, tmp_path, [Answer("No", "{"), Answer("Yes", "because"), Answer("No", "")])
    assert len(lessons) == lessons.about()["lessons"] == 3
    turns = lessons[1].turns
    assert [turn.role for turn in turns] == ["system", "user", "assistant", "user", "assistant"]
    assert [turns[i].parts for i in (2, 3, 4)] == [("Yes",), (WHY["zh"],), ("because",)]


@pytest.mark.slow
def test_a_student_is_written_whole_and_made_once(full, records, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "EXPLANATION_TOKENS", 6)
    out = distilled(full, records, tmp_path, tmp_path / "student", steps=2)
    learned = weights(out)
    begun = weights(halved(full, tmp_path / "half"))
    assert learned.keys() == begun.keys()
    assert any(not np.array_equal(learned[name], begun[name]) for name in begun)
    shutil.rmtree(tmp_path / "half")
    stamp = (out / "model.safetensors").stat().st_mtime_ns
    assert distilled("dir:gone", records, tmp_path, out) == out
    assert (out / "model.safetensors").stat().st_mtime_ns == stamp
