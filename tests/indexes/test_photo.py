"""Every kind of good input; test_photo_file.py has the bad ones."""

from __future__ import annotations

import hashlib
import io
import pickle
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import MAX_SIDE_PX, load_photo, open_photo

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def quarters(width: int = 40, height: int = 20) -> Image.Image:
    """Red, green / blue, white: each orientation and mirroring of it is different."""
    image = Image.new("RGB", (width, height))
    half_w, half_h = width // 2, height // 2
    for box, colour in (((0, 0), RED), ((half_w, 0), GREEN), ((0, half_h), BLUE), ((half_w, half_h), WHITE)):
        image.paste(colour, (*box, box[0] + half_w, box[1] + half_h))
    return image


def near(pixel: np.ndarray, colour: tuple[int, int, int], tolerance: int = 40) -> bool:
    return bool(np.abs(pixel.astype(int) - colour).max() <= tolerance)


def png_header(width: int, height: int) -> bytes:
    """A PNG of 1 bit whose header promises any size; its data is a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


# Good inputs.


def test_a_jpeg_from_a_path_keeps_name_hash_and_size(tmp_path: Path) -> None:
    content = saved(quarters(), "JPEG", quality=95)
    path = tmp_path / "street.jpg"
    path.write_bytes(content)
    photo = load_photo(path)
    assert (photo.name, photo.format, photo.size) == ("street.jpg", "JPEG", (40, 20))
    assert photo.sha256 == hashlib.sha256(content).hexdigest()
    assert photo.pixels.shape == (20, 40, 3)
    assert photo.pixels.dtype == np.uint8
    assert near(photo.pixels[4, 4], RED)
    assert load_photo(str(path)).sha256 == load_photo(content).sha256 == photo.sha256


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_lossless_formats_are_exact(kind: str) -> None:
    photo = load_photo(saved(quarters(), kind, **({"lossless": True} if kind == "WEBP" else {})))
    assert (photo.pixels == np.asarray(quarters())).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_orientation_comes_out_upright(kind: str, orientation: int) -> None:
    # Stored = what a camera held that way writes: the inverse of what a viewer must do.
    inverse = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # PIL's Transpose values; 6 and 8 undo each other
    stored = quarters() if orientation == 1 else quarters().transpose(Image.Transpose(inverse[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = load_photo(saved(stored, kind, exif=exif))
    assert photo.size == photo.original_size == (40, 20)
    corners = [photo.pixels[4, 4], photo.pixels[4, 36], photo.pixels[16, 4], photo.pixels[16, 36]]
    assert all(near(pixel, colour) for pixel, colour in zip(corners, (RED, GREEN, BLUE, WHITE), strict=True))


def test_heic_is_not_turned_twice() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    stored = quarters(80, 40).transpose(Image.Transpose.ROTATE_90)  # 40 x 80, to be turned clockwise
    pillow_heif.from_pillow(stored).save(buffer, exif=exif.tobytes(), quality=90)
    photo = load_photo(buffer.getvalue())
    assert (photo.format, photo.size) == ("HEIC", (80, 40))
    assert near(photo.pixels[8, 8], RED)
    assert near(photo.pixels[8, 72], GREEN)
    assert photo.pixels.shape == (40, 80, 3)


def test_adobes_inverted_cmyk_comes_out_right() -> None:
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # no cyan, all magenta and yellow: red
    content = saved(image, "JPEG", quality=95)
    assert b"Adobe" in content  # the marker that says "inverted"
    photo = load_photo(content)
    assert near(photo.pixels[8, 8], RED, 12)
    assert "CMYK converted without a colour profile" in photo.notes


def test_ycck_is_cmyk_in_other_words() -> None:
    content = bytearray(saved(Image.new("CMYK", (16, 16), (0, 0, 0, 0)), "JPEG", quality=100))
    at = content.index(b"Adobe") + 11  # APP14: "Adobe", version, two flags, then the transform
    assert content[at] in (0, 2)
    # Now the stored 255, 255, 255, 255 are Y, Cb, Cr, K. By BT.601, R = 255 + 1.402 * 127 -> 255,
    # G = 255 - (0.344 + 0.714) * 127 = 121, B -> 255; libjpeg's C, M, Y are 255 - R, G, B = 0, 134, 0; Adobe's
    # inversion makes the inks 255, 121, 255 and no black: green of 255 - 121.
    content[at] = 2
    assert near(load_photo(bytes(content)).pixels[8, 8], (0, 134, 0), 2)


def test_16_bit_grey_keeps_black_and_white() -> None:
    values = np.array([[0, 257 * 100, 65535]], dtype=np.uint16)
    photo = load_photo(saved(Image.fromarray(values), "PNG"))
    assert photo.pixels[0, :, 0].tolist() == [0, 100, 255]
    assert photo.notes == ("16-bit reduced to 8",)


def test_float_tiff_in_the_unit_interval() -> None:
    values = np.array([[0.0, 0.2, 1.0, np.nan]], dtype=np.float32)
    photo = load_photo(saved(Image.fromarray(values), "TIFF"))
    assert photo.pixels[0, :, 0].tolist() == [0, 51, 255, 0]
    assert photo.notes == ("floating-point values brought to 8 bits",)


def test_float_tiff_of_another_range_is_stretched() -> None:
    values = np.array([[-10.0, 0.0, 10.0]], dtype=np.float32)
    assert load_photo(saved(Image.fromarray(values), "TIFF")).pixels[0, :, 0].tolist() == [0, 128, 255]


def test_transparency_is_laid_onto_white() -> None:
    rgba = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    rgba.putpixel((1, 0), (0, 0, 0, 255))
    palette = Image.new("P", (2, 1), 0)
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.putpixel((1, 0), 1)
    assert load_photo(saved(rgba, "PNG")).pixels[0].tolist() == [[255, 255, 255], [0, 0, 0]]
    got = load_photo(saved(palette, "PNG", transparency=0))
    assert got.pixels[0].tolist() == [[255, 255, 255], [0, 0, 255]]
    assert got.notes == ("transparent parts laid onto white",)
    assert load_photo(saved(palette, "PNG")).pixels[0].tolist() == [[255, 0, 0], [0, 0, 255]]


@pytest.mark.parametrize(
    ("kind", "word"), [("GIF", "frames"), ("WEBP", "frames"), ("TIFF", "pages"), ("PNG", "frames")]
)
def test_of_many_frames_the_first_is_taken_and_said(kind: str, word: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN, BLUE)]
    options = {"lossless": True} if kind == "WEBP" else {}
    photo = load_photo(saved(frames[0], kind, save_all=True, append_images=frames[1:], **options))
    assert near(photo.pixels[4, 4], RED, 4)
    assert photo.notes == (f"first of 3 {word}",)


def test_of_a_jpeg_with_depth_or_gain_maps_the_photo_is_taken() -> None:
    photo = load_photo(saved(quarters(), "MPO", save_all=True, append_images=[Image.new("RGB", (8, 8))]))
    assert (photo.format, photo.size, photo.notes) == ("JPEG", (40, 20), ())
    assert near(photo.pixels[4, 4], RED)


def test_a_large_jpeg_is_reduced_to_the_working_size() -> None:
    photo = load_photo(saved(quarters(8192, 4096), "JPEG", quality=80))
    assert photo.original_size == (8192, 4096)
    assert photo.size == (MAX_SIDE_PX, 2048)
    assert photo.pixels.shape == (2048, MAX_SIDE_PX, 3)
    assert near(photo.pixels[2000, 4000], WHITE)
    assert photo.notes == ("reduced from 8192 x 4096 to 4096 x 2048 pixels",)


def test_a_200_megapixel_header_is_accepted_without_warnings() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        photo = open_photo(png_header(16320, 12240))  # what a phone's 200-MP sensor writes
    assert photo.size == (4096, 3072)


def test_pixels_are_decoded_once_and_shared_read_only() -> None:
    photo = open_photo(saved(quarters(), "PNG"))
    assert photo.pixels is photo.pixels
    with pytest.raises(ValueError, match="read-only"):
        photo.pixels[0, 0] = 0


@pytest.mark.parametrize(
    ("size", "side_px", "shape"),
    [
        ((1600, 800), 100, (100, 200, 3)),  # an eighth: the shorter side stays at 100
        ((1600, 800), 101, (200, 400, 3)),
        ((1600, 800), 900, (800, 1600, 3)),  # never enlarged
        ((10000, 900), 400, (369, 4096, 3)),  # half of it is above the working size: 900 * 4096 / 10000
    ],
)
def test_a_jpeg_is_decoded_at_a_reduced_size(size: tuple[int, int], side_px: int, shape: tuple[int, int, int]) -> None:
    photo = open_photo(saved(quarters(*size), "JPEG", quality=95))
    small = photo.pixels_at(side_px)
    assert small.shape == shape
    corners = (small[4, 4], small[4, -5], small[-5, 4], small[-5, -5])
    assert all(near(pixel, colour) for pixel, colour in zip(corners, (RED, GREEN, BLUE, WHITE), strict=True))


def test_a_reduced_photo_is_upright_and_a_png_comes_whole() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # stored with its top at the right: the lower left corner is the upper left one
    turned = open_photo(saved(quarters(1600, 800), "JPEG", quality=95, exif=exif)).pixels_at(100)
    assert turned.shape == (200, 100, 3)
    assert near(turned[4, 4], BLUE)
    png = open_photo(saved(quarters(1600, 800), "PNG"))
    assert png.pixels_at(100) is png.pixels


def test_a_truncated_photo_is_refused_at_a_reduced_size_too() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (400, 600, 3), dtype=np.uint8)
    content = saved(Image.fromarray(noise), "JPEG")
    with pytest.raises(InputError, match="cannot be decoded"):
        open_photo(content[: len(content) // 2]).pixels_at(50)


def test_a_photo_travels_to_a_worker_process() -> None:
    photo = load_photo(saved(quarters(), "PNG"), name="a.png")
    again = pickle.loads(pickle.dumps(photo))  # noqa: S301 - our own bytes
    assert (again.name, again.sha256) == ("a.png", photo.sha256)
    assert (again.pixels == photo.pixels).all()


def test_pil_images_and_arrays_give_the_same_photo() -> None:
    image = quarters()
    from_image, from_array = load_photo(image), load_photo(np.asarray(image), name="mine")
    assert from_image.sha256 == from_array.sha256
    assert (from_array.name, from_array.format) == ("mine", "memory")
    assert (from_array.pixels == np.asarray(image)).all()


def test_a_pil_image_is_turned_upright_and_left_as_it_was() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.open(io.BytesIO(saved(quarters(5000, 20), "JPEG", exif=exif)))
    photo = load_photo(image)
    assert photo.original_size == (20, 5000)
    assert photo.pixels.shape == (4096, 16, 3)
    assert image.size == (5000, 20)
    assert photo.exif is not None


def test_content_credentials_are_noticed() -> None:
    box = b"jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x008\x9bq\x03c2pa\x00"
    plain = saved(quarters(), "JPEG")
    segment = b"\xff\xeb" + struct.pack(">H", 2 + len(box)) + box  # APP11
    assert load_photo(plain[:2] + segment + plain[2:]).has_content_credentials
    assert not load_photo(plain).has_content_credentials


def test_a_truncated_photo_still_shows_its_metadata() -> None:
    exif = Image.Exif()
    exif[0x0110] = "Camera"
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    content = saved(Image.fromarray(noise), "JPEG", exif=exif)
    photo = open_photo(content[: len(content) // 2])
    assert photo.exif is not None
    assert b"Camera" in photo.exif
    with pytest.raises(InputError, match="cannot be decoded"):
        _ = photo.pixels


def test_a_damaged_exif_block_does_not_stop_the_picture() -> None:
    plain = saved(quarters(), "JPEG")
    body = b"Exif\0\0II*\0\xff\xff\xff\x7f" + b"\xff" * 40
    content = plain[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(body)) + body + plain[2:]
    assert near(load_photo(content).pixels[4, 4], RED)


@pytest.mark.parametrize("place", ["before", "behind"])
def test_exif_of_a_png_is_found_on_either_side_of_its_pixels(place):
    exif = Image.Exif()
    exif[0x112] = 6  # to be turned by a quarter
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(buffer, "PNG", exif=exif)
    content = buffer.getvalue()
    if place == "behind":
        start = content.index(b"eXIf") - 4
        end = start + 12 + int.from_bytes(content[start : start + 4], "big")
        last = content.index(b"IEND") - 4
        content = content[:start] + content[end:last] + content[start:end] + content[last:]
    assert open_photo(content).size == (40, 60)


def test_a_png_without_metadata_is_opened_without_decoding_it(monkeypatch):
    """Pillow decodes a whole PNG to look for EXIF behind the pixels: each tile of a gallery would be decoded twice."""
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(buffer, "PNG")
    decoded = []
    load = ImageFile.ImageFile.load
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: decoded.append(image) or load(image))
    photo = open_photo(buffer.getvalue())
    assert decoded == []
    assert photo.pixels_at(64).shape == (40, 60, 3)
