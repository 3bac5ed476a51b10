import hashlib
from pathlib import Path

import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.manifest import SourceFacts
from geosleuth.indexes.gallery.pictures import reference_picture
from geosleuth.indexes.gallery.reference import Reference


def reference(uri: str, source: int = 0, sha256: str = "ab" * 32) -> Reference:
    return Reference(id="0" * 16, uri=uri, source=source, lat=1.0, lon=2.0, view="ground", sha256=sha256)


@pytest.mark.parametrize("kind", ["folder", "table"])
def test_photos_are_read_below_their_root_whatever_listed_them(kind: str, tmp_path: Path) -> None:
    (tmp_path / "walk").mkdir()
    Image.new("RGB", (20, 10), (9, 9, 9)).save(tmp_path / "walk" / "5.jpg")
    sha256 = hashlib.sha256((tmp_path / "walk" / "5.jpg").read_bytes()).hexdigest()
    source = SourceFacts(kind=kind, root=str(tmp_path))
    assert reference_picture(reference("walk/5.jpg", sha256=sha256), [source]).size == (20, 10)


@pytest.mark.parametrize("uri", ["../secret.jpg", "/etc/passwd", "a/../../b.jpg", "C:\\b.jpg", "..\\b.jpg"])
def test_a_uri_that_leaves_its_source_is_refused(uri: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Wanted an image inside its source; found .* build it again"):
        reference_picture(reference(uri), [SourceFacts(kind="folder", root=str(tmp_path))])


def test_a_source_that_was_moved_is_named(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with pytest.raises(InputError, match=f"found nothing at {gone}"):
        reference_picture(reference("5.jpg"), [SourceFacts(kind="folder", root=str(gone))])


def test_another_image_by_the_same_name_is_refused(tmp_path: Path) -> None:
    file, source = tmp_path / "DSC0001.jpg", SourceFacts(kind="folder", root=str(tmp_path))
    Image.new("RGB", (20, 10), (9, 9, 9)).save(file)
    indexed = reference(file.name, sha256=hashlib.sha256(file.read_bytes()).hexdigest())
    assert reference_picture(indexed, [source]).size == (20, 10)
    Image.new("RGB", (20, 10), (9, 99, 9)).save(file)
    with pytest.raises(InputError, match=r"Wanted the image that was indexed; found another .*: DSC0001\.jpg\. Bring"):
        reference_picture(indexed, [source])
