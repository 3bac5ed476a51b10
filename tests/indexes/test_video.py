import hashlib

import cv2
import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.video import frames, is_video

FPS, SIZE = 10, (160, 120)


def scene(i, *, sharp=True):
    """A texture of its own for each second of the video, drawn sharp or blurred."""
    pixels = np.random.default_rng(i // FPS).integers(0, 255, (15, 20, 3), np.uint8)
    pixels = cv2.resize(pixels, SIZE, interpolation=cv2.INTER_NEAREST)
    return pixels if sharp else cv2.GaussianBlur(pixels, (15, 15), 0)


def film(path, pictures):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), FPS, SIZE)
    for picture in pictures:
        writer.write(picture)
    writer.release()
    return path


def test_takes_the_sharpest_frame_of_each_part(tmp_path):
    # Four seconds; in each, one frame is sharp. Parts of one second are looked at whole.
    sharp = {3, 17, 24, 36}
    path = film(tmp_path / "clip.mp4", [scene(i, sharp=i in sharp) for i in range(40)])
    found = frames(path, 4)
    assert [photo.name for photo in found] == [f"clip.mp4 at {at} s" for at in (0.3, 1.7, 2.4, 3.6)]
    for photo, i in zip(found, sorted(sharp), strict=True):
        assert photo.size == SIZE
        assert np.abs(photo.pixels[:, :, ::-1].astype(int) - scene(i)).mean() < 12  # RGB, and the right second


def test_notes_and_hashes_say_where_a_frame_is_from(tmp_path):
    path = film(tmp_path / "clip.mp4", [scene(i) for i in range(20)])
    photo = frames(path, 2)[1]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    seconds = photo.name.removeprefix("clip.mp4 at ")
    assert 1.0 <= float(seconds.removesuffix(" s")) < 2.0
    assert photo.notes == (f"frame at {seconds} of the video clip.mp4, SHA-256 {digest}",)
    assert photo.sha256 == hashlib.sha256(photo.pixels.tobytes()).hexdigest()
    assert photo.format == "memory"


def test_frames_of_one_view_count_once(tmp_path):
    path = film(tmp_path / "still.mp4", [scene(0) for _ in range(30)] + [scene(30) for _ in range(10)])
    found = frames(path, 4)
    assert len(found) == 2
    assert "left out, since they show the same view: frames at 1." in found[0].notes[-1]
    assert len(found[1].notes) == 1


def test_bytes_are_as_good_as_a_file_and_leave_nothing_behind(tmp_path, monkeypatch):
    path = film(tmp_path / "clip.mp4", [scene(i) for i in range(20)])
    left = tmp_path / "temporary"
    left.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(left))
    found = frames(path.read_bytes(), 2, name="upload.mp4")
    assert [photo.name[:15] for photo in found] == ["upload.mp4 at 0", "upload.mp4 at 1"]
    assert [photo.sha256 for photo in found] == [photo.sha256 for photo in frames(path, 2)]
    assert list(left.iterdir()) == []


def test_a_long_video_is_sought_through_and_not_decoded(tmp_path, monkeypatch):
    path = film(tmp_path / "long.mp4", [scene(i) for i in range(600)])
    asked = []

    class Counted:
        def __init__(self, *args):
            self.video = cv2_capture(*args)

        def __getattr__(self, name):
            return getattr(self.video, name)

        def grab(self):
            asked.append(1)
            return self.video.grab()

    cv2_capture = cv2.VideoCapture
    monkeypatch.setattr(cv2, "VideoCapture", Counted)
    assert len(frames(path, 6)) == 6
    assert len(asked) == 60  # a second of each of six parts of ten seconds


def test_a_video_that_does_not_say_how_long_it_is(tmp_path, monkeypatch):
    path = film(tmp_path / "stream.mp4", [scene(i) for i in range(30)])

    class Silent:
        def __init__(self, *args):
            self.video = cv2_capture(*args)

        def __getattr__(self, name):
            return getattr(self.video, name)

        def get(self, what):
            return -1.0 if what == cv2.CAP_PROP_FRAME_COUNT else self.video.get(what)

    cv2_capture = cv2.VideoCapture
    monkeypatch.setattr(cv2, "VideoCapture", Silent)
    assert [photo.name[:16] for photo in frames(path, 3)] == [f"stream.mp4 at {i}." for i in range(3)]


def test_short_videos_give_as_many_frames_as_they_have(tmp_path):
    path = film(tmp_path / "two.mp4", [scene(0), scene(10)])
    assert len(frames(path, 6)) == 2


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("list.m3u8", b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n", "another kind"),
        ("list.mp4", b"ffconcat version 1.0\nfile /etc/hostname\n", "another kind"),
        ("photo.mp4", b"\xff\xd8\xff\xe0" + bytes(2000), "another kind"),
        ("empty.mp4", b"", "an empty file"),
        ("cut.mp4", b"\x00\x00\x00\x18ftypisom" + bytes(2000), "cannot be opened"),
    ],
)
def test_what_is_no_video_is_refused_in_words(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        frames(path)
    if content:
        with pytest.raises(InputError, match=words):
            frames(content, name=name)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("https://127.0.0.1:9/clip.mp4", "a web address: clip.mp4"),
        ("rtsp://127.0.0.1/stream", "a web address"),
        ("missing.mp4", "no such file"),
    ],
)
def test_only_files_are_opened(source, words):
    with pytest.raises(InputError, match=words):
        frames(source)


def test_a_folder_and_a_silly_count(tmp_path):
    with pytest.raises(InputError, match="a folder"):
        frames(tmp_path)
    with pytest.raises(InputError, match="1 to 60 frames; found 0"):
        frames(tmp_path, 0)


def test_a_video_that_breaks_off_gives_what_it_has(tmp_path):
    path = film(tmp_path / "clip.avi", [scene(i) for i in range(40)])
    content = path.read_bytes()
    found = frames(content[: len(content) // 2], 4, name="half.avi")
    assert 1 <= len(found) <= 4
    assert found[0].name.startswith("half.avi at 0.")


def test_videos_by_their_suffix():
    assert is_video("CLIP.MP4")
    assert is_video("a.webm")
    assert not is_video("a.jpg")
    assert not is_video("mp4")


def test_paths_that_no_file_can_have_are_refused(tmp_path):
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    (tmp_path / "empty.mp4").touch()
    for path, words in (
        (tmp_path / ("x" * 5000 + ".mp4"), "cannot be read"),
        (tmp_path / "loop.mp4", "no such file"),
        (tmp_path / "empty.mp4", "an empty file"),
        ("a\0b.mp4", "no such file"),
    ):
        with pytest.raises(InputError) as caught:
            frames(path)
        assert words in caught.value.found
        assert str(caught.value).isprintable()


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.9])
def test_a_cut_or_changed_video_ends_in_frames_or_a_refusal(tmp_path, share):
    content = film(tmp_path / "clip.mp4", [scene(i) for i in range(20)]).read_bytes()
    rng = np.random.default_rng(3)
    changed = bytearray(content)
    for at in rng.integers(int(len(content) * (1 - share)), len(content), 40):
        changed[at] = rng.integers(0, 256)
    for broken in (content[: int(len(content) * share)], bytes(changed)):
        try:
            found = frames(broken, 2)
        except InputError as error:
            found, remedy = [], error.remedy
        else:
            remedy = ""
        assert 1 <= len(found) <= 2 or remedy == "Copy or export it again, as MP4 with H.264."


def test_what_the_decoder_raises_is_told_in_our_words(tmp_path, monkeypatch):
    path = film(tmp_path / "clip.mp4", [scene(i) for i in range(10)])

    def broken(*_):
        raise cv2.error("matrix.cpp:1234: error: (-215:Assertion failed)")

    monkeypatch.setattr(cv2, "Laplacian", broken)
    with pytest.raises(InputError, match=r"one whose frames cannot be decoded: clip\.mp4"):
        frames(path)
