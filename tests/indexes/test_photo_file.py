"""Every kind of bad input: each error has three parts."""

from __future__ import annotations

import io
import os
import shutil
import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import load_photo


def saved(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG of 1 bit whose header promises any size; its data is a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


def refused(source: object, *words: str) -> InputError:
    with pytest.raises(InputError) as caught:
        load_photo(source)  # type: ignore[arg-type]
    error = caught.value
    assert error.wanted
    assert error.remedy.endswith(".")
    for word in words:
        assert word in error.found
    return error


def test_missing_folder_and_empty(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.jpg", "no such file", "none.jpg").remedy == "Check the path."
    refused(tmp_path, "a folder")
    (tmp_path / "empty.jpg").touch()
    refused(tmp_path / "empty.jpg", "an empty file")
    refused(b"", "an empty file")
    refused("a\0b.jpg", "cannot be read")
    refused("x" * 5000, "cannot be read")


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://example.org/a.jpg", "a web address, and none is opened: https:/example.org/a.jpg"),
        ("s3://bucket/a.jpg", "a web address, and none is opened: s3:/bucket/a.jpg"),
        ("data:image/png;base64,iVBORw0KGgo=", "an address, and none is opened: data:image/png;base64,iVBORw0KGgo="),
        ("data:,x" + "A" * 5000, "an address, and none is opened: data:,x" + "A" * 193 + "..."),
    ],
)
def test_an_address_is_told_from_a_file_that_is_not_there(address: str, found: str) -> None:
    error = refused(address)
    assert error.found == found
    assert error.remedy == "Save the photo, and give the path of its file."


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("file:///a/b.jpg", "/a/b.jpg"),
        ("FILE:/a/b%20c.jpg", "/a/b c.jpg"),
        ("file:///C:/a/b.jpg", "C:/a/b.jpg"),
        ("file:///a/%1b[2J.jpg", "/a/\\x1b[2J.jpg"),
        ("file:///" + "long/" * 1000 + "b.jpg", "/" + "long/" * 1000 + "b.jpg"),
    ],
)
def test_a_files_address_is_answered_with_the_path_to_give(address: str, path: str) -> None:
    error = refused(address, "an address, and none is opened: ")
    assert error.remedy == f"Give the path itself: {path}, if it is on this machine."


@pytest.mark.parametrize("name", ["c:/b.jpg", "data:b.jpg", "a:b.jpg"])
def test_a_name_with_a_colon_is_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert refused(name).found == f"no such file: {name}"


@pytest.mark.skipif(os.name == "nt", reason="this system has no such names")
def test_a_file_that_is_named_like_an_address_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file:").mkdir()
    Path("file:/b.jpg").write_bytes(saved(Image.new("RGB", (40, 20)), "JPEG"))
    assert load_photo("file:/b.jpg").size == (40, 20)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"Dear reader, this is no picture. " * 50, "text"),
        ("Grüße aus Köln. ".encode() * 100, "text"),
        (b"%PDF-1.7 ...", "a PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript"),
        (b"PK\x03\x04....", "a zip archive"),
        (b"BM\x36\0\0\0", "a BMP image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "a video"),
        (b"\0\0\0\x1cftypavif\0\0\0\0", "an AVIF image"),
        (bytes(range(128, 256)) * 10, "a file of another kind"),
    ],
)
def test_other_files_are_named_whatever_their_extension(tmp_path: Path, content: bytes, kind: str) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    assert "Convert it" in refused(path, kind, "photo.jpg").remedy


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_truncated_files_are_refused(kind: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    content = saved(Image.fromarray(noise), kind)
    remedy = refused(content[: int(len(content) * share)]).remedy
    assert "Copy or export the photo again" in remedy


def test_a_truncated_heic_is_refused() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    pillow_heif.from_pillow(Image.fromarray(noise)).save(buffer)
    for share in (0.02, 0.5):
        refused(buffer.getvalue()[: int(len(buffer.getvalue()) * share)])


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (20_000, 20_000)).save(path)
    error = refused(path, "20000 x 20000 pixels")
    assert "220 megapixels" in error.wanted
    refused(png_header(2_000_000_000, 2_000_000_000), "2000000000 x 2000000000")


def test_an_image_without_width_is_refused() -> None:
    refused(png_header(0, 5), "a PNG with a broken header")


def test_bombs_of_other_formats_are_refused() -> None:
    gif = b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\0\0\0" + b"," + struct.pack("<HHHH", 0, 0, 65535, 65535)
    refused(gif + b"\0\x02\0;", "65535 x 65535 pixels")
    jpeg = bytearray(saved(Image.new("RGB", (40, 20)), "JPEG"))
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = struct.pack(">HH", 65000, 65000)
    refused(bytes(jpeg), "65000 x 65000 pixels")


def test_a_file_of_two_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.tif"
    with path.open("wb") as file:
        file.truncate(2 << 30)  # sparse: takes no disk
    refused(path, "2.0 GiB")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_and_devices_do_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    refused(tmp_path / "pipe.jpg", "a pipe")
    refused("/dev/zero", "a device")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions work otherwise on this system")
def test_an_unreadable_file_is_refused() -> None:
    folder = Path(tempfile.mkdtemp())  # not tmp_path: root's folders may not be entered by the other user below
    path = folder / "secret.jpg"
    path.write_bytes(saved(Image.new("RGB", (40, 20)), "JPEG"))
    path.chmod(0)
    folder.chmod(0o755)
    root = os.geteuid() == 0
    try:
        if root:  # root may read anything: become nobody for this one call
            os.seteuid(65534)
        refused(path, "may not be read")
    finally:
        if root:
            os.seteuid(0)
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((3, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused(array: np.ndarray) -> None:
    error = refused(array, f"shape {array.shape}")
    assert error.wanted == "an array of shape (h, w, 3) and type uint8"


def test_other_objects_are_refused() -> None:
    refused(42, "an object of type int")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF"])
def test_flipped_bytes_end_in_a_photo_or_an_input_error(kind: str) -> None:
    rng = np.random.default_rng(0)
    whole = saved(Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)), kind)
    refusals = 0
    for _ in range(200):
        content = bytearray(whole)
        for at in rng.integers(0, min(len(content), 400), 6):  # the header is where decoders stumble
            content[at] = rng.integers(0, 256)
        try:
            assert load_photo(bytes(content)).pixels.dtype == np.uint8
        except InputError:
            refusals += 1
    assert refusals > 20


def test_names_are_printable_whatever_the_file_is_called() -> None:
    from geosleuth.indexes.photo_file import file_name

    assert file_name("folder/a\x1b[31m.jpg") == "a\\x1b[31m.jpg"
    assert file_name(b"bad\xff.jpg".decode("utf-8", "surrogateescape")) == "bad\\xff.jpg"
    assert file_name("фото 1.jpg") == "фото 1.jpg"
