"""Structures that no camera writes: told by walking the file, before a decoder sees it."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import load_photo, open_photo
from geosleuth.indexes.photo_file import check_pixels
from geosleuth.indexes.photo_structure import (
    MOST_BLOCKS,
    MOST_CHUNKS,
    MOST_FRAMES,
    MOST_SCANNED_MP,
    MOST_SCANNED_MP_ARITHMETIC,
    frame_count,
    png_chunks,
    structure_fault,
)


def saved(kind, image=None, **options):
    file = io.BytesIO()
    (image or Image.new("L", (16, 16), 99)).save(file, kind, **options)
    return file.getvalue()


def segments(count):
    plain = saved("JPEG")
    return plain[:2] + b"\xff\xe5\0\2" * count + plain[2:]


def test_blocks_of_a_jpeg_are_counted():
    own = 5  # JFIF, a quantisation table, the frame's header, two Huffman tables
    assert structure_fault(segments(MOST_BLOCKS - own), "JPEG") is None
    assert structure_fault(segments(MOST_BLOCKS - own + 1), "JPEG") == f"a JPEG of more than {MOST_BLOCKS} blocks"
    assert load_photo(segments(MOST_BLOCKS - own)).size == (16, 16)
    with pytest.raises(InputError, match="no camera writes such a file"):
        open_photo(segments(MOST_BLOCKS))


def test_scans_of_a_jpeg_are_counted_by_the_pixels_that_each_passes_over():
    large = saved("JPEG", Image.new("L", (4000, 1000)), progressive=True)
    own = large.count(b"\xff\xda")
    last = large[large.rindex(b"\xff\xda") : -2]
    allowed = MOST_SCANNED_MP // 4 - own  # of 4 MP each

    def repeated(count):
        return large[:-2] + last * count + large[-2:]

    assert structure_fault(repeated(allowed), "JPEG") is None
    fault = f"a JPEG of {MOST_SCANNED_MP // 4 + 1} scans or more over 4 megapixels"
    assert structure_fault(repeated(allowed + 1), "JPEG") == fault


def test_the_largest_photo_may_have_as_many_scans_as_optimisers_write():
    content = bytearray(saved("JPEG", progressive=True))
    own = content.count(b"\xff\xda")
    last = content[content.rindex(b"\xff\xda") : -2]
    at = content.index(b"\xff\xc2")
    content[at + 5 : at + 9] = struct.pack(">HH", 13_750, 16_000)  # 220 MP
    assert structure_fault(bytes(content[:-2] + last * (64 - own) + content[-2:]), "JPEG") is None
    fault = structure_fault(bytes(content[:-2] + last * (65 - own) + content[-2:]), "JPEG")
    assert fault == "a JPEG of 65 scans or more over 220 megapixels"


def test_scans_of_arithmetic_coding_are_costlier_and_fewer():
    content = saved("JPEG", progressive=True)
    own = content.count(b"\xff\xda")
    last = content[content.rindex(b"\xff\xda") : -2]
    many = content[:-2] + last * (MOST_SCANNED_MP_ARITHMETIC - own + 1) + content[-2:]
    assert structure_fault(many, "JPEG") is None
    coded = many.replace(b"\xff\xc2", b"\xff\xca", 1)
    assert structure_fault(coded, "JPEG") == "a JPEG of 3001 scans or more over 1 megapixels"
    assert structure_fault(coded[: -len(last) - 2] + content[-2:], "JPEG") is None


def test_a_sequential_jpegs_decoder_stops_after_its_one_scan_and_so_does_the_count():
    plain = saved("JPEG")
    assert structure_fault(plain[:-2] + plain[plain.rindex(b"\xff\xda") :] * 5000, "JPEG") is None


def test_marks_inside_a_block_are_none():
    plain = saved("JPEG")
    thumbnail = b"\xff\xda\0\x08" * 10_000
    block = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    assert structure_fault(plain[:2] + block + plain[2:], "JPEG") is None


def test_blocks_of_a_png_are_counted():
    plain = saved("PNG")
    empty = struct.pack(">I", 0) + b"prVt" + struct.pack(">I", zlib.crc32(b"prVt"))
    assert list(png_chunks(plain)) == [b"IHDR", b"IDAT", b"IEND"]
    assert structure_fault(plain[:33] + empty * (MOST_CHUNKS - 3) + plain[33:], "PNG") is None
    fault = structure_fault(plain[:33] + empty * (MOST_CHUNKS - 2) + plain[33:], "PNG")
    assert fault == f"a PNG of more than {MOST_CHUNKS:,} blocks"


def frames(kind, count):
    others = [Image.new("L", (16, 16), i % 256) for i in range(1, count)]
    return saved(kind, save_all=True, append_images=others)


@pytest.mark.parametrize("kind", ["GIF", "TIFF"])
def test_frames_and_pages_are_counted_as_pillow_counts_them(kind):
    for count in (1, 2, 7):
        content = frames(kind, count)
        assert Image.open(io.BytesIO(content)).n_frames == count
        assert frame_count(content, kind) == (count, True)


def test_more_frames_than_are_counted_are_said_to_be_more():
    gif = saved("GIF")
    content = gif[:-1] + gif[gif.index(b",") : -1] * MOST_FRAMES + b";"
    assert frame_count(content, "GIF") == (MOST_FRAMES + 1, False)
    assert open_photo(content).notes == (f"first of more than {MOST_FRAMES:,} frames",)


def test_frames_that_were_not_counted_to_the_end_get_no_exact_number(monkeypatch):
    gif = frames("GIF", 7)
    assert open_photo(gif).notes == ("first of 7 frames",)
    monkeypatch.setattr("geosleuth.indexes.photo_structure._MOST_STEPS", 8)  # of each frame some three
    found, whole = frame_count(gif, "GIF")
    assert 1 < found < 7
    assert not whole
    words = f"first of at least {found} frames: the file was not looked through to its end"
    assert open_photo(gif).notes == (words,)


def test_padding_in_place_of_the_end_is_told_in_words_that_hold_for_it():
    padded = saved("GIF")[:-1] + b"\0" * 2000
    (note,) = load_photo(padded).notes
    assert note == "first of at least 1 frame: the file was not looked through to its end"


def test_one_picture_in_tiny_blocks_is_not_said_to_be_many_frames(monkeypatch):
    monkeypatch.setattr("geosleuth.indexes.photo_structure._MOST_STEPS", 200)
    gif = saved("GIF")
    picture = gif.index(b",") + 11  # behind the picture's place and the size of its codes
    at, codes = picture, b""
    while gif[at]:
        codes += gif[at + 1 : at + 1 + gif[at]]
        at += 1 + gif[at]
    comments = b"!\xfe\1x\0" * 200  # of one letter each
    tiny = gif[:picture] + b"".join(bytes([1, code]) for code in codes) + b"\0" + comments + b";"
    words = "first of at least 1 frame: the file was not looked through to its end"
    assert load_photo(tiny).notes == (words,)
    assert load_photo(tiny).pixels.mean() == 99
    monkeypatch.undo()
    assert load_photo(tiny).notes == ()


def test_frames_behind_bytes_that_mean_nothing_are_not_left_out_of_the_count():
    gif = saved("GIF")
    padded = gif[:-1] + bytes(2000) + gif[gif.index(b",") :]
    assert Image.open(io.BytesIO(padded)).n_frames == 2
    assert frame_count(padded, "GIF") == (1, False)


@pytest.mark.parametrize("lies", ["beyond the end", "at no entries", "at too many entries", "at no field"])
def test_an_offset_that_leads_to_no_directory_is_no_page(lies):
    content = bytearray(saved("TIFF"))
    (at,) = struct.unpack_from("<I", content, 4)
    (entries,) = struct.unpack_from("<H", content, at)
    garbage = {
        "beyond the end": b"",
        "at no entries": bytes(20),
        "at too many entries": b"\xff" * 20,
        "at no field": b"\1\0" + b"\xee" * 20,
    }
    content[at + 2 + 12 * entries : at + 6 + 12 * entries] = struct.pack("<I", len(content))
    assert frame_count(bytes(content) + garbage[lies], "TIFF") == (1, True)
    real = struct.pack("<HHHII", 1, 256, 4, 1, 16) + bytes(4)  # one entry, a width
    assert frame_count(bytes(content) + real, "TIFF") == (2, True)


def test_pages_that_go_round_are_counted_once():
    content = bytearray(saved("TIFF"))
    (at,) = struct.unpack_from("<I", content, 4)
    (entries,) = struct.unpack_from("<H", content, at)
    content[at + 2 + 12 * entries : at + 6 + 12 * entries] = struct.pack("<I", at)
    assert frame_count(bytes(content), "TIFF") == (1, True)
    assert load_photo(bytes(content)).size == (16, 16)


def test_a_tiff_in_more_parts_than_it_can_have_is_refused():
    content = bytearray(saved("TIFF"))
    (at,) = struct.unpack_from("<I", content, 4)
    (entries,) = struct.unpack_from("<H", content, at)
    strips = [at + 2 + 12 * i for i in range(entries) if struct.unpack_from("<H", content, at + 2 + 12 * i) == (273,)]
    content[strips[0] + 4 : strips[0] + 8] = struct.pack("<I", 2_000_000)
    assert structure_fault(bytes(content), "TIFF") == "a TIFF in 2,000,000 parts"


def test_a_big_tiff_of_more_entries_than_any_is_refused():
    content = b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 1 << 40)
    assert structure_fault(content, "TIFF") == f"a TIFF of {1 << 40:,} entries"


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_cut_file_is_walked_to_its_end(order):
    tiff = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IHHH", 8, 3, 256, 4)
    for kind, content in (("JPEG", saved("JPEG")), ("PNG", saved("PNG")), ("GIF", saved("GIF")), ("TIFF", tiff)):
        for cut in range(3, len(content)):
            structure_fault(content[:cut], kind)
            if kind in ("GIF", "TIFF"):
                assert frame_count(content[:cut], kind) == (1, True)


def test_a_gif_of_nothing_is_refused():
    assert structure_fault(b"GIF89a" + bytes(5000), "GIF") == "a GIF without a picture near its beginning"
    padded = saved("GIF")
    at = padded.index(b",")
    assert structure_fault(padded[:at] + bytes(1000) + padded[at:], "GIF") is None


def test_grey_of_16_bits_is_brought_to_8_in_strips(monkeypatch):
    values = np.arange(40 * 30, dtype=np.uint16).reshape(40, 30) * 54
    whole = load_photo(saved("PNG", Image.fromarray(values))).pixels
    monkeypatch.setattr("geosleuth.indexes.pixels._STRIP_PX", 70)  # two rows, and a last strip of two
    assert (load_photo(saved("PNG", Image.fromarray(values))).pixels == whole).all()
    assert (whole[:, :, 0] == np.rint(values / 257.0)).all()
    floats = np.linspace(-5, 20, 41 * 30, dtype=np.float32).reshape(41, 30)  # the last strip is of one row
    stretched = load_photo(saved("TIFF", Image.fromarray(floats))).pixels[:, :, 0]
    assert (stretched[0, 0], stretched[-1, -1]) == (0, 255)
    assert (np.diff(stretched.ravel().astype(int)) >= 0).all()


def test_a_large_webp_is_refused_by_its_header():
    content = bytearray(saved("WEBP", Image.new("RGBA", (16, 16), (1, 2, 3, 128)), exif=b"Exif\0\0II*\0"))
    assert content[12:16] == b"VP8X"
    content[24:30] = (9999).to_bytes(3, "little") * 2  # one less than the canvas: 100 MP
    with pytest.raises(InputError, match=r"at most 80 megapixels; found 10000 x 10000|cannot be|broken header"):
        open_photo(bytes(content))


def test_the_limit_of_webp_is_told_with_its_reason():
    with pytest.raises(InputError) as error:
        check_pixels((12_000, 8000), "a.webp", "WebP")  # 96 MP, a panorama
    assert error.value.wanted == "a WebP of at most 80 megapixels"
    assert error.value.found == "12000 x 8000 pixels: a.webp"
    assert error.value.remedy == "Save it as JPEG, up to 220 megapixels; decoding a WebP takes 16 bytes a pixel."
    check_pixels((12_000, 8000), "a.jpg", "JPEG")
    check_pixels((8000, 10_000), "a.webp", "WebP")
