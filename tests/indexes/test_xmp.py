"""XMP packets: forms of a position, history, and what is refused."""

from __future__ import annotations

import pytest
from PIL import Image

from geosleuth.indexes.exif import parse_exif
from geosleuth.indexes.xmp import parse_xmp, shows_all_around


def xmp(body: str, attributes: str = "", head: str = "") -> bytes:
    return f"""{head}<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
    <rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
      xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
      xmlns:stEvt="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"
      xmlns:GPano="http://ns.google.com/photos/1.0/panorama/"
      xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" {attributes}>{body}</rdf:Description>
    </rdf:RDF></x:xmpmeta>""".encode()


@pytest.mark.parametrize(
    ("lat", "lon", "expected"),
    [
        ("43,28.5N", "11,53.25W", (43.475, -11.8875)),
        ("43,28,30S", "011,53,15E", (-43.475, 11.8875)),
        ("43.475", "-11.8875", (43.475, -11.8875)),
        ("43.475N", "11.8875W", (43.475, -11.8875)),
    ],
)
def test_xmp_positions(lat: str, lon: str, expected: tuple[float, float]) -> None:
    as_attributes = parse_exif(None, xmp("", f'exif:GPSLatitude="{lat}" exif:GPSLongitude="{lon}"'))
    elements = f"<exif:GPSLatitude>{lat}</exif:GPSLatitude><exif:GPSLongitude>{lon}</exif:GPSLongitude>"
    assert as_attributes.position == pytest.approx(expected)
    assert parse_exif(None, xmp(elements)).position == pytest.approx(expected)


@pytest.mark.parametrize(
    ("lat", "lon", "reason"),
    [
        ("43,28.5", "11,53.25W", "its XMP position cannot be read"),
        ("43,28.5E", "11,53.25W", "its XMP position cannot be read"),
        ("north", "11,53.25W", "its XMP position cannot be read"),
        ("99,0N", "11,0W", "its position is out of range"),
        ("0,0.0N", "0,0.0E", "its position is (0, 0)"),
    ],
)
def test_unusable_xmp_positions(lat: str, lon: str, reason: str) -> None:
    exif = parse_exif(None, xmp("", f'exif:GPSLatitude="{lat}" exif:GPSLongitude="{lon}"'))
    assert exif.position is None
    assert (exif.no_position_reason or "").startswith(reason)


def test_exif_comes_before_xmp_and_both_are_kept() -> None:
    packet = xmp("", 'exif:GPSLatitude="43,28.5N" exif:GPSLongitude="11,53.25E"')
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (10, 0, 0), 3: "E", 4: (20, 0, 0)})
    exif[0x8825] = exif.get_ifd(0x8825)
    read = parse_exif(exif.tobytes(), packet)
    assert read.position == (10.0, 20.0)
    assert read.xmp_position == pytest.approx((43.475, 11.8875))


def test_xmp_heading_history_and_source() -> None:
    history = """<xmpMM:History><rdf:Seq>
      <rdf:li stEvt:action="saved" stEvt:softwareAgent="Adobe Photoshop CS6 (Windows)"/>
      <rdf:li rdf:parseType="Resource"><stEvt:softwareAgent>GIMP 2.10</stEvt:softwareAgent></rdf:li>
    </rdf:Seq></xmpMM:History>"""
    source = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    attributes = f'GPano:PoseHeadingDegrees="123.5" xmp:CreatorTool="Tool" Iptc4xmpExt:DigitalSourceType="{source}"'
    exif = parse_exif(None, xmp(history, attributes))
    assert exif.editors == ("Adobe Photoshop CS6 (Windows)", "GIMP 2.10")
    assert (exif.heading_deg, exif.heading_north) == (123.5, "true")
    assert exif.software == "Tool"
    assert exif.synthetic
    magnetic = parse_exif(None, xmp("", 'exif:GPSImgDirection="901/10" exif:GPSImgDirectionRef="M"'))
    assert (magnetic.heading_deg, magnetic.heading_north) == (90.1, "magnetic")


@pytest.mark.parametrize(
    ("attributes", "size", "expected"),
    [
        ('GPano:ProjectionType="equirectangular"', (512, 256), True),
        ('GPano:ProjectionType="equirectangular"', (512, 200), True),  # sky and ground left out
        ('GPano:ProjectionType="equirectangular"', (400, 300), False),  # cropped since
        ('GPano:ProjectionType="cylindrical"', (512, 256), False),
        ('GPano:PoseHeadingDegrees="10"', (512, 256), False),
    ],
)
def test_xmp_of_a_panorama_all_around(attributes: str, size: tuple[int, int], expected: bool) -> None:
    assert shows_all_around(parse_xmp(xmp("", attributes)), size) is expected
    assert not shows_all_around({}, size)


@pytest.mark.parametrize(("shown_px", "expected"), [(4096, True), (2048, False)])
def test_xmp_of_a_panorama_of_a_part_of_the_horizon(shown_px: int, expected: bool) -> None:
    widths = f'GPano:CroppedAreaImageWidthPixels="{shown_px}" GPano:FullPanoWidthPixels="4096"'
    packet = xmp("", f'GPano:ProjectionType="equirectangular" {widths}')
    assert shows_all_around(parse_xmp(packet), (shown_px, 512)) is expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xmp_with_a_document_type_is_refused_whole(encoding: str) -> None:
    head = '<!DOCTYPE x [<!ENTITY a "43,28.5N"><!ENTITY b SYSTEM "file:///etc/hostname">]>'
    position = 'exif:GPSLatitude="43,28.5N" exif:GPSLongitude="11,53.25E"'
    assert parse_exif(None, xmp("", position, head).decode().encode(encoding)).position is None
    assert parse_exif(None, xmp("", position).decode().encode(encoding)).position is not None


def test_broken_or_outsized_xmp_is_left() -> None:
    packet = xmp("", 'exif:GPSLatitude="43,28.5N" exif:GPSLongitude="11,53.25E"')
    assert parse_exif(None, packet[:-20]).position is None
    assert parse_exif(None, packet + b" " * 5_000_000).position is None
    assert parse_exif(None, b"\0\xff\xfe").position is None


@pytest.mark.parametrize("heading", ["1/" + "9" * 5000, "1/" + "9" * 400, "9" * 5000, "1." + "9" * 5000, "1/0"])
def test_headings_of_thousands_of_digits_are_none(heading: str) -> None:
    assert parse_exif(None, xmp("", f'exif:GPSImgDirection="{heading}"')).heading_deg is None
    assert parse_exif(None, xmp("", 'exif:GPSImgDirection="1234567/10000"')).heading_deg == pytest.approx(123.4567)


@pytest.mark.parametrize("lat", ["9" * 5000 + "N", "1" + " " * 900_000 + "!", "1." + "0" * 40 + "N"])
def test_a_coordinate_longer_than_any_is_unusable(lat: str) -> None:
    found = parse_exif(None, xmp("", f'exif:GPSLatitude="{lat}" exif:GPSLongitude="11,53.25E"'))
    assert found.position is None
    assert "its XMP position cannot be read" in str(found.no_position_reason)


def test_texts_of_xmp_are_one_short_printable_line() -> None:
    steering = "a\u202eb\u009b2J\nIgnore all " + "x" * 1_000_000
    found = parse_exif(
        None, xmp(f"<stEvt:softwareAgent>{steering}</stEvt:softwareAgent>", f'xmp:CreatorTool="{steering}"')
    )
    assert found.software == ("ab2J Ignore all " + "x" * 200)[:120]
    assert found.editors == (found.software[:60],)
    described = xmp(f'<d:description xmlns:d="http://purl.org/dc/elements/1.1/">{steering}</d:description>')
    assert parse_exif(None, described).texts == {"description": found.software}
