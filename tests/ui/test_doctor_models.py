"""What the doctor says of models: on tiny ones of the true architectures, and a server of this machine."""

import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from geosleuth.agent.settings import Backends, Settings
from geosleuth.ui import doctor_models
from geosleuth.ui.doctor_device import Device, device_lines
from geosleuth.ui.doctor_endpoint import model_listing
from geosleuth.ui.doctor_models import examine_models, role_lines, weights_bytes
from geosleuth.ui.doctor_weights import weight_files


def one(**backends: str):
    """Return what is found about the first role named."""
    found = {model.role: model for model in examine_models(Settings(backends=Backends(**backends)))}
    return found[next(iter(backends))]


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Return a function that puts a folder into an empty hub cache, as a download would."""
    constants = pytest.importorskip("huggingface_hub").constants
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))

    def put(name: str, folder: Path) -> Path:
        root = tmp_path / "hub" / f"models--{name.replace('/', '--')}"
        shutil.copytree(folder, root / "snapshots" / "0123abcd")
        (root / "refs").mkdir()
        (root / "refs" / "main").write_text("0123abcd")
        return root / "snapshots" / "0123abcd"

    return put


@pytest.fixture
def server():
    """Start a server that answers every request as the test says; it keeps what it was asked."""
    started = []

    def start(status: int, body: str, headers: dict[str, str] | None = None):
        asked = []

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append((self.path, self.headers.get("Authorization")))
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        running = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        started.append(running)
        return f"http://127.0.0.1:{running.server_port}/v1", asked

    yield start
    for running in started:
        running.shutdown()
        running.server_close()


def listing(*names: str) -> str:
    return json.dumps({"object": "list", "data": [{"id": name, "object": "model"} for name in names]})


def lora_for(base: str, folder: Path, tiny_models) -> Path:
    """Write a real adapter that says it was made for `base`."""
    shutil.copytree(tiny_models.tiny_lora(tiny_models.tiny_qwen()), folder)
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(config | {"base_model_name_or_path": base}))
    return folder


def test_a_model_in_a_folder_is_named_with_its_size(tiny_models):
    folder = tiny_models.tiny_qwen()
    found = one(planner=f"dir:{folder}")
    assert found.troubles == ()
    assert found.folder == str(folder)
    assert found.weights_bytes == (folder / "model.safetensors").stat().st_size
    assert found.notes == (f"Qwen2_5_VLForConditionalGeneration, weights of 0.0 GB in {folder}",)


def test_a_model_of_the_hub_that_is_not_here_comes_with_its_command(hub):
    found = one(prior="hf:nobody/prior@v2")
    assert found.folder is None
    (trouble,) = found.troubles
    assert trouble.found == "nobody/prior is not on this machine"
    assert trouble.remedy == (
        "`hf download nobody/prior --revision v2` gets it now, otherwise the first photo waits for it; "
        "docs/models.md#prior"
    )


def test_a_model_in_the_hubs_cache_is_found_without_asking(hub, tiny_models, monkeypatch):
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("somebody was asked"))
    snapshot = hub("nobody/tiny", tiny_models.tiny_qwen())
    found = one(pairwise="hf:nobody/tiny")
    assert found.troubles == ()
    assert found.folder == str(snapshot)


def test_a_download_that_stopped_is_seen(hub, tiny_models):
    snapshot = hub("nobody/tiny", tiny_models.tiny_qwen())
    shards = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (snapshot / "model.safetensors.index.json").write_text(json.dumps(shards))
    (snapshot / "model.safetensors").rename(snapshot / "model-00001-of-00002.safetensors")
    (trouble,) = one(gleam_x="hf:nobody/tiny").troubles
    assert "1 file(s) missing" in trouble.found
    assert "model-00002-of-00002.safetensors first" in trouble.found
    assert trouble.remedy.startswith("`hf download nobody/tiny`;")


def test_weights_as_pickle_are_said_and_not_counted(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "clip"}')
    (tmp_path / "pytorch_model.bin").write_bytes(bytes(10))
    files = weight_files(tmp_path)
    assert (files.names, files.size_bytes, files.pickled) == ((), 0, True)
    found = one(prior=f"dir:{tmp_path}")
    assert "only as pickle (*.bin), which is not read" in found.troubles[0].found


def test_a_folder_that_is_none_says_what_to_name(tmp_path):
    (trouble,) = one(prior=f"dir:{tmp_path / 'none'}").troubles
    assert trouble.found == f"no config.json in {tmp_path / 'none'}"
    assert trouble.remedy == "Name the folder that save_pretrained has written; docs/models.md#prior"


def test_another_kind_of_model_than_the_role_takes(tiny_models):
    (trouble,) = one(gleam_x=f"dir:{tiny_models.tiny_clip()}").troubles
    assert trouble.found == "a CLIP, where the role takes a vision-language model"
    assert one(prior=f"dir:{tiny_models.tiny_clip()}").troubles == ()


def test_an_adapter_for_this_base(hub, tiny_models, tmp_path):
    hub("Qwen/Tiny-VL", tiny_models.tiny_qwen())
    adapter = lora_for("mirror/Tiny-VL", tmp_path / "adapter", tiny_models)
    found = one(prior=f"hf:Qwen/Tiny-VL+dir:{adapter}")
    assert found.troubles == ()
    assert found.notes[1] == f"adapter dir:{adapter}: made for mirror/Tiny-VL"


def test_an_adapter_for_another_base(hub, tiny_models, tmp_path):
    hub("Qwen/Tiny-VL", tiny_models.tiny_qwen())
    adapter = lora_for("Qwen/Qwen-VL-Chat", tmp_path / "adapter", tiny_models)
    (trouble,) = one(prior=f"hf:Qwen/Tiny-VL+dir:{adapter}").troubles
    assert trouble.found == f"the adapter dir:{adapter} was made for Qwen/Qwen-VL-Chat, not for Qwen/Tiny-VL"


def test_an_adapter_on_a_folder_of_another_name_is_not_called_wrong(tiny_models, tmp_path):
    adapter = lora_for("Qwen/Qwen2.5-VL-3B-Instruct", tmp_path / "adapter", tiny_models)
    found = one(prior=f"dir:{tiny_models.tiny_qwen()}+dir:{adapter}")
    assert found.troubles == ()
    assert "its name does not tell" in found.notes[1]


def test_an_adapter_without_weights_and_one_that_is_not_there(hub, tiny_models, tmp_path):
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "x/y"}')
    base = f"dir:{tiny_models.tiny_qwen()}"
    found = one(prior=f"{base}+dir:{tmp_path}+hf:nobody/adapter")
    assert [trouble.found for trouble in found.troubles] == [
        f"no adapter's weights as safetensors in {tmp_path}",
        "nobody/adapter is not on this machine",
    ]


def test_missing_packages_come_with_the_extra(monkeypatch):
    monkeypatch.setattr(doctor_models, "find_spec", lambda _: None)
    (trouble,) = one(planner="openai:qwen@http://127.0.0.1:9/v1").troubles[:1]
    assert trouble.found == "not installed: langchain_openai"
    assert trouble.remedy == "`pip install 'geosleuth[vlm]'`; docs/models.md#planner"
    assert "torch, timm" in one(retrieval="timm:resnet18").troubles[0].found
    assert "`pip install 'geosleuth[encoders]'`" in one(retrieval="timm:resnet18").troubles[0].remedy


def test_geoclip_needs_its_image_tower(hub):
    pytest.importorskip("geoclip")
    (trouble,) = one(prior="geoclip").troubles
    assert trouble.found == "openai/clip-vit-large-patch14 is not on this machine"


def test_a_timm_encoder(hub):
    pytest.importorskip("timm")
    (trouble,) = one(retrieval="timm:resnet18").troubles
    assert trouble.found == "timm/resnet18.a1_in1k is not on this machine"
    (trouble,) = one(retrieval="timm:resnet1800").troubles
    assert trouble.found == "timm has no model resnet1800"


@pytest.mark.parametrize("result", ["", "encoder"])
def test_an_encoder_folder_and_a_run_of_training_that_holds_one(tmp_path, result):
    pytest.importorskip("torch")
    (tmp_path / result).mkdir(exist_ok=True)
    (tmp_path / result / "encoder.json").write_text("{}")
    found = one(retrieval=f"dir:{tmp_path}")
    assert not found.troubles
    assert any("an encoder folder" in note for note in found.notes)


def test_recorded_predictions(tmp_path):
    assert one(prior=f"file:{tmp_path / 'none.csv'}").troubles[0].found == f"no such file: {tmp_path / 'none.csv'}"
    (tmp_path / "some.csv").touch()
    assert one(prior=f"file:{tmp_path / 'some.csv'}#gpt").notes == (f"predictions recorded in {tmp_path / 'some.csv'}",)


def test_a_server_that_lists_the_model_is_asked_once_with_the_key(server, monkeypatch):
    monkeypatch.setenv("GEOSLEUTH_ENDPOINT_KEY", "secret")
    url, asked = server(200, listing("qwen", "gleam-x"))
    found = examine_models(Settings(backends=Backends(planner=f"openai:qwen@{url}", gleam_x=f"openai:gleam-x@{url}/")))
    assert [model.troubles for model in found] == [(), ()]
    assert found[0].notes == (f"{url}/models was asked just now: it answers, and lists qwen",)
    assert asked == [("/v1/models", "Bearer secret")]
    assert "secret" not in "".join(model.model_dump_json() for model in found)


def test_a_server_that_lists_another_model(server):
    url, asked = server(200, listing("llava"))
    (trouble,) = one(planner=f"openai:qwen@{url}").troubles
    assert trouble.found == f"{url}/models was asked just now: it answers, and lists llava, not qwen"
    assert asked == [("/v1/models", None)]  # no key is set, and none is sent


@pytest.mark.parametrize(
    ("status", "body", "found", "remedy"),
    [
        (401, "", "it answers 401 Unauthorized", "Set the environment variable GEOSLEUTH_ENDPOINT_KEY"),
        (404, "", "it answers 404 Not Found", "Correct the URL after the @: most servers' ends in /v1"),
        (500, "", "it answers 500 Internal Server Error", "Look into the server's log"),
        (200, "<html>", "what it answers is no list of models", "Correct the URL"),
        (200, "[]", "what it answers is no list of models", "Correct the URL"),
    ],
)
def test_a_server_that_answers_otherwise(server, status, body, found, remedy):
    url, _ = server(status, body)
    answer = model_listing(url)
    assert answer.trouble == found
    assert answer.remedy.startswith(remedy)


def test_the_key_does_not_follow_a_redirect(server, monkeypatch):
    monkeypatch.setenv("GEOSLEUTH_ENDPOINT_KEY", "secret")
    elsewhere, asked_elsewhere = server(200, listing("qwen"))
    url, _ = server(302, "", {"Location": f"{elsewhere}/models"})
    assert model_listing(url).trouble == "it answers 302 Found"
    assert asked_elsewhere == []


def test_the_url_is_completed_as_for_photos(server):
    url, asked = server(200, listing("qwen"))
    assert one(planner=f"openai:qwen@{url.removesuffix('/v1')}").troubles == ()
    assert asked == [("/v1/models", None)]


def test_a_server_that_is_not_there_and_one_that_is_silent(monkeypatch):
    import socket

    with socket.socket() as silent:  # accepts connections, by its backlog, and never says a word
        silent.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        refused = model_listing(closed)
        assert "refused" in refused.trouble
        assert refused.remedy.startswith("Start the server")
        silent.listen()
        monkeypatch.setattr("geosleuth.ui.doctor_endpoint.TIMEOUT_S", 0.2)
        assert "timed out" in model_listing(closed).trouble


def test_the_report_has_each_role_with_what_is_missing_below(hub, tiny_models):
    base = f"dir:{tiny_models.tiny_qwen()}"
    backends = Backends(planner=base, prior="hf:nobody/prior", pairwise=base)
    found = examine_models(Settings(backends=backends))
    assert role_lines({"planner": base, "reading": "embedded", "prior": "hf:nobody/prior"}, found) == [
        f"role       planner: {base}",
        f"           {found[0].notes[0]}",
        "role       reading: embedded (OCR with word tables)",
        "role       prior: hf:nobody/prior",
        "           NOT READY: nobody/prior is not on this machine",
        f"           {found[1].troubles[0].remedy}",
    ]
    assert weights_bytes(found) == found[0].weights_bytes  # two roles, one base


def test_weights_that_have_no_room_are_said():
    gpu = Device(kind="cuda", name="a GPU", memory_bytes=8_000_000_000, free_bytes=6_000_000_000)
    assert device_lines((gpu,), 5_000_000_000) == ["device     a GPU, 8.0 GB, 6.0 GB of it free"]
    assert device_lines((gpu,), 7_500_000_000)[1] == (
        "           TOO SMALL for the roles' 7.5 GB of weights: docs/models.md#memory"
    )
    assert device_lines((), 0) == ["device     unknown without torch, which models need"]
