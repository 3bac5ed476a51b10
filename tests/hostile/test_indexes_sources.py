"""What an index from a stranger names outside itself: pictures of this machine, and the encoder of its vectors."""

from __future__ import annotations

import importlib.util
import pickle
import struct
import sys
from pathlib import Path

import pytest
from PIL import Image

from geosleuth.indexes.encoders import load
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery import build
from geosleuth.indexes.gallery.manifest import EncoderFacts, SourceFacts
from geosleuth.indexes.gallery.pictures import reference_picture
from geosleuth.indexes.gallery.reference import Reference

spec = importlib.util.spec_from_file_location("stranger_index", Path(__file__).with_name("stranger_index.py"))
made = sys.modules.setdefault("stranger_index", importlib.util.module_from_spec(spec))
spec.loader.exec_module(made)
D, reseal = made.D, made.reseal
unix = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes of Unix")


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return made.whole_index(tmp_path / "index")


def photo(path: Path, grey: int = 9) -> str:
    """Write a picture; return its checksum."""
    import hashlib

    Image.new("RGB", (20, 10), (grey, 9, 9)).save(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def picture(uri: str, sha256: str, root: str, kind: str = "folder") -> object:
    reference = Reference("0" * 16, uri, 0, 1.0, 2.0, "ground", sha256=sha256)
    return reference_picture(reference, [SourceFacts(kind=kind, root=root)])


@unix
def test_no_reference_leads_out_of_its_source(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    root.mkdir()
    sha256 = photo(tmp_path / "private.jpg")
    (root / "link.jpg").symlink_to(tmp_path / "private.jpg")
    (root / "up").symlink_to("..")
    (root / "loop.jpg").symlink_to("loop.jpg")
    uris = ["../private.jpg", str(tmp_path / "private.jpg"), "link.jpg", "up/private.jpg", "loop.jpg", "/etc/passwd"]
    for uri in [*uris, "a\0b.jpg", "~/private.jpg", "x" * 5000, ".", "..", "", "file:///etc/passwd"]:
        with pytest.raises(InputError):
            picture(uri, sha256, str(root))


def test_only_the_very_image_that_was_indexed_is_shown(tmp_path: Path) -> None:
    """Whoever does not know a picture already cannot have it shown, whatever folder the index names as its source."""
    sha256 = photo(tmp_path / "private.jpg")
    with pytest.raises(InputError, match="another image by that name"):
        picture("private.jpg", "ab" * 32, str(tmp_path))
    with pytest.raises(InputError, match=r"the checksum of the image that was indexed; found none .* Build the index"):
        picture("private.jpg", "", str(tmp_path))
    assert picture("private.jpg", sha256, str(tmp_path)).size == (20, 10)  # type: ignore[attr-defined]


@pytest.mark.parametrize("root", [".", "", "photos", "\ud800", "a\0b"])
def test_a_source_is_named_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str) -> None:
    monkeypatch.chdir(tmp_path)
    sha256 = photo(tmp_path / "private.jpg")
    with pytest.raises(InputError, match="found nothing at"):
        picture("private.jpg", sha256, root)


@unix
@pytest.mark.parametrize("kind", ["geotiff", "mbtiles", "xyz", "table", "zip", "../x", "http"])
@pytest.mark.parametrize("root", ["/etc/passwd", "/vsicurl/http://127.0.0.1/x.tif", "http://127.0.0.1/x", "/dev/zero"])
def test_a_source_of_any_kind_reads_pictures_alone(kind: str, root: str) -> None:
    with pytest.raises(InputError):
        picture("0/0/0", "ab" * 32, root, kind)


# -- encoders ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", ["hf:stranger/model", "timm:resnet18", "dir:/photos/encoder"])
def test_the_encoder_that_an_index_names_is_not_fetched_by_an_add(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    reseal(index, encoder=EncoderFacts(spec=named, weights_sha256="00", dimension=D))
    photo(tmp_path / "a.jpg")
    asked: list[tuple[str, bool]] = []

    def absent(spec: str, *, local_only: bool = False) -> None:
        asked.append((spec, local_only))
        raise InputError(f"the encoder {spec} on this machine", "none", "Fetch it.")

    monkeypatch.setattr(load, "load_encoder", absent)
    with pytest.raises(InputError, match="If you trust the index, name its encoder yourself: --encoder"):
        build.add_to_index(tmp_path, index)
    with pytest.raises(InputError, match="Fetch it"):
        build.add_to_index(tmp_path, index, encoder=named)
    assert asked == [(named, True), (named, False)]


@pytest.mark.parametrize("named", ["embedded/../x", "pickle:x", "http://127.0.0.1/x", "os.system", "dir:\0", ""])
def test_an_encoder_of_no_known_kind_is_refused(named: str) -> None:
    with pytest.raises(InputError):
        load.load_encoder(named, local_only=True)


def _safetensors(header: bytes, body: bytes = bytes(64), length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + body


@pytest.mark.parametrize(
    "content",
    [
        b"",
        pickle.dumps({"a": 1}),
        _safetensors(b"{}", length=1 << 62),
        _safetensors(b"{}", length=1 << 33),
        _safetensors(b'{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,64]}}'),
        _safetensors(b'{"a":{"dtype":"F32","shape":[16],"data_offsets":[0,4398046511104]}}'),
        _safetensors(b'{"a":{"dtype":"F32","shape":[16],"data_offsets":[64,0]}}'),
        _safetensors(b'{"a":{"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,64]}}'),
        _safetensors(b'{"a":{"dtype":"O","shape":[16],"data_offsets":[0,64]}}'),
        _safetensors(b'{"a":' + b"[" * 5000),
        _safetensors(b"\xff" * 40),
    ],
)
def test_weights_of_a_lying_header_are_refused(tmp_path: Path, content: bytes) -> None:
    from geosleuth.indexes.encoders.encoder_folder import load_arrays

    pytest.importorskip("safetensors")
    (tmp_path / "backbone.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=r"a safetensors file in .* Write or fit it again"):
        load_arrays(tmp_path / "backbone.safetensors")
