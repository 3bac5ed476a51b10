"""Loading by spec: kinds told from the configuration, and what is wrong with a folder said before it is read."""

import json
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm import model_folder
from geosleuth.tools.vlm.load import VlmOptions, load_vlm, model_kind
from geosleuth.tools.vlm.model import Prompt, Turn
from geosleuth.tools.vlm.model_folder import open_model_folder

ASKED = Prompt((Turn("user", ("Where was this photo taken?",)),))


def opened(folder):
    from geosleuth.indexes.backend import parse_backend

    return open_model_folder(parse_backend(f"dir:{folder}"))


@pytest.fixture
def folder(tiny_models, tmp_path):
    """A copy of the tiny model that a test may damage."""
    return shutil.copytree(tiny_models.tiny_qwen(), tmp_path / "model")


@pytest.fixture
def hub(tiny_models, tmp_path, monkeypatch):
    """A hub's cache with one model in it, and nobody behind it."""
    from huggingface_hub import constants

    repository = tmp_path / "hub" / "models--someone--tiny"
    commit = "0123456789abcdef0123456789abcdef01234567"
    shutil.copytree(tiny_models.tiny_qwen(), repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    return repository / "snapshots" / commit


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("tiny_qwen", "vlm"),
        ("tiny_qwen3_vl", "vlm"),
        ("tiny_llava", "vlm"),
        ("tiny_clip", "clip"),
        ("tiny_maskformer", "segmenter"),
        ("tiny_segformer", "segmenter"),
    ],
)
def test_the_kind_is_told_from_the_configuration_alone(tiny_models, tmp_path, kind, expected):
    shutil.copy(getattr(tiny_models, kind)() / "config.json", tmp_path)
    assert model_kind(f"dir:{tmp_path}") == expected
    assert model_kind(f"dir:{tmp_path}+dir:/any/adapter") == expected


def test_a_server_is_taken_for_a_vision_language_model():
    assert model_kind("openai:qwen@http://localhost:8000/v1") == "vlm"


def test_a_classifier_is_no_segmenter(tmp_path):
    from transformers import SegformerConfig

    config = SegformerConfig(architectures=["SegformerForImageClassification"])
    config.save_pretrained(tmp_path)
    with pytest.raises(InputError, match=r"found dir:.*, a SegformerForImageClassification. Name a model that talks"):
        model_kind(f"dir:{tmp_path}")


@pytest.mark.parametrize("content", ["{}", '{"model_type": "nothing"}', "no JSON"])
def test_an_unknown_configuration_is_refused(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(InputError, match="Wanted a model of transformers"):
        model_kind(f"dir:{tmp_path}")


@pytest.mark.parametrize("spec", ["embedded", "geoclip", "timm:resnet18", "file:answers.csv"])
def test_other_backends_have_no_vision_language_model(spec):
    with pytest.raises(InputError, match="Wanted a vision-language model"):
        load_vlm(spec)
    with pytest.raises(InputError, match="Wanted a model with a configuration"):
        model_kind(spec)


def test_a_missing_folder(tmp_path):
    for ask in (load_vlm, model_kind):
        with pytest.raises(InputError, match=r"found no such folder: .*nowhere. Name the folder that holds"):
            ask(f"dir:{tmp_path}/nowhere")


def test_a_folder_without_a_configuration(folder):
    (folder / "config.json").unlink()
    for ask in (load_vlm, model_kind):
        with pytest.raises(InputError, match=r"found .*model without config.json. Name the folder that save_pretr"):
            ask(f"dir:{folder}")


def test_an_adapter_in_the_place_of_a_base_and_the_other_way_round(tiny_models):
    base = tiny_models.tiny_qwen()
    adapter = tiny_models.tiny_lora(base, 0)
    with pytest.raises(InputError, match=r"\(with adapter_config.json\). An adapter goes behind its base"):
        load_vlm(f"dir:{adapter}")
    with pytest.raises(InputError, match=r"\(with config.json\). This is a whole model: name it as the base"):
        load_vlm(f"dir:{base}+dir:{base}")


def test_a_folder_without_weights(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"found .* without model.safetensors. Copy or fetch the weights again."):
        load_vlm(f"dir:{folder}")


def test_weights_that_may_run_code_are_refused(folder):
    import torch

    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"but with pytorch_model.bin. Other formats may run code when they are read"):
        load_vlm(f"dir:{folder}")


@pytest.mark.parametrize("left", [0, 4, 100, 40_000, -1])
def test_weights_that_are_cut_off(folder, left):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(InputError, match=r"found .*bytes.*(Copy or fetch|copy or fetch) it again"):
        load_vlm(f"dir:{folder}")


def test_weights_that_are_something_else(folder):
    (folder / "model.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0" + b"this is no JSON!")
    with pytest.raises(InputError, match="no whole safetensors file"):
        load_vlm(f"dir:{folder}")


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('{"a": {"dtype": "F32", "data_offsets": [0, 4]}}', "'a' has no shape"),
        ('{"a": {"dtype": "F32", "shape": [1]}}', "'a' has no data_offsets"),
        ('{"a": {"dtype": "F32", "shape": [1], "data_offsets": [4]}}', "'a' has no data_offsets"),
        ('{"a": {"dtype": "F32", "shape": ["x"], "data_offsets": [0, 4]}}', "'a' has no shape"),
        ('{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}', "'a' has no shape"),
        ('{"a": 5}', "'a' has no data_offsets"),
        ("[]", "no whole safetensors file"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_weights_with_a_garbled_header(folder, header, found):
    content = header.encode()
    (folder / "model.safetensors").write_bytes(len(content).to_bytes(8, "little") + content + b"\0\0\0\0")
    with pytest.raises(InputError, match="no whole safetensors file") as caught:
        load_vlm(f"dir:{folder}")
    assert found in caught.value.found
    assert caught.value.remedy == "Copy or fetch it again."


@pytest.mark.parametrize("name", ["config.json", "processor_config.json", "tokenizer_config.json", "tokenizer.json"])
@pytest.mark.parametrize("content", ["[" * 100_000, "\0", "[]", '{"a":'])
def test_garbage_in_place_of_a_configuration(folder, name, content):
    (folder / name).write_text(content)
    with pytest.raises(InputError, match=r"found (none that can be loaded|a configuration that it does not know)"):
        load_vlm(f"dir:{folder}")


@pytest.mark.parametrize("template", ["{{ messages", "{{ nothing.there.at.all }}", "{{ raise_exception('no') }}"])
def test_a_chat_template_that_does_not_work(folder, template):
    (folder / "chat_template.jinja").write_text(template)
    with pytest.raises(InputError, match="Wanted a chat template that takes this conversation; found one that fails"):
        load_vlm(f"dir:{folder}").for_photo().score([ASKED], ["yes"])


def test_weights_in_several_files(folder):
    from transformers import AutoModelForImageTextToText

    AutoModelForImageTextToText.from_pretrained(folder).save_pretrained(folder / "parts", max_shard_size="300KB")
    (folder / "model.safetensors").unlink()
    for file in (folder / "parts").glob("model*"):
        file.rename(folder / file.name)
    found = opened(folder)
    assert len(found.files) > 1
    assert found.n_parameters == 249_952
    assert len(load_vlm(f"dir:{folder}").weights.partition("@")[2]) == 12
    found.files[1].unlink()
    with pytest.raises(InputError, match=f"found 1 missing, such as {found.files[1].name}. Copy or fetch the missing"):
        load_vlm(f"dir:{folder}")
    for content in ("{}", "[" * 100_000):
        (folder / "model.safetensors.index.json").write_text(content)
        with pytest.raises(InputError, match="Wanted a list of weights in"):
            load_vlm(f"dir:{folder}")


def test_a_list_of_weights_names_no_other_folder(folder):
    index = {"weight_map": {"a": "../model/model.safetensors"}}
    (folder / "model.safetensors").rename(folder / "other.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(InputError, match=r"such as \.\./model/model.safetensors"):
        load_vlm(f"dir:{folder}")


def test_a_model_that_does_not_talk(tiny_models, folder):
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(InputError, match=r"found a folder without one of them. Name a model that was trained to talk"):
        load_vlm(f"dir:{folder}")
    with pytest.raises(InputError, match=r"Wanted a vision-language model; found dir:.*, a clip. Name"):
        load_vlm(f"dir:{tiny_models.tiny_clip()}")


def test_a_folder_that_brings_code_does_not_run_it(folder, tmp_path):
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Own", "AutoModelForImageTextToText": "own.Own"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    for ask in (load_vlm, model_kind):
        with pytest.raises(InputError):
            ask(f"dir:{folder}")
    assert not (tmp_path / "ran").exists()


def test_a_model_in_the_hubs_cache_is_loaded_without_asking_anybody(hub):
    shared = load_vlm("hf:someone/tiny")
    assert shared.spec == "hf:someone/tiny"
    assert shared.weights == "someone/tiny@0123456789ab"
    assert shared.for_photo().score([ASKED], ["yes"]).log_probabilities.shape == (1, 1)
    assert model_kind("hf:someone/tiny") == "vlm"


def test_a_model_that_cannot_be_had(hub):
    for ask in (load_vlm, model_kind):
        with pytest.raises(InputError) as caught:
            ask("hf:someone/else")
        assert caught.value.found.startswith("none that can be had (")
        assert caught.value.remedy.startswith("Check the name; load it once with a connection")


@pytest.mark.parametrize("package", ["torch", "transformers", "peft"])
def test_a_missing_package_is_named(tiny_models, monkeypatch, package):
    import geosleuth.tools.vlm.loaded as loaded

    base = tiny_models.tiny_qwen()
    spec = f"dir:{base}+dir:{tiny_models.tiny_lora(base, 0)}"
    monkeypatch.setattr(loaded, "_bases", {})
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError) as caught:
        load_vlm(spec)
    assert caught.value.wanted == f"the package {package}"
    assert caught.value.remedy == "Install it with `pip install 'geosleuth[vlm]'`."


def test_the_remedy_names_an_extra_that_there_is():
    project = tomllib.loads((Path(__file__).resolve().parents[3] / "pyproject.toml").read_text(encoding="utf-8"))
    assert "vlm" in project["project"]["optional-dependencies"]


def test_importing_loads_nothing_heavy():
    import subprocess

    modules = ("load", "local", "loaded", "adapters", "prefix", "scoring", "chat_format", "reusing", "naive")
    code = "import sys\n" + "\n".join(f"import geosleuth.tools.vlm.{module}" for module in modules)
    code += (
        "\nprint([name for name in ('torch', 'transformers', 'peft', 'langchain_core', 'cv2') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_options_have_the_defaults_of_the_settings():
    from geosleuth.agent.settings import Settings

    settings, options = Settings(), VlmOptions()
    assert options.max_pixels == settings.vlm_max_pixels
    assert options.timeout_s == settings.endpoint_timeout_s
    assert options.requests == settings.endpoint_requests
    assert options.bits == settings.vlm_bits


def test_a_folder_written_anew_is_another_model(folder):
    import os

    before = opened(folder)
    os.utime(folder / "model.safetensors", ns=(1, 2**62))
    assert opened(folder).stamp != before.stamp


def test_only_files_that_run_no_code_are_fetched():
    assert not any(pattern.endswith((".bin", ".py", ".pt")) or pattern == "*" for pattern in model_folder._FETCHED)
