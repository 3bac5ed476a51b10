"""One photo, from whatever a user hands over: upright RGB pixels, and its metadata as bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo_file import (
    DAMAGED,
    WANTED,
    check_pixels,
    file_name,
    open_image,
    printable,
    quiet_decoder,
    read_file,
    sniff,
    too_many_pixels,
)
from geosleuth.indexes.photo_structure import frames_note, png_chunks
from geosleuth.indexes.pixels import ORIENTATION_TAG, Pixels, fitted_size, rgb_pixels, upright_size

# The working size. Photos of 12 MP (4032 x 3024), what most phones write, stay as they are; larger ones are oversampled
# by their own lens, and every tool reduces further. It bounds the pixels to 50 MB, whatever the file.
MAX_SIDE_PX = 4096
# A C2PA manifest store is a JUMBF superbox of this type: "jumd", then the UUID 63327061-0011-0010-8000-00AA00389B71
# (C2PA specification 2.1, section 11.1.4.2). Twenty bytes do not occur by chance.
_C2PA_SIGNATURE = b"jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
# The blocks of a PNG that Pillow takes EXIF, or an orientation, from.
_PNG_METADATA = (b"eXIf", b"tEXt", b"zTXt", b"iTXt")


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo whose header is read; its pixels are decoded on first use, once.

    `size` is (width, height) of `pixels`; `original_size` that of the file, upright as well. Both are known before
    anything is decoded.
    """

    name: str  # file name without folders
    sha256: str  # of the file's bytes; of the upright pixels where the photo never was a file
    format: str  # "JPEG", "PNG", "WebP", "HEIC", "TIFF", "GIF", or "memory"
    size: tuple[int, int]
    original_size: tuple[int, int]
    exif: bytes | None = field(default=None, repr=False)
    xmp: bytes | None = field(default=None, repr=False)
    has_content_credentials: bool = False  # a C2PA block is there; nobody has verified it
    notes: tuple[str, ...] = ()  # what was done to the picture, for people
    edits: tuple[str, ...] = ()  # of these, how it was turned and cropped: by the investigator, or as it seemed to lie
    _content: bytes | Pixels = field(default=b"", repr=False)
    _orientation: int = field(default=1, repr=False)

    @cached_property
    def pixels(self) -> Pixels:
        """uint8 RGB of shape (h, w, 3), upright, no side above `MAX_SIDE_PX`; read-only, since all tools share it.

        Raises:
            InputError: The file is truncated or damaged (only for a photo from `open_photo`).
        """
        if isinstance(self._content, np.ndarray):
            pixels = self._content
        else:
            image = open_image(self._content, self.name)
            pixels = _decode(image, self.name, self._orientation)
        pixels.flags.writeable = False
        return pixels

    def pixels_at(self, side_px: int) -> Pixels:
        """Decode again, as small as is cheap while no side falls below `side_px`; nothing is kept.

        JPEG is decoded at an eighth, a quarter or a half of its size: a photo of 12 MP for a model of 384 pixels in a
        sixth of the time (21 for 126 ms). Other formats come as `pixels` has them. The shorter side counts, because
        some models crop the middle and others fit the whole; a smaller photo is never enlarged.

        Raises:
            InputError: The file is truncated or damaged.
        """
        if not isinstance(self._content, bytes) or self.format != "JPEG":
            return self.pixels
        image = open_image(self._content, self.name)
        image.draft(image.mode, (side_px, side_px))
        if max(image.size) > MAX_SIDE_PX:  # a long panorama: Pillow cannot be told twice to reduce
            image = open_image(self._content, self.name)
        return _decode(image, self.name, self._orientation)


def load_photo(source: str | Path | bytes | Image.Image | np.ndarray, *, name: str | None = None) -> Photo:
    """Load a photo from a path, a file's bytes, a PIL image or an array (h, w, 3) of uint8 RGB.

    Raises:
        InputError: It is no photo, or one that cannot be decoded to its end.
    """
    photo = open_photo(source, name=name)
    _ = photo.pixels  # a truncated file is to be refused here, not in the middle of the work
    return photo


def open_photo(source: str | Path | bytes | Image.Image | np.ndarray, *, name: str | None = None) -> Photo:
    """As `load_photo`, but only the header is read: metadata of a photo whose picture may be damaged.

    Raises:
        InputError: It is no photo.
    """
    if isinstance(source, str | Path):
        path = Path(source)
        return _from_bytes(read_file(path), name or file_name(path))
    if isinstance(source, bytes | bytearray | memoryview):
        return _from_bytes(bytes(source), name or "photo")
    if isinstance(source, Image.Image):
        return _from_image(source, name or file_name(getattr(source, "filename", "") or "image"))
    if isinstance(source, np.ndarray):
        return _from_array(source, name or "array")
    remedy = "Give a path, the bytes of a file, a PIL image, or an array."
    raise InputError(WANTED, f"an object of type {type(source).__name__}", remedy)


# Who reads files in the place of this process, while `decoding_apart.py` has them decoded by others.
read_apart: Callable[[bytes, str], Photo] | None = None


def _from_bytes(content: bytes, name: str) -> Photo:
    if read_apart is not None:
        return read_apart(content, name)
    image = open_image(content, name)
    kind = sniff(content) or image.format or ""
    exif, orientation = _exif_of(image, kind) if _may_hold_exif(kind, content) else (None, 1)
    original = upright_size(image.size, orientation)
    size = fitted_size(original, MAX_SIDE_PX)
    notes = _notes(image, kind, content)
    if size != original:
        notes.append(f"reduced from {original[0]} x {original[1]} to {size[0]} x {size[1]} pixels")
    return Photo(
        name=name,
        sha256=hashlib.sha256(content).hexdigest(),
        format=kind,
        size=size,
        original_size=original,
        exif=exif,
        xmp=_xmp_of(image),
        has_content_credentials=_C2PA_SIGNATURE in content,
        notes=tuple(notes),
        _content=content,
        _orientation=orientation,
    )


def _from_image(image: Image.Image, name: str) -> Photo:
    check_pixels(image.size, name)
    exif, orientation = _exif_of(image, "memory")
    original = upright_size(image.size, orientation)
    pixels = _decode(image, name, orientation, copy=True)  # decoding must not change the caller's image
    return Photo(
        name=name,
        sha256=hashlib.sha256(pixels.tobytes()).hexdigest(),
        format="memory",
        size=(pixels.shape[1], pixels.shape[0]),
        original_size=original,
        exif=exif,
        xmp=_xmp_of(image),
        _content=pixels,
    )


def _from_array(array: np.ndarray, name: str) -> Photo:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or min(array.shape) < 1:
        found = f"an array of shape {array.shape} and type {array.dtype}"
        remedy = "Convert it to uint8 RGB, rows first; a PIL image is accepted in any mode."
        raise InputError("an array of shape (h, w, 3) and type uint8", found, remedy)
    return _from_image(Image.fromarray(array), name)


def _decode(image: Image.Image, name: str, orientation: int, *, copy: bool = False) -> Pixels:
    try:
        with quiet_decoder():
            image = image.copy() if copy else image
            return rgb_pixels(image, orientation=orientation, max_side=MAX_SIDE_PX)
    except Image.DecompressionBombError as error:  # TIFF's plugin has a limit of its own for one tile, 179 MP
        raise too_many_pixels(name, str(error)) from error
    except DAMAGED as error:
        remedy = "Copy or export the photo again; the file is truncated or damaged."
        told = printable(str(error).strip())
        raise InputError(WANTED, f"a picture that cannot be decoded ({told}): {name}", remedy) from error


def _may_hold_exif(kind: str, content: bytes) -> bool:
    """Tell where Pillow need not look: it decodes a whole PNG to find a block that may stand behind the pixels."""
    return kind != "PNG" or any(chunk in _PNG_METADATA for chunk in png_chunks(content))


def _exif_of(image: Image.Image, kind: str) -> tuple[bytes | None, int]:
    """The EXIF block as bytes, and the orientation that is still to be applied."""
    raw = image.info.get("exif")
    try:
        with quiet_decoder():
            parsed = image.getexif()
        orientation = parsed.get(ORIENTATION_TAG, 1)
        # TIFF has no block of its own, the file is one; PNG may hold it as text. Elsewhere Pillow would answer with an
        # orientation that it took from XMP, and a block that nobody wrote must not be reported.
        if not raw and (hasattr(image, "tag_v2") or "Raw profile type exif" in image.info):
            with quiet_decoder():
                raw = parsed.tobytes()
    except DAMAGED:
        orientation = 1  # a damaged block says nothing; the reader of metadata reports it
    # The decoders of HEIC and TIFF turn the picture themselves: turning again would be wrong.
    turned = kind in ("HEIC", "TIFF") or image.format in ("HEIF", "TIFF")
    usable = not turned and isinstance(orientation, int) and 1 <= orientation <= 8
    return raw if isinstance(raw, bytes) and raw else None, orientation if usable else 1


def _xmp_of(image: Image.Image) -> bytes | None:
    for key in ("xmp", "XML:com.adobe.xmp"):
        value = image.info.get(key)
        if isinstance(value, str):
            value = value.encode("utf-8", "surrogatepass")
        if isinstance(value, bytes) and value:
            return value
    tag = getattr(image, "tag_v2", {}).get(700)  # TIFF's XMP packet
    return bytes(tag) if isinstance(tag, bytes) and tag else None


def _notes(image: Image.Image, kind: str, content: bytes) -> list[str]:
    frames = _frames_note(image, kind, content)
    notes = [frames] if frames else []
    if image.mode == "F":
        notes.append("floating-point values brought to 8 bits")
    elif image.mode == "I":
        notes.append("32-bit reduced to 8")
    elif image.mode.startswith("I;16") or (kind == "PNG" and content[24] == 16) or _tiff_bits(image) == 16:
        notes.append("16-bit reduced to 8")
    if image.mode == "CMYK":
        notes.append("CMYK converted without a colour profile")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        notes.append("transparent parts laid onto white")
    return notes


def _frames_note(image: Image.Image, kind: str, content: bytes) -> str | None:
    if kind == "JPEG":
        return None
    if kind in ("GIF", "TIFF"):  # Pillow looks at every one, however many
        return frames_note(content, kind)
    frames = int(getattr(image, "n_frames", 1))  # the header tells
    return f"first of {frames} frames" if frames > 1 else None


def _tiff_bits(image: Image.Image) -> int:
    bits = getattr(image, "tag_v2", {}).get(258, (8,))
    return max(bits) if isinstance(bits, tuple) and bits else 8
