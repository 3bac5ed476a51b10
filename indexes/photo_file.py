"""The bytes of a photo, and its header, opened safely: from a path, as one of the formats that cameras write."""

from __future__ import annotations

import io
import os
import re
import stat
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from PIL import GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin
from PIL.ImageFile import ImageFile

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo_structure import structure_fault

FORMATS = "JPEG, PNG, WebP, HEIC, TIFF or GIF"
WANTED = f"a photo ({FORMATS})"

# Phones write 200 MP (16320 x 12240 = 199.8 MP) and panoramas of 16384 x 8192 (134 MP): both pass, with a tenth to
# spare. 220 MP at Pillow's 4 bytes a pixel is 0.9 GB, what a small machine can still hold; 400 MP it cannot.
MAX_MEGAPIXELS = 220
# Of WebP: libwebp's decoder of animations, which Pillow uses for all of them, takes 16 bytes a pixel: 1.3 GB here, and
# 2.8 GB for 179 MP, which a file of some hundred bytes can hold. No camera writes WebP; a panorama may be saved as one.
MAX_WEBP_MEGAPIXELS = 80
# A 200-MP photo as an uncompressed 8-bit TIFF is 0.6 GB. Anything above this is a disk image or a film, and would
# only be read to be refused.
MAX_FILE_BYTES = 1 << 30
_HEAD_BYTES = 4096  # tells the kind; a page of the disk

# What decoders raise on damaged files, found by feeding them 80,000 of these.
DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    EOFError,
    RuntimeError,
    MemoryError,
    struct.error,
)

# What people hand over by mistake, by its first bytes, so that the error can name it.
_OTHER_KINDS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF", "a PDF"),
    (0, b"%!PS", "PostScript"),
    (0, b"PK\x03\x04", "a zip archive or an office document"),
    (0, b"BM", "a BMP image"),
    (0, b"<svg", "an SVG drawing"),
    (0, b"<?xml", "XML"),
    (0, b"<!DOCTYPE", "a web page"),
    (0, b"<html", "a web page"),
    (0, b"8BPS", "a Photoshop document"),
    (4, b"ftypavif", "an AVIF image"),
    (4, b"ftyp", "a video"),
    (0, b"\x1aE\xdf\xa3", "a video"),
)
# A scheme (RFC 3986, 3.1) of more than the one letter of a drive, and a slash; these few need none.
_ADDRESS = re.compile(r"(data(?=:[^,]*,)|file|https?|[a-z][a-z0-9+.-]+(?=:/)):", re.IGNORECASE)
_DRIVE = re.compile(r"/[A-Za-z]:/")  # of Windows, as file: addresses have it
_SHOWN_OF_ADDRESS = 200  # characters: one of data: holds a whole picture
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}  # ISO/IEC 23008-12, annex B


def read_file(path: Path) -> bytes:
    """Read a photo's file; folders, pipes, devices, empty and outsized files are refused before they are opened.

    Of a file that begins as no photo does, no more than the beginning is read.

    Raises:
        InputError: There is no such file, it is no ordinary file, it is empty, too large, no photo by its first bytes,
            or may not be read.
    """
    name = printable(str(path))
    try:
        _check_ordinary(path.stat(), name)
        with _opened(path) as file:
            size = _check_ordinary(os.fstat(file.fileno()), name)  # another file may have taken its name since
            head = file.read(_HEAD_BYTES)
            if head and sniff(head) is None:
                raise _another_kind(head, name)
            file.seek(0)
            return file.read(size)  # and no more: a file may grow while it is read
    except InputError:
        raise  # it is a ValueError as well
    except PermissionError as error:
        raise InputError(WANTED, f"a file that may not be read: {name}", "Change its permissions.") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        if (refused := refused_address(path)) is not None:
            raise refused from error
        if isinstance(error, FileNotFoundError):
            raise InputError(WANTED, f"no such file: {name}", "Check the path.") from error
        found = f"a path that cannot be read ({printable(str(error))})"
        raise InputError(WANTED, found, "Check the path and the disk.") from error


def refused_address(
    path: str | Path, wanted: str = WANTED, remedy: str = "Save the photo, and give the path of its file."
) -> InputError | None:
    """Say that an address in a path's place is not opened, and what to give; None where it is none, or a true file's.

    Args:
        path: As the user gave it: made absolute, it begins as no address does.
        wanted: In its place.
        remedy: For an address of the web; one of a file is answered with its path.
    """
    given = Path(path).as_posix()  # which has one slash where there were several
    address = _ADDRESS.match(given)
    if address is None or os.path.exists(path):  # noqa: PTH110 - Path's own raises where one of data is no name at all
        return None
    scheme = address[1].lower()
    if scheme == "file":
        inside = unquote(given[address.end() :])
        inside = inside[1:] if _DRIVE.match(inside) else inside
        remedy = f"Give the path itself: {printable(inside)}, if it is on this machine."
    kind = "an address" if scheme in ("file", "data") else "a web address"
    shown = printable(given if len(given) <= _SHOWN_OF_ADDRESS else given[:_SHOWN_OF_ADDRESS] + "...")
    return InputError(wanted, f"{kind}, and none is opened: {shown}", remedy)


def _check_ordinary(status: os.stat_result, name: str) -> int:
    """Return the size in bytes of what may be read."""
    if not stat.S_ISREG(status.st_mode):  # opening a pipe or a device would hang or have effects
        raise InputError(WANTED, f"{_kind_of(status.st_mode)}: {name}", "Name one image file.")
    if status.st_size > MAX_FILE_BYTES:
        found = f"a file of {status.st_size / 2**30:.1f} GiB: {name}"
        raise InputError(f"{WANTED} of at most {MAX_FILE_BYTES >> 30} GiB", found, "Export a smaller copy.")
    if not status.st_size:  # so are those of /proc and /sys, of which some would be waited on for ever
        raise InputError(WANTED, f"an empty file: {name}", "Copy the photo again; the transfer may have failed.")
    return status.st_size


def _opened(path: Path) -> BinaryIO:
    """Open for reading without waiting for a pipe's writer."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # one is POSIX's, one Windows'
    return os.fdopen(os.open(path, flags), "rb")


def open_image(content: bytes, name: str) -> ImageFile:
    """Open a photo's header with the one decoder that its first bytes call for; nothing is decoded yet.

    Pillow's own `Image.open` is passed by: its bomb limit is a setting of the whole process, and too low for phones
    of 200 MP, and it would try every installed plugin, PostScript's among them.

    Raises:
        InputError: Not one of the formats, a broken header, or more than `MAX_MEGAPIXELS`.
    """
    if not content:
        raise InputError(WANTED, f"an empty file: {name}", "Copy the photo again; the transfer may have failed.")
    kind = sniff(content)
    if kind is None:
        raise _another_kind(content, name)
    if fault := structure_fault(content, kind):
        remedy = "Export the photo again with an image editor; no camera writes such a file, and it may be an attack."
        raise InputError(WANTED, f"{fault}: {name}", remedy)
    try:
        with quiet_decoder():
            image = _plugin(kind)(io.BytesIO(content), name)
    except DAMAGED as error:
        remedy = "Copy or export the photo again; the file is damaged."
        told = printable(str(error).strip())
        raise InputError(WANTED, f"a {kind} with a broken header ({told}): {name}", remedy) from error
    except Image.DecompressionBombError as error:  # WebP's plugin has a limit of its own, 179 MP
        raise too_many_pixels(name, str(error), kind) from error
    check_pixels(image.size, name, kind)
    return image


@contextmanager
def quiet_decoder() -> Iterator[None]:
    """Silence Pillow's warnings of damaged blocks: exif.py reports them to people, in words."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def check_pixels(size: tuple[int, int], name: str, kind: str | None = None) -> None:
    """Refuse an image by the (width, height) of its header, before memory is taken for it."""
    if min(size) < 1:
        raise InputError(WANTED, f"an image of {size[0]} x {size[1]} pixels: {name}", "Export the photo again.")
    if size[0] * size[1] > (MAX_WEBP_MEGAPIXELS if kind == "WebP" else MAX_MEGAPIXELS) * 1_000_000:
        raise too_many_pixels(name, f"{size[0]} x {size[1]} pixels", kind)


def sniff(content: bytes) -> str | None:
    """Tell the format from the first bytes; None where it is none of ours."""
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if content[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WebP"
    if content[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "TIFF"
    if content[4:8] == b"ftyp" and content[8:12] in _HEIF_BRANDS:
        return "HEIC"
    return None


def _another_kind(content: bytes, name: str) -> InputError:
    remedy = f"Convert it to {FORMATS}; the extension alone does not tell."
    return InputError(WANTED, f"{_describe(content)}: {name}", remedy)


def _plugin(kind: str) -> type[ImageFile]:
    if kind == "HEIC":  # a heavy library, and only some photos need it
        from pillow_heif.as_plugin import HeifImageFile

        heif: type[ImageFile] = HeifImageFile
        return heif
    return {
        "JPEG": JpegImagePlugin.JpegImageFile,  # of several pictures (MPO) the first, the photo itself
        "PNG": PngImagePlugin.PngImageFile,
        "GIF": GifImagePlugin.GifImageFile,
        "WebP": WebPImagePlugin.WebPImageFile,
        "TIFF": TiffImagePlugin.TiffImageFile,
    }[kind]


def too_many_pixels(name: str, found: str, kind: str | None = None) -> InputError:
    """Make the error for a picture that is too large; WebP's limit is lower."""
    wanted = f"a photo of at most {MAX_MEGAPIXELS} megapixels"
    remedy = "Export a smaller copy; a larger one may be a decompression bomb."
    if kind == "WebP":
        wanted = f"a WebP of at most {MAX_WEBP_MEGAPIXELS} megapixels"
        remedy = f"Save it as JPEG, up to {MAX_MEGAPIXELS} megapixels; decoding a WebP takes 16 bytes a pixel."
    return InputError(wanted, f"{found}: {name}", remedy)


def _describe(content: bytes) -> str:
    for offset, signature, kind in _OTHER_KINDS:
        if content[offset:].startswith(signature):
            return kind
    try:
        content[:1024].decode("utf-8")
    except UnicodeDecodeError as error:
        # Only a character cut off by the end of the sample still counts as text.
        return "text" if error.start > 1020 else "a file of another kind"
    return "text"


def _kind_of(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"


def file_name(path: str | os.PathLike[str]) -> str:
    """The last part of a path, printable: reports must not show where files are kept, nor break on their names."""
    name = os.fsencode(Path(path).name or str(path)).decode("utf-8", "backslashreplace")
    return printable(name)


def printable(text: str) -> str:
    """Text of others (a path, a library's words on a file) with visible escapes for what would steer a terminal."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
