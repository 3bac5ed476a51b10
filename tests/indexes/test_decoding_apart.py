"""Decoding in processes of their own: the same pictures, and a photo that harms its decoder costs itself alone."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes import decoder, decoder_process
from geosleuth.indexes import photo as photos
from geosleuth.indexes import video as videos
from geosleuth.indexes.decoder_faults import DecoderFault, NoDecoder
from geosleuth.indexes.decoding_apart import Decoders, decoding_apart
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import load_photo, open_photo
from geosleuth.indexes.photo_edit import Edit, edited
from geosleuth.indexes.video import frames

HERE = Path(__file__).parent
linux = pytest.mark.skipif(sys.platform != "linux", reason="the limit on memory and /proc are Linux's")


def picture(form: str, size=(60, 40), mode="RGB", **how) -> bytes:
    noise = np.random.default_rng(size[0]).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).convert(mode).save(file, form, **how)
    return file.getvalue()


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: a quarter clockwise
    return exif


@pytest.fixture(scope="module")
def apart():
    """Real decoders."""
    with decoding_apart(2) as decoders:
        yield decoders


@pytest.fixture
def bad(tmp_path, monkeypatch):
    """Decoders that photos harm by their names; the file in which they note what they begin with."""
    monkeypatch.setenv("BEGUN", str(tmp_path / "begun"))
    monkeypatch.setattr(decoder_process, "_PROGRAM", (str(HERE / "bad_decoder.py"),))
    with decoding_apart(1) as decoders:
        yield decoders, tmp_path / "begun"


def test_every_format_comes_out_as_it_does_in_this_process(apart, monkeypatch):
    files = {
        "turned.jpg": picture("JPEG", exif=turned(), xmp=b"<x:xmpmeta>jumdc2pa</x:xmpmeta>"),
        "large.png": picture("PNG", (5000, 3), "LA"),
        "a.webp": picture("WEBP"),
        "a.tif": picture("TIFF", mode="CMYK"),
        "a.gif": picture("GIF", mode="P"),
    }
    there = {name: load_photo(content, name=name) for name, content in files.items()}
    small = {name: photo.pixels_at(12) for name, photo in there.items()}
    monkeypatch.setattr(photos, "read_apart", None)
    for name, photo in there.items():
        here = load_photo(files[name], name=name)
        assert [getattr(photo, one.name) for one in fields(here) if one.name[0] != "_"] == [
            getattr(here, one.name) for one in fields(here) if one.name[0] != "_"
        ]
        assert np.array_equal(photo.pixels, here.pixels)
        assert np.array_equal(small[name], here.pixels_at(12))
        assert not photo.pixels.flags.writeable
    assert there["turned.jpg"].size == (40, 60)
    assert there["large.png"].original_size == (5000, 3)
    assert there["large.png"].size == (4096, 2)


def test_nothing_is_opened_or_decoded_in_this_process(apart, tmp_path, monkeypatch):
    def never(*_):
        raise AssertionError("a decoder of this process")

    path = tmp_path / "street\udcff.jpg"
    path.write_bytes(picture("JPEG"))
    monkeypatch.setattr(photos, "open_image", never)
    photo = edited(load_photo(path), Edit(crop=(0, 0, 0.6, 1)))
    assert photo.pixels.shape == (40, 36, 3)
    assert photo.pixels_at(32).shape[2] == 3
    path.write_bytes(b"\xff\xd8\xff" * 33)
    with pytest.raises(InputError, match=r"found a JPEG with a broken header .*street\\xff\.jpg"):
        open_photo(path)


def test_what_is_wrong_with_a_file_is_told_in_the_same_words(apart, monkeypatch):
    files = [picture("JPEG")[:700], picture("PNG")[:99], b"%PDF-1.4", b""]
    told = [refusal(content) for content in files]
    monkeypatch.setattr(photos, "read_apart", None)
    assert [refusal(content) for content in files] == told
    assert len({parts[1] for parts in told}) == 4


def refusal(content: bytes) -> tuple[str, str, str]:
    with pytest.raises(InputError) as told:
        load_photo(content, name="x.jpg")
    return told.value.wanted, told.value.found, told.value.remedy


def test_a_video_gives_the_same_frames(apart, tmp_path, monkeypatch):
    path = tmp_path / "clip\udcff.mp4"
    drawn = tmp_path / "drawn.mp4"
    video = cv2.VideoWriter(str(drawn), cv2.VideoWriter.fourcc(*"mp4v"), 10, (64, 48))
    for shade in range(0, 240, 20):
        video.write(np.full((48, 64, 3), shade, np.uint8))
    video.release()
    path.write_bytes(drawn.read_bytes())
    there = [*frames(drawn.read_bytes(), 3, name="clip"), *frames(drawn, 2)]
    monkeypatch.setattr(videos, "frames_apart", None)
    here = [*frames(drawn.read_bytes(), 3, name="clip"), *frames(drawn, 2)]
    assert len(here) == 5
    for a, b in zip(there, here, strict=True):
        assert (a.name, a.sha256, a.notes, a.size, a.original_size) == (
            b.name,
            b.sha256,
            b.notes,
            b.size,
            b.original_size,
        )
    with pytest.raises(InputError, match=r"found a file of another kind: song\.mp4"):
        frames(b"ID3 no video at all", name="song.mp4")


def test_threads_get_each_its_own_picture(apart):
    files = [picture("PNG", (50 + i, 40)) for i in range(8)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(load_photo, files * 2))
    assert [photo.size for photo in found] == [(50 + i, 40) for i in range(8)] * 2
    assert all(
        np.array_equal(photo.pixels, np.asarray(Image.open(io.BytesIO(one))))
        for photo, one in zip(found, files * 2, strict=True)
    )
    assert 1 <= len(apart.pids) <= 2


@linux
def test_a_photo_that_kills_its_decoder_is_refused_and_the_next_is_decoded(bad):
    decoders, begun = bad
    content = picture("JPEG")
    assert load_photo(content).size == (60, 40)
    (first,) = decoders.pids
    found = "one that the decoder died of 2 times, signal 9: kills.jpg. Free memory and try again"
    with pytest.raises(DecoderFault, match=f"found {found}"):
        load_photo(content, name="kills.jpg")
    with pytest.raises(DecoderFault, match=r"died of 2 times, signal 11: kills by fault. Export .* to do harm"):
        load_photo(content, name="kills by fault")
    assert load_photo(content, name="once.jpg").size == (60, 40)  # killed by chance: tried once more
    assert [line.split()[0] for line in begun.read_text().splitlines()].count("kills.jpg") == 2
    assert first not in decoders.pids
    assert not Path(f"/proc/{first}").exists()  # buried, no zombie


def test_a_decoder_that_died_while_it_was_idle_costs_nothing(bad):
    decoders, _ = bad
    decoders.warm_up()
    os.kill(decoders.pids[0], signal.SIGKILL)
    assert load_photo(picture("JPEG")).size == (60, 40)
    decoders._all[0]._process.kill()
    decoders._all[0]._process.wait()
    assert load_photo(picture("JPEG"), name="once.jpg").size == (60, 40)  # whose one death is the first of its own


def test_decoders_that_end_before_they_begin_accuse_no_photo(monkeypatch):
    monkeypatch.setattr(decoder_process, "_PROGRAM", ("-c", "raise SystemExit(7)"))
    with decoding_apart(1), pytest.raises(NoDecoder) as told:
        load_photo(picture("JPEG"), name="good.jpg")
    assert told.value.found == "one that ended before it began, exit code 7"
    assert "good.jpg" not in str(told.value)
    monkeypatch.setattr(decoder_process, "_PROGRAM", ("-c", "print('Welcome')"))
    with decoding_apart(1), pytest.raises(NoDecoder, match="before it began, an answer that no decoder gives"):
        load_photo(picture("JPEG"))
    monkeypatch.undo()
    monkeypatch.setattr(decoder_process.subprocess, "Popen", BareInterpreter)
    with (
        decoding_apart(1),
        pytest.raises(NoDecoder, match=r"Run `python -P -m geosleuth\.indexes\.decoder </dev/null`"),
    ):
        load_photo(picture("JPEG"))


class BareInterpreter(subprocess.Popen):
    """One that geosleuth is not installed for."""

    def __init__(self, command, **how):
        super().__init__([command[0], "-S", *command[1:]], **how)


def test_a_photo_that_takes_too_long_is_refused_and_not_tried_again(bad, monkeypatch):
    decoders, begun = bad
    photo = load_photo(picture("JPEG"))
    (first,) = decoders.pids

    class Watch(threading.Timer):
        """Starts when the photo has been begun with, however slow the machine is."""

        def run(self):
            wait_for(lambda: "hangs" in begun.read_text())
            super().run()

    found = "one that takes longer: hangs.jpg. Try again when this machine is less busy"
    with monkeypatch.context() as watched:
        watched.setattr(decoder, "MAX_SECONDS", 0.3)
        watched.setattr(decoder_process.threading, "Timer", Watch)
        with pytest.raises(DecoderFault, match=f"Wanted a photo or video that is decoded within 0.3 s; found {found}"):
            load_photo(picture("JPEG"), name="hangs.jpg")
    assert begun.read_text().count("hangs") == 1
    assert first not in decoders.pids
    assert photo.pixels_at(12).shape == (20, 30, 3)


def test_a_decoder_whose_server_has_died_ends_a_photo_that_hangs(tmp_path):
    environment = os.environ | {"BEGUN": str(tmp_path / "begun"), "MOST_SECONDS": "1"}
    process = subprocess.Popen(
        [sys.executable, HERE / "bad_decoder.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
    with process:
        process.stdin.write(b'{"do": "open", "name": "hangs", "bytes": 0}\n')
        process.stdin.flush()
        assert process.stdout.read() == decoder.READY
    assert process.returncode == -signal.SIGALRM


@linux
def test_a_photo_that_takes_too_much_memory_is_refused(bad, monkeypatch):
    monkeypatch.setenv("MOST_BYTES", str(256 << 20))
    file = io.BytesIO()
    Image.new("1", (9000, 9000)).save(file, "PNG")  # 81 MP: as RGB it takes 324 MB
    found = "one that takes more: bomb.png. Export a smaller copy"
    with pytest.raises(
        DecoderFault, match=f"Wanted a photo or video that is decoded in .* GiB of memory; found {found}"
    ):
        load_photo(file.getvalue(), name="bomb.png")
    assert load_photo(picture("JPEG")).size == (60, 40)


@linux
def test_where_no_limit_on_memory_holds_a_decoder_watches_itself():
    code = (
        "import threading, time\nfrom geosleuth.indexes import decoder\n"
        "decoder.MAX_BYTES = 90 << 20\nthreading.Thread(target=decoder.watch_memory).start()\n"
        "taken = [bytearray(b'x' * (1 << 20)) for _ in range(100)]\ntime.sleep(600)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == decoder.OUT_OF_MEMORY


@linux
def test_a_decoder_is_held_to_its_limits_and_is_the_first_to_go_where_memory_is_short(apart):
    load_photo(picture("JPEG"))
    pid = apart.pids[0]
    limits = {line[:26].strip(): line[26:].split() for line in Path(f"/proc/{pid}/limits").read_text().splitlines()}
    assert int(limits["Max address space"][0]) == decoder.most_bytes() <= decoder.MAX_BYTES
    assert limits["Max core file size"][0] == "0"
    assert Path(f"/proc/{pid}/oom_score_adj").read_text() == "1000\n"


@pytest.mark.parametrize("name", ["liar", "large liar"])
def test_a_decoder_that_a_photo_took_over_is_not_believed(bad, name):
    with pytest.raises(InputError, match=f"died of 2 times, an answer that no decoder gives: {name}"):
        load_photo(picture("JPEG"), name=name)


def test_half_an_answer_is_none(bad):
    with pytest.raises(InputError, match="died of 2 times, exit code 0: short"):
        load_photo(picture("JPEG"), name="short")


def test_decoders_that_cannot_start_are_told_in_words(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(NoDecoder, match=r"Wanted a process that decodes photos; found none \(No such file"):
        Decoders(1).open(picture("JPEG"), "a.jpg")


@linux
def test_closed_decoders_leave_no_process_and_start_again_for_a_photo_that_is_still_held():
    before = photos.read_apart
    with decoding_apart(1) as decoders:
        photo = open_photo(picture("JPEG"))
        (pid,) = decoders.pids
    assert decoders.pids == []
    assert not Path(f"/proc/{pid}").exists()
    assert photo.pixels.shape == (40, 60, 3)
    decoders.close()
    assert photos.read_apart == before  # this process decodes again


@linux
def test_ctrl_c_leaves_the_next_photo_its_own_answer_and_no_process_outlives_its_server(tmp_path):
    (tmp_path / "a.png").write_bytes(picture("PNG"))
    begun = tmp_path / "begun"
    command = [sys.executable, HERE / "decode_forever.py", HERE / "bad_decoder.py", tmp_path / "a.png"]
    environment = os.environ | {"BEGUN": str(begun), "MOST_SECONDS": "2"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, process_group=0
    ) as server:

        def ask(name):
            server.stdin.write(name + "\n")
            server.stdin.flush()

        ask("good")
        assert server.stdout.readline() == "(60, 40)\n"
        ask("hangs")
        wait_for(lambda: "hangs" in begun.read_text())
        os.killpg(server.pid, signal.SIGINT)  # as a terminal sends it: to the whole group
        assert server.stdout.readline() == "interrupted\n"
        ask("again")
        assert server.stdout.readline() == "(60, 40)\n"
        ask("hangs once more")
        wait_for(lambda: "more" in begun.read_text())
        server.kill()
    pids = {line.split()[-1] for line in begun.read_text().splitlines()}
    assert len(pids) == 2  # the first one was ended, its half answer with it
    wait_for(lambda: not any(map(alive, pids)))


def alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_for(state) -> None:
    limit = time.monotonic() + 600  # of a starved machine
    while not state():
        assert time.monotonic() < limit
        time.sleep(0.02)
