"""What the doctor says of the files that a role reads beside its model."""

import json
import shutil
from pathlib import Path

import pytest

from geosleuth.agent.settings import Backends, Settings
from geosleuth.indexes.backend import parse_backend
from geosleuth.tools.ade20k import class_name
from geosleuth.tools.class_weights import published_weights, weights_text
from geosleuth.tools.match_calibration import MatchCalibration
from geosleuth.tools.rerank_gate import measured_gate, write_gate
from geosleuth.ui.doctor_models import examine_models
from geosleuth.ui.doctor_role_files import about_files

URL = "http://127.0.0.1:9/v1"  # nobody listens there, and these checks ask nobody
JUDGE = f"openai:qwen@{URL}"
CALIBRATION = {"slope": 1.0, "intercept": 4.0, "matches": 120, "others": 240, "sample": "pairs", "date": "2026-11-21"}
UNCALIBRATED = "its verdicts are shown, and are no evidence"


def said(role: str, spec: str, segmenter: Path | None = None, **settings):
    """Return what is said about one role: (words, remedy) each."""
    chosen = Settings(backends=Backends(**{role: spec}), **settings)
    return list(about_files(role, parse_backend(spec), chosen, segmenter))


def gate(path: Path, *, weights: str = f"qwen at {URL}", lost: int = 0, n: int = 40) -> Path:
    """Write a gate of n photos, of which so many were lost."""
    after = [2] * lost + [1] * (n - lost)
    facts = {"strategy": "pairwise", "weights": weights, "sample": "walks", "date": "2026-11-21", "among": 10}
    write_gate(measured_gate([1] * n, after, **facts), path)
    return path


def calibrated(folder: Path, weights: str) -> Path:
    folder.mkdir(exist_ok=True)
    calibration = MatchCalibration(weights=weights, **CALIBRATION)
    (folder / "gleam_x_calibration.json").write_text(calibration.model_dump_json())
    return folder


def labelled(folder: Path, names: list[str], tiny_models) -> Path:
    """Copy the tiny segmenter, and give its classes these names."""
    shutil.copytree(tiny_models.tiny_segformer(), folder)
    config = json.loads((folder / "config.json").read_text())
    names_of = {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    (folder / "config.json").write_text(json.dumps(config | names_of))
    return folder


def test_a_gate_of_this_model_and_strategy_is_open(tmp_path):
    path = gate(tmp_path / "gate.json")
    ((words, remedy),) = said("pairwise", JUDGE, rerank_gate=path)
    assert words.startswith(f"the gate {path} is open: no harm is seen, and no help proven: R@1 40 -> 40 of 40 photos")
    assert remedy is None


@pytest.mark.parametrize("text", [None, "{", '{"version": 2}'])
def test_a_gate_that_is_missing_or_none(tmp_path, text):
    path = tmp_path / "gate.json"
    if text is not None:
        path.write_text(text)
    ((words, remedy),) = said("pairwise", JUDGE, rerank_gate=path)
    assert words.startswith(f"wanted a gate file, found {path}")
    assert "python -m geosleuth.training.evaluate rerank" in remedy


def test_a_gate_of_another_strategy_or_model_or_one_that_harms(tmp_path):
    path = gate(tmp_path / "gate.json")
    ((words, remedy),) = said("pairwise", JUDGE, rerank_gate=path, strategy="likert")
    assert words == f"the gate {path} was measured for the strategy pairwise, not likert"
    assert remedy.startswith("Measure this one by")
    ((words, remedy),) = said("pairwise", f"openai:llava@{URL}", rerank_gate=path)
    assert words.startswith(f"the gate {path} was measured for the model qwen at {URL}")
    assert remedy.startswith("Measure this one by")
    ((words, remedy),) = said("pairwise", JUDGE, rerank_gate=gate(path, lost=1))
    assert words.startswith(f"the gate {path} is shut: it harms: R@1 40 -> 39 of 40")
    assert remedy == "Name another model or strategy, or take `embedded`"
    ((words, _),) = said("pairwise", JUDGE, rerank_gate=gate(path, n=29))
    assert "is shut: only 29 photos" in words


@pytest.mark.parametrize(
    ("recorded", "spec", "same"),
    [
        (f"qwen at {URL} (root Qwen/Q); probabilities are counts of 16 replies", JUDGE, True),
        (f"qwen at {URL}", f"openai:qwen@{URL.removesuffix('/v1')}/", True),
        (f"qwen at {URL}2", JUDGE, False),
        (f"qwen2 at {URL}", JUDGE, False),
        ("base@0123456789ab", "dir:~/models/base", True),
        ("base@0123456789ab + places@ba9876543210", "dir:/models/base+dir:/adapters/places", True),
        ("base@0123456789ab", "dir:/models/base+dir:/adapters/places", False),
        ("base@0123456789ab + places@ba9876543210", "dir:/models/base", False),
        ("other@0123456789ab", "dir:/models/base", False),
    ],
)
def test_which_record_can_be_this_models(tmp_path, recorded, spec, same):
    path = gate(tmp_path / "gate.json", weights=recorded)
    ((_, remedy),) = said("pairwise", spec, rerank_gate=path)
    assert (remedy is None) == same


def test_a_model_of_the_hub_is_told_by_its_commit(tmp_path, monkeypatch):
    snapshot = tmp_path / "snapshots" / "0123456789abcdef"
    monkeypatch.setattr("geosleuth.ui.doctor_role_files.hub_folder", lambda *_: snapshot)
    for digest, same in (("0123456789ab", True), ("ba9876543210", False)):
        path = gate(tmp_path / "gate.json", weights=f"Qwen/Tiny@{digest}")
        ((_, remedy),) = said("pairwise", "hf:Qwen/Tiny", rerank_gate=path)
        assert (remedy is None) == same


def test_the_name_and_commit_are_those_that_the_local_backend_records(tmp_path, tiny_models):
    pytest.importorskip("peft")
    from geosleuth.tools.vlm.load import load_vlm

    base = tiny_models.tiny_qwen()
    spec = f"dir:{base}+dir:{tiny_models.tiny_lora(base)}"
    ((_, remedy),) = said("pairwise", spec, rerank_gate=gate(tmp_path / "gate.json", weights=load_vlm(spec).weights))
    assert remedy is None


def test_a_calibration_beside_the_last_adapter(tmp_path):
    adapter = calibrated(tmp_path / "gleam-x", "base@0123456789ab + gleam-x@ba9876543210")
    ((words, remedy),) = said("gleam_x", f"dir:/models/base+dir:{adapter}")
    assert words == f"calibrated on 120 matches and 240 others: {adapter / 'gleam_x_calibration.json'}"
    assert remedy is None
    ((words, remedy),) = said("gleam_x", f"dir:/models/other+dir:{adapter}")
    assert "was fitted with base@0123456789ab + gleam-x@ba9876543210, not with dir:/models/other" in words
    assert remedy.startswith("Fit it anew by")


def test_no_calibration_is_said_and_is_no_trouble(tmp_path):
    assert said("gleam_x", f"dir:{tmp_path}") == [(f"no gleam_x_calibration.json in {tmp_path}: {UNCALIBRATED}", None)]
    assert said("gleam_x", JUDGE) == [
        (f"no calibration is looked for beside {JUDGE}, only in folders: {UNCALIBRATED}", None)
    ]


def test_a_damaged_calibration(tmp_path):
    (tmp_path / "gleam_x_calibration.json").write_text('{"slope": -1}')
    ((words, remedy),) = said("gleam_x", f"dir:{tmp_path}")
    assert words.startswith(f"wanted a calibration of matches, found {tmp_path / 'gleam_x_calibration.json'} (slope")
    assert "python -m geosleuth.training.evaluate gleam-x" in remedy


def test_a_segmenters_classes_in_the_whole_report(tmp_path, tiny_models):
    pytest.importorskip("transformers")
    folder = labelled(tmp_path / "right", [class_name(i) for i in range(150)], tiny_models)
    table = tmp_path / "weights.tsv"
    table.write_text(weights_text(published_weights()))
    settings = Settings(backends=Backends(locatability=f"dir:{folder}"), locatability_weights=table)
    (found,) = examine_models(settings)
    assert found.troubles == ()
    assert found.notes[1:] == ("its classes are ADE20K's, in their order", f"class weights, for a segmenter: {table}")


def test_other_classes_and_a_table_without_one_are_both_said(tmp_path, tiny_models):
    pytest.importorskip("transformers")
    names = [class_name(i) for i in range(150)]
    names[6], names[11] = names[11], names[6]
    folder = labelled(tmp_path / "wrong", names, tiny_models)
    table = tmp_path / "weights.tsv"
    table.write_text("\n".join(weights_text(published_weights()).splitlines()[:-1]))
    settings = Settings(backends=Backends(locatability=f"dir:{folder}"), locatability_weights=table)
    (found,) = examine_models(settings)
    labels, weights = found.troubles
    assert f"2 other labels in {folder}: 6 is 'sidewalk', not 'road'" in labels.found
    assert labels.remedy.endswith("; docs/models.md#locatability")
    assert "the first that is missing is 149 (flag)" in weights.found
    assert weights.remedy == "Give each class a row; 0 for no weight; docs/models.md#locatability"


def test_a_table_that_is_not_there_is_seen_before_the_segmenter_is_fetched(tmp_path):
    ((words, remedy),) = said("locatability", "hf:nobody/segmenter", locatability_weights=tmp_path / "none.tsv")
    assert words.startswith(f"wanted a table of class weights in {tmp_path / 'none.tsv'}")
    assert "python -m geosleuth.training.locatability" in remedy
