"""Addresses in place of files, and inside of them: refused in words, and nobody is asked (request forgery).

geosleuth fetches no picture from anywhere: photos are files and uploads. Switches for addresses do not exist.
"""

import csv
import importlib.util
import io
import os
import sys
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from geosleuth.agent.agent import Agent
from geosleuth.agent.settings import Settings
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import load_photo, open_photo
from geosleuth.ui.cli import app
from geosleuth.ui.mcp_photos import PhotoFolders


def neighbour(name: str):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    module = sys.modules.setdefault(name, importlib.util.module_from_spec(spec))
    assert spec.loader is not None
    spec.loader.exec_module(module)
    return module


watched_sockets = neighbour("watched").watched_sockets

ADDRESSES = [
    "http://192.0.2.1/x.jpg",
    "https://192.0.2.1:8443/x.jpg?a=b",
    "HTTP://localhost/x.jpg",
    "http://169.254.169.254/latest/meta-data/",  # where clouds tell a machine its keys
    "file:///etc/passwd",
    "file://192.0.2.1/share/x.jpg",
    "ftp://192.0.2.1/x.jpg",
    "s3://bucket/x.jpg",
    "data:image/png;base64,iVBORw0KGgo=" + "A" * 5000,
    r"\\192.0.2.1\share\x.jpg",
    "//192.0.2.1/share/x.jpg",
    "/vsicurl/http://192.0.2.1/x.tif",
    "concat:http://192.0.2.1/x.mp4",
    "http://192.0.2.1/x.mp4",
]


def found_at(address: str) -> str:
    """What is said of it: other systems' paths, and what decoders alone take for an address, are no files here."""
    if address.startswith(("/", "\\", "concat:")):
        return "no such file: "
    return "an address" if address.startswith(("file:", "data:")) else "a web address"


@pytest.fixture
def tried():
    with watched_sockets() as found:
        yield found
        assert found == []


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_no_photo_for_the_library(tried: list[str], address: str) -> None:
    for opened in (open_photo, load_photo, Agent(Settings()).load):
        with pytest.raises(InputError) as refused:
            opened(address)
        assert all((refused.value.wanted, refused.value.found, refused.value.remedy))
        assert refused.value.found.startswith(found_at(address))


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_no_photo_for_an_assistant(tried: list[str], tmp_path: Path, address: str) -> None:
    with pytest.raises(InputError, match="a photo in a folder that this server may read"):
        PhotoFolders.of([tmp_path]).find(address)


@pytest.mark.parametrize("address", [ADDRESSES[0], ADDRESSES[4], ADDRESSES[8]])
@pytest.mark.parametrize(
    "command",
    [("localize",), ("batch", "--out", "t.csv"), ("index", "build", "--out", "i"), ("localize", "x.jpg", "--index")],
)
def test_an_address_is_refused_by_every_command(
    tried: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], address: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (60, 40)).save("x.jpg")
    given = [*command, address] if command[-1] == "--index" else [command[0], *command[1:2], address, *command[2:]]
    if command[0] == "batch":
        given = ["batch", address, "--out", "t.csv"]
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 2
    wanted, found, remedy = (line.split(":", 1) for line in result.stderr.splitlines()[-3:])
    assert [wanted[0], found[0], remedy[0]] == ["Wanted", "Found", "Do"]
    if command[-1] != "--index":  # which may be an address: milvus:COLLECTION@URI
        assert found[1].strip().startswith(f"{found_at(address)}, and none is opened: ")
        path = "Give the path itself: /etc/passwd, if it is on this machine."
        assert (remedy[1].strip() == path) is address.startswith("file:")


@pytest.mark.skipif(os.name == "nt", reason="this system has no such names")
def test_a_folder_that_is_named_like_an_address_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from geosleuth.indexes.gallery.sources.open import open_source
    from geosleuth.ui.batch_command import _count

    monkeypatch.chdir(tmp_path)
    Path("s3:/bucket").mkdir(parents=True)
    Image.new("RGB", (60, 40)).save("s3:/bucket/x.jpg")
    assert len(list(open_source("s3:/bucket").items())) == 1
    assert _count([Path("s3:/bucket")]) == 1


def test_addresses_in_a_table_of_references_are_left_out(tried: list[str], tmp_path: Path) -> None:
    from geosleuth.indexes.gallery.sources.open import open_source
    from geosleuth.indexes.gallery.sources.source import Skipped

    path = tmp_path / "references.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "lat", "lon"])
        writer.writerows([address, 55.7, 13.2] for address in ADDRESSES)
    source = open_source(path)
    for item in source.items():
        if not isinstance(item, Skipped):
            with pytest.raises(InputError):
                source.read(item.uri)


def test_an_address_in_a_photos_own_metadata_is_not_asked(tried: list[str]) -> None:
    """XMP may name where more of it lies, Content Credentials may too, and a decoder may be told where a profile is."""
    from geosleuth.agent import embedded_tools
    from geosleuth.agent.toolbox import Scene

    address = ADDRESSES[0]
    packet = f"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "{address}">]>
<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="{address}">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="{address}"
 xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="{address}"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:City="&e;"/></rdf:RDF></x:xmpmeta>"""
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = address
    Image.new("RGB", (60, 40), (127, 127, 127)).save(file, "JPEG", xmp=packet.encode(), exif=exif)
    photo = load_photo(file.getvalue(), name="x.jpg")
    assert photo.pixels.shape == (40, 60, 3)
    assert embedded_tools.metadata(Scene(photo)).evidence
