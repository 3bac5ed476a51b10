import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from geosleuth.ui import cli
from geosleuth.ui.demo_scene import draw_scene

SIDE = 20_000  # px: 400 megapixels from a file of a few kB


def run(*arguments: object):
    return CliRunner().invoke(cli.app, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "scene.jpg"
    draw_scene().save(path, quality=92)
    return path


def truncated_jpeg(folder: Path) -> Path:
    whole = folder / "whole.jpg"
    draw_scene().save(whole)
    cut = folder / "cut.jpg"
    cut.write_bytes(whole.read_bytes()[:2000])
    return cut


def huge_png(folder: Path) -> Path:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    deflate = zlib.compressobj(9)
    rows = b"".join(deflate.compress(bytes(1 + SIDE // 8)) for _ in range(SIDE)) + deflate.flush()
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 1, 0, 0, 0, 0)  # 1 bit, greyscale
    path = folder / "huge.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    return path


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


BAD_PHOTOS = {
    "missing path": (lambda folder: folder / "nowhere.jpg", "no such file"),
    "folder": (lambda folder: folder, "a folder"),
    "empty file": (lambda folder: written(folder, "empty.jpg", b""), "empty"),
    "text named .jpg": (lambda folder: written(folder, "text.jpg", b"Dear diary, today I walked."), ""),
    "truncated JPEG": (truncated_jpeg, ""),
    "20,000 x 20,000 PNG": (huge_png, "20"),
}


def assert_three_parts(result, found: str = "") -> None:
    assert result.exit_code == 2
    assert result.stdout == ""
    labels = [line.split(":")[0] for line in result.stderr.splitlines()]
    assert labels == ["Wanted", "Found", "Do"]
    assert found in result.stderr.splitlines()[1]
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("case", BAD_PHOTOS)
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_bad_photo_is_explained_in_three_parts(tmp_path, case, form):
    make, found = BAD_PHOTOS[case]
    assert_three_parts(run("localize", make(tmp_path), *form), found)


@pytest.fixture
def nobody():
    """Be somebody whom file modes bind; root reads every file."""
    if os.geteuid() != 0:
        yield
        return
    run("localize", "nowhere.jpg")  # imports all that is needed: the interpreter itself may lie in root's home
    os.seteuid(65534)  # "nobody" on Debian
    yield
    os.seteuid(0)


def test_an_unreadable_file_is_explained(nobody, monkeypatch):
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to nobody
        monkeypatch.setenv("XDG_CONFIG_HOME", folder)  # root's is closed, too
        path = written(Path(folder), "secret.jpg", b"\xff\xd8\xff\xe0")
        path.chmod(0)
        assert_three_parts(run("localize", path), "may not be read")


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--hint", "in Narnia"], "'in Narnia'"),
        (["--prior", "oracle:x"], "'oracle:x'"),
        (["--prior", "file:nowhere.csv"], "nowhere.csv"),
        (["--settings", "nowhere.toml"], "nowhere.toml"),
        (["--json", "--kml"], "--json and --kml"),
        (["--index", "nowhere"], "manifest.json in "),
        (["--index", "milvus:walks"], "'milvus:walks'"),
        (["--index", "milvus:walks@nowhere.db"], "nowhere.db"),
        (["--pictures", "matches"], "--pictures without one"),
    ],
)
def test_a_bad_option_is_explained_in_three_parts(scene, options, found):
    assert_three_parts(run("localize", scene, *options), found)


def test_an_unknown_key_in_the_settings_names_the_nearest(tmp_path, scene):
    file = written(tmp_path, "geosleuth.toml", b"max_step = 3\n")
    result = run("localize", scene, "--settings", file)
    assert_three_parts(result, "'max_step' (did you mean 'max_steps'?)")


@pytest.mark.parametrize("arguments", [["--jsn"], ["localize"], ["find", "x.jpg"]])
def test_a_wrong_call_is_bad_input_too(arguments):
    assert run(*arguments).exit_code == 2


def test_an_error_cannot_steer_the_terminal(tmp_path):
    result = run("localize", tmp_path / "a\x1b[2Jb.jpg")
    assert_three_parts(result, r"a\x1b[2Jb.jpg")


def test_version():
    from importlib.metadata import version

    assert run("--version").stdout == f"geosleuth {version('geosleuth')}\n"


def test_stdout_of_json_is_one_object_even_if_c_code_writes_there(scene):
    code = (
        "import os, sys; from geosleuth.ui import cli; from geosleuth.agent import agent\n"
        "whole = agent.Agent.stream\n"
        "def noisy(*a, **k):\n    os.write(1, b'noise from C'); print('noise'); return whole(*a, **k)\n"
        "agent.Agent.stream = noisy; cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "localize", str(scene), "--json"], capture_output=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr.decode()
    answer = json.loads(done.stdout)
    assert answer["country"]["code"] == "FR"
    assert b"noise from C" in done.stderr
    assert {"status", "point", "radius_km", "city", "regions", "evidence", "candidates", "trace"} <= answer.keys()


def test_the_readable_answer_and_the_exports(scene):
    readable = run("localize", scene)
    assert readable.exit_code == 0
    assert "France" in readable.stdout
    assert "QUIMPER" in readable.stdout
    geojson = run("localize", scene, "--geojson")
    assert json.loads(geojson.stdout)["features"][-1]["properties"]["kind"] == "point"
    assert run("localize", scene, "--kml").stdout.startswith("<?xml")


def test_a_hint_moves_the_answer(scene):
    def belgium(answer):
        return next((c["probability"] for c in answer["countries"] if c["code"] == "BE"), 0.0)

    plain = json.loads(run("localize", scene, "--json").stdout)
    hinted = json.loads(run("localize", scene, "--json", "--hint", "in Belgium").stdout)
    assert belgium(hinted) > 10 * belgium(plain)
    assert any(piece["type"] == "hint.country" for piece in hinted["evidence"])
    assert hinted["contradictions"]  # the signs name two towns of Brittany


def test_verbose_says_each_step_on_stderr(scene):
    result = run("localize", scene, "--json", "--verbose")
    assert json.loads(result.stdout)
    assert "read_text" in result.stderr


@pytest.mark.parametrize(("form", "on_stderr"), [([], 0), (["--json"], 1)])
def test_a_failed_tool_is_said_once_in_the_readable_answer(scene, monkeypatch, form, on_stderr):
    def fail(photo):
        raise OSError("the lens is gone")

    monkeypatch.setattr("geosleuth.tools.metadata.read_metadata", fail)
    result = run("localize", scene, *form)
    assert result.exit_code == 0
    assert result.stderr.count("The tool metadata failed: OSError") == on_stderr
    assert "the lens is gone" not in result.stderr  # an error's words may be a photo's
    if not form:
        assert result.stdout.count("the lens is gone") == 1


def test_a_cache_that_cannot_be_written_is_explained(tmp_path, scene):
    file = written(tmp_path, "file", b"")
    done = subprocess.run(  # a fresh process: this one has its tables already
        [sys.executable, "-m", "geosleuth.ui.cli", "localize", str(scene)],
        capture_output=True, text=True, check=False, timeout=300,
        env=os.environ | {"GEOSLEUTH_CACHE_DIR": str(file / "cache")},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    wanted, found, remedy = done.stderr.splitlines()
    assert wanted == "Wanted: a cache folder that can be written"
    assert str(file) in found
    assert "GEOSLEUTH_CACHE_DIR" in remedy


def test_a_photo_that_shows_nothing_exits_3(tmp_path):
    from PIL import Image

    path = tmp_path / "grey.png"
    Image.new("RGB", (640, 480), (128, 128, 128)).save(path)
    result = run("localize", path, "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["status"] == "not_locatable"


def test_a_closed_pipe_is_quiet(scene):
    command = f"{sys.executable} -m geosleuth.ui.cli localize {scene} --json | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False, timeout=300)
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr


def test_ctrl_c_says_so_and_exits_130(tmp_path):
    code = (
        "import signal, time; from geosleuth.ui import cli, localize_command\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background jobs inherit it ignored
        "def wait(*a, **k):\n    print('waiting', flush=True); time.sleep(60)\n"
        "localize_command._investigate = wait; cli.main()"
    )
    process = subprocess.Popen([sys.executable, "-c", code, "localize", "x.jpg"], stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline() == "waiting\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "Interrupted.\n")
